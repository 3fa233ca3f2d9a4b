//! Lines that are left out or refused: their issue, their line of the plan, their line in the log.

use crate::domain::compiled::CompiledMapping;
use crate::domain::outcome::Outcome;
use crate::domain::plan::{Action, Line};
use crate::domain::port::{RowClass, RowError};
use crate::domain::record::Record;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::decide::line_hash;
use crate::engine::session::Prepared;
use crate::store::facts::{self, NewFact};
use crate::store::issues::{self, NewIssue};
use crate::store::links::Link;
use crate::store::stage::Staged;
use crate::store::{StoreError, work};

/// Everything a refused or skipped line leaves behind; gives the sequence of its fact, if it wrote one.
pub(in crate::engine) fn close_line(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    line: &Line,
    records: &PerSide<Option<&Record>>,
) -> Result<Option<i64>, StoreError> {
    match &line.action {
        Action::Skip { reason } => {
            work::put_line(db, run, mapping.row.mapping, line, Outcome::Skipped, line_hash(line, None))?;
            Ok(Some(facts::insert(
                db,
                now,
                &NewFact::new(Level::Debug, Some(run), format!("Skipped: {}.", reason.sentence()))
                    .of_mapping(&mapping.compiled.spec.name)
                    .about(&line.ids),
            )?))
        }
        Action::Refuse { obstacle } => {
            let side = if line.ids.org.is_some() { Side::Org } else { Side::Platform };
            let error = RowError {
                code: obstacle.code.clone(),
                message: obstacle.message.clone(),
                fields: Vec::new(),
                class: RowClass::Data,
            };
            let sequence = fail(db, run, now, mapping, line, side, &error, records)?;
            work::put_line(db, run, mapping.row.mapping, line, Outcome::Failed, line_hash(line, None))?;
            Ok(Some(sequence))
        }
        Action::Create { .. } | Action::Merge | Action::Delete { .. } | Action::Restore { .. } => Ok(None),
    }
}

#[expect(clippy::too_many_arguments, reason = "what an issue consists of")]
pub(in crate::engine) fn fail(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    line: &Line,
    side: Side,
    error: &RowError,
    records: &PerSide<Option<&Record>>,
) -> Result<i64, StoreError> {
    issues::raise(
        db,
        &NewIssue {
            mapping: mapping.row.mapping,
            ids: line.ids.clone(),
            side,
            label: label(&mapping.compiled, records),
            code: error.code.clone(),
            message: error.message.clone(),
            fields: error.fields.clone(),
            run,
        },
        now,
    )?;
    facts::insert(
        db,
        now,
        &NewFact::new(Level::Warn, Some(run), format!("{}: {}", error.code, error.message))
            .of_mapping(&mapping.compiled.spec.name)
            .about(&line.ids),
    )
}

/// A name by which a person knows the record: its full name, else its key.
pub(in crate::engine) fn label(mapping: &CompiledMapping, records: &PerSide<Option<&Record>>) -> String {
    for side in Side::BOTH {
        let Some(record) = records[side] else { continue };
        let named = mapping
            .pairs
            .iter()
            .filter(|pair| pair.spec.transform == Transform::FullName)
            .chain(mapping.keys.iter().filter_map(|place| mapping.pairs.get(*place)));
        for pair in named {
            let text = pair
                .values(side, record)
                .unwrap_or_default()
                .iter()
                .map(Value::to_string)
                .filter(|text| !text.trim().is_empty())
                .collect::<Vec<_>>()
                .join(" ");
            if !text.is_empty() {
                return text;
            }
        }
    }
    String::new()
}

/// What was read of a refused line, so that its issue can name the record.
pub(in crate::engine) fn staged_records(
    db: &rusqlite::Connection,
    mapping: &Prepared,
    line: &Line,
) -> Result<PerSide<Option<Staged>>, StoreError> {
    match line.action {
        Action::Refuse { .. } => mapping.staged(db, &line.ids),
        Action::Create { .. }
        | Action::Merge
        | Action::Delete { .. }
        | Action::Restore { .. }
        | Action::Skip { .. } => Ok(PerSide::default()),
    }
}

/// Names both writers of a pair that is parked because they write it in turn (law E8).
pub(super) fn tell_fight(
    db: &rusqlite::Connection,
    run: i64,
    now: chrono::DateTime<chrono::Utc>,
    mapping: &Prepared,
    item: &Item,
    pair: usize,
) -> Result<i64, StoreError> {
    let name = mapping.compiled.pairs.get(pair).map(|pair| pair.spec.name()).unwrap_or_default();
    let writers = item.records.as_ref().map(|staged| {
        let author = staged.as_ref().and_then(|staged| staged.record.author.as_deref());
        author.unwrap_or("somebody the service does not name").to_owned()
    });
    facts::insert(
        db,
        now,
        &NewFact::new(
            Level::Warn,
            Some(run),
            format!(
                "{name} was written to both sides in turn three times within a day, last in Salesforce by {} and on the \
                 platform by {}. It waits as a conflict until both sides agree or a person decides.",
                writers.org, writers.platform
            ),
        )
        .of_mapping(&mapping.compiled.spec.name)
        .about(&item.decision.line.ids),
    )
}

/// The service answered a create with a record that is linked to somebody else (law E6).
pub(super) fn stray_create(holder: &Link) -> RowError {
    RowError {
        code: "stray_create".into(),
        message: format!(
            "the record was to be created, but the service found {} under its key, which is linked with {} already; nothing \
             was linked. Merge the two people or change one key",
            holder.ids.platform, holder.ids.org
        ),
        fields: Vec::new(),
        class: RowClass::Data,
    }
}
