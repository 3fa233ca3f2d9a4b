//! A data call, and why one did not work.

use crate::connect::http::{HttpError, Idempotency, Method};
use crate::connect::salesforce::errors::{self, Fault};
use crate::domain::port::PortError;

/// One data call.
#[derive(Clone, Debug)]
pub(in crate::connect::salesforce) struct Request {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) content_type: &'static str,
    pub(super) idempotency: Idempotency,
    pub(super) into_reserve: bool,
    /// The operation of a SOAP call, whose envelope carries the session.
    pub(super) soap: Option<String>,
    pub(super) accept: &'static str,
}

impl Request {
    /// A GET of a path on the instance.
    pub(in crate::connect::salesforce) fn get(name: &'static str, path: String) -> Self {
        Self {
            name,
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: None,
            content_type: "application/json; charset=UTF-8",
            idempotency: Idempotency::Repeatable,
            into_reserve: false,
            soap: None,
            accept: "application/json",
        }
    }

    /// A call by SOAP, for what REST has no word for; its path follows from the version.
    pub(in crate::connect::salesforce) fn soap(name: &'static str, operation: String) -> Self {
        Self {
            method: Method::POST,
            idempotency: Idempotency::Once,
            soap: Some(operation),
            ..Self::get(name, String::new())
        }
    }

    /// A POST of JSON; `idempotency` says whether it may be sent twice.
    pub(in crate::connect::salesforce) fn post(
        name: &'static str,
        path: String,
        body: Vec<u8>,
        idempotency: Idempotency,
    ) -> Self {
        Self { method: Method::POST, body: Some(body), idempotency, ..Self::get(name, path) }
    }

    /// A PATCH of JSON that may be sent twice.
    pub(in crate::connect::salesforce) fn patch(name: &'static str, path: String, body: Vec<u8>) -> Self {
        Self { method: Method::PATCH, body: Some(body), ..Self::get(name, path) }
    }

    /// A PUT; its body comes with the sending.
    pub(in crate::connect::salesforce) fn put(name: &'static str, path: String) -> Self {
        Self { method: Method::PUT, idempotency: Idempotency::Once, ..Self::get(name, path) }
    }

    /// A DELETE.
    pub(in crate::connect::salesforce) fn delete(name: &'static str, path: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(name, path) }
    }

    /// Asks for CSV instead of JSON.
    pub(in crate::connect::salesforce) fn for_csv(mut self) -> Self {
        self.accept = "text/csv";
        self
    }

    pub(in crate::connect::salesforce) fn header(
        mut self,
        name: &'static str,
        text: impl Into<String>,
    ) -> Self {
        self.headers.push((name, text.into()));
        self
    }

    /// Says what kind of body it has, where it is no JSON.
    pub(in crate::connect::salesforce) fn of_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// Lets the call go out even when only the reserve is left, because it is how one finds out.
    pub(in crate::connect::salesforce) fn past_the_reserve(mut self) -> Self {
        self.into_reserve = true;
        self
    }
}

/// Why a data call did not work.
#[derive(Clone, Debug)]
pub(in crate::connect::salesforce) enum DoorError {
    /// No complete reply.
    Http(HttpError),
    /// A refusal.
    Fault(Fault),
    /// Said already.
    Told(PortError),
}

impl DoorError {
    /// The error for the engine; `what` says what was tried.
    pub(in crate::connect::salesforce) fn told(self, what: &str) -> PortError {
        match self {
            Self::Http(error) => errors::from_http(&error),
            Self::Fault(fault) => fault.to_port_error(what),
            Self::Told(error) => error,
        }
    }

    /// Whether the org may have done what was asked.
    pub(in crate::connect::salesforce) fn outcome_unknown(&self) -> bool {
        match self {
            Self::Http(error) => !error.surely_not_sent(),
            // What failed may be the gateway, or what came after the part that matters.
            Self::Fault(fault) => {
                matches!(fault.status, 500 | 502 | 504) || fault.code == "REQUEST_RUNNING_TOO_LONG"
            }
            Self::Told(_) => false,
        }
    }
}

impl From<PortError> for DoorError {
    fn from(error: PortError) -> Self {
        Self::Told(error)
    }
}
