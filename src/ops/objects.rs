//! Objects and fields that the platform's mappings want in the org and that no org has by itself (N26): which are missing, and
//! making them on request. Nothing is ever made unasked.

use crate::connect::salesforce::metadata;
use crate::domain::profile::{OrgField, OrgObject};
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::{Access, Session};
use crate::ops::{connections, default_mappings, describe, save_settings, secrets};
use crate::workspace::Severity;
use crate::workspace::settings::Settings;

/// Something that the org lacks, or that this user can't see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The object as the profile describes it.
    pub object: &'static OrgObject,
    /// Whether the object itself is missing; then all of its fields are.
    pub whole: bool,
    /// The missing fields.
    pub fields: Vec<&'static OrgField>,
}

impl Missing {
    /// What is missing, why it is wanted and what to do.
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        let what = if self.whole {
            format!("The object {} is missing or hidden from this user", self.object.name)
        } else {
            format!("{} lacks {}, or this user can't see it", self.object.name, names.join(", "))
        };
        format!(
            "{what}. It {}. `forcesync objects create` makes it and gives this user the right to it.",
            wanted(&self.object.why)
        )
    }
}

/// “holds …” stays, “the courses …” becomes “is for the courses …”.
fn wanted(why: &str) -> String {
    if why.starts_with("holds ") { why.to_owned() } else { format!("is for {why}") }
}

/// What the org lacks of what the platform's profile wants.
pub async fn missing(session: &Session, settings: &Settings) -> Result<Vec<Missing>, OpError> {
    let Some(profile) = settings.platform.kind.profile() else { return Ok(Vec::new()) };
    if profile.org_objects.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = profile.org_objects.iter().map(|object| object.name.clone()).collect();
    let found = describe::objects(session, Side::Org, &names).await?;
    let lacking = |object: &'static OrgObject| {
        let schema = found.iter().find(|schema| schema.name.eq_ignore_ascii_case(&object.name));
        let fields: Vec<&OrgField> = object
            .fields
            .iter()
            .filter(|field| schema.is_none_or(|schema| schema.field(&field.name).is_none()))
            .collect();
        (schema.is_none() || !fields.is_empty()).then(|| Missing { object, whole: schema.is_none(), fields })
    };
    Ok(profile.org_objects.iter().filter_map(lacking).collect())
}

/// Makes what is missing and gives the integration user the right to it; what it made, as the service names it.
pub async fn create(session: &Session) -> Result<Vec<String>, OpError> {
    if session.access() == Access::ReadOnly {
        return Err(
            OpError::settings("The workspace was opened read-only; nothing was made.").code("read_only")
        );
    }
    let settings = session.settings();
    describe::forget(session);
    let missing = missing(session, &settings).await?;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<metadata::Wanted<'_>> = missing
        .iter()
        .map(|missing| metadata::Wanted {
            object: missing.object,
            whole: missing.whole,
            fields: &missing.fields,
        })
        .collect();
    let known = secrets::read(session, &settings, Side::Org, &[]).await?;
    let connection = connections::salesforce(&settings, &known, &session.surroundings())?;
    let label = settings.platform.kind.label();
    let made = connection.deploy(&wanted, label).await?;
    describe::forget(session);
    Ok(made)
}

/// The same, told in lines; also that nothing was missing.
pub async fn create_and_tell(session: &Session) -> Result<Vec<CheckLine>, OpError> {
    let made = create(session).await?;
    let line = |message: String| CheckLine {
        verdict: Verdict::Good,
        subject: "objects".into(),
        message,
        field: None,
    };
    if made.is_empty() {
        return Ok(vec![line("Nothing is missing.".into())]);
    }
    Ok(made.into_iter().map(|name| line(format!("Made {name}."))).collect())
}

/// Adds the platform's mappings that the settings do not have by name, and gives the marks that became possible to those that they
/// have; the names of what was added.
pub async fn add_mappings(session: &Session) -> Result<Vec<String>, OpError> {
    let proposed = default_mappings::propose(session).await?;
    let mut settings = session.settings();
    let mut added = Vec::new();
    for mapping in proposed {
        let known = settings.mappings.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&mapping.name));
        match known {
            Some(known) if known.org_object == mapping.org_object => {
                known.org_mark = known.org_mark.take().or(mapping.org_mark);
                for pair in mapping.pairs {
                    if !known.pairs.iter().any(|own| own.org == pair.org && own.platform == pair.platform) {
                        known.pairs.push(pair);
                    }
                }
            }
            Some(_) => {}
            None => {
                added.push(mapping.name.clone());
                settings.mappings.push(mapping);
            }
        }
    }
    let problems = save_settings::save(session, settings, Vec::new()).await?;
    match problems.iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) => Err(OpError::settings(format!("The mappings could not be added: {problem}"))),
        None => Ok(added),
    }
}
