//! The command line: parses and prints, one file a subcommand.
//!
//! [`arguments`] is what can be typed, [`output`] is the only way anything is printed, [`context`] is what every subcommand
//! is handed. What a subcommand does lives in [`ops`](crate::ops).

mod apply;
pub mod arguments;
pub mod context;
pub mod output;
pub mod safe_text;
pub mod table;

mod audit;
mod bar;
mod check;
mod completions;
mod config;
mod conflicts;
mod connection;
mod control;
mod deactivate;
mod demo;
mod doctor;
mod drift;
mod follow;
mod forget;
mod history;
mod hook;
mod interrupts;
mod issues;
mod keys;
mod log;
mod logging;
mod mapping;
mod mapping_sample;
mod objects;
mod paths;
mod plan;
mod prompt;
mod push;
mod read_again;
mod rehearse;
mod run;
mod runs;
mod sandbox;
mod secret;
mod sign_in;
mod status;
mod sync;
mod undo;
mod webhooks;
mod why;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::arguments::{Arguments, Command, Console};
use crate::cli::context::Context;
use crate::cli::output::{Format, Output};
use crate::ops::error::OpError;

/// Parses the command line, does what it says, and tells the exit code.
///
/// Not `async` itself: the compiler makes the code of an `async` function, and of all that it awaits, once more in every crate that
/// calls it. Behind this door the thin binary holds none of it.
pub fn main(runtime: &tokio::runtime::Runtime) -> ExitCode {
    runtime.block_on(command_line())
}

async fn command_line() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; a closed pipe is nobody's problem here.
            let _ = error.print();
            if !error.use_stderr() {
                return ExitCode::SUCCESS;
            }
            if std::env::args_os().any(|argument| argument == "--json") {
                Output::new(Format::Json).usage_error(&error);
            }
            return ExitCode::from(2);
        }
    };
    interrupts::outlive_full_disks();
    let format = if arguments.json { Format::Json } else { Format::Text };
    let output = Output::new(format);
    let context = Context::new(&arguments, output);
    let code = match dispatch(arguments, &context).await {
        Ok(code) => code,
        Err(error) => {
            context.output.error(&error);
            error.class.exit_code()
        }
    };
    ExitCode::from(code)
}

async fn dispatch(arguments: Arguments, context: &Context) -> Result<u8, OpError> {
    match arguments.command {
        None => demo::console(arguments.console, context).await,
        Some(command) => subcommand(command, arguments.console, context).await,
    }
}

async fn subcommand(command: Command, console: Console, context: &Context) -> Result<u8, OpError> {
    // Somebody who writes `--read-only sync` must not get a sync that writes.
    if let (Some(option), false) = (console.given(), matches!(command, Command::Demo(_))) {
        return Err(OpError::settings(format!(
            "{option} is an option of the console: it goes with `forcesync` or `forcesync demo`, and says nothing about other commands."
        ))
        .code("usage"));
    }
    match command {
        Command::Demo(demo) => demo::run(demo, console, context).await,
        Command::Sandbox(sandbox) => sandbox::run(sandbox, context).await,
        Command::Check => check::run(context).await,
        Command::Plan(plan) => plan::run(plan, context).await,
        Command::Apply(apply) => apply::run(apply, context).await,
        Command::Sync(sync) => sync::run(sync, context).await,
        Command::Run(run) => run::run(run, context).await,
        Command::Drift(drift) => drift::run(drift, context).await,
        Command::Push(push) => push::run(push, context).await,
        Command::Hook(hook) => hook::run(hook, context).await,
        Command::Audit(audit) => audit::run(audit, context).await,
        Command::Status => status::run(context).await,
        Command::Runs(runs) => runs::run(runs, context).await,
        Command::Issues(issues) => issues::run(issues, context).await,
        Command::Conflicts(conflicts) => conflicts::run(conflicts, context).await,
        Command::Log(log) => log::run(log, context).await,
        Command::History(history) => history::run(history, context).await,
        Command::Forget(forget) => forget::run(forget, context).await,
        Command::ReadAgain(again) => read_again::run(again, context).await,
        Command::Deactivate(deactivate) => deactivate::run(deactivate, context).await,
        Command::Undo(undo) => undo::run(undo, context).await,
        Command::Why(why) => why::run(why, context).await,
        Command::Pause => control::run(control::Wish::Pause, context).await,
        Command::Resume => control::run(control::Wish::Resume, context).await,
        Command::Cancel => control::run(control::Wish::Cancel, context).await,
        Command::Connection(connection) => connection::run(connection, context).await,
        Command::Secret(secret) => secret::run(secret, context).await,
        Command::Config(config) => config::run(config, context).await,
        Command::Objects(objects) => objects::run(objects, context).await,
        Command::Mapping(mapping) => mapping::run(mapping, context).await,
        Command::Rehearse(rehearse) => rehearse::run(rehearse, context).await,
        Command::Doctor(doctor) => doctor::run(&doctor, context).await,
        Command::Paths => paths::run(context),
        Command::Keys => keys::run(context),
        Command::Completions(completions) => {
            completions::run(&completions, context);
            Ok(0)
        }
    }
}
