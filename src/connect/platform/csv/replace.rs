//! Puts a new version of a file in place in one step: written beside it, synced, renamed. The version that a person left is kept as
//! `.bak`. What a person did meanwhile is noticed, and nothing is replaced then.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::from_io;
use super::layout::name_of;
use super::place::refuse_open;
use super::version::Version;
use crate::domain::port::PortError;

/// Whether what is replaced was written by us, so that `.bak` stays what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backup {
    /// A person wrote it: it becomes the `.bak`.
    Keep,
    /// We wrote it, or there was nothing.
    None,
}

/// The new version on its way.
pub(super) struct Draft {
    target: PathBuf,
    path: PathBuf,
    pub(super) out: BufWriter<File>,
}

impl Draft {
    /// Begins one beside its target.
    pub(super) fn of(target: &Path) -> Result<Self, PortError> {
        let path = target.with_file_name(format!(".{}.new", name_of(target)));
        let file = File::create(&path).map_err(|error| from_io("written", &path, &error))?;
        Ok(Self { target: target.to_owned(), path, out: BufWriter::with_capacity(64 * 1024, file) })
    }

    /// Copies a part of the old version as it stands.
    pub(super) fn copy(&mut self, from: &File, start: u64, end: u64) -> io::Result<()> {
        let mut from = from;
        from.seek(SeekFrom::Start(start))?;
        let mut part = io::Read::take(from, end.saturating_sub(start));
        io::copy(&mut part, &mut self.out)?;
        Ok(())
    }

    /// Puts it in place of the version that was read; nothing if that one is no longer there.
    pub(super) fn put(self, read: Option<&Version>, backup: Backup) -> Result<Option<Version>, PortError> {
        let target = self.target.clone();
        let path = self.path.clone();
        let put = self.put_in_place(read, backup);
        if !matches!(put, Ok(Some(_))) {
            // What is left of a draft helps nobody.
            let _ = fs::remove_file(&path);
        }
        put.map_err(|error| match error {
            Trouble::Port(error) => error,
            Trouble::File(error) => from_io("written", &target, &error),
        })
    }

    fn put_in_place(self, read: Option<&Version>, backup: Backup) -> Result<Option<Version>, Trouble> {
        let Self { target, path, out } = self;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Ok(known) = fs::metadata(&target) {
            fs::set_permissions(&path, known.permissions())?;
        }
        file.sync_all()?;
        drop(file);
        refuse_open(&target)?;
        if Version::of(&target)?.as_ref() != read {
            return Ok(None);
        }
        let bak = target.with_file_name(format!("{}.bak", name_of(&target)));
        if backup == Backup::Keep && read.is_some() {
            match fs::remove_file(&bak) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            // A second name of the old version; where the file system has none, a copy.
            if fs::hard_link(&target, &bak).is_err() {
                fs::copy(&target, &bak)?;
            }
        }
        fs::rename(&path, &target)?;
        if let (Backup::Keep, Some(read)) = (backup, read)
            && let Some(kept) = Version::of(&bak)?
            && kept.number == read.number
            && !kept.holds_the_same(read)
        {
            // Written in the instant before the rename: that version is the one to go on from.
            fs::rename(&bak, &target)?;
            return Ok(None);
        }
        if let Some(folder) = target.parent().and_then(|folder| File::open(folder).ok()) {
            // The name is what has to last; a system that can't sync folders does it by itself.
            let _ = folder.sync_all();
        }
        Ok(Version::of(&target)?)
    }
}

enum Trouble {
    File(io::Error),
    Port(PortError),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<PortError> for Trouble {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
