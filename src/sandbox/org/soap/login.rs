//! SOAP `login`, as the versions that still have it speak it.

use super::envelope::Dialect;
use super::session::user_info;
use super::xml::Element;
use crate::sandbox::org::Org;
use crate::sandbox::org::rest::reply::Reply;
use crate::sandbox::org::sign_in;

/// The last version with `login`.
const LAST_LOGIN: u32 = 64;

/// Answers `login`.
pub(super) fn login(
    org: &Org,
    base: &str,
    dialect: Dialect,
    kind: &str,
    version: u32,
    operation: &Element,
) -> Reply {
    if version > LAST_LOGIN {
        return dialect.fault(
            "UNSUPPORTED_API_VERSION",
            "UnexpectedErrorFault",
            &format!(
                "SOAP API login() is not available in API version {version}.0; use OAuth, or version 64.0 at most"
            ),
        );
    }
    let (username, password) =
        (operation.text("username").unwrap_or_default(), operation.text("password").unwrap_or_default());
    let refused = |code: &str, message: &str| dialect.fault(code, "LoginFault", message);
    if org.sessions().api_disabled {
        return refused("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner");
    }
    if !org.options.soap_login {
        return refused("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.");
    }
    let known = sign_in::serves(&org.options, base).then(|| org.check_password(username, password).ok());
    let Some(user) = known.flatten() else {
        return refused("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.");
    };
    let token = org.open_session(&user);
    let org15 = org.org_id().get(..15).unwrap_or_default().to_owned();
    let expired = org.sessions().password_expired;
    dialect.envelope(
        "login",
        &format!(
            "<result><metadataServerUrl>{base}/services/Soap/m/{version}.0/{org15}</metadataServerUrl><passwordExpired>{expired}</passwordExpired><sandbox>{}</sandbox><serverUrl>{base}/services/Soap/{kind}/{version}.0/{org15}</serverUrl><sessionId>{token}</sessionId><userId>{user}</userId><userInfo>{}</userInfo></result>",
            org.options.is_sandbox,
            user_info(org, &user)
        ),
        None,
    )
}
