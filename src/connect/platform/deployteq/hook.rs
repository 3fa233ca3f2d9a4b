//! The webhook receivers of the settings: where they are, how they let us in, and which of them are known to be mapped (F101, F109).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::CUSTOMER;
use crate::connect::platform::{Examined, Opening};
use crate::domain::port::{PortClass, PortError};
use crate::domain::report::Verdict;

/// How receivers let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    Bearer,
    Basic,
    Certificate,
    /// A token that the OAuth2 endpoint issues.
    Issued,
}

/// What a call shows to be let in.
pub(super) enum Pass {
    /// The header `Authorization`.
    Header(SecretString),
    /// The certificate of the connection itself.
    Certificate,
    /// A token that has to be issued first.
    Issued,
}

/// The receivers of the settings.
pub(super) struct Hooks {
    addresses: Vec<(String, String)>,
    auth: Auth,
    user: String,
    /// By table; the one without a name is everybody else's.
    tokens: Vec<(String, SecretString)>,
    /// Whether a receiver has answered with an id; `false` while it waits to be mapped.
    mapped: Mutex<HashMap<String, bool>>,
}

impl Hooks {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        let mut addresses = Vec::new();
        for entry in opening.told.texts("webhooks") {
            let Some((name, address)) = entry.split_once('=') else {
                return Err(PortError::new(
                    PortClass::Settings,
                    "SETTING_WRONG",
                    format!(
                        "In the Deployteq connection, the webhook “{entry}” has no name; write it as account=https://…"
                    ),
                ));
            };
            let address = address.trim();
            let address =
                if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
            addresses.push((name.trim().to_owned(), address));
        }
        Ok(Self {
            addresses,
            auth: match opening.told.text("webhook_auth").as_str() {
                "basic" => Auth::Basic,
                "certificate" => Auth::Certificate,
                "oauth2" => Auth::Issued,
                _ => Auth::Bearer,
            },
            user: opening.told.text("webhook_user"),
            tokens: tokens(&opening.secret("webhook_token")),
            mapped: Mutex::default(),
        })
    }

    fn known(&self, name: &str) -> Option<&(String, String)> {
        self.addresses.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Whether customers are written through a receiver.
    pub(super) fn takes_customers(&self) -> bool {
        self.known(CUSTOMER).is_some()
    }

    pub(super) fn address(&self, table: &str) -> Result<&str, PortError> {
        self.known(table).map(|(_, address)| address.as_str()).ok_or_else(|| {
            let (what, first) = if table.eq_ignore_ascii_case(CUSTOMER) {
                ("customers".to_owned(), "make a receiver")
            } else {
                (format!("the table “{table}”"), "make the table and a receiver")
            };
            PortError::new(
                PortClass::Settings,
                "NO_RECEIVER",
                format!(
                    "There is no webhook receiver for {what}: {first} in Deployteq, then add {table}=ADDRESS to the webhooks of the \
                     connection."
                ),
            )
        })
    }

    fn token(&self, table: &str) -> SecretString {
        let own = self.tokens.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        let any = || self.tokens.iter().find(|(name, _)| name.is_empty());
        own.or_else(any).map(|(_, token)| token.clone()).unwrap_or_default()
    }

    /// What a receiver wants to see before it takes anything.
    pub(super) fn pass(&self, name: &str) -> Pass {
        match self.auth {
            Auth::Bearer => {
                Pass::Header(SecretString::from(format!("Bearer {}", self.token(name).expose_secret())))
            }
            Auth::Basic => {
                let both = STANDARD.encode(format!("{}:{}", self.user, self.token(name).expose_secret()));
                Pass::Header(SecretString::from(format!("Basic {both}")))
            }
            Auth::Certificate => Pass::Certificate,
            Auth::Issued => Pass::Issued,
        }
    }

    pub(super) fn is_mapped(&self, table: &str) -> Option<bool> {
        self.mapped.lock().unwrap_or_else(PoisonError::into_inner).get(&table.to_ascii_lowercase()).copied()
    }

    pub(super) fn learn(&self, table: &str, mapped: bool) {
        let mut known = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(table.to_ascii_lowercase(), mapped);
    }

    /// The tables that have a receiver.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        let tables = self.addresses.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(CUSTOMER));
        tables.map(|(name, _)| name.as_str())
    }

    /// Says what is set up; nothing is sent, since whatever a receiver gets it takes for a record.
    pub(super) fn examine(&self, examined: &mut Examined) {
        for (name, _) in &self.addresses {
            let lacks = match self.auth {
                Auth::Bearer | Auth::Basic => self.token(name).expose_secret().is_empty(),
                Auth::Certificate | Auth::Issued => false,
            };
            if lacks {
                let message = format!("The webhook receiver {name} has no token: enter webhook_token.");
                examined.line(Verdict::Warning, message, Some("webhook_token"));
            } else {
                examined.good(format!(
                    "Webhook receiver {name}: set up; it is called when there is something to send."
                ));
            }
        }
    }
}

/// One token for all, or `table=token` for several; a token alone may hold an equals sign at its end, as base64 does.
fn tokens(told: &SecretString) -> Vec<(String, SecretString)> {
    let told = told.expose_secret().trim();
    let mut found = Vec::new();
    for part in told.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let (name, token) = match part.split_once('=') {
            Some((name, token)) if !token.trim_matches('=').is_empty() => (name.trim(), token.trim()),
            Some(_) | None => ("", part),
        };
        found.push((name.to_owned(), SecretString::from(token.to_owned())));
    }
    found
}
