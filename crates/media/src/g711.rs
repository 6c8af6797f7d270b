//! G.711 silence and sample expansion (ITU-T G.711).

use crate::G711Law;

/// The byte that decodes to (nearly) nothing.
pub fn silence(law: G711Law) -> u8 {
    match law {
        G711Law::Mu => 0xff,
        G711Law::A => 0xd5,
    }
}

/// Expands one byte to a 16-bit linear sample.
pub fn expand(law: G711Law, byte: u8) -> i16 {
    match law {
        G711Law::Mu => {
            let v = !byte;
            let magnitude = ((i16::from(v & 0x0f) << 3) + 0x84) << ((v & 0x70) >> 4);
            if v & 0x80 != 0 { 0x84 - magnitude } else { magnitude - 0x84 }
        }
        G711Law::A => {
            let v = byte ^ 0x55;
            let mantissa = i16::from(v & 0x0f) << 4;
            let magnitude = match (v & 0x70) >> 4 {
                0 => mantissa + 8,
                exponent => (mantissa + 0x108) << (exponent - 1),
            };
            if v & 0x80 != 0 { magnitude } else { -magnitude }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion_matches_the_tables_of_the_standard() {
        assert_eq!(expand(G711Law::Mu, 0x00), -32124);
        assert_eq!(expand(G711Law::Mu, 0x80), 32124);
        assert_eq!(expand(G711Law::Mu, silence(G711Law::Mu)), 0);
        assert_eq!(expand(G711Law::A, 0x2a), -32256);
        assert_eq!(expand(G711Law::A, 0xaa), 32256);
        assert_eq!(expand(G711Law::A, silence(G711Law::A)), 8);
    }
}
