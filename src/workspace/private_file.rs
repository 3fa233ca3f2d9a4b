//! Files and folders that only their owner may use, written so that a crash leaves the old or the new, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::error::WorkspaceError;

/// Replaces a file as a whole: a temporary file in the same folder, synced, then renamed over it. A symbolic link keeps
/// pointing to the file, which is what is replaced.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), WorkspaceError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_absent| path.to_owned());
    let temporary = temporary_beside(&target);
    let written = write_new(&temporary, content).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // What is left of a failed write helps nobody; that it can't be removed either changes nothing.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(WorkspaceError::io("written", path))?;
    sync_folder(&target);
    Ok(())
}

/// Writes a file that must not exist yet, readable by its owner alone.
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Opens a file for reading and writing, and creates it for its owner alone where it is missing.
pub fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    owner_only(&mut options);
    options.open(path)
}

/// Creates a folder and its parents for their owner alone; tells whether it was missing.
pub fn create_folder(path: &Path) -> Result<bool, WorkspaceError> {
    if path.is_dir() {
        return Ok(false);
    }
    if path.exists() {
        return Err(WorkspaceError::WrongKind { path: path.to_owned(), expected: "a folder" });
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(WorkspaceError::io("created", path))?;
    Ok(true)
}

/// The permissions of others on a file or folder, `None` where there are none.
pub fn open_to_others(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = options;
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut random = [0_u8; 6];
    // Without randomness the name is still fine; a leftover of the same name makes the write fail, not go wrong.
    let _ = SystemRandom::new().fill(&mut random);
    let suffix = hex(&random);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}.tmp"))
}

/// Bytes as two hexadecimal digits each.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| format!("{text}{byte:02x}"))
}

/// Makes the rename itself durable; not every file system can, and then there is nothing to do about it.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_whole_private_and_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(open_to_others(&path), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_to_the_replaced_file() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "one").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"two");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace(&folder.path().join("absent/file"), b"x").unwrap_err().to_string();
        assert!(error.contains("absent/file") && error.contains("could not be written"), "{error}");
    }
}
