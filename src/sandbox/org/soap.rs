//! The SOAP API at `/services/Soap/u` and `/c`: what REST has no word for (merge, convert, undelete, empty the bin) and
//! the few calls around it. `login` lets clients in up to version 64; everything else works with any session in any
//! supported version.
//!
//! `xml` reads what comes, `envelope` writes what goes; `login`, `session`, `records` and `acts` answer.

mod acts;
mod envelope;
mod login;
mod records;
mod session;
pub(super) mod xml;

use std::sync::Arc;

use super::Org;
use super::http::VERSIONS;
use super::rest::reply::Reply;
use super::rights::Rights;
use envelope::{Dialect, client_fault};
use records::ById;
use xml::Element;

/// The oldest version that is not retired.
const OLDEST: u32 = 31;

/// One call by somebody who is signed in.
struct Ask<'a> {
    org: &'a Org,
    dialect: Dialect,
    /// The operation's element.
    operation: &'a Element,
    header: Option<&'a Element>,
    token: String,
    user: String,
    rights: Arc<Rights>,
    now: i64,
    /// Calls used and allowed, for the reply's header.
    usage: (u64, u64),
}

/// Answers `/services/Soap/{kind}/{version}`.
pub(super) fn soap(org: &Org, base: &str, kind: &str, version: &str, body: &[u8]) -> Reply {
    let dialect = if kind == "c" { Dialect::Enterprise } else { Dialect::Partner };
    let text = String::from_utf8_lossy(body);
    let parsed = xml::parse(&text).filter(|root| root.name == "Envelope");
    let Some(envelope) = parsed else {
        return client_fault("The request could not be read as a SOAP envelope");
    };
    let Some(operation) = envelope.child("Body").and_then(|body| body.children.first()) else {
        return client_fault("The SOAP body is empty; it must hold one operation");
    };
    let number = version.strip_suffix(".0").unwrap_or(version).parse::<u32>().ok();
    let Some(number) = number.filter(|number| (OLDEST..=*VERSIONS.end()).contains(number)) else {
        let message = format!("Invalid Api version specified on URL: {version}");
        return dialect.fault("UNSUPPORTED_API_VERSION", "UnexpectedErrorFault", &message);
    };
    if operation.name == "login" {
        return login::login(org, base, dialect, kind, number, operation);
    }
    let ask = match enter(org, dialect, &envelope, operation) {
        Ok(ask) => ask,
        Err(reply) => return reply,
    };
    ask.answer()
}

/// Lets a call in, or says why not.
fn enter<'a>(
    org: &'a Org,
    dialect: Dialect,
    envelope: &'a Element,
    operation: &'a Element,
) -> Result<Ask<'a>, Reply> {
    let fault = |code: &str, message: &str| Err(dialect.fault(code, "UnexpectedErrorFault", message));
    let header = envelope.child("Header");
    let token = header
        .and_then(|header| header.child("SessionHeader"))
        .and_then(|session| session.text("sessionId"))
        .unwrap_or_default()
        .trim()
        .to_owned();
    let now = org.clock.now_ms();
    let (session, locked, disabled) = {
        let mut sessions = org.sessions();
        (sessions.enter(&token, now), sessions.locked, sessions.api_disabled)
    };
    let Some(session) = session.filter(|_| !locked) else {
        return fault(
            "INVALID_SESSION_ID",
            "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key",
        );
    };
    if disabled {
        return fault("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner");
    }
    // A session with an expired password may look at itself and leave; what else it may, setPassword, is not here.
    if session.expired_password && !matches!(operation.name.as_str(), "getUserInfo" | "logout") {
        return fault(
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "The users password has expired, you must call SetPassword before attempting any other API operations",
        );
    }
    let (used, max, within) = org.count_call(now, false);
    if !within {
        return fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    }
    let rights = org.rights_of(&session.user);
    Ok(Ask { org, dialect, operation, header, token, user: session.user, rights, now, usage: (used, max) })
}

impl Ask<'_> {
    fn answer(&self) -> Reply {
        match self.operation.name.as_str() {
            "logout" => self.logout(),
            "invalidateSessions" => self.invalidate_sessions(),
            "getServerTimestamp" => self.server_timestamp(),
            "getUserInfo" => self.own_user(),
            "create" => self.create(),
            "update" => self.update(),
            "delete" => self.by_id(ById::Delete),
            "undelete" => self.by_id(ById::Undelete),
            "emptyRecycleBin" => self.by_id(ById::EmptyBin),
            "merge" => self.merge(),
            "convertLead" => self.convert_lead(),
            other => client_fault(&format!(
                "No operation available for request {{{}}}{other}, please check the WSDL for the service.",
                self.operation.namespace.as_deref().unwrap_or(self.dialect.namespace())
            )),
        }
    }

    /// Dresses the results of an operation.
    fn reply(&self, results: &str) -> Reply {
        self.dialect.envelope(&self.operation.name, results, Some(self.usage))
    }
}
