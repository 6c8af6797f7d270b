//! Blocks and their lacing (RFC 9559 §10).

use super::vint;

/// A block: frames of one track that begin at one time.
#[derive(Debug, PartialEq)]
pub(super) struct Block<'a> {
    pub(super) track: u64,
    /// Ticks from the cluster's time.
    pub(super) time: i16,
    pub(super) frames: Vec<&'a [u8]>,
}

/// Takes a block apart; `None` when it is damaged.
pub(super) fn parse(data: &[u8]) -> Option<Block<'_>> {
    let (track, at) = vint(data, false)?;
    let &[high, low, flags] = data.get(at..)?.first_chunk()?;
    let rest = &data[at + 3..];
    let frames = match flags >> 1 & 3 {
        0 => vec![rest],
        1 => laced(rest, xiph_sizes)?,
        3 => laced(rest, ebml_sizes)?,
        _ => {
            let (&more, rest) = rest.split_first()?;
            let count = usize::from(more) + 1;
            if rest.is_empty() || rest.len() % count != 0 {
                return None;
            }
            rest.chunks_exact(rest.len() / count).collect()
        }
    };
    Some(Block { track, time: i16::from_be_bytes([high, low]), frames })
}

/// Sizes of all frames but the last, and the bytes they took.
type Sizes = fn(&[u8], usize) -> Option<(Vec<usize>, usize)>;

fn laced(data: &[u8], sizes: Sizes) -> Option<Vec<&[u8]>> {
    let (&more, rest) = data.split_first()?;
    let (sizes, used) = sizes(rest, usize::from(more))?;
    let mut rest = rest.get(used..)?;
    let mut frames = Vec::with_capacity(sizes.len() + 1);
    for size in sizes {
        let (frame, behind) = rest.split_at_checked(size)?;
        frames.push(frame);
        rest = behind;
    }
    frames.push(rest);
    Some(frames)
}

fn xiph_sizes(data: &[u8], count: usize) -> Option<(Vec<usize>, usize)> {
    let (mut sizes, mut at) = (Vec::with_capacity(count), 0);
    for _ in 0..count {
        let mut size = 0;
        loop {
            let byte = *data.get(at)?;
            at += 1;
            size += usize::from(byte);
            if byte != 255 {
                break;
            }
        }
        sizes.push(size);
    }
    Some((sizes, at))
}

fn ebml_sizes(data: &[u8], count: usize) -> Option<(Vec<usize>, usize)> {
    let (mut sizes, mut at, mut last) = (Vec::with_capacity(count), 0, 0i64);
    for i in 0..count {
        let (value, len) = vint(data.get(at..)?, false)?;
        at += len;
        let value = i64::try_from(value).ok()?;
        // The first is a size, further ones are differences around the middle of their range.
        last = if i == 0 { value } else { last.checked_add(value - ((1i64 << (7 * len - 1)) - 1))? };
        sizes.push(usize::try_from(last).ok()?);
    }
    Some((sizes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(flags: u8, body: &[u8]) -> Option<Vec<Vec<u8>>> {
        let data = [&[0x81, 0xff, 0xfe, flags], body].concat();
        let block = parse(&data)?;
        assert_eq!((block.track, block.time), (1, -2));
        Some(block.frames.into_iter().map(<[u8]>::to_vec).collect())
    }

    #[test]
    fn every_kind_of_lacing() {
        assert_eq!(frames(0x80, b"abc"), Some(vec![b"abc".to_vec()]));
        let three = Some(vec![b"a".to_vec(), b"bc".to_vec(), b"def".to_vec()]);
        assert_eq!(frames(0x02, b"\x02\x01\x02abcdef"), three);
        // EBML: 1, then +1 around 63.
        assert_eq!(frames(0x06, b"\x02\x81\xc0abcdef"), three);
        assert_eq!(frames(0x04, b"\x02abcdef"), Some(vec![b"ab".to_vec(), b"cd".to_vec(), b"ef".to_vec()]));
    }

    #[test]
    fn lies_about_sizes() {
        assert_eq!(frames(0x04, b"\x02abcde"), None);
        assert_eq!(frames(0x02, b"\x01\x09abc"), None);
        assert_eq!(frames(0x02, b"\x01\xff\xff"), None);
        assert_eq!(frames(0x06, b"\x02\x81\x80abc"), None, "a negative size");
    }
}
