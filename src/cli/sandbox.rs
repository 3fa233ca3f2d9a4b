//! `forcesync sandbox`: only the servers, in the foreground until stopped.

use crate::cli::arguments::{Population, Sandbox};
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::logging;
use crate::ops::error::OpError;
use crate::ops::sandbox::{self, Wanted};

pub(super) async fn run(arguments: Sandbox, context: &Context) -> Result<u8, OpError> {
    logging::begin(None, context.verbose);
    let interrupts = Interrupts::listen()?;
    let wanted = Wanted {
        port: arguments.port,
        tls: arguments.tls.then_some(arguments.tls_host),
        life_per_second: arguments.life,
        workspace: context.workspace.clone(),
        ..wanted(&arguments.population)
    };
    let running = tokio::select! {
        running = sandbox::start(&wanted, context.clock.clone()) => running?,
        () = interrupts.reached(1) => return Ok(0),
    };
    let output = &context.output;
    let ready = &running.ready;
    output.object(ready);
    output.text(format_args!("Salesforce   {}", ready.salesforce.url));
    output.text(format_args!("  username       {}", ready.salesforce.username));
    output.text(format_args!("  password       {}", ready.salesforce.password));
    output.text(format_args!("  security token {}", ready.salesforce.security_token));
    output.text(format_args!("  client id      {}", ready.salesforce.client_id));
    output.text(format_args!("  client secret  {}", ready.salesforce.client_secret));
    output.text(format_args!("{:<12} {}", ready.platform.kind, ready.platform.url));
    for (name, value) in ready.platform.sign_in.iter().filter(|(name, _)| *name != "endpoint") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output.text(format_args!("  {:<14} {value}", name.replace('_', " ")));
    }
    if let Some(file) = &ready.ca_file {
        output.text(format_args!("CA file      {file}"));
    }
    if let Some(workspace) = &ready.workspace {
        output.text(format_args!("Workspace    {workspace}"));
        output.text(format_args!("Try: forcesync --workspace {workspace} sync initial"));
    }
    output.text("Ctrl-C ends it.");
    interrupts.reached(1).await;
    tokio::select! {
        () = running.stop() => {}
        () = interrupts.reached(2) => {}
    }
    Ok(0)
}

/// What the options about people say.
pub(super) fn wanted(population: &Population) -> Wanted {
    Wanted {
        platform: population.platform.clone(),
        records: population.records,
        seed: population.seed,
        port: None,
        tls: None,
        life_per_second: 0.0,
        person_accounts: population.person_accounts,
        real_pace: population.real_pace,
        package: !population.without_package,
        workspace: None,
    }
}
