//! The folder: which file an object is, who has it open, and the right to write.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{from_io, refused};
use crate::domain::port::{PortClass, PortError};

/// Held while a file of the folder is written, so that two workspaces do not write it at once.
const LOCK: &str = ".forcesync.lock";

/// The folder of a connection.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folder.
    pub(super) folder: PathBuf,
}

impl Place {
    /// Refuses a folder that is not there: it may be on a drive that is not.
    pub(super) fn check(&self) -> Result<(), PortError> {
        match fs::metadata(&self.folder) {
            Ok(known) if known.is_dir() => Ok(()),
            Ok(_) => Err(refused(
                PortClass::Settings,
                "NO_FOLDER",
                format!("{} is not a folder; name the one with the CSV files.", self.folder.display()),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(refused(
                PortClass::Settings,
                "NO_FOLDER",
                format!(
                    "There is no folder {}; make it, or name another in Connection Settings.",
                    self.folder.display()
                ),
            )),
            Err(error) => Err(from_io("opened", &self.folder, &error)),
        }
    }

    /// The file of an object, as the folder spells it; a link is followed, so that what it points to is replaced and not the link.
    pub(super) fn file(&self, object: &str) -> Result<PathBuf, PortError> {
        self.check()?;
        let is_name = !object.trim().is_empty()
            && !object.starts_with('.')
            && object != "*"
            && !object.contains(['/', '\\', ':', '\0']);
        if !is_name {
            return Err(refused(
                PortClass::Settings,
                "NO_SUCH_OBJECT",
                format!(
                    "“{object}” can't be the name of a file; name the object after its file, such as Contact for Contact.csv."
                ),
            ));
        }
        let plain = self.folder.join(format!("{object}.csv"));
        let path = if plain.exists() {
            plain
        } else {
            let alike = self.objects()?.into_iter().find(|known| known.name.eq_ignore_ascii_case(object));
            alike.map_or(plain, |known| known.path)
        };
        Ok(fs::canonicalize(&path).unwrap_or(path))
    }

    /// The files of the folder, by the names of their objects.
    pub(super) fn objects(&self) -> Result<Vec<Known>, PortError> {
        let failed = |error: io::Error| from_io("read", &self.folder, &error);
        let mut known = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let hidden = name.starts_with(['.', '~']) || name.is_empty();
            if is_csv && !hidden && path.is_file() {
                known.push(Known { name, path });
            }
        }
        known.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(known)
    }

    /// The right to write in the folder; given back when dropped, or when the process dies.
    pub(super) fn lock(&self) -> Result<File, PortError> {
        let path = self.folder.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| from_io("opened", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(refused(
                PortClass::Transient,
                "FOLDER_BUSY",
                format!(
                    "Another forcesync is writing in {}; the next run goes on. Two workspaces should not share a folder.",
                    self.folder.display()
                ),
            )),
            Err(TryLockError::Error(error)) => Err(from_io("locked", &path, &error)),
        }
    }
}

/// A file of the folder.
pub(super) struct Known {
    /// The object.
    pub(super) name: String,
    /// The file.
    pub(super) path: PathBuf,
}

/// Refuses to write a file that a spreadsheet has open: it would write its own version over ours, or ask its user what nobody can answer.
pub(super) fn refuse_open(path: &Path) -> Result<(), PortError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let lock = [("Excel", format!("~${name}")), ("LibreOffice", format!(".~lock.{name}#"))]
        .into_iter()
        .find(|(_, lock)| path.with_file_name(lock).exists());
    match lock {
        None => Ok(()),
        Some((program, lock)) => Err(refused(
            PortClass::Transient,
            "FILE_OPEN",
            format!(
                "{name} is open in {program}, so it is not written; close it there, and the next run goes on. If it is not open, \
                 remove the file {lock} beside it."
            ),
        )),
    }
}
