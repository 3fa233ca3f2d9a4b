//! Replies in SOAP's dress: results and faults.

use crate::sandbox::org::rest::reply::Reply;
use crate::sandbox::org::row_error::RowError;

/// Which of the two WSDLs a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `/u/`: rows of any object, by `type`.
    Partner,
    /// `/c/`: rows by `xsi:type`.
    Enterprise,
}

/// Text made safe to stand in an element.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An element with text in it, or a nil one.
pub(super) fn element(name: &str, text: Option<&str>) -> String {
    text.map_or_else(
        || format!("<{name} xsi:nil=\"true\"/>"),
        |text| format!("<{name}>{}</{name}>", escape(text)),
    )
}

/// The `errors` of a row.
pub(super) fn errors(error: &RowError) -> String {
    let fields: String = error.fields.iter().map(|field| element("fields", Some(field))).collect();
    format!(
        "<errors>{fields}{}{}</errors>",
        element("message", Some(&error.message)),
        element("statusCode", Some(&error.code))
    )
}

fn xml(status: u16, body: &str) -> Reply {
    Reply {
        headers: vec![("content-type", "text/xml;charset=UTF-8".to_owned())],
        ..Reply::bytes(status, body.as_bytes().to_vec())
    }
}

impl Dialect {
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Partner => "urn:partner.soap.sforce.com",
            Self::Enterprise => "urn:enterprise.soap.sforce.com",
        }
    }

    /// The reply to an operation, with what is used and allowed of the day's calls in its header.
    pub(super) fn envelope(self, operation: &str, body: &str, usage: Option<(u64, u64)>) -> Reply {
        let header = usage.map_or_else(String::new, |(used, max)| {
            format!("<soapenv:Header><LimitInfoHeader><limitInfo><current>{used}</current><limit>{max}</limit><type>API REQUESTS</type></limitInfo></LimitInfoHeader></soapenv:Header>")
        });
        let namespace = self.namespace();
        xml(
            200,
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{namespace}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{header}<soapenv:Body><{operation}Response>{body}</{operation}Response></soapenv:Body></soapenv:Envelope>"
            ),
        )
    }

    /// A fault of the API.
    pub(super) fn fault(self, code: &str, detail: &str, message: &str) -> Reply {
        let namespace = match self {
            Self::Partner => "urn:fault.partner.soap.sforce.com",
            Self::Enterprise => "urn:fault.enterprise.soap.sforce.com",
        };
        let message = escape(message);
        // Login faults carry their code bare, all others behind the namespace's prefix.
        let prefix = if detail == "LoginFault" { "" } else { "sf:" };
        xml(
            500,
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:sf=\"{namespace}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><soapenv:Fault><faultcode>{prefix}{code}</faultcode><faultstring>{code}: {message}</faultstring><detail><sf:{detail} xsi:type=\"sf:{detail}\"><sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage></sf:{detail}></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
            ),
        )
    }
}

/// The fault of whoever dispatches messages, about one that never came to the API.
pub(super) fn client_fault(message: &str) -> Reply {
    let message = escape(message);
    xml(
        500,
        &format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{message}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        ),
    )
}
