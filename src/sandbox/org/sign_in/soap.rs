//! SOAP `login`, as the versions that still have it speak it, and the few calls that clients make around it.

use crate::sandbox::org::Org;
use crate::sandbox::org::moment;
use crate::sandbox::org::rest::reply::Reply;

/// The last version with `login`.
const LAST_LOGIN: f64 = 64.0;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, tail)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        let number = entity
            .strip_prefix("#x")
            .map(|hex| u32::from_str_radix(hex, 16))
            .or_else(|| entity.strip_prefix('#').map(str::parse));
        match entity {
            "amp" => out.push('&'),
            "lt" => out.push('<'),
            "gt" => out.push('>'),
            "quot" => out.push('"'),
            "apos" => out.push('\''),
            _ => out.extend(number.and_then(Result::ok).and_then(char::from_u32)),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The text of the first element with this local name.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, inside) = after.split_once('>')?;
        let local = tag
            .split([' ', '\n', '\r', '\t', '/'])
            .next()
            .unwrap_or_default()
            .rsplit(':')
            .next()
            .unwrap_or_default();
        if local == name && !tag.starts_with('/') && !tag.ends_with('/') {
            let text = match inside.strip_prefix("<![CDATA[") {
                Some(data) => return data.split_once("]]>").map(|found| found.0.to_owned()),
                None => inside.split_once('<').map(|found| found.0)?,
            };
            return Some(unescape(text));
        }
        rest = inside;
    }
    None
}

fn has_element(xml: &str, name: &str) -> bool {
    xml.split('<').skip(1).any(|tag| {
        let word = tag.split([' ', '>', '\n', '\r', '\t', '/']).next().unwrap_or_default();
        word.rsplit(':').next() == Some(name)
    })
}

fn xml(status: u16, body: &str) -> Reply {
    Reply {
        headers: vec![("content-type", "text/xml;charset=UTF-8".to_owned())],
        ..Reply::bytes(status, body.as_bytes().to_vec())
    }
}

fn envelope(kind: &str, body: &str) -> Reply {
    let namespace =
        if kind == "c" { "urn:enterprise.soap.sforce.com" } else { "urn:partner.soap.sforce.com" };
    xml(
        200,
        &format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{namespace}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        ),
    )
}

fn fault(kind: &str, code: &str, detail: &str, message: &str) -> Reply {
    let namespace = if kind == "c" {
        "urn:fault.enterprise.soap.sforce.com"
    } else {
        "urn:fault.partner.soap.sforce.com"
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

/// Answers `/services/Soap/{kind}/{version}`.
pub(in crate::sandbox::org) fn soap(org: &Org, base: &str, kind: &str, version: &str, body: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(body);
    if !text.contains("Envelope") {
        return fault(kind, "XML_PARSER_ERROR", "UnexpectedErrorFault", "The request is no SOAP envelope");
    }
    if has_element(&text, "login") {
        return login(org, base, kind, version, &text);
    }
    let token = element(&text, "sessionId").unwrap_or_default();
    let now = org.clock.now_ms();
    let session = org.sessions().enter(&token, now);
    let Some(session) = session else {
        return fault(
            kind,
            "INVALID_SESSION_ID",
            "UnexpectedErrorFault",
            "Invalid Session ID found in SessionHeader: Illegal Session",
        );
    };
    if has_element(&text, "logout") {
        org.sessions().revoke(&token);
        return envelope(kind, "<logoutResponse/>");
    }
    if has_element(&text, "getServerTimestamp") {
        let at = moment::moment_text(now).replace("+0000", "Z");
        return envelope(
            kind,
            &format!(
                "<getServerTimestampResponse><result><timestamp>{at}</timestamp></result></getServerTimestampResponse>"
            ),
        );
    }
    if has_element(&text, "getUserInfo") {
        return envelope(
            kind,
            &format!(
                "<getUserInfoResponse><result>{}</result></getUserInfoResponse>",
                user_info(org, &session.user)
            ),
        );
    }
    fault(
        kind,
        "FUNCTIONALITY_NOT_ENABLED",
        "UnexpectedErrorFault",
        "The sandbox org answers login, logout, getServerTimestamp and getUserInfo by SOAP; use REST for data",
    )
}

fn login(org: &Org, base: &str, kind: &str, version: &str, text: &str) -> Reply {
    let number = version.parse::<f64>().unwrap_or(0.0);
    if number > LAST_LOGIN {
        return fault(
            kind,
            "UNSUPPORTED_API_VERSION",
            "UnexpectedErrorFault",
            &format!(
                "SOAP API login() is not available in API version {version}; use OAuth, or version 64.0 at most"
            ),
        );
    }
    if number < 31.0 {
        return fault(
            kind,
            "UNSUPPORTED_API_VERSION",
            "UnexpectedErrorFault",
            &format!("API version {version} is retired"),
        );
    }
    let (username, password) =
        (element(text, "username").unwrap_or_default(), element(text, "password").unwrap_or_default());
    if org.sessions().api_disabled {
        return fault(
            kind,
            "API_DISABLED_FOR_ORG",
            "LoginFault",
            "API is not enabled for this Organization or Partner",
        );
    }
    if !org.options.soap_login {
        return fault(
            kind,
            "INVALID_OPERATION",
            "LoginFault",
            "SOAP API login() is disabled by default in this org.",
        );
    }
    let known = super::serves(&org.options, base).then(|| org.check_password(&username, &password).ok());
    let Some(user) = known.flatten() else {
        return fault(
            kind,
            "INVALID_LOGIN",
            "LoginFault",
            "Invalid username, password, security token; or user locked out.",
        );
    };
    let token = org.open_session(&user);
    let org15 = org.org_id().get(..15).unwrap_or_default().to_owned();
    let expired = org.sessions().password_expired;
    envelope(
        kind,
        &format!(
            "<loginResponse><result><metadataServerUrl>{base}/services/Soap/m/{version}/{org15}</metadataServerUrl><passwordExpired>{expired}</passwordExpired><sandbox>{}</sandbox><serverUrl>{base}/services/Soap/{kind}/{version}/{org15}</serverUrl><sessionId>{token}</sessionId><userId>{user}</userId><userInfo>{}</userInfo></result></loginResponse>",
            org.options.is_sandbox,
            user_info(org, &user)
        ),
    )
}

fn user_info(org: &Org, user: &str) -> String {
    let row = org.user_row(user).unwrap_or_default();
    let text = |name: &str| row.get(name).and_then(|value| value.as_str()).map(escape).unwrap_or_default();
    format!(
        "<accessibilityMode>false</accessibilityMode><chatterExternal>false</chatterExternal><currencySymbol>€</currencySymbol><orgAttachmentFileSizeLimit>26214400</orgAttachmentFileSizeLimit><orgDefaultCurrencyIsoCode>EUR</orgDefaultCurrencyIsoCode><orgDefaultCurrencyLocale>en_GB</orgDefaultCurrencyLocale><orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments><orgHasPersonAccounts>{}</orgHasPersonAccounts><organizationId>{}</organizationId><organizationMultiCurrency>false</organizationMultiCurrency><organizationName>{}</organizationName><profileId>{}</profileId><roleId xsi:nil=\"true\"/><sessionSecondsValid>7200</sessionSecondsValid><userDefaultCurrencyIsoCode xsi:nil=\"true\"/><userEmail>{}</userEmail><userFullName>{}</userFullName><userId>{user}</userId><userLanguage>{}</userLanguage><userLocale>{}</userLocale><userName>{}</userName><userTimeZone>{}</userTimeZone><userType>Standard</userType><userUiSkin>Theme3</userUiSkin>",
        org.options.person_accounts,
        org.org_id(),
        escape(&org.options.organization_name),
        text("ProfileId"),
        text("Email"),
        text("Name"),
        text("LanguageLocaleKey"),
        text("LocaleSidKey"),
        text("Username"),
        text("TimeZoneSidKey"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_whatever_their_prefix_and_quoting() {
        let text = "<s:Envelope><s:Body><u:login xmlns:u=\"x\"><u:username>a@b.c</u:username><password xmlns='y'>p&lt;&amp;&#39;w</password></u:login></s:Body></s:Envelope>";
        assert_eq!(element(text, "username").as_deref(), Some("a@b.c"));
        assert_eq!(element(text, "password").as_deref(), Some("p<&'w"));
        assert!(has_element(text, "login"));
        assert!(!has_element(text, "logout"));
    }
}
