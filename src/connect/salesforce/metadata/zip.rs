//! A zip file of a few small texts, stored without compression.

/// The directory entries of what was added, behind the files themselves.
#[derive(Debug, Default)]
pub(super) struct Zip {
    files: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

/// The date of all files, 1 January 2026: they have no history.
const DATE: u16 = (2026 - 1980) << 9 | 1 << 5 | 1;

impl Zip {
    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) {
        let at = self.files.len() as u32;
        let (size, length) = (content.len() as u32, name.len() as u16);
        let mut common = Vec::with_capacity(26);
        // Version 2.0, names in UTF-8, stored.
        for half in [20_u16, 0x0800, 0, 0, DATE] {
            common.extend_from_slice(&half.to_le_bytes());
        }
        for word in [checksum(content), size, size] {
            common.extend_from_slice(&word.to_le_bytes());
        }
        common.extend_from_slice(&length.to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        self.files.extend_from_slice(b"PK\x03\x04");
        self.files.extend_from_slice(&common);
        self.files.extend_from_slice(name.as_bytes());
        self.files.extend_from_slice(content);
        self.directory.extend_from_slice(b"PK\x01\x02");
        self.directory.extend_from_slice(&20_u16.to_le_bytes());
        self.directory.extend_from_slice(&common);
        // No comment, the first disk, no attributes.
        self.directory.extend_from_slice(&[0; 10]);
        self.directory.extend_from_slice(&at.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.count += 1;
    }

    /// The whole file.
    pub(super) fn finish(self) -> Vec<u8> {
        let (at, size) = (self.files.len() as u32, self.directory.len() as u32);
        let mut all = self.files;
        all.extend_from_slice(&self.directory);
        all.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        all.extend_from_slice(&self.count.to_le_bytes());
        all.extend_from_slice(&self.count.to_le_bytes());
        all.extend_from_slice(&size.to_le_bytes());
        all.extend_from_slice(&at.to_le_bytes());
        all.extend_from_slice(&[0, 0]);
        all
    }
}

/// CRC-32, as zip wants it.
fn checksum(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_well_known_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }
}
