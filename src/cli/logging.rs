//! The program's own log: a file in the workspace that rolls over, and stderr with `-v`. Never stdout.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// A file is put aside once it is this long.
const LONGEST: u64 = 4 << 20;
/// So many are kept besides the present one.
const KEPT: usize = 3;
/// The variable that says what is logged, as the crate `tracing` spells it.
const VARIABLE: &str = "FORCESYNC_LOG";

/// Begins to log; only the first call in a process counts. Where there is no folder or it can't be used, there is no file.
pub(super) fn begin(folder: Option<&Path>, verbose: u8) {
    let filter = |level: &str| {
        EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(format!("forcesync={level}")))
    };
    let file = folder
        .and_then(|folder| RollingFile::open(folder).ok())
        .map(|file| fmt::layer().with_ansi(false).with_writer(file).with_filter(filter("info")));
    let stderr = match verbose {
        0 => None,
        1 => Some("info"),
        _ => Some("debug"),
    }
    .map(|level| fmt::layer().with_writer(io::stderr).with_filter(filter(level)));
    // A second call finds a log that is already there, which is what it wants.
    let _ = tracing_subscriber::registry().with(file).with(stderr).try_init();
}

/// A log file that is put aside when it has grown long.
struct RollingFile {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    length: u64,
}

impl RollingFile {
    fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join("forcesync.log");
        Ok(Self { open: Mutex::new(open(&path)?), path })
    }

    fn roll(&self, open_file: &mut Open) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            // Gaps are fine: not every number has been reached yet.
            let _ = fs::rename(aside(&self.path, number), aside(&self.path, number + 1));
        }
        fs::rename(&self.path, aside(&self.path, 1))?;
        *open_file = open(&self.path)?;
        Ok(())
    }
}

fn aside(path: &Path, number: usize) -> PathBuf {
    path.with_extension(format!("log.{number}"))
}

fn open(path: &Path) -> io::Result<Open> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let length = file.metadata()?.len();
    Ok(Open { file, length })
}

impl<'a> MakeWriter<'a> for RollingFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &RollingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.length > LONGEST {
            self.roll(&mut open)?;
        }
        open.length += bytes.len() as u64;
        open.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_put_aside_and_only_a_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = RollingFile::open(folder.path()).unwrap();
        let block = vec![b'x'; 1 << 20];
        for _ in 0..40 {
            (&log).write_all(&block).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["forcesync.log", "forcesync.log.1", "forcesync.log.2", "forcesync.log.3"]);
    }
}
