//! Who a token belongs to: the identity page and the OpenID claims.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::sandbox::org::Org;
use crate::sandbox::org::moment;
use crate::sandbox::org::rest::reply::Reply;

fn bearer<'a>(headers: &'a HeaderMap, pairs: &'a [(String, String)]) -> &'a str {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let from_header =
        header.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("OAuth ")));
    let from_form = pairs
        .iter()
        .find(|pair| pair.0 == "access_token" || pair.0 == "oauth_token")
        .map(|pair| pair.1.as_str());
    from_header.or(from_form).unwrap_or_default().trim()
}

fn urls(base: &str, org_id: &str, user: &str, version: &str) -> Value {
    json!({
        "enterprise": format!("{base}/services/Soap/c/{version}/{org_id}"), "metadata": format!("{base}/services/Soap/m/{version}/{org_id}"),
        "partner": format!("{base}/services/Soap/u/{version}/{org_id}"), "rest": format!("{base}/services/data/v{version}/"),
        "sobjects": format!("{base}/services/data/v{version}/sobjects/"), "search": format!("{base}/services/data/v{version}/search/"),
        "query": format!("{base}/services/data/v{version}/query/"), "recent": format!("{base}/services/data/v{version}/recent/"),
        "tooling_soap": format!("{base}/services/Soap/T/{version}/{org_id}"), "tooling_rest": format!("{base}/services/data/v{version}/tooling/"),
        "profile": format!("{base}/{user}"), "feeds": format!("{base}/services/data/v{version}/chatter/feeds"),
        "groups": format!("{base}/services/data/v{version}/chatter/groups"), "users": format!("{base}/services/data/v{version}/chatter/users"),
        "feed_items": format!("{base}/services/data/v{version}/chatter/feed-items"),
        "feed_elements": format!("{base}/services/data/v{version}/chatter/feed-elements"), "custom_domain": base,
    })
}

/// Answers `/id/{org}/{user}`.
pub(in crate::sandbox::org) fn identity(
    org: &Org,
    base: &str,
    org_id: &str,
    user: &str,
    headers: &HeaderMap,
    pairs: &[(String, String)],
) -> Reply {
    let now = org.clock.now_ms();
    if org.sessions().enter(bearer(headers, pairs), now).is_none() {
        return Reply::bytes(403, b"Bad_OAuth_Token".to_vec());
    }
    let known = crate::sandbox::org::ids::normalise(org_id).is_some_and(|id| id == org.org_id());
    let Some(row) = org.user_row(user).filter(|_| known) else {
        return Reply::bytes(404, b"Bad_Id".to_vec());
    };
    let asked = pairs.iter().find(|pair| pair.0 == "version").map(|pair| pair.1.as_str());
    let version = match asked {
        None => "{version}",
        Some("latest") => "68.0",
        Some(version) => version,
    };
    let text = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    Reply::json(
        200,
        &json!({
            "id": format!("{base}/id/{}/{user}", org.org_id()), "asserted_user": true, "user_id": text("Id"), "organization_id": org.org_id(),
            "username": text("Username"), "nick_name": text("CommunityNickname"), "display_name": text("Name"), "email": text("Email"),
            "email_verified": true, "first_name": text("FirstName"), "last_name": text("LastName"), "timezone": text("TimeZoneSidKey"),
            "photos": {"picture": format!("{base}/profilephoto/005/F"), "thumbnail": format!("{base}/profilephoto/005/T")},
            "addr_street": null, "addr_city": null, "addr_state": null, "addr_country": null, "addr_zip": null,
            "mobile_phone": null, "mobile_phone_verified": false, "is_lightning_login_user": false,
            "status": {"created_date": null, "body": null}, "urls": urls(base, &org.org_id(), user, version), "active": true,
            "user_type": "STANDARD", "language": text("LanguageLocaleKey"), "locale": text("LocaleSidKey"), "utcOffset": 0,
            "last_modified_date": text("LastModifiedDate"), "is_app_installed": true,
        }),
    )
}

/// Answers `/services/oauth2/userinfo`.
pub(super) fn claims(org: &Org, base: &str, user: &str) -> Value {
    let row = org.user_row(user).unwrap_or_default();
    let text = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "sub": format!("{base}/id/{}/{user}", org.org_id()), "user_id": user, "organization_id": org.org_id(),
        "preferred_username": text("Username"), "nickname": text("CommunityNickname"), "name": text("Name"), "email": text("Email"),
        "email_verified": true, "given_name": text("FirstName"), "family_name": text("LastName"), "zoneinfo": text("TimeZoneSidKey"),
        "photos": {"picture": format!("{base}/profilephoto/005/F"), "thumbnail": format!("{base}/profilephoto/005/T")},
        "profile": format!("{base}/{user}"), "picture": format!("{base}/profilephoto/005/F"), "address": {},
        "is_salesforce_integration_user": false, "urls": urls(base, &org.org_id(), user, "{version}"), "active": true,
        "user_type": "STANDARD", "language": text("LanguageLocaleKey"), "locale": text("LocaleSidKey"), "utcOffset": 0,
        "updated_at": moment::moment_text(org.created_ms()),
    })
}

/// The OpenID claims of the caller.
pub(in crate::sandbox::org) fn user_info(
    org: &Org,
    base: &str,
    headers: &HeaderMap,
    pairs: &[(String, String)],
) -> Reply {
    let now = org.clock.now_ms();
    let session = org.sessions().enter(bearer(headers, pairs), now);
    match session {
        Some(session) => Reply::json(200, &claims(org, base, &session.user)),
        None => Reply::bytes(403, b"Bad_OAuth_Token".to_vec()),
    }
}
