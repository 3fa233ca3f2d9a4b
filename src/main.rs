//! The forcesync binary: a runtime, a panic report that fits a user, and the command line.

use std::process::ExitCode;

use color_eyre::config::HookBuilder;
use color_eyre::eyre::{Result, WrapErr};

/// A run makes and drops some hundred small values a record; the system's allocator took a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode> {
    HookBuilder::default()
        .display_env_section(false)
        .display_location_section(false)
        .panic_section("This is a defect of forcesync. What was on its way is looked up at the next start.")
        .install()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("The runtime could not be started")?;
    let code = forcesync::cli::main(&runtime);
    // A question that nobody answered must not keep the process alive.
    runtime.shutdown_background();
    Ok(code)
}
