//! One engine a workspace: a lock on a file that dies with its process (law E14).

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::error::WorkspaceError;
use super::private_file;

/// The right to run the engine of a workspace; given back when dropped, or when the process dies.
#[derive(Debug)]
pub struct EngineLock {
    file: File,
}

impl EngineLock {
    /// Takes the lock and leaves our process id in its file. Where another process holds it, the answer is
    /// [`WorkspaceError::EngineRunning`].
    pub fn acquire(path: &Path) -> Result<Self, WorkspaceError> {
        let mut file = private_file::open_or_create(path).map_err(WorkspaceError::io("opened", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(WorkspaceError::EngineRunning { holder: Holder { pid: read_pid(&mut file) } });
            }
            Err(TryLockError::Error(error)) => return Err(WorkspaceError::io("locked", path)(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(WorkspaceError::io("written", path))?;
        Ok(Self { file })
    }

    /// Who holds the lock, without taking it; `None` where nobody does.
    pub fn holder(path: &Path) -> Option<Holder> {
        let mut file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(Holder { pid: read_pid(&mut file) }),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

impl Drop for EngineLock {
    fn drop(&mut self) {
        // The lock goes with the file handle; a leftover process id would only mislead whoever reads the file.
        let _ = self.file.set_len(0);
    }
}

/// The process that runs the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id, where it has written it down already.
    pub pid: Option<u32>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(formatter, "process {pid}"),
            None => formatter.write_str("another process"),
        }
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.lock");
        assert_eq!(EngineLock::holder(&path), None);
        let lock = EngineLock::acquire(&path).unwrap();
        let ours = Holder { pid: Some(std::process::id()) };
        assert_eq!(EngineLock::holder(&path), Some(ours));
        match EngineLock::acquire(&path) {
            Err(WorkspaceError::EngineRunning { holder }) => assert_eq!(holder, ours),
            other => panic!("{other:?}"),
        }
        drop(lock);
        assert_eq!(EngineLock::holder(&path), None);
        EngineLock::acquire(&path).unwrap();
    }
}
