//! The mappings proposed for a workspace that has none.

use crate::connect::platform::default_mappings::{OrgShape, cut, default_mappings};
use crate::domain::mapping::Mapping;
use crate::domain::side::Side;
use crate::ops::describe;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::workspace::settings::PlatformKind;

/// Mappings for the platform of the settings, cut to what the org has and this user can see.
pub async fn propose(session: &Session) -> Result<Vec<Mapping>, OpError> {
    let kind = session.settings().platform.kind;
    let of_profile = kind.profile().map(|profile| profile.mappings.as_slice()).unwrap_or_default();
    let mut names = vec!["Account".to_owned(), "Contact".to_owned(), "Lead".to_owned()];
    for mapping in of_profile {
        if !names.contains(&mapping.org_object) {
            names.push(mapping.org_object.clone());
        }
    }
    let schemas = describe::objects(session, Side::Org, &names).await?;
    let has_field = |object: &str, field: &str| {
        let (object, field) = match field.split_once('.') {
            // A path through a reference: the standard ones are named after their object.
            Some((parent, field)) => (parent, field),
            None => (object, field),
        };
        schemas.iter().any(|schema| schema.name.eq_ignore_ascii_case(object) && schema.field(field).is_some())
    };
    let person_accounts = has_field("Account", "IsPersonAccount");
    let known = |object: &str| schemas.iter().any(|schema| schema.name.eq_ignore_ascii_case(object));
    let shape = OrgShape { person_accounts, has_field: &has_field };
    let mut mappings =
        if kind == PlatformKind::SALESMANAGO { default_mappings(&shape) } else { cut(of_profile, &shape) };
    mappings.retain(|mapping| known(&mapping.org_object));
    Ok(mappings)
}
