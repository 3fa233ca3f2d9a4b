//! The old SOAP interface, of which only the listing of customers is used: the envelope of a call, and its answer as a tree.

use quick_xml::Reader;
use quick_xml::events::Event;
use secrecy::{ExposeSecret, SecretString};

use super::service::{Failure, Patience, Service, no_sense};
use super::settings::Names;
use crate::connect::http::Call;
use crate::connect::platform::Opening;
use crate::domain::port::{PortClass, PortError};

/// Where the interface is, and the token that every call begins with.
pub(super) struct Soap {
    url: String,
    token: SecretString,
}

/// An element: its local name, its text, and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first element of that name below this one, at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.children.iter().find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }

    /// The text of the child of that name.
    pub(super) fn leaf(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.name == name).map(|child| child.text.as_str())
    }
}

/// What a call came to.
pub(super) enum Answer {
    /// What stands in `msg`.
    Message(Element),
    /// A fault: its number and its words.
    Fault(u32, String),
}

impl Soap {
    /// The interface, where both its address and its token are told.
    pub(super) fn of(opening: &Opening<'_>, names: &Names) -> Option<Self> {
        let given = opening.told.some_text("soap_endpoint")?;
        let given = given.trim_end_matches('/');
        let token = opening.secret("soap_token");
        if token.expose_secret().is_empty() {
            return None;
        }
        let base = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
        Some(Self { url: format!("{base}{}", names.soap_path), token })
    }

    /// Calls an operation; all that is used here changes nothing, so it may be repeated.
    pub(super) async fn call(
        &self,
        service: &Service,
        operation: &'static str,
        arguments: &[(&str, String)],
        patience: Patience,
    ) -> Result<Answer, PortError> {
        let call = Call::post(operation, self.url.clone())
            .header("SOAPAction", format!("\"{operation}\""))
            .secret_body("text/xml; charset=utf-8", self.envelope(operation, arguments))
            .repeatable();
        let text = match service.send(call, patience).await {
            Ok(answer) => answer.text,
            Err(Failure::Refused { status: 500, words }) => words,
            Err(failure) => return Err(failure.into_port()),
        };
        let Some(root) = tree(&text) else {
            let shown: String = text.chars().take(80).collect();
            return Err(no_sense(&format!("{operation} answered no XML: “{shown}”")).into_port());
        };
        if let Some(fault) = root.find("Fault") {
            let number = fault.leaf("faultcode").unwrap_or_default();
            let number = number.rsplit(':').next().unwrap_or(number).trim().parse().unwrap_or(0);
            return Ok(Answer::Fault(number, fault.leaf("faultstring").unwrap_or_default().to_owned()));
        }
        let code = root.find("code").map_or("0", |code| code.text.as_str()).trim();
        match root.find("msg") {
            Some(message) if code == "0" => Ok(Answer::Message(message.clone())),
            Some(message) => Ok(Answer::Fault(code.parse().unwrap_or(0), message.text.clone())),
            None => Err(no_sense(&format!("{operation} answered neither a message nor a fault")).into_port()),
        }
    }

    fn envelope(&self, operation: &str, arguments: &[(&str, String)]) -> SecretString {
        let inner: Vec<String> =
            arguments.iter().map(|(name, text)| format!("<{name}>{}</{name}>", escape(text))).collect();
        let inner = inner.concat();
        SecretString::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
             <{operation}><uuid>{}</uuid>{inner}</{operation}></soap:Body></soap:Envelope>",
            escape(self.token.expose_secret())
        ))
    }
}

/// A fault of the interface as an error of the port.
pub(super) fn refused(operation: &str, number: u32, words: &str) -> PortError {
    PortError::new(
        PortClass::Protocol,
        format!("SOAP_{number}"),
        format!(
            "Deployteq refused {operation} over SOAP (fault {number}: “{words}”). Check the SOAP token in Connection Settings."
        ),
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other if other.is_control() => out.extend(format!("&#{};", u32::from(other)).chars()),
            other => out.push(other),
        }
    }
    out
}

/// The document as a tree; `None` for what is no XML.
pub(super) fn tree(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut seen = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                seen = true;
                let name = start.local_name();
                let name: &str = name.as_ref();
                open.push(Element { name: name.to_owned(), ..Element::default() });
            }
            Event::Empty(start) => {
                seen = true;
                let name = start.local_name();
                let name: &str = name.as_ref();
                open.last_mut()?.children.push(Element { name: name.to_owned(), ..Element::default() });
            }
            Event::Text(piece) => open.last_mut()?.text.push_str(&piece.xml10_content()),
            Event::CData(piece) => open.last_mut()?.text.push_str(&piece),
            Event::GeneralRef(reference) => {
                let text = &mut open.last_mut()?.text;
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => text.push(character),
                    Ok(None) | Err(_) => text.push_str(match &*reference {
                        "amp" => "&",
                        "lt" => "<",
                        "gt" => ">",
                        "quot" => "\"",
                        "apos" => "'",
                        _ => "",
                    }),
                }
            }
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Eof => return if seen && open.len() == 1 { open.pop() } else { None },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}
