//! The parameter sets of a picture track, from the session description and from between the pictures.

use bytes::Bytes;

use super::pictures::Family;
use crate::bitstream::{Bits, BitstreamError};
use crate::nal::trim_zeros;
use crate::{Codec, h264, h265};

/// More picture parameter sets than that are not kept (H.264 allows 256, H.265 allows 64; cameras send one or two).
const MAX_PPS: usize = 64;
/// A larger parameter set is a mistake.
const MAX_BYTES: usize = 4096;

/// What is known. **Bounded: a set replaces the one of the same kind and number.**
#[derive(Debug, Clone)]
pub struct ParameterSets {
    family: Family,
    vps: Bytes,
    sps: Bytes,
    pps: Vec<(u32, Bytes)>,
    /// Something changed that no picture was told of yet.
    pub(super) changed: bool,
}

impl ParameterSets {
    pub(super) fn new(family: Family, known: &[Bytes]) -> Self {
        let mut new = Self { family, vps: Bytes::new(), sps: Bytes::new(), pps: Vec::new(), changed: false };
        for nal in known {
            new.take(nal);
        }
        new
    }

    /// Takes over one NAL unit that is a parameter set.
    pub(super) fn take(&mut self, nal: &[u8]) {
        let nal = trim_zeros(nal);
        let header = self.family.header();
        if nal.len() <= header || nal.len() > MAX_BYTES {
            return;
        }
        let kind = self.family.nal_type(nal[0]);
        let slot = match (self.family, kind) {
            (Family::H264, h264::SPS) | (Family::H265, h265::SPS) => &mut self.sps,
            (Family::H265, h265::VPS) => &mut self.vps,
            (Family::H264, h264::PPS) | (Family::H265, h265::PPS) => {
                let Ok(id) = Bits::of_nal(&nal[header..], "picture parameter set").ue() else { return };
                match self.pps.iter().position(|(i, _)| *i == id) {
                    Some(at) => &mut self.pps[at].1,
                    None if self.pps.len() < MAX_PPS => {
                        self.pps.push((id, Bytes::new()));
                        let last = self.pps.len() - 1;
                        &mut self.pps[last].1
                    }
                    None => return,
                }
            }
            _ => return,
        };
        if slot != nal {
            *slot = Bytes::copy_from_slice(nal);
            self.changed = true;
        }
    }

    /// What the sets describe; `None` while one is missing.
    pub fn codec(&self) -> Result<Option<Codec>, BitstreamError> {
        let vps_missing = self.family == Family::H265 && self.vps.is_empty();
        if self.sps.is_empty() || self.pps.is_empty() || vps_missing {
            return Ok(None);
        }
        let pps: Vec<&[u8]> = self.pps.iter().map(|(_, p)| &p[..]).collect();
        Ok(Some(match self.family {
            Family::H264 => Codec::H264(h264::params(&self.sps, &pps)?.into()),
            Family::H265 => Codec::H265(h265::params(&self.vps, &self.sps, &pps)?.into()),
        }))
    }
}
