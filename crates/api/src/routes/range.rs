//! Parts of a file (RFC 9110 §14): which bytes a `Range` header asks for.

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything (200).
    Whole,
    /// `first..=last` (206).
    Bytes {
        /// First byte.
        first: u64,
        /// Last byte, included.
        last: u64,
    },
    /// There is no such part (416).
    Unsatisfiable,
}

/// Reads a `Range` value for a file of `size` bytes. A value that is not understood is ignored, as the RFC says
/// (§14.2), and so is one that asks for several parts: the whole file answers those too.
pub(crate) fn part(header: Option<&str>, size: u64) -> Part {
    let Some(spec) = header.and_then(|h| h.trim().strip_prefix("bytes=")) else { return Part::Whole };
    let Some((from, to)) = spec.trim().split_once('-') else { return Part::Whole };
    // Digits of any length are a number; one that is too large for us is past the end of every file.
    let number = |s: &str| {
        let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| s.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (from.trim(), to.trim()) {
        ("", suffix) => match number(suffix) {
            None => Part::Whole,
            Some(n) if n == 0 || size == 0 => Part::Unsatisfiable,
            Some(n) => Part::Bytes { first: size.saturating_sub(n), last: size - 1 },
        },
        (first, last) => {
            let Some(first) = number(first) else { return Part::Whole };
            let last = match last {
                "" => size.saturating_sub(1),
                l => match number(l) {
                    Some(l) if l >= first => l.min(size.saturating_sub(1)),
                    _ => return Part::Whole,
                },
            };
            if first >= size { Part::Unsatisfiable } else { Part::Bytes { first, last } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let b = |first, last| Part::Bytes { first, last };
        for (header, size, expected) in [
            (None, 10, Part::Whole),
            (Some("bytes=0-"), 10, b(0, 9)),
            (Some("bytes=2-4"), 10, b(2, 4)),
            (Some("bytes=2-99"), 10, b(2, 9)),
            (Some("bytes=-3"), 10, b(7, 9)),
            (Some("bytes=-30"), 10, b(0, 9)),
            (Some("bytes=10-"), 10, Part::Unsatisfiable),
            (Some("bytes=-0"), 10, Part::Unsatisfiable),
            (Some("bytes=0-"), 0, Part::Unsatisfiable),
            (Some("bytes=4-2"), 10, Part::Whole),
            (Some("bytes=0-1,4-5"), 10, Part::Whole),
            (Some("items=0-1"), 10, Part::Whole),
            (Some("bytes=x-"), 10, Part::Whole),
            (Some("bytes=99999999999999999999-"), 10, Part::Unsatisfiable),
            (Some("bytes=2-99999999999999999999"), 10, b(2, 9)),
            (Some("bytes=-99999999999999999999"), 10, b(0, 9)),
            (Some("bytes=+1-3"), 10, Part::Whole),
        ] {
            assert_eq!(part(header, size), expected, "{header:?} of {size}");
        }
    }
}
