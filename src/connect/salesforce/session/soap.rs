//! A data call in SOAP's dress: the envelope with the session in its header, and what a refusal says.

use secrecy::{ExposeSecret, SecretString};

use crate::connect::http::Reply;
use crate::connect::salesforce::errors::Fault;

/// The path of the partner API in the version of a REST path such as `/services/data/v67.0`.
pub(super) fn path(base: &str) -> String {
    let version = base.rsplit('/').next().unwrap_or_default().trim_start_matches('v');
    format!("/services/Soap/u/{version}")
}

/// An operation, which uses the prefix `p`, with the session that it is asked in.
pub(super) fn envelope(token: &SecretString, operation: &str) -> SecretString {
    let client = concat!("forcesync/", env!("CARGO_PKG_VERSION"));
    // A session id has letters, digits, dots, underlines and one exclamation mark: nothing that XML would change.
    let token = token.expose_secret();
    SecretString::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:p=\"urn:partner.soap.sforce.com\">\
         <env:Header><p:CallOptions><p:client>{client}</p:client></p:CallOptions>\
         <p:SessionHeader><p:sessionId>{token}</p:sessionId></p:SessionHeader></env:Header>\
         <env:Body>{operation}</env:Body></env:Envelope>"
    ))
}

/// Reads the fault of a refused call; what is none is told as any other reply.
pub(super) fn fault(reply: &Reply) -> Fault {
    let text = String::from_utf8_lossy(&reply.body);
    let within = |name: &str| -> Option<String> {
        let (_, rest) = text.split_once(&format!("{name}>"))?;
        let (words, _) = rest.split_once("</")?;
        Some(words.trim().to_owned())
    };
    match within("exceptionCode") {
        Some(code) => {
            Fault { status: reply.status, code, message: within("exceptionMessage").unwrap_or_default() }
        }
        None => Fault::from_reply(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_data_calls() {
        assert_eq!(path("/services/data/v67.0"), "/services/Soap/u/67.0");
    }
}
