//! Work for the processor that is done beside a run's own task, so that this task goes on meanwhile.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Works something out on a thread of its own, where the program has several; else, as in a simulation, right here (law E18).
pub(super) async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => work(),
        _ => match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that ends takes back what has not begun, and with it this task.
                Err(_cancelled) => std::future::pending().await,
            },
        },
    }
}
