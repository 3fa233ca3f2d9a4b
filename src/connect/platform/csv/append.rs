//! New rows at the end of a file that we wrote last. A note beside the file tells how long it was before, so that half a row that a crash
//! left is taken away; what it was of is found missing by its mark, and written again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::from_io;
use super::layout::name_of;
use super::version::Version;
use crate::domain::port::PortError;

fn note(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}.append", name_of(path)))
}

/// Adds bytes that end a line; the new version.
pub(super) fn append(path: &Path, before: &Version, bytes: &[u8]) -> Result<Version, PortError> {
    let work = || -> io::Result<Version> {
        let note = note(path);
        fs::write(&note, format!("{} {}", before.number, before.size))?;
        let mut file = OpenOptions::new().append(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::remove_file(&note)?;
        Version::of_file(&file)
    };
    work().map_err(|error| from_io("written", path, &error))
}

/// Whether rows were being added when it ended, or are being added now.
pub(super) fn is_interrupted(path: &Path) -> bool {
    note(path).exists()
}

/// Takes half a row away that a crash left at the end. Only for whoever holds the folder's lock: else another process may be at it.
pub(super) fn heal(path: &Path) -> Result<(), PortError> {
    let note = note(path);
    let Ok(text) = fs::read_to_string(&note) else { return Ok(()) };
    let work = || -> io::Result<()> {
        let mut numbers = text.split(' ').map(str::parse::<u64>);
        if let (Some(Ok(number)), Some(Ok(size))) = (numbers.next(), numbers.next())
            && path.exists()
        {
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            let now = Version::of_file(&file)?;
            // A file that somebody replaced since has no half row of ours.
            if now.number == number && now.size > size && !ends_a_line(&mut file)? {
                file.set_len(size)?;
                file.sync_data()?;
            }
        }
        fs::remove_file(&note)
    };
    work().map_err(|error| from_io("mended", path, &error))
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0_u8];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n" || last == *b"\r")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_row_that_a_crash_left_is_taken_away_and_a_whole_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Contact.csv");
        for (left, kept) in [("c,", "a,b\n"), ("c,d\n", "a,b\nc,d\n")] {
            fs::write(&path, "a,b\n").unwrap();
            let before = Version::of(&path).unwrap().unwrap();
            fs::write(note(&path), format!("{} {}", before.number, before.size)).unwrap();
            OpenOptions::new().append(true).open(&path).unwrap().write_all(left.as_bytes()).unwrap();
            heal(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), kept);
            assert!(!note(&path).exists());
        }
    }
}
