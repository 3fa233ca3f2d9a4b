//! The small file in which the workspaces of one account tell each other about its use.
//!
//! It is locked by the operating system while it is read and written, so the lock dies with its process. It is written in place:
//! a crash in between breaks it, and a broken file is set aside and begun anew, because all that is lost is knowledge that the
//! next reply brings again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::Record;

/// How often the lock is tried for; the others hold it for microseconds.
const TRIES: u32 = 2_000;

/// Where the use of an account is shared, and who we are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The file.
    pub path: PathBuf,
    /// A short text that stands for this workspace.
    pub workspace: String,
}

/// The file, locked.
pub(super) struct Locked {
    file: File,
    path: PathBuf,
}

impl Ledger {
    /// Opens and locks the file; `None` if another process holds it for unusually long, for instance because it was stopped.
    pub(super) fn lock(&self) -> io::Result<Option<Locked>> {
        let file = open(&self.path)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Locked { file, path: self.path.clone() })),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Reads without leaving a trace, for those who only look.
    pub(super) fn peek(&self) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()
    }
}

impl Locked {
    /// What the file says; one that can't be read is set aside.
    pub(super) fn read(&mut self) -> io::Result<Record> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(1 << 20).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(Record::default());
        }
        match serde_json::from_slice(&bytes) {
            Ok(record) => Ok(record),
            Err(error) => {
                // Copied and not renamed: others may wait for the lock of this very file.
                let aside = self.path.with_extension("broken");
                let kept = open(&aside).and_then(|mut copy| {
                    copy.set_len(0)?;
                    copy.write_all(&bytes)
                });
                tracing::warn!(
                    file = %self.path.display(), aside = %aside.display(), kept = kept.is_ok(), %error,
                    "The file of the API budget can't be read; it is set aside and begun anew."
                );
                self.file.set_len(0)?;
                Ok(Record::default())
            }
        }
    }

    /// Replaces what the file says.
    pub(super) fn write(&mut self, record: &Record) -> io::Result<()> {
        let bytes = serde_json::to_vec(record)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.set_len(bytes.len() as u64)
    }
}

/// Opens a file, made for its owner alone where it is missing, with its folder.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                let mut builder = std::fs::DirBuilder::new();
                builder.recursive(true);
                #[cfg(unix)]
                {
                    use std::os::unix::fs::DirBuilderExt;
                    builder.mode(0o700);
                }
                builder.create(folder)?;
            }
            options.open(path)
        }
        opened => opened,
    }
}
