//! Opus packets: how long they play, and how containers describe them (RFC 6716, RFC 7845).

use crate::OpusParams;
use crate::bitstream::BitstreamError;

/// Samples at 48 kHz that a packet plays (RFC 6716 §3.1, §3.2); at most 120 ms.
pub fn duration(packet: &[u8]) -> Result<u32, BitstreamError> {
    const WHAT: &str = "Opus packet";
    let toc = *packet.first().ok_or(BitstreamError::Truncated { what: WHAT })?;
    let per_frame = match toc >> 3 {
        // SILK: 10, 20, 40, 60 ms.
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config & 3)],
        // Hybrid: 10, 20 ms.
        config @ 12..=15 => [480, 960][usize::from(config & 1)],
        // CELT: 2.5, 5, 10, 20 ms.
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1).ok_or(BitstreamError::Truncated { what: WHAT })? & 0x3f),
    };
    match per_frame * frames {
        samples @ 1..=5760 => Ok(samples),
        _ => Err(BitstreamError::Invalid { what: WHAT }),
    }
}

/// Channels that a packet was coded with: 1 or 2.
pub fn channels(packet: &[u8]) -> Option<u8> {
    packet.first().map(|toc| 1 + (toc >> 2 & 1))
}

/// Reads an identification header (`OpusHead`, RFC 7845 §5.1), as Matroska's codec private data holds it.
pub fn head(head: &[u8]) -> Result<OpusParams, BitstreamError> {
    const WHAT: &str = "Opus header";
    let fixed: &[u8; 19] = head.first_chunk().ok_or(BitstreamError::Truncated { what: WHAT })?;
    if fixed[..8] != *b"OpusHead" || fixed[8] >> 4 != 0 {
        return Err(BitstreamError::Invalid { what: WHAT });
    }
    params(fixed[9], u16::from_le_bytes([fixed[10], fixed[11]]))
}

/// Parameters from a container's own fields.
pub fn params(channels: u8, pre_skip: u16) -> Result<OpusParams, BitstreamError> {
    match channels {
        1 | 2 => Ok(OpusParams { channels, pre_skip }),
        0 => Err(BitstreamError::Invalid { what: "Opus header" }),
        _ => Err(BitstreamError::Unsupported { what: "Opus with more than two channels" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_the_table_in_rfc_6716() {
        let ms = |packet: &[u8]| duration(packet).map(|s| f64::from(s) / 48.0);
        assert_eq!(ms(&[0 << 3]), Ok(10.0)); // SILK narrow band
        assert_eq!(ms(&[11 << 3]), Ok(60.0));
        assert_eq!(ms(&[13 << 3]), Ok(20.0)); // hybrid
        assert_eq!(ms(&[16 << 3]), Ok(2.5)); // CELT
        assert_eq!(ms(&[31 << 3 | 1]), Ok(40.0)); // two frames
        assert_eq!(ms(&[31 << 3 | 3, 6]), Ok(120.0));
        assert!(ms(&[31 << 3 | 3, 7]).is_err());
        assert!(ms(&[31 << 3 | 3, 0]).is_err());
        assert!(ms(&[31 << 3 | 3]).is_err());
        assert!(ms(&[]).is_err());
    }

    #[test]
    fn the_header_of_a_stereo_file() {
        let mut head_bytes = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0".to_vec();
        assert_eq!(head(&head_bytes), Ok(OpusParams { channels: 2, pre_skip: 312 }));
        head_bytes[9] = 6;
        assert!(matches!(head(&head_bytes), Err(BitstreamError::Unsupported { .. })));
        assert!(head(&head_bytes[..18]).is_err());
    }
}
