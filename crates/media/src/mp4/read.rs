//! Reading back what this module writes. Lengths are believed only as far as there are bytes.

/// A box inside a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) kind: [u8; 4],
    /// With its header.
    pub(super) whole: &'a [u8],
    pub(super) body: &'a [u8],
}

/// The boxes of a buffer, one after another; ends at the first that does not fit.
pub(super) fn boxes(mut rest: &[u8]) -> impl Iterator<Item = Found<'_>> {
    std::iter::from_fn(move || {
        let (size, kind) = header(rest)?;
        let size = usize::try_from(size).ok()?;
        let whole = rest.get(..size)?;
        rest = &rest[size..];
        Some(Found { kind, whole, body: whole.get(8..)? })
    })
}

/// The first box of that kind.
pub(super) fn find<'a>(data: &'a [u8], kind: &[u8; 4]) -> Option<Found<'a>> {
    boxes(data).find(|b| b.kind == *kind)
}

/// The box at the end of a path.
pub(super) fn descend<'a>(data: &'a [u8], path: &[&[u8; 4]]) -> Option<Found<'a>> {
    let (first, rest) = path.split_first()?;
    let found = find(data, first)?;
    if rest.is_empty() { Some(found) } else { descend(found.body, rest) }
}

/// Size and kind of a box with a short header.
pub(super) fn header(data: &[u8]) -> Option<(u64, [u8; 4])> {
    let head: &[u8; 8] = data.first_chunk()?;
    let (size, kind) = head.split_at(4);
    let size = u64::from(u32_at(size, 0)?);
    (size >= 8).then_some((size, kind.try_into().ok()?))
}

/// Big-endian, at a byte offset.
pub(super) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Big-endian, at a byte offset.
pub(super) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|b| u64::from_be_bytes(*b))
}
