//! `forcesync secret`: keeps passwords and keys. A value is never an argument and never printed.

use serde::Serialize;

use crate::cli::arguments::{Secret, SecretAction, SecretHome};
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::prompt::unlock;
use crate::cli::table::Table;
use crate::ops::error::OpError;
use crate::ops::secrets::{self, SecretName, SecretPlace};
use crate::ops::session::Access;

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    label: &'static str,
    place: SecretPlace,
    variable: String,
}

pub(super) async fn run(arguments: Secret, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        SecretAction::Set { name } => {
            let name = known(&name)?;
            let session = context.open_or_create()?;
            unlock(&session, context).await?;
            let value = prompt::secret(format!("{}: ", name.label())).await?;
            let place = secrets::set(&session, name, value).await?;
            context.output.object(&listed(name, place));
            context.output.text(format_args!("{name} is {} now.", place.phrase()));
        }
        SecretAction::List => {
            let session = context.open(Access::ReadOnly)?;
            let mut table = Table::new(&["name", "what", "where"]);
            for (name, place) in secrets::states(&session).await? {
                context.output.object(&listed(name, place));
                table.row([name.word(), name.label(), place.phrase()]);
            }
            table.print(&context.output);
        }
        SecretAction::Remove { name } => {
            let name = known(&name)?;
            let session = context.open(Access::ReadWrite)?;
            unlock(&session, context).await?;
            secrets::remove(&session, name).await?;
            context.output.object(&listed(name, SecretPlace::Absent));
            context.output.text(format_args!("{name} is forgotten."));
        }
        SecretAction::Move { to } => {
            let session = context.open(Access::ReadWrite)?;
            let (to, place) = match to {
                SecretHome::Keyring => (secrets::SecretsPlace::Keyring, SecretPlace::Keyring),
                SecretHome::Vault => (secrets::SecretsPlace::Vault, SecretPlace::Vault),
            };
            unlock(&session, context).await?;
            for name in secrets::move_all(&session, to).await? {
                context.output.object(&listed(name, place));
                context.output.text(format_args!("{name} is {} now.", place.phrase()));
            }
        }
    }
    Ok(0)
}

fn listed(name: SecretName, place: SecretPlace) -> Listed {
    Listed { name: name.word(), label: name.label(), place, variable: name.variable() }
}

fn known(word: &str) -> Result<SecretName, OpError> {
    word.parse().map_err(|error| OpError::settings(format!("{error}.")).code("unknown_secret"))
}
