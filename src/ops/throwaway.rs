//! A folder in the system's temporary folder that goes when it is dropped, whichever way that happens.

use std::path::{Path, PathBuf};

use crate::domain::clock::Clock;

/// How often a folder is removed into which somebody still writes.
const TRIES: usize = 20;

/// A folder that goes when it is dropped.
#[derive(Debug)]
pub struct Throwaway(PathBuf);

impl Throwaway {
    /// A folder that nobody else has, named after what it is for. Whoever first puts something into it makes it, for its owner alone.
    pub fn named(purpose: &str, clock: &dyn Clock) -> Self {
        let name = format!("forcesync-{purpose}-{}-{}", std::process::id(), clock.now().timestamp_micros());
        Self(std::env::temp_dir().join(name))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // Somebody who left at once may have left an engine that still writes a last file into it.
        for _ in 0..TRIES {
            if std::fs::remove_dir_all(&self.0).is_ok() || !self.0.exists() {
                return;
            }
        }
    }
}
