//! Scaling of one plane: averages over areas when it shrinks, nearest samples when it grows.

const ONE: u32 = 1 << 8;

/// Which source samples make one target sample, and how much each counts (of 256 in total).
struct Span {
    first: usize,
    weights: Vec<u32>,
}

fn spans(from: usize, to: usize) -> Vec<Span> {
    (0..to)
        .map(|i| {
            if to >= from {
                return Span { first: (i * from / to).min(from - 1), weights: vec![ONE] };
            }
            let step = from as f64 / to as f64;
            let (start, end) = (i as f64 * step, ((i + 1) as f64 * step).min(from as f64));
            let first = (start as usize).min(from - 1);
            let last = ((end.ceil() as usize).max(first + 1) - 1).min(from - 1);
            let mut weights: Vec<u32> = (first..=last)
                .map(|s| {
                    let covered = (end.min((s + 1) as f64) - start.max(s as f64)).max(0.0);
                    (covered / (end - start) * f64::from(ONE)).round() as u32
                })
                .collect();
            // Rounding must not change brightness: the middle sample takes the difference.
            let sum: u32 = weights.iter().sum();
            let middle = weights.len() / 2;
            weights[middle] = (weights[middle] + ONE).saturating_sub(sum);
            Span { first, weights }
        })
        .collect()
}

/// Scales `source` (rows `stride` apart) into `target` (rows without padding). Sizes are not zero.
pub(crate) fn resize_plane(
    source: &[u8],
    stride: usize,
    (from_w, from_h): (usize, usize),
    target: &mut [u8],
    (to_w, to_h): (usize, usize),
) {
    let columns = spans(from_w, to_w);
    let rows = spans(from_h, to_h);
    let mut sums = vec![0u32; from_w];
    for (row, out) in rows.iter().zip(target.chunks_exact_mut(to_w)) {
        sums.fill(0);
        for (k, weight) in row.weights.iter().enumerate() {
            let start = (row.first + k) * stride;
            for (sum, &v) in sums.iter_mut().zip(&source[start..start + from_w]) {
                *sum += u32::from(v) * weight;
            }
        }
        for (column, out) in columns.iter().zip(out) {
            let part = &sums[column.first..column.first + column.weights.len()];
            let sum: u32 = part.iter().zip(&column.weights).map(|(v, w)| v * w).sum();
            *out = ((sum + (1 << 15)) >> 16) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_averages_four_samples() {
        let source = [0, 100, 200, 200, 100, 200, 200, 200];
        let mut out = [0; 2];
        resize_plane(&source, 4, (4, 2), &mut out, (2, 1));
        assert_eq!(out, [100, 200]);
    }

    #[test]
    fn weights_always_sum_to_one() {
        for (from, to) in [(1920, 640), (1080, 359), (7, 3), (3, 7), (1, 1), (1000, 16)] {
            for s in spans(from, to) {
                assert_eq!(s.weights.iter().sum::<u32>(), ONE, "{from} to {to}");
                assert!(s.first + s.weights.len() <= from);
            }
        }
    }
}
