//! Sets a record of the platform inactive by hand, after its counterpart was deleted in the org (F28). Deletions themselves never
//! cross where the mapping ignores them; this is the deed that is left to a person.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::connect::salesforce::id::full_id;
use crate::domain::command::{Command, Reply};
use crate::domain::mapping::{Mapping, SideEffects};
use crate::domain::plan::Rule;
use crate::domain::port::{Endpoint, RowResult, WriteBatch, WriteKind, WriteRow, Written};
use crate::domain::profile::Profile;
use crate::domain::record::{RecordId, Selection};
use crate::domain::report::Level;
use crate::domain::schema::FieldKind;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::{OpClass, OpError};
use crate::store::facts::{self, NewFact};
use crate::store::history::{self, NewChange, NewHistory, compact};
use crate::store::{Store, StoreError, links};

/// Sets the platform's record inactive, by a record of either side.
pub async fn deactivate(engine: &EngineClient, object: &str, id: &str) -> Result<(), OpError> {
    let id = match full_id(id) {
        Some(full) if id.trim().len() == 15 => full.as_str().to_owned(),
        _ => id.trim().to_owned(),
    };
    match engine.ask(Command::Deactivate { object: object.to_owned(), id }).await? {
        Reply::Accepted => Ok(()),
        Reply::Refused { message } => {
            let class = match engine.place() {
                Place::Socket { .. } => OpClass::Busy,
                Place::InProcess => OpClass::Failed,
            };
            Err(OpError::new(class, message))
        }
        Reply::Forgotten { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. }
        | Reply::Started { .. }
        | Reply::Status { .. } => {
            Err(OpError::failed("The engine answered something else than it was asked."))
        }
    }
}

/// What is meant: the platform's record, and what it is linked with.
struct Meant {
    mapping: Option<i64>,
    ids: PerSide<Option<RecordId>>,
    platform_object: String,
}

/// Finds the platform's record behind a record of either side; closed links count, since the org's record may be gone.
fn meant(db: &Connection, mappings: &[Mapping], object: &str, id: &str) -> Result<Option<Meant>, StoreError> {
    let number = |name: &str| -> Result<Option<(i64, i64)>, StoreError> {
        use rusqlite::OptionalExtension;
        let found = db
            .prepare_cached("SELECT mapping, family FROM mapping WHERE name=?")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found)
    };
    for mapping in mappings {
        let Some((row, family)) = number(&mapping.name)? else { continue };
        // Without an object, whatever carries the id is meant.
        let of = |side: Side| object.is_empty() || mapping.object(side).eq_ignore_ascii_case(object);
        let link = match of(Side::Org).then(|| links::by_org(db, row, id)).transpose()?.flatten() {
            Some(link) => Some(link),
            None => of(Side::Platform).then(|| links::by_platform(db, family, id)).transpose()?.flatten(),
        };
        if let Some(link) = link {
            return Ok(Some(Meant {
                mapping: Some(link.mapping),
                ids: link.ids.map(Some),
                platform_object: mapping.platform_object.clone(),
            }));
        }
    }
    let own = mappings.iter().find(|mapping| mapping.platform_object.eq_ignore_ascii_case(object));
    Ok(own.map(|mapping| Meant {
        mapping: None,
        ids: PerSide { org: None, platform: Some(RecordId::new(id)) },
        platform_object: mapping.platform_object.clone(),
    }))
}

/// What the engine does for it: reads the record, writes the one field, and keeps what it was before.
pub(crate) async fn carry_out(
    store: &Store,
    platform: &dyn Endpoint,
    profile: &Profile,
    mappings: &[Mapping],
    (object, id): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), String> {
    let database = |error: StoreError| OpError::from(error).message;
    let (of, number, all) = (object.to_owned(), id.to_owned(), mappings.to_vec());
    let found = store.write(move |db| meant(db, &all, &of, &number)).await.map_err(database)?;
    let Some(found) = found else {
        return Err(format!("No mapping has an object “{object}”, and no link knows {id}."));
    };
    let inactive = profile.object(&found.platform_object).and_then(|object| {
        let chosen = object.inactive.as_ref()?;
        let kind = object.fields.iter().find(|field| field.name == chosen.field)?.kind;
        Some((chosen, kind))
    });
    let Some((inactive, kind)) = inactive else {
        return Err(format!(
            "{} does not say how a record of “{}” is set inactive: do it there by hand.",
            profile.label, found.platform_object
        ));
    };
    let Some(target) = found.ids.platform.clone() else {
        return Err("The record has no counterpart.".into());
    };
    let value = match kind {
        FieldKind::Bool => Value::Bool(inactive.value == "true"),
        _ => Value::text(inactive.value.as_str()),
    };
    let selection = Selection::new([inactive.field.as_str()]);
    let held = platform
        .read(&found.platform_object, &selection, std::slice::from_ref(&target))
        .await
        .map_err(|error| error.message)?;
    let Some(held) = held.into_iter().next() else {
        return Err(format!("{} {target} is no longer in {}.", found.platform_object, profile.label));
    };
    let old = held.values.into_iter().next().flatten().unwrap_or_default();
    if old == value {
        return Err(format!("{} {target} is inactive already.", found.platform_object));
    }
    let batch = WriteBatch {
        object: found.platform_object.clone(),
        kind: WriteKind::Update,
        selection: selection.clone(),
        rows: vec![WriteRow { id: Some(target.clone()), values: vec![Some(value.clone())], key: Vec::new() }],
        read_back: selection,
        mark: None,
        consent: Vec::new(),
        effects: SideEffects::default(),
    };
    let rows = match platform.write(&batch).await.map_err(|error| error.message)? {
        Written::Rows(rows) => rows,
        Written::Prepared(job) => platform.carry_out(&job, &batch).await.map_err(|error| error.message)?,
        Written::Accepted(_) => {
            return Err("The platform took it over for later; look there whether it was done.".into());
        }
    };
    match rows.into_iter().next() {
        Some(RowResult::Done { .. }) => {}
        Some(RowResult::Refused(error)) => return Err(error.message),
        Some(RowResult::Unknown) | None => {
            return Err(
                "The connection broke; look at the record in the platform before trying again.".into()
            );
        }
    }
    let (ids, mapping) = (found.ids, found.mapping);
    let change = NewChange {
        pair: None,
        fields: vec![inactive.field.clone()],
        old: vec![old],
        new: vec![value],
        rule: Some(Rule::Deactivated),
    };
    store
        .write(move |db| {
            if let Some(mapping) = mapping {
                let run: i64 = db.query_row("SELECT COALESCE(max(run), 0) FROM run", [], |row| row.get(0))?;
                let row = NewHistory {
                    run,
                    mapping,
                    ids: &ids,
                    side: Side::Platform,
                    action: "deactivated",
                    changes: &compact::encode(&[change]),
                };
                history::put(db, now, &row)?;
            }
            let fact = NewFact::new(Level::Info, None, "Set inactive on the platform by hand.").about(&ids);
            facts::insert(db, now, &fact)
        })
        .await
        .map(drop)
        .map_err(database)
}
