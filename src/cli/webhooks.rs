//! `forcesync connection webhooks`: the endpoints to which the platform sends its deliveries.

use serde::Serialize;

use crate::cli::arguments::WebhookAction;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::domain::hint::WebhookEndpoint;
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::ops::webhooks;

/// `{"event":"webhook",…}`
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    id: &'a str,
    callback: &'a str,
    active: bool,
    scopes: &'a [String],
    ours: bool,
    did: Option<&'static str>,
}

/// `{"event":"webhook_scopes",…}`
#[derive(Serialize)]
struct Scopes<'a> {
    event: &'static str,
    scopes: &'a [String],
}

pub(super) async fn run(action: WebhookAction, context: &Context) -> Result<u8, OpError> {
    let session = context.open(match &action {
        WebhookAction::List => Access::ReadOnly,
        WebhookAction::Register { .. } | WebhookAction::Remove => Access::ReadWrite,
    })?;
    prompt::unlock(&session, context).await?;
    match action {
        WebhookAction::List => {
            let listed = webhooks::list(&session).await?;
            for known in &listed.endpoints {
                tell(&known.endpoint, known.ours, None, context);
            }
            if listed.endpoints.is_empty() {
                context.output.text("The account has no webhooks.");
            }
            context.output.object(&Scopes { event: "webhook_scopes", scopes: &listed.scopes });
            context.output.text(format_args!("Events on offer: {}", safe(&listed.scopes.join(", "))));
        }
        WebhookAction::Register { address, scopes } => {
            let done = webhooks::register(&session, &address, &scopes).await?;
            tell(&done.endpoint, true, Some(if done.made { "registered" } else { "changed" }), context);
            if !done.secret {
                context.output.note(
                    "The service did not tell its secret: `forcesync secret set spotio.webhook_secret` keeps what its settings show.",
                );
            }
            if session.settings().inbound.port == 0 {
                context.output.note(
                    "[inbound] has no port yet: `forcesync connection set inbound.port=8071`, and let your proxy forward the address to it.",
                );
            }
        }
        WebhookAction::Remove => match webhooks::remove(&session).await? {
            Some(endpoint) => tell(&endpoint, true, Some("removed"), context),
            None => {
                context.output.text("No webhook of this workspace was registered; others were left alone.");
            }
        },
    }
    Ok(0)
}

fn tell(endpoint: &WebhookEndpoint, ours: bool, did: Option<&'static str>, context: &Context) {
    let WebhookEndpoint { id, callback, scopes, active, .. } = endpoint;
    context.output.object(&Told { event: "webhook", id, callback, active: *active, scopes, ours, did });
    let whose = match (did, ours) {
        (Some(did), _) => did,
        (None, true) => "ours",
        (None, false) => "of others",
    };
    let off = if *active { "" } else { ", switched off" };
    context.output.text(format_args!("{}  {whose}{off}: {}", safe(callback), safe(&scopes.join(", "))));
}
