//! The SOAP `login()`: user name, password and security token, as the vendors' documents ask for. API 64.0 is the last that has it.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use secrecy::{ExposeSecret, SecretString};

use super::super::id::full_id;
use super::super::settings::{SalesforceSecrets, SalesforceSettings};
use super::{Ticket, needed_text, not_salesforce, oauth, refusal, unreachable};
use crate::connect::http::{Call, Http, Reply, RetryPolicy, Verdict};
use crate::domain::port::PortError;

/// The last version that has `login()`.
const VERSION: &str = "64.0";

pub(super) async fn login(
    http: &Http,
    settings: &SalesforceSettings,
    secrets: &SalesforceSecrets,
) -> Result<Ticket, PortError> {
    let username = needed_text(&settings.username, "user name")?;
    let password = oauth::password_and_token(secrets)?;
    let url = format!("{}/services/Soap/u/{VERSION}", settings.environment.address());
    // As with tokens: a connection that breaks is tried once more, a refusal is not.
    let call = Call::post("sign in", url)
        .repeatable()
        .header("SOAPAction", "login")
        .header("Accept", "text/xml")
        .secret_body("text/xml; charset=UTF-8", envelope(username, &password));
    let judge =
        |reply: &Reply| if matches!(reply.status, 429 | 503) { Verdict::Again } else { Verdict::Take };
    let reply = http
        .send_retrying(&call, &RetryPolicy::BRIEF, judge)
        .await
        .map_err(|error| unreachable(settings, &error))?;
    read(settings, &reply)
}

fn envelope(username: &str, password: &SecretString) -> SecretString {
    let client = concat!("forcesync/", env!("CARGO_PKG_VERSION"));
    SecretString::from(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <env:Envelope xmlns:env=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:p=\"urn:partner.soap.sforce.com\">\
         <env:Header><p:CallOptions><p:client>{client}</p:client></p:CallOptions></env:Header>\
         <env:Body><p:login><p:username>{}</p:username><p:password>{}</p:password></p:login></env:Body></env:Envelope>",
        escape(username),
        escape(password.expose_secret()),
    ))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other if other.is_control() => out.extend(format!("&#{};", u32::from(other)).chars()),
            other => out.push(other),
        }
    }
    out
}

fn read(settings: &SalesforceSettings, reply: &Reply) -> Result<Ticket, PortError> {
    let text = String::from_utf8_lossy(&reply.body);
    let leaves = leaves(&text).filter(|_| !reply.is_html()).ok_or_else(|| not_salesforce(settings, reply))?;
    let leaf = |name: &str| leaves.get(name).map(String::as_str);
    if let Some(code) = leaf("exceptionCode").or_else(|| leaf("faultcode")) {
        let code = code.rsplit(':').next().unwrap_or(code);
        let words = leaf("exceptionMessage").or_else(|| leaf("faultstring")).unwrap_or_default();
        return Err(refusal::explain(settings, code, words));
    }
    if leaf("passwordExpired") == Some("true") {
        return Err(refusal::explain(settings, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", ""));
    }
    let found = (
        leaf("sessionId"),
        leaf("serverUrl").and_then(instance_of),
        leaf("organizationId").and_then(full_id),
        leaf("userId").and_then(full_id),
    );
    let (Some(token), Some(instance), Some(org_id), Some(user_id)) = found else {
        return Err(not_salesforce(settings, reply));
    };
    Ok(Ticket { token: SecretString::from(token), instance, org_id, user_id, refresh_token: None })
}

/// Scheme, host and port of the server address; old instances add `-api` to the first label.
fn instance_of(server_url: &str) -> Option<String> {
    let (scheme, rest) = server_url.split_once("://")?;
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    let (first, others) = authority.split_once('.').unwrap_or((authority, ""));
    let first = first.strip_suffix("-api").unwrap_or(first);
    Some(if others.is_empty() {
        format!("{scheme}://{first}")
    } else {
        format!("{scheme}://{first}.{others}")
    })
}

/// The texts of all elements by local name, the first of each; `None` for what is no XML.
fn leaves(text: &str) -> Option<HashMap<String, String>> {
    let mut reader = Reader::from_str(text);
    let mut found = HashMap::new();
    let mut current = String::new();
    let mut seen_element = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => {
                seen_element = true;
                current.clear();
            }
            Event::Text(piece) => current.push_str(&piece.xml10_content()),
            Event::CData(piece) => current.push_str(&piece),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => current.push(character),
                Ok(None) | Err(_) => current.push_str(match &*reference {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => "",
                }),
            },
            Event::End(end) => {
                let name = end.local_name();
                let value = current.trim().to_owned();
                current.clear();
                if !value.is_empty() {
                    let name: &str = name.as_ref();
                    found.entry(name.to_owned()).or_insert(value);
                }
            }
            Event::Eof => return seen_element.then_some(found),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_of_a_password_survive_the_envelope() {
        let envelope = envelope("a@b.c", &SecretString::from("<&\"'>"));
        let leaves = leaves(envelope.expose_secret()).unwrap();
        assert_eq!(leaves.get("password").map(String::as_str), Some("<&\"'>"));
    }

    #[test]
    fn the_instance_is_the_host_of_the_server_address() {
        let url = "https://na139-api.salesforce.com/services/Soap/u/64.0/00D";
        assert_eq!(instance_of(url).as_deref(), Some("https://na139.salesforce.com"));
        assert_eq!(instance_of("http://127.0.0.1:8080/services").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(instance_of("nonsense"), None);
    }

    #[test]
    fn a_web_page_is_not_taken_for_a_reply() {
        assert_eq!(leaves("no xml at all"), None);
    }
}
