//! Sound: Opus (RFC 6716) from linear samples.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels};
use vigie_media::OpusParams;

use crate::CodecError;

/// An Opus encoder of 20 ms packets. Its clock is 48 kHz whatever the input rate, as RFC 7587 says.
pub struct Encoder {
    inner: opus::Encoder,
    rate: u32,
    channels: u8,
    pre_skip: u16,
    pending: Vec<i16>,
    packet: Vec<u8>,
}

/// Ticks of 48 kHz in one packet.
pub const PACKET_TICKS: i64 = 960;

impl Encoder {
    /// For interleaved samples at `rate` (8, 12, 16, 24 or 48 kHz) of one or two channels.
    pub fn new(rate: u32, channels: u8, bitrate_bps: i32) -> Result<Self, CodecError> {
        if !matches!(rate, 8000 | 12_000 | 16_000 | 24_000 | 48_000) || !matches!(channels, 1 | 2) {
            return Err(CodecError::BadParameter(format!("Opus cannot take {channels} channels at {rate} Hz")));
        }
        let layout = if channels == 1 { Channels::Mono } else { Channels::Stereo };
        let purpose = if rate <= 16_000 { Application::Voip } else { Application::Audio };
        let mut inner = opus::Encoder::new(rate, layout, purpose).map_err(failed)?;
        inner.set_bitrate(Bitrate::Bits(bitrate_bps)).map_err(failed)?;
        inner.set_complexity(5).map_err(failed)?;
        let lookahead = inner.get_lookahead().map_err(failed)?;
        let pre_skip = u16::try_from(i64::from(lookahead) * 48_000 / i64::from(rate)).unwrap_or(312);
        Ok(Self { inner, rate, channels, pre_skip, pending: Vec::new(), packet: vec![0; 1500] })
    }

    /// What a reader has to know.
    pub fn params(&self) -> OpusParams {
        OpusParams { channels: self.channels, pre_skip: self.pre_skip }
    }

    /// Interleaved samples in one packet.
    pub fn packet_samples(&self) -> usize {
        self.rate as usize / 50 * usize::from(self.channels)
    }

    /// Samples taken that did not fill a packet yet.
    pub fn pending_samples(&self) -> usize {
        self.pending.len()
    }

    /// Forgets samples that did not fill a packet, for sound that jumped in time.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    /// Takes samples and gives every packet they complete.
    pub fn encode(&mut self, samples: &[i16]) -> Result<Vec<Bytes>, CodecError> {
        self.pending.extend_from_slice(samples);
        let size = self.packet_samples();
        let mut out = Vec::new();
        let mut taken = 0;
        while self.pending.len() - taken >= size {
            let n = self.inner.encode(&self.pending[taken..taken + size], &mut self.packet).map_err(failed)?;
            out.push(Bytes::copy_from_slice(&self.packet[..n]));
            taken += size;
        }
        self.pending.drain(..taken);
        Ok(out)
    }
}

fn failed(e: opus::Error) -> CodecError {
    CodecError::Library("Opus", e.description().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, n: usize) -> Vec<i16> {
        (0..n)
            .map(|i| ((i as f64 * 1000.0 / f64::from(rate) * std::f64::consts::TAU).sin() * 12_000.0) as i16)
            .collect()
    }

    #[test]
    fn a_tone_survives_at_both_rates() {
        for rate in [8000, 48_000] {
            let mut e = Encoder::new(rate, 1, 32_000).unwrap();
            let packets = e.encode(&tone(rate, rate as usize / 2 + 7)).unwrap();
            assert_eq!((packets.len(), e.pending_samples()), (25, 7));
            assert!((1..=1000).contains(&e.params().pre_skip), "{}", e.params().pre_skip);
            let mut d = opus::Decoder::new(48_000, Channels::Mono).unwrap();
            let mut energy = 0f64;
            let mut out = vec![0i16; 960];
            for p in &packets {
                assert_eq!(d.decode(p, &mut out, false).unwrap(), 960);
                energy = out.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / 960.0;
            }
            assert!((6000.0..11_000.0).contains(&energy.sqrt()), "{rate}: {}", energy.sqrt());
        }
    }

    #[test]
    fn impossible_rates_are_refused() {
        assert!(Encoder::new(44_100, 1, 32_000).is_err());
        assert!(Encoder::new(48_000, 6, 32_000).is_err());
    }
}
