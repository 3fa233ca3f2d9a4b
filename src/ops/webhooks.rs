//! Deliveries of the platform: registering for them, keeping what they hint at for the next run, and whether anybody listens.
//!
//! Nothing is registered, changed or removed unless somebody asks, and never an endpoint of others: ours is the one at the address that
//! the settings hold.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::connect::platform::Platform;
use crate::connect::platform::webhooks::{Chosen, Webhooks};
use crate::domain::hint::{HintOrder, Hints, NotTaken, WebhookEndpoint};
use crate::domain::mapping::Mapping;
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::Side;
use crate::ops::connections;
use crate::ops::error::OpError;
use crate::ops::secrets::{self, SecretName};
use crate::ops::session::Session;
use crate::ops::{read, set_connection};
use crate::store::{Store, mappings, pending};
use crate::workspace::Severity;
use crate::workspace::settings::Settings;
use crate::workspace::validate::validate;

/// Under which name the state database keeps when the last hint came.
pub(crate) const LAST_HINT: &str = "last_hint";

/// How long this machine's own listener may take to answer.
const NEAR: Duration = Duration::from_millis(500);

/// An endpoint of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As the platform tells it.
    pub endpoint: WebhookEndpoint,
    /// Whether it is the one of this workspace.
    pub ours: bool,
}

/// What the platform says of its deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// All endpoints of the account.
    pub endpoints: Vec<Endpoint>,
    /// The events on offer.
    pub scopes: Vec<String>,
}

/// What registering did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The endpoint as it is now, or as it was.
    pub endpoint: WebhookEndpoint,
    /// Whether it is new.
    pub made: bool,
    /// Whether the secret that deliveries are signed with is kept now.
    pub secret: bool,
}

/// What reads the posts that come in.
pub struct Deliveries(Arc<dyn Platform>);

impl Deliveries {
    /// By the settings; nothing where they don't want it, an error where something is missing for it.
    pub async fn open(session: &Session) -> Result<Option<Self>, OpError> {
        let settings = session.settings();
        if !settings.platform.told().flag("webhooks") {
            return Ok(None);
        }
        let platform = platform(session).await?;
        let webhooks = of(platform.as_ref())?;
        let path = webhooks.chosen().path;
        let is_plain = path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~'));
        let wanting = if settings.inbound.port == 0 {
            "[inbound] has no port to listen on"
        } else if !webhooks.has_secret() {
            "their secret is not known: run `forcesync connection webhooks register ADDRESS`"
        } else if !path.starts_with('/') || path.starts_with("/push/") || !is_plain {
            "webhook_path has to begin with /, to hold letters, digits, -, _, . and / alone, and not to begin with /push/"
        } else {
            return Ok(Some(Self(platform)));
        };
        Err(OpError::settings(format!(
            "Webhooks are switched on, but {wanting}. Until then changes are found by asking."
        )))
    }

    /// The path at which they come in.
    pub fn path(&self) -> String {
        self.0.webhooks().map(|webhooks| webhooks.chosen().path).unwrap_or_default()
    }

    /// The header that carries the signature.
    pub fn header(&self) -> &'static str {
        self.0.webhooks().map_or("", Webhooks::header)
    }

    /// What a post hints at.
    pub fn hints(&self, signature: &str, body: &[u8]) -> Result<Hints, NotTaken> {
        self.0.webhooks().map_or(Err(NotTaken::Unsigned), |webhooks| webhooks.hints(signature, body))
    }
}

/// Opens the platform, if it delivers anything.
async fn platform(session: &Session) -> Result<Arc<dyn Platform>, OpError> {
    let settings = session.settings();
    let known = secrets::read(session, &settings, Side::Platform, &[]).await?;
    let platform = connections::platform(&settings, &known, &session.surroundings())?;
    if platform.webhooks().is_none() {
        let label = settings.platform.kind.label();
        return Err(OpError::settings(format!(
            "{label} delivers nothing by itself, so there are no webhooks to look after."
        ))
        .code("no_webhooks"));
    }
    Ok(platform)
}

fn of(platform: &dyn Platform) -> Result<&dyn Webhooks, OpError> {
    platform.webhooks().ok_or_else(|| OpError::settings("This platform delivers nothing by itself."))
}

fn is_ours(endpoint: &WebhookEndpoint, chosen: &Chosen) -> bool {
    !chosen.address.is_empty() && endpoint.callback == chosen.address
}

/// All endpoints of the account and the events on offer.
pub async fn list(session: &Session) -> Result<Listed, OpError> {
    let platform = platform(session).await?;
    let webhooks = of(platform.as_ref())?;
    let chosen = webhooks.chosen();
    let endpoints = webhooks.registered().await?.endpoints.into_iter();
    Ok(Listed {
        endpoints: endpoints
            .map(|endpoint| Endpoint { ours: is_ours(&endpoint, &chosen), endpoint })
            .collect(),
        scopes: webhooks.scopes().await?,
    })
}

/// Registers an address, or moves the one of this workspace there, keeps the secret of the account, and switches the listener on.
pub async fn register(session: &Session, address: &str, scopes: &[String]) -> Result<Done, OpError> {
    let kind = session.settings().platform.kind;
    let platform = platform(session).await?;
    let webhooks = of(platform.as_ref())?;
    let chosen = webhooks.chosen();
    let offered = webhooks.scopes().await?;
    let asked = if scopes.is_empty() { &chosen.scopes } else { scopes };
    if let Some(odd) = asked.iter().find(|scope| !offered.contains(scope)) {
        return Err(OpError::settings(format!(
            "{} has no event “{odd}”; it offers {}.",
            kind.label(),
            offered.join(", ")
        )));
    }
    let wanted: Vec<String> = if asked.is_empty() {
        offered.into_iter().filter(|scope| !scope.starts_with("appointment.")).collect()
    } else {
        asked.to_vec()
    };
    let section = format!("platform.{}", kind.word());
    let scopes = toml::Value::Array(asked.iter().map(|scope| scope.as_str().into()).collect());
    let mut changes =
        vec![format!("{section}.webhook_address={address}"), format!("{section}.webhooks=true")];
    if !asked.is_empty() {
        changes.push(format!("{section}.webhook_scopes={scopes}"));
    }
    // What the settings can't hold is told before anything is registered.
    let settings = set_connection::examine(session, &changes)?;
    if let Some(problem) = validate(&settings).into_iter().find(|problem| problem.severity == Severity::Error)
    {
        return Err(OpError::settings(format!("Nothing was registered: {problem}")));
    }
    let registered = webhooks.registered().await?;
    let ours = registered.endpoints.iter().find(|endpoint| is_ours(endpoint, &chosen));
    let known = ours.or_else(|| registered.endpoints.iter().find(|endpoint| endpoint.callback == address));
    let endpoint = match known {
        Some(endpoint) => webhooks.change(endpoint, address, &wanted).await?,
        None => webhooks.add(address, &wanted).await?,
    };
    set_connection::set(session, &changes).await?;
    let name = SecretName::of_platform(kind, "webhook_secret");
    // The first endpoint may be what makes the account's secret.
    let secret = match registered.secret {
        Some(secret) => Some(secret),
        None => webhooks.registered().await?.secret,
    };
    let kept = match (name, secret) {
        (Some(name), Some(secret)) => secrets::set(session, name, secret).await.map(|_| true)?,
        _ => false,
    };
    Ok(Done { endpoint, made: known.is_none(), secret: kept })
}

/// Removes the endpoint of this workspace and switches the listener off; nothing where there is none.
pub async fn remove(session: &Session) -> Result<Option<WebhookEndpoint>, OpError> {
    let kind = session.settings().platform.kind;
    let platform = platform(session).await?;
    let webhooks = of(platform.as_ref())?;
    let chosen = webhooks.chosen();
    let ours = webhooks.registered().await?.endpoints.into_iter().find(|endpoint| is_ours(endpoint, &chosen));
    if let Some(endpoint) = &ours {
        webhooks.remove(endpoint).await?;
    }
    set_connection::set(session, &[format!("platform.{}.webhooks=false", kind.word())]).await?;
    Ok(ours)
}

/// Keeps hinted records for the run that reads them, and when the last hint came. One whose object no mapping uses is passed over.
pub(super) async fn keep(
    store: &Store,
    mappings_in_use: &[Mapping],
    order: &HintOrder,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    let of_object = |object: &str| -> Vec<String> {
        let mine = mappings_in_use
            .iter()
            .filter(|mapping| mapping.enabled && mapping.platform_object.eq_ignore_ascii_case(object));
        mine.map(|mapping| mapping.name.clone()).collect()
    };
    let records: Vec<_> =
        order.records.iter().map(|hinted| (of_object(&hinted.object), hinted.id.clone())).collect();
    let at = order.at.to_rfc3339();
    let write = move |db: &rusqlite::Connection| {
        for (names, id) in &records {
            pending::put_hinted(db, names, id, now)?;
        }
        mappings::remember(db, LAST_HINT, &at)
    };
    Ok(store.write(write).await?)
}

/// Whether deliveries are listened for, and when the last hint came; nothing where they are switched off.
pub async fn state(session: &Session, settings: &Settings, webhooks: &dyn Webhooks) -> Option<CheckLine> {
    let chosen = webhooks.chosen();
    if !chosen.on {
        return None;
    }
    let port = settings.inbound.port;
    let (verdict, message) = if port == 0 {
        (
            Verdict::Warning,
            "Webhooks are switched on, but [inbound] has no port to listen on; changes are found by asking."
                .into(),
        )
    } else if !webhooks.has_secret() {
        (
            Verdict::Warning,
            "Webhooks are switched on, but their secret is not known: run `forcesync connection webhooks register ADDRESS`.".into(),
        )
    } else if listens(session, port).await {
        let last = match read::last_hint(session).await {
            Ok(Some(at)) => format!("the last hint came on {}", at.format("%-d %b %Y at %H:%M UTC")),
            Ok(None) | Err(_) => "no hint has come yet".to_owned(),
        };
        (Verdict::Good, format!("Webhooks are listened for on port {port} of this machine; {last}."))
    } else {
        (
            Verdict::Warning,
            format!(
                "Nobody listens for webhooks on port {port}; `forcesync run` does while it lives. Changes are found by asking."
            ),
        )
    };
    Some(CheckLine { verdict, subject: "platform".into(), message, field: None })
}

/// Whether something takes connections on a port of this machine.
async fn listens(session: &Session, port: u16) -> bool {
    tokio::select! {
        connected = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)) => connected.is_ok(),
        () = session.clock().sleep(NEAR) => false,
    }
}
