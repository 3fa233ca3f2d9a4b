//! Takes the mappings of one workspace to another one, as from a sandbox org to production: what belongs to the one org alone is looked up
//! by name in the other. What has no counterpart is named and blocks, unless the admin says what stands for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::domain::mapping::Mapping;
use crate::domain::promotion::{IdKind, Spot, looks_like_id, org_fields, rename_field, same_id, visit};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::side::Side;
use crate::ops::config::compare::{Comparison, compare};
use crate::ops::directory::{self, Counterpart, Named};
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{describe, save_settings};
use crate::workspace::file::{SettingsFile, write_settings};
use crate::workspace::settings::Settings;
use crate::workspace::validate::validate;
use crate::workspace::{Problem, Severity};

/// Where mappings are taken.
pub enum Target {
    /// To another workspace, whose org is asked.
    Workspace(Box<Session>),
    /// To a file; there is no org to ask.
    File(PathBuf),
}

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only these mappings; the others of the target stay as they are. All, in place of the target's, if none is named.
    pub mappings: Vec<String>,
    /// What stands for what, as the admin says.
    pub said: Vec<(String, String)>,
}

/// Something that was given its counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remapped {
    /// Where.
    #[serde(flatten)]
    pub spot: Spot,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
    /// What both are called, or who said so.
    pub by: String,
}

/// Something without a counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Where.
    #[serde(flatten)]
    pub spot: Spot,
    /// What stands there.
    pub value: String,
    /// A sentence: what is missing and what to do.
    pub message: String,
}

/// What a promotion would do.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// What changes at the target.
    pub changes: Comparison,
    /// What was given its counterpart.
    pub remapped: Vec<Remapped>,
    /// What has none; nothing is written while there is something here.
    pub lost: Vec<Lost>,
    settings: Settings,
}

/// Prepares a promotion; nothing is changed.
pub async fn prepare(source: &Session, target: &Target, wanted: &Wanted) -> Result<Promotion, OpError> {
    let from = source.settings();
    refuse_problems(source)?;
    if let Some(name) = wanted.mappings.iter().find(|name| from.mapping(name).is_none()) {
        return Err(
            OpError::settings(format!("There is no mapping “{name}” to be promoted.")).code("no_mapping")
        );
    }
    let before = settings_of(target, &from)?;
    if before.platform.kind != from.platform.kind {
        return Err(OpError::settings(format!(
            "The mappings are made for {}, and the target has {}: mappings can be promoted only to the same platform.",
            from.platform.kind.label(),
            before.platform.kind.label()
        )));
    }
    let picked = |mapping: &&Mapping| {
        wanted.mappings.is_empty()
            || wanted.mappings.iter().any(|name| name.eq_ignore_ascii_case(&mapping.name))
    };
    let mut promoted: Vec<Mapping> = from.mappings.iter().filter(picked).cloned().collect();
    let mut work =
        Work { said: wanted.said.clone(), used: Vec::new(), remapped: Vec::new(), lost: Vec::new() };
    work.fields_said(&mut promoted);
    let known = work.look_up(source, target, &promoted).await?;
    let schemas = match target {
        Target::Workspace(session) => {
            Some((schemas(source, &promoted).await?, schemas(session, &promoted).await?))
        }
        Target::File(_) => None,
    };
    for mapping in &mut promoted {
        let object = mapping.org_object.to_ascii_lowercase();
        let both = schemas.as_ref().map(|(here, there)| (here.get(&object), there.get(&object)));
        if both.is_none_or(|(_, there)| work.fields_there(mapping, there)) {
            let both = both.and_then(|(here, there)| here.zip(there));
            visit(mapping, &mut |spot, value| work.value(spot, value, &known, both));
        }
    }
    if let Some((source, _)) =
        work.said.iter().enumerate().find(|(place, _)| !work.used.contains(place)).map(|(_, said)| said)
    {
        return Err(OpError::settings(format!(
            "“{source}” stands nowhere in the mappings that are promoted: --map takes an id, OBJECT.FIELD, or OBJECT.FIELD:VALUE."
        )));
    }
    let settings = with_mappings(&before, &from, promoted, wanted);
    if let Some(problem) = validate(&settings).into_iter().find(|problem| problem.severity == Severity::Error)
    {
        return Err(OpError::settings(format!("The target would be wrong then: {problem}")));
    }
    let session = match target {
        Target::Workspace(session) => session.as_ref(),
        Target::File(_) => source,
    };
    let mut changes = compare(session, &before, &settings).await?;
    if matches!(target, Target::File(_)) {
        // The records of the source say nothing about those of whoever reads the file.
        changes.mappings.iter_mut().for_each(|change| change.differ = None);
    }
    Ok(Promotion { changes, remapped: work.remapped, lost: work.lost, settings })
}

/// Writes what was prepared; the answer is what is left to finish. Nobody has accepted the mappings by that (law E5).
pub async fn apply(target: &Target, promotion: Promotion) -> Result<Vec<Problem>, OpError> {
    match target {
        Target::Workspace(session) => {
            let file = SettingsFile::load(session.settings_file())?;
            save_settings::replace(session, promotion.settings, file.text()).await
        }
        Target::File(path) if path.exists() => {
            SettingsFile::load(path)?.save(&promotion.settings)?;
            Ok(Vec::new())
        }
        Target::File(path) => {
            crate::workspace::private_file::replace(path, write_settings(&promotion.settings)?.as_bytes())?;
            Ok(Vec::new())
        }
    }
}

fn refuse_problems(session: &Session) -> Result<(), OpError> {
    match session.problems().iter().find(|problem| problem.severity == Severity::Error) {
        None => Ok(()),
        Some(problem) => Err(OpError::settings(format!("{}: {problem}", session.settings_file().display()))),
    }
}

fn settings_of(target: &Target, from: &Settings) -> Result<Settings, OpError> {
    match target {
        Target::Workspace(session) => {
            refuse_problems(session)?;
            Ok(session.settings())
        }
        Target::File(path) => {
            let file = SettingsFile::load(path)?;
            if let Some(problem) = file.problems().iter().find(|problem| problem.severity == Severity::Error)
            {
                return Err(OpError::settings(format!("{}: {problem}", path.display())));
            }
            let mut settings = file.settings().clone();
            if !file.exists() {
                settings.platform.kind = from.platform.kind;
            }
            Ok(settings)
        }
    }
}

fn with_mappings(before: &Settings, from: &Settings, promoted: Vec<Mapping>, wanted: &Wanted) -> Settings {
    let mut settings = before.clone();
    if wanted.mappings.is_empty() {
        settings.mappings = promoted;
        settings.push.clone_from(&from.push);
        return settings;
    }
    for mapping in promoted {
        match settings.mappings.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&mapping.name)) {
            Some(known) => *known = mapping,
            None => settings.mappings.push(mapping),
        }
    }
    settings
}

async fn schemas(session: &Session, mappings: &[Mapping]) -> Result<BTreeMap<String, ObjectSchema>, OpError> {
    let mut names: Vec<String> = mappings.iter().map(|mapping| mapping.org_object.clone()).collect();
    names.sort();
    names.dedup();
    let found = describe::objects(session, Side::Org, &names).await?;
    Ok(found.iter().map(|schema| (schema.name.to_ascii_lowercase(), schema.as_ref().clone())).collect())
}

/// An object as the source and the target describe it.
type Both<'a> = Option<(&'a ObjectSchema, &'a ObjectSchema)>;

/// An id of the source, and what stands for it.
struct Known {
    named: Named,
    counterpart: Counterpart,
}

struct Work {
    said: Vec<(String, String)>,
    /// The places of what was said that were met.
    used: Vec<usize>,
    remapped: Vec<Remapped>,
    lost: Vec<Lost>,
}

impl Work {
    fn said(&mut self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let (place, (_, target)) = self.said.iter().enumerate().find(|(_, (source, _))| fits(source))?;
        self.used.push(place);
        Some(target.clone())
    }

    /// Renames the fields of which the admin says what they are called there.
    fn fields_said(&mut self, mappings: &mut [Mapping]) {
        for mapping in mappings {
            for field in org_fields(mapping) {
                let object = mapping.org_object.clone();
                let written = format!("{object}.{field}");
                let Some(target) = self.said(|source| source.eq_ignore_ascii_case(&written)) else {
                    continue;
                };
                let target = target.strip_prefix(&format!("{object}.")).unwrap_or(&target).to_owned();
                rename_field(mapping, &field, &target);
                let place = format!("field {field}");
                let spot = Spot { mapping: mapping.name.clone(), object, place, field: Some(field.clone()) };
                self.remapped.push(Remapped { spot, before: field, after: target, by: "as you say".into() });
            }
        }
    }

    /// The ids that the mappings name, with what stands for them.
    async fn look_up(
        &self,
        source: &Session,
        target: &Target,
        mappings: &[Mapping],
    ) -> Result<Vec<Known>, OpError> {
        let mut ids = Vec::new();
        for mapping in mappings {
            visit(&mut mapping.clone(), &mut |_, value| {
                let said = self.said.iter().any(|(source, _)| same_id(source, value));
                if looks_like_id(value) && !said && !ids.iter().any(|known: &String| same_id(known, value)) {
                    ids.push(value.trim().to_owned());
                }
            });
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let named = directory::names(source, &ids).await?;
        let found = match target {
            Target::Workspace(session) => directory::counterparts(session, &named).await?,
            Target::File(_) => vec![Counterpart::Missing; named.len()],
        };
        Ok(named.into_iter().zip(found).map(|(named, counterpart)| Known { named, counterpart }).collect())
    }

    /// Tells what the object lacks over there; whether it is there at all.
    fn fields_there(&mut self, mapping: &Mapping, schema: Option<&ObjectSchema>) -> bool {
        let object = &mapping.org_object;
        let spot = |place: String| Spot {
            mapping: mapping.name.clone(),
            object: object.clone(),
            place,
            field: None,
        };
        let Some(schema) = schema else {
            self.lost.push(Lost {
                spot: spot(format!("object {object}")),
                value: object.clone(),
                message: format!(
                    "the target org has no object {object} that its user can see: make it there, give the user the right to it, or \
                     promote without this mapping (--mapping)"
                ),
            });
            return false;
        };
        for field in org_fields(mapping) {
            // A path is as good as the reference that it begins with.
            let there = match field.split_once('.') {
                None => schema.field(&field).is_some(),
                Some((parent, _)) => schema.fields.iter().any(|known| {
                    known.relationship.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(parent))
                }),
            };
            if !there {
                self.lost.push(Lost {
                    spot: spot(format!("field {field}")),
                    value: field.clone(),
                    message: format!(
                        "{object} has no field {field} in the target org that its user can see: make it there, or say which field \
                         stands for it with --map {object}.{field}=FIELD"
                    ),
                });
            }
        }
        true
    }

    fn value(&mut self, spot: &Spot, value: &mut String, known: &[Known], both: Both<'_>) {
        let field = spot.field.as_deref().unwrap_or_default();
        let exact = format!("{}.{field}:{value}", spot.object);
        let id = looks_like_id(value);
        if let Some(after) =
            self.said(|source| source.eq_ignore_ascii_case(&exact) || id && same_id(source, value))
        {
            self.put(spot, value, after, "as you say".into());
        } else if id {
            self.id(spot, value, known);
        } else {
            self.listed(spot, value, both);
        }
    }

    fn put(&mut self, spot: &Spot, value: &mut String, after: String, by: String) {
        let before = std::mem::replace(value, after.clone());
        self.remapped.push(Remapped { spot: spot.clone(), before, after, by });
    }

    fn id(&mut self, spot: &Spot, value: &mut String, known: &[Known]) {
        let found = known.iter().find(|known| same_id(&known.named.id, value));
        let kind = IdKind::of(value).word();
        let say = format!("say what stands for it with --map {value}=ID");
        let message = match found {
            Some(Known { named, counterpart: Counterpart::One(there) }) => {
                let by = if named.name.eq_ignore_ascii_case(&there.name) {
                    format!("{kind} {}", named.name)
                } else {
                    format!("{kind} {}, there {}", named.name, there.name)
                };
                return self.put(spot, value, there.id.clone(), by);
            }
            Some(Known { named, counterpart: Counterpart::Several(found) }) => {
                let ids: Vec<&str> = found.iter().map(|named| named.id.as_str()).collect();
                format!(
                    "{} {kind}s of the target org may be {} “{}” ({}): {say}",
                    found.len(),
                    named.name,
                    named.label,
                    ids.join(", ")
                )
            }
            Some(Known { named, counterpart: Counterpart::Missing }) => format!(
                "the {kind} {} “{}” has no counterpart of that name in the target: make it there, or {say}",
                named.name, named.label
            ),
            None => format!("nobody knows what this {kind} is called in the source org: {say}"),
        };
        self.lost.push(Lost { spot: spot.clone(), value: value.clone(), message });
    }

    /// A value of a picklist is known by its API name; another spelling of its letters is the same one.
    fn listed(&mut self, spot: &Spot, value: &mut String, both: Both<'_>) {
        let name = spot.field.as_deref().unwrap_or_default();
        let both = both.and_then(|(here, there)| here.field(name).zip(there.field(name)));
        let Some((here, field)) = both else { return };
        let is_list = matches!(field.kind, FieldKind::Picklist | FieldKind::Set);
        // What the source does not list either is nothing that got lost on the way.
        if !is_list || field.picklist.contains(value) || !here.picklist.contains(value) {
            return;
        }
        if let Some(same) = field.picklist.iter().find(|known| known.to_lowercase() == value.to_lowercase()) {
            let by = format!("value of {name}");
            return self.put(spot, value, same.clone(), by);
        }
        self.lost.push(Lost {
            spot: spot.clone(),
            value: value.clone(),
            message: format!(
                "the picklist {}.{name} of the target org has no value “{value}”: add it there, or say what stands for it with \
                 --map '{}.{name}:{value}=VALUE'",
                spot.object, spot.object
            ),
        });
    }
}
