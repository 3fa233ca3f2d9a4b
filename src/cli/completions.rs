//! `forcesync completions`: a completion script for a shell.

use clap::CommandFactory;

use crate::cli::arguments::{Arguments, Completions};
use crate::cli::context::Context;

pub(super) fn run(arguments: &Completions, context: &Context) {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "forcesync", &mut script);
    context.output.write(&script);
}
