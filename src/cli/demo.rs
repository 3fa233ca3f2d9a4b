//! `forcesync` and `forcesync demo`: the console, on a workspace or on a throw-away one with a sandbox behind it.

use std::time::Duration;

use crate::cli::arguments::{Console, Demo};
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::sandbox::wanted;
use crate::console::view::theme::ThemeChoice;
use crate::console::{self, ConsoleOptions};
use crate::ops::error::OpError;
use crate::ops::sandbox::{self, Wanted};
use crate::ops::session::{Access, Missing, Session};
use crate::ops::throwaway::Throwaway;

/// How long the sandbox may take to answer what is still asked of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the console on the workspace that was named, or on the default one.
pub(super) async fn console(options: Console, context: &Context) -> Result<u8, OpError> {
    let session =
        if options.read_only { context.open(Access::ReadOnly)? } else { context.open_or_create()? };
    open(session, options).await
}

pub(super) async fn run(arguments: Demo, options: Console, context: &Context) -> Result<u8, OpError> {
    // What the environment names is meant for the other commands; what is typed is meant, and would not be what is opened.
    let by_environment = std::env::var_os("FORCESYNC_WORKSPACE").map(std::path::PathBuf::from);
    if let Some(folder) = context.workspace.as_ref().filter(|folder| by_environment.as_ref() != Some(folder))
    {
        return Err(OpError::settings(format!(
            "The demo always makes a throw-away workspace and removes it, so it does not open {}. Leave --workspace out, or run \
             `forcesync sandbox --workspace DIR` in one terminal and `forcesync --workspace DIR` in another one.",
            folder.display()
        ))
        .code("usage"));
    }
    let options = options.or(arguments.console);
    let folder = Throwaway::named("demo", context.clock.as_ref());
    // Made by the sandbox, for its owner alone. Its last part is what the title line calls the workspace.
    let workspace = folder.path().join("demo");
    context.output.note("Starting the sandbox …");
    let wanted =
        Wanted { life_per_second: 0.5, workspace: Some(workspace.clone()), ..wanted(&arguments.population) };
    // The console has its own way to deal with signals. Here they only must not end the process before the folder is gone.
    let interrupts = Interrupts::listen()?;
    let running = tokio::select! {
        running = sandbox::start(&wanted, context.clock.clone()) => running?,
        () = interrupts.reached(1) => return Ok(0),
    };
    let session = context.open_at(Some(workspace), Access::ReadWrite, Missing::Refuse)?;
    let code = open(session, options).await;
    tokio::select! {
        () = running.stop() => {}
        () = context.clock.sleep(PATIENCE) => {}
    }
    drop(folder);
    code
}

async fn open(session: Session, options: Console) -> Result<u8, OpError> {
    let options = ConsoleOptions {
        read_only: options.read_only,
        plain: options.plain,
        mouse: !options.no_mouse,
        theme: ThemeChoice::Auto,
    };
    console::run(session, options).await.map_err(|error| OpError::failed(error.to_string()))?;
    Ok(0)
}
