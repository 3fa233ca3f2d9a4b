//! The Salesforce account to which new contacts are assigned: found by its name when settings are saved (F50).

use secrecy::SecretString;

use crate::domain::port::{Finder, Sink};
use crate::domain::record::{Record, Selection};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::connections;
use crate::ops::error::OpError;
use crate::ops::secrets::{self, SecretName};
use crate::ops::session::Session;
use crate::workspace::settings::{PlatformKind, Settings};
use crate::workspace::{Problem, Severity};

/// The setting beside which trouble is shown.
const FIELD: &str = "platform.salesmanago.account_name";

/// An account of the org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its city, where the user may see that; it tells namesakes apart.
    pub city: String,
}

/// The accounts of that name (or of that id), to pick one from.
pub async fn find(
    session: &Session,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
    name: &str,
) -> Result<Vec<Account>, OpError> {
    let known = secrets::read(session, settings, Side::Org, typed).await?;
    let connection = connections::salesforce(settings, &known, &session.surroundings())?;
    let by = |field: &str| Finder::Field { field: field.into(), values: vec![Value::text(name.trim())] };
    let (named, with_city) = (Selection::new(["Name"]), Selection::new(["Name", "BillingCity"]));
    let looks_like_id = [15, 18].contains(&name.trim().len()) && name.trim().starts_with("001");
    let field = if looks_like_id { "Id" } else { "Name" };
    // Who may not see the city finds the accounts all the same.
    let records = match connection.find("Account", &with_city, &by(field)).await {
        Ok(records) => records,
        Err(_hidden) => connection.find("Account", &named, &by(field)).await?,
    };
    let text = |record: &Record, place: usize| match record.values.get(place) {
        Some(Some(value)) => value.to_string(),
        Some(None) | None => String::new(),
    };
    let accounts = records.iter().map(|record| Account {
        id: record.id.to_string(),
        name: text(record, 0),
        city: text(record, 1),
    });
    Ok(accounts.collect())
}

/// Turns the account's name into its id, unless that was done before; the answer is what stands in the way.
pub(crate) async fn resolve(
    session: &Session,
    before: &Settings,
    settings: &mut Settings,
    typed: &[(SecretName, SecretString)],
) -> Option<Problem> {
    if settings.platform.kind != PlatformKind::SALESMANAGO {
        return None;
    }
    let name = settings.platform.salesmanago.account_name.trim().to_owned();
    let known = &before.platform.salesmanago;
    if name.is_empty() {
        settings.platform.salesmanago.account_id = None;
        return None;
    }
    if settings.platform.salesmanago.account_id.is_none() && known.account_name.trim() == name {
        settings.platform.salesmanago.account_id.clone_from(&known.account_id);
    }
    let chosen = settings.platform.salesmanago.account_id.clone();
    if chosen.is_some() && known.account_name.trim() == name && known.account_id == chosen {
        return None;
    }
    match find(session, settings, typed, &name).await {
        Ok(found) => match found.as_slice() {
            [] => Some(Problem::new(
                Severity::Error,
                FIELD,
                format!(
                    "Salesforce has no account “{name}” that this user can see: check the spelling, or leave it empty."
                ),
            )),
            [one] => {
                settings.platform.salesmanago.account_id = Some(one.id.clone());
                None
            }
            several if several.iter().any(|account| Some(&account.id) == chosen.as_ref()) => None,
            several => {
                let told: Vec<String> = several
                    .iter()
                    .map(|account| match account.city.as_str() {
                        "" => account.id.clone(),
                        city => format!("{} in {city}", account.id),
                    })
                    .collect();
                let sentence = format!(
                    "{} accounts are called “{name}”: enter the id of the one you mean ({}).",
                    several.len(),
                    told.join(", ")
                );
                let choices = several
                    .iter()
                    .map(|known| {
                        (known.id.clone(), vec![known.name.clone(), known.city.clone(), known.id.clone()])
                    })
                    .collect();
                Some(Problem { choices, ..Problem::new(Severity::Error, FIELD, sentence) })
            }
        },
        Err(error) => {
            settings.platform.salesmanago.account_id = None;
            Some(Problem::new(
                Severity::Warning,
                FIELD,
                format!("The account could not be looked up now, so it is not used yet: {}", error.message),
            ))
        }
    }
}
