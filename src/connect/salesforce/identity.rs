//! Who and where we are: org, edition, user.

use serde::Deserialize;

use super::composite::{self, Part, QueryKind};
use super::errors::senseless;
use super::session::Door;
use super::soql;
use crate::connect::http::Idempotency;
use crate::domain::port::PortError;
use crate::domain::record::RecordId;

/// The org and our user in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgIdentity {
    /// The org's id; a refreshed sandbox gets a new one.
    pub org_id: RecordId,
    /// The org's name.
    pub name: String,
    /// Such as `Enterprise Edition`.
    pub edition: String,
    /// Whether it is a sandbox (or a scratch org).
    pub is_sandbox: bool,
    /// The instance it runs on, such as `CS420`.
    pub instance: String,
    /// Where its data is.
    pub address: String,
    /// The API version in use.
    pub api_version: String,
    /// Our user's id.
    pub user_id: RecordId,
    /// Our user's name.
    pub username: String,
    /// Our user's e-mail address.
    pub email: String,
    /// The language in which the org tells our user its errors.
    pub language: String,
    /// Whether our user may change all data; `None` where it can't be told.
    pub modifies_all_data: Option<bool>,
    /// Whether our user sees all data; `None` where it can't be told.
    pub views_all_data: Option<bool>,
}

impl OrgIdentity {
    /// Whether the edition is one that the product supports: Enterprise, Unlimited, Performance or Developer.
    pub fn edition_supported(&self) -> bool {
        ["Enterprise", "Unlimited", "Performance", "Developer"]
            .iter()
            .any(|known| self.edition.starts_with(known))
    }
}

#[derive(Deserialize)]
struct Rows<T> {
    records: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    organization_type: Option<String>,
    #[serde(default)]
    is_sandbox: bool,
    #[serde(default)]
    instance_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    language_locale_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserWithProfile {
    #[serde(default)]
    profile: Option<Profile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    #[serde(default)]
    permissions_modify_all_data: Option<bool>,
    #[serde(default)]
    permissions_view_all_data: Option<bool>,
}

/// Asks the org, in one call.
pub(super) async fn read(door: &Door) -> Result<OrgIdentity, PortError> {
    let base = door.base().await?;
    let (org_id, user_id) = door.ids().await?;
    let me = soql::quote(user_id.as_str());
    let organization = "SELECT Id, Name, OrganizationType, IsSandbox, InstanceName FROM Organization LIMIT 1";
    let user = format!("SELECT Id, Username, Email, LanguageLocaleKey FROM User WHERE Id = {me}");
    let rights = format!(
        "SELECT Id, Profile.PermissionsModifyAllData, Profile.PermissionsViewAllData FROM User WHERE Id = {me}"
    );
    let parts = [
        Part::query("org", &base, QueryKind::Live, organization),
        Part::query("user", &base, QueryKind::Live, &user),
        Part::query("rights", &base, QueryKind::Live, &rights),
    ];
    let what = "reading the org's identity";
    let answered = composite::send(door, "identity", &parts, Idempotency::Repeatable, &[])
        .await
        .map_err(|error| error.told(what))?;
    let replies = answered.parts()?;
    let reply = |reference: &str| replies.iter().find(|part| part.reference == reference);
    let organization = reply("org").ok_or_else(|| missing(what))?;
    if let Some(fault) = organization.fault() {
        return Err(fault.to_port_error(what));
    }
    let rows: Rows<Organization> =
        serde_json::from_str(organization.body()).map_err(|error| senseless(what, &error))?;
    let organization = rows.records.into_iter().next().ok_or_else(|| missing(what))?;
    // A user that may not read its own row or profile still can sync.
    let user = reply("user")
        .filter(|part| part.fault().is_none())
        .and_then(|part| serde_json::from_str::<Rows<User>>(part.body()).ok())
        .and_then(|rows| rows.records.into_iter().next());
    let profile = reply("rights")
        .filter(|part| part.fault().is_none())
        .and_then(|part| serde_json::from_str::<Rows<UserWithProfile>>(part.body()).ok())
        .and_then(|rows| rows.records.into_iter().next())
        .and_then(|user| user.profile);
    let (username, email, language) = user
        .map(|user| (user.username, user.email, user.language_locale_key))
        .map_or((None, None, None), |found| found);
    Ok(OrgIdentity {
        org_id: super::id::full_id(&organization.id).unwrap_or(org_id),
        name: organization.name.unwrap_or_default(),
        edition: organization.organization_type.unwrap_or_default(),
        is_sandbox: organization.is_sandbox,
        instance: organization.instance_name.unwrap_or_default(),
        address: door.instance().await?,
        api_version: base.rsplit('v').next().unwrap_or_default().to_owned(),
        user_id,
        username: username.unwrap_or_else(|| door.settings().username.clone()),
        email: email.unwrap_or_default(),
        language: language.unwrap_or_default(),
        modifies_all_data: profile.as_ref().and_then(|profile| profile.permissions_modify_all_data),
        views_all_data: profile.and_then(|profile| profile.permissions_view_all_data),
    })
}

fn missing(what: &str) -> PortError {
    PortError::new(
        crate::domain::port::PortClass::Protocol,
        "INCOMPLETE_REPLY",
        format!("Salesforce left out an answer while {what}. Try again."),
    )
}
