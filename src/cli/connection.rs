//! `forcesync connection`: what the settings say about both sides, and whether it works.

use serde::Serialize;

use crate::cli::arguments::{Connection, ConnectionAction, ConnectionSide};
use crate::cli::check::print;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::{sign_in, webhooks};
use crate::domain::report::CheckLine;
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::ops::{secrets, set_connection, test_connection};

impl From<ConnectionSide> for Side {
    fn from(side: ConnectionSide) -> Self {
        match side {
            ConnectionSide::Salesforce => Self::Org,
            ConnectionSide::Platform => Self::Platform,
        }
    }
}

/// Both connections as one object; no secret is among them, only where each is.
#[derive(Serialize)]
struct Shown {
    salesforce: serde_json::Value,
    platform: serde_json::Value,
    secrets: serde_json::Map<String, serde_json::Value>,
}

pub(super) async fn run(arguments: Connection, context: &Context) -> Result<u8, OpError> {
    match arguments.action {
        ConnectionAction::Show => show(context).await,
        ConnectionAction::Set { changes } => {
            let session = context.open_or_create()?;
            prompt::unlock(&session, context).await?;
            let problems = set_connection::set(&session, &changes).await?;
            for problem in &problems {
                context.output.note(safe(&problem.to_string()));
            }
            show(context).await
        }
        ConnectionAction::Test { side } => test(side, context).await,
        ConnectionAction::SignIn { no_browser } => sign_in::run(no_browser, context).await,
        ConnectionAction::Webhooks { action } => webhooks::run(action, context).await,
    }
}

async fn show(context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let settings = session.settings();
    let as_json = |section: serde_json::Result<serde_json::Value>| section.unwrap_or(serde_json::Value::Null);
    let states = secrets::states(&session).await?;
    let shown = Shown {
        salesforce: as_json(serde_json::to_value(&settings.salesforce)),
        platform: as_json(serde_json::to_value(&settings.platform)),
        secrets: states
            .iter()
            .map(|(name, place)| (name.word().into(), serde_json::to_value(place).unwrap_or_default()))
            .collect(),
    };
    context.output.object(&shown);
    for (title, section) in [("Salesforce", &shown.salesforce), ("Platform", &shown.platform)] {
        context.output.text(title);
        section_lines("", section, context);
    }
    context.output.text("Secrets");
    for (name, place) in &states {
        context.output.text(format_args!("  {}  {}", name.word(), place.phrase()));
    }
    Ok(0)
}

fn section_lines(prefix: &str, section: &serde_json::Value, context: &Context) {
    let serde_json::Value::Object(fields) = section else { return };
    for (name, value) in fields {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            serde_json::Value::Object(_) => section_lines(&path, value, context),
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => {
                context.output.text(format_args!("  {path} = {}", safe(text)));
            }
            other => context.output.text(format_args!("  {path} = {}", safe(&other.to_string()))),
        }
    }
}

async fn test(side: Option<ConnectionSide>, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    let settings = session.settings();
    let sides: Vec<Side> = side.map_or_else(|| Side::BOTH.to_vec(), |side| vec![side.into()]);
    let mut lines: Vec<CheckLine> = Vec::new();
    let mut code = 0;
    for side in sides {
        let result = test_connection::test(&session, side, &settings, &[]).await;
        code = worse(code, result.exit_code());
        lines.extend(result.lines);
    }
    print(&lines, context);
    Ok(code)
}

/// The exit code that comes first in the contract.
pub(super) fn worse(first: u8, second: u8) -> u8 {
    const ORDER: [u8; 8] = [130, 7, 6, 5, 4, 3, 2, 1];
    ORDER.into_iter().find(|code| *code == first || *code == second).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_comes_before_settings_and_settings_before_failed() {
        assert_eq!(worse(7, 2), 7);
        assert_eq!(worse(1, 2), 2);
        assert_eq!(worse(0, 1), 1);
        assert_eq!(worse(0, 0), 0);
    }
}
