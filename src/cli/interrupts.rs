//! SIGINT, SIGTERM and SIGHUP, counted: the first asks for an orderly end, the second for one at once.

use tokio::sync::watch;

use crate::ops::error::OpError;

/// Counts the signals from its making on.
#[derive(Clone, Debug)]
pub struct Interrupts {
    count: watch::Receiver<u32>,
}

impl Interrupts {
    /// Begins to catch signals; from then on they don't end the process by themselves.
    pub fn listen() -> Result<Self, OpError> {
        let (sender, count) = watch::channel(0);
        let mut signals = signals::Signals::new()
            .map_err(|error| OpError::failed(format!("Signals can't be caught on this system: {error}.")))?;
        tokio::spawn(async move {
            while !sender.is_closed() {
                signals.next().await;
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { count })
    }

    /// Returns once there have been so many.
    pub async fn reached(&self, wanted: u32) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A write beyond the process's file-size limit shall be an error that can be told, not the end of the process.
#[cfg(unix)]
pub(super) fn outlive_full_disks() {
    /// SIGXFSZ on every Unix that we know.
    const FILE_TOO_LONG: i32 = 25;
    let kind = tokio::signal::unix::SignalKind::from_raw(FILE_TOO_LONG);
    if let Ok(mut signals) = tokio::signal::unix::signal(kind) {
        tokio::spawn(async move { while signals.recv().await.is_some() {} });
    }
}

/// Other systems have no such signal.
#[cfg(not(unix))]
pub(super) fn outlive_full_disks() {}

#[cfg(unix)]
mod signals {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        /// The terminal was closed; absent where that is to be outlived.
        hang_up: Option<Signal>,
    }

    /// Whether whoever started us wants us to outlive the terminal (`nohup`). Catching the signal would undo that.
    fn outlives_the_terminal() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        // Where it can't be told, the signal is left to do what it did before us.
        ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
    }

    impl Signals {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: if outlives_the_terminal() { None } else { Some(signal(SignalKind::hangup())?) },
            })
        }

        pub(super) async fn next(&mut self) {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = hang_up => {}
            }
        }
    }
}

#[cfg(not(unix))]
mod signals {
    pub(super) struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
