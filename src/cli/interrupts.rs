//! SIGINT and SIGTERM, counted: the first asks for an orderly end, the second for one at once.

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
    }

    impl Signals {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        pub(super) async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
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
