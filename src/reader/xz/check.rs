//! Sums over the content of a block: none, CRC32, CRC64 or SHA-256. Those that nobody has defined yet are not checked.

use flate2::Crc;
use sha2::{Digest, Sha256};

/// A sum in the making.
pub(super) enum Check {
    Unknown,
    Crc32(Crc),
    Crc64(u64),
    Sha256(Box<Sha256>),
}

/// How many bytes the sum of a kind takes in the file.
pub(super) const fn bytes(kind: u8) -> usize {
    match kind {
        0 => 0,
        1..=3 => 4,
        4..=6 => 8,
        7..=9 => 16,
        10..=12 => 32,
        _ => 64,
    }
}

impl Check {
    pub(super) fn new(kind: u8) -> Self {
        match kind {
            1 => Self::Crc32(Crc::new()),
            4 => Self::Crc64(!0),
            10 => Self::Sha256(Box::default()),
            _ => Self::Unknown,
        }
    }

    pub(super) fn add(&mut self, content: &[u8]) {
        match self {
            Self::Unknown => {}
            Self::Crc32(sum) => sum.update(content),
            Self::Crc64(sum) => {
                for byte in content {
                    *sum = *sum >> 8 ^ CRC64[usize::from(*sum as u8 ^ byte)];
                }
            }
            Self::Sha256(sum) => sum.update(content),
        }
    }

    /// Whether `stored` is the sum.
    pub(super) fn is(self, stored: &[u8]) -> bool {
        match self {
            Self::Unknown => true,
            Self::Crc32(sum) => sum.sum().to_le_bytes() == stored,
            Self::Crc64(sum) => (!sum).to_le_bytes() == stored,
            Self::Sha256(sum) => sum.finalize()[..] == *stored,
        }
    }
}

/// ECMA-182, lowest bit first.
static CRC64: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xc96c_5795_d787_0f42 } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};
