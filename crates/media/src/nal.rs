//! NAL units behind 4-byte lengths: the form in which H.264 and H.265 cross the hub.
//!
//! The same size as Annex B with 4-byte start codes, so either form can be made from the other in place.

use bytes::{BufMut, Bytes, BytesMut};

/// Iterates over the NAL units of an access unit. A length that points past the end stops the iteration.
pub fn units(data: &[u8]) -> Units<'_> {
    Units { rest: data }
}

/// See [`units`].
#[derive(Debug, Clone)]
pub struct Units<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.rest.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
        if len > rest.len() {
            self.rest = &[];
            return None;
        }
        let (nal, rest) = rest.split_at(len);
        self.rest = rest;
        Some(nal)
    }
}

/// Like [`units`], as slices that share the access unit's memory.
pub fn shared_units(data: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    units(data).map(|nal| data.slice_ref(nal))
}

/// Splits an Annex B byte stream (start codes of 3 or 4 bytes) into NAL units, trailing zeros removed
/// (ITU-T H.264 §B.1).
pub fn split_annex_b(data: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut start = None;
    let mut i = 0;
    while i + 3 <= data.len() {
        if data[i..i + 3] == [0, 0, 1] {
            if let Some(s) = start {
                out.push(trim_zeros(&data[s..i]));
            }
            start = Some(i + 3);
            i += 3;
        } else {
            i += 1;
        }
    }
    if let Some(s) = start {
        out.push(trim_zeros(&data[s..]));
    }
    out.retain(|n| !n.is_empty());
    out
}

/// Without the zeros behind it: stuffing between NAL units (ITU-T H.264 §B.1), which some cameras send inside RTP and
/// SDP too.
pub(crate) fn trim_zeros(mut nal: &[u8]) -> &[u8] {
    while let [head @ .., 0] = nal {
        nal = head;
    }
    nal
}

/// Joins NAL units into the length-prefixed form. Units over 4 GiB cannot occur; they would be dropped.
pub fn join<'a>(nals: impl IntoIterator<Item = &'a [u8]> + Clone) -> Bytes {
    let size = nals.clone().into_iter().map(|n| n.len() + 4).sum();
    let mut out = BytesMut::with_capacity(size);
    for nal in nals {
        if let Ok(len) = u32::try_from(nal.len()) {
            out.put_u32(len);
            out.put_slice(nal);
        }
    }
    out.freeze()
}

/// The access unit as an Annex B byte stream, for decoders that want one.
pub fn to_annex_b(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    for nal in units(data) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(nal);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_hold_the_same_units() {
        let annex_b = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 9, 9, 9, 0, 0];
        let nals = split_annex_b(&annex_b);
        assert_eq!(nals, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9, 9, 9]]);
        let joined = join(nals.iter().copied());
        assert_eq!(units(&joined).collect::<Vec<_>>(), nals);
        assert_eq!(split_annex_b(&to_annex_b(&joined)), nals);
    }

    #[test]
    fn a_lying_length_ends_the_walk() {
        assert_eq!(units(&[0, 0, 0, 9, 1, 2]).count(), 0);
        assert_eq!(units(&[0, 0, 0, 1, 7, 0xff, 0xff, 0xff, 0xff]).count(), 1);
        assert_eq!(units(&[1, 2]).count(), 0);
    }
}
