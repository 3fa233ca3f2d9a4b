//! Which version of a file it is: what tells without reading whether somebody wrote it.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
#[cfg(not(unix))]
use std::time::UNIX_EPOCH;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A file's number, size and times. Two versions that are equal are taken for the same content, unless the file was written less
/// than [`SETTLES_MS`] before it was looked at: file systems tell times in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// The number of the file; another one after it was replaced.
    pub(super) number: u64,
    /// Bytes.
    pub(super) size: u64,
    /// When it was written, in nanoseconds since 1970.
    written: i64,
    /// When anything of it was changed, where the system tells that.
    changed: i64,
}

/// After so long, another write shows in the time of a file.
const SETTLES_MS: i64 = 2_000;

impl Version {
    /// That of a file; nothing where there is no file, or an empty one, which says nothing either.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(known) if known.len() == 0 => Ok(None),
            Ok(known) => Ok(Some(Self::from(&known))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// That of an open file.
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// Whether a later write is sure to show.
    pub(super) fn is_settled(&self, now: DateTime<Utc>) -> bool {
        now.timestamp_millis() - self.written / 1_000_000 > SETTLES_MS
    }

    /// Whether it holds the same; a file that got a second name changed without having been written.
    pub(super) fn holds_the_same(&self, other: &Self) -> bool {
        Self { changed: 0, ..*self } == Self { changed: 0, ..*other }
    }
}

impl From<&Metadata> for Version {
    #[cfg(unix)]
    fn from(known: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            number: known.ino(),
            size: known.len(),
            written: nanoseconds(known.mtime(), known.mtime_nsec()),
            changed: nanoseconds(known.ctime(), known.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn from(known: &Metadata) -> Self {
        let written = known.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let written = written.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        Self { number: 0, size: known.len(), written, changed: 0 }
    }
}
