//! Everything the state database knows of one record, for `why` (N3).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::by_hand::fields_of;
use crate::domain::outcome::RunKind;
use crate::domain::plan::{Action, Line};
use crate::domain::record::RecordId;
use crate::domain::report::{HistoryQuery, IssueRow};
use crate::domain::side::{PerSide, Side};
use crate::domain::why::{WhyLink, WhyPair, WhyParked, WhyPending, WhyQuery, WhyRecord, WhySkip, WhyStep};
use crate::store::links::{self, Closed, Link};
use crate::store::read::{Reader, issue_row};
use crate::store::{StoreError, from_millis};

/// Rows of history that are gone through for one record.
const ROWS: usize = 500;
/// Times that a record was left out that are told.
const SKIPS: i64 = 5;

/// A mapping as the database knows it.
struct Known {
    mapping: i64,
    name: String,
    family: i64,
    objects: PerSide<String>,
}

impl Reader {
    /// What is known of a record: one entry a mapping that it is linked in, or was; else one for each that it could belong to.
    pub fn why(&self, query: &WhyQuery) -> Result<Vec<WhyRecord>, StoreError> {
        let mappings = self.with(|db| known(db, query.object.as_deref()))?;
        let mut records = Vec::new();
        for mapping in &mappings {
            let found = self.with(|db| links_of(db, mapping, &query.id, query.object.as_deref()))?;
            for link in found {
                records.push(self.one(mapping, Some(&link), &both(&link))?);
            }
        }
        if records.is_empty() {
            for mapping in &mappings {
                for side in Side::BOTH {
                    let asked = query.object.as_deref();
                    if asked.is_some_and(|object| !mapping.objects[side].eq_ignore_ascii_case(object)) {
                        continue;
                    }
                    let mut ids: PerSide<Option<RecordId>> = PerSide::default();
                    ids[side] = Some(RecordId::new(query.id.as_str()));
                    let record = self.one(mapping, None, &ids)?;
                    let told = !record.issues.is_empty()
                        || !record.skipped.is_empty()
                        || !record.pending.is_empty()
                        || !record.events.is_empty();
                    if told || asked.is_some() {
                        records.push(record);
                    }
                }
            }
        }
        Ok(records)
    }

    fn one(
        &self,
        mapping: &Known,
        link: Option<&Link>,
        ids: &PerSide<Option<RecordId>>,
    ) -> Result<WhyRecord, StoreError> {
        let mut pairs = Vec::new();
        let mut places: BTreeMap<i64, usize> = BTreeMap::new();
        for (number, fields) in self.with(|db| pairs_of(db, mapping.mapping))? {
            places.insert(number, pairs.len());
            pairs.push(WhyPair {
                fields,
                mapped: false,
                base: link.and_then(|link| link.bases.get(number)).cloned(),
                parked: None,
                steps: Vec::new(),
            });
        }
        if let Some(link) = link {
            for (number, parked) in self.with(|db| parked_of(db, link.link))? {
                if let Some(pair) = places.get(&number).and_then(|place| pairs.get_mut(*place)) {
                    pair.parked = Some(parked);
                }
            }
        }
        let mut events = Vec::new();
        let mut kinds: BTreeMap<i64, Option<RunKind>> = BTreeMap::new();
        let mut rows = Vec::new();
        for side in Side::BOTH {
            let Some(id) = &ids[side] else { continue };
            rows.extend(self.history(&HistoryQuery {
                id: Some(id.as_str().to_owned()),
                mapping: Some(mapping.name.clone()),
                limit: ROWS,
                ..HistoryQuery::default()
            })?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.sequence));
        rows.dedup_by_key(|row| row.sequence);
        for row in rows {
            let kind = match kinds.get(&row.run) {
                Some(kind) => *kind,
                None => *kinds.entry(row.run).or_insert(self.run(row.run)?.map(|run| run.kind)),
            };
            let step = |fields: &[String], old: &[_], new: &[_], rule: &str| WhyStep {
                sequence: row.sequence,
                at: row.at,
                run: row.run,
                kind,
                side: row.side,
                action: row.action.clone(),
                fields: fields.to_vec(),
                old: old.to_vec(),
                new: new.to_vec(),
                rule: rule.to_owned(),
            };
            let mut explained = false;
            for change in &row.changes {
                let place = change.pair.and_then(|number| places.get(&number)).copied();
                let place =
                    place.or_else(|| pairs.iter().position(|pair| pair.fields[row.side] == change.fields));
                let step = step(&change.fields, &change.old, &change.new, &change.rule);
                match place.and_then(|place| pairs.get_mut(place)) {
                    Some(pair) => pair.steps.push(step),
                    None => events.push(step),
                }
                explained = true;
            }
            if !explained || row.action != "updated" {
                events.push(step(&[], &[], &[], ""));
            }
        }
        let issues = self.with(|db| issues_of(db, mapping, ids))?;
        let pending = self.with(|db| pending_of(db, mapping.mapping, ids))?;
        let skipped = self.with(|db| skipped_of(db, mapping.mapping, ids))?;
        let seen = link.map(|link| link.read.map(|at| (at.timestamp_millis() > 0).then_some(at)));
        let state = match (link.map(|link| link.closed.as_ref()), seen) {
            (Some(None), Some(seen)) => WhyLink::Linked { seen },
            (Some(Some(closed)), Some(seen)) => WhyLink::Closed { because: closed_sentence(closed), seen },
            _ => WhyLink::NotLinked { because: reasons(&issues, &skipped, &pending) },
        };
        Ok(WhyRecord {
            mapping: mapping.name.clone(),
            objects: mapping.objects.clone(),
            ids: ids.clone(),
            link: state,
            pairs,
            events,
            issues,
            pending,
            skipped,
        })
    }
}

fn both(link: &Link) -> PerSide<Option<RecordId>> {
    PerSide { org: Some(link.ids.org.clone()), platform: Some(link.ids.platform.clone()) }
}

fn closed_sentence(closed: &Closed) -> String {
    match closed {
        Closed::OnOrg => "the record in Salesforce was deleted".into(),
        Closed::OnPlatform => "the record on the platform was deleted".into(),
        Closed::MergedInto(winner) => format!("the record in Salesforce was merged into {winner}"),
        Closed::Forgotten => "the person was forgotten on request; no values are kept".into(),
        Closed::ConvertedTo(contact) => format!("the lead was converted to {contact}"),
    }
}

fn reasons(issues: &[IssueRow], skipped: &[WhySkip], pending: &[WhyPending]) -> Vec<String> {
    let mut because: Vec<String> = issues
        .iter()
        .filter(|issue| issue.open)
        .map(|issue| format!("{}: {}", issue.code, issue.message))
        .collect();
    because.extend(skipped.first().map(|skip| format!("run {} left it out: {}", skip.run, skip.because)));
    because.extend(
        pending
            .iter()
            .map(|pending| format!("it will be looked at again ({})", pending.reason.replace('_', " "))),
    );
    if because.is_empty() {
        because.push(
            "no run has had anything to say about it: it may not meet the criteria, not have changed since the first \
             synchronization began, or not exist"
                .into(),
        );
    }
    because
}

fn known(db: &Connection, object: Option<&str>) -> Result<Vec<Known>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT m.mapping, m.name, m.family, m.org_object, f.platform_object FROM mapping m JOIN family f USING (family)
         WHERE ?1 IS NULL OR m.org_object=?1 COLLATE NOCASE OR f.platform_object=?1 COLLATE NOCASE ORDER BY m.mapping",
    )?;
    let rows = statement.query_map(params![object], |row| {
        Ok(Known {
            mapping: row.get(0)?,
            name: row.get(1)?,
            family: row.get(2)?,
            objects: PerSide { org: row.get(3)?, platform: row.get(4)? },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The links of a record in a mapping, open or closed, on the sides whose object is asked for.
fn links_of(
    db: &Connection,
    mapping: &Known,
    id: &str,
    object: Option<&str>,
) -> Result<Vec<Link>, StoreError> {
    let asked = |side: Side| object.is_none_or(|object| mapping.objects[side].eq_ignore_ascii_case(object));
    let mut found = Vec::new();
    if asked(Side::Org) {
        found.extend(links::by_org(db, mapping.mapping, id)?);
    }
    if asked(Side::Platform) {
        let mut statement =
            db.prepare_cached(
            "SELECT link FROM link WHERE link IN (SELECT link FROM clues WHERE hash=id_hash(?2)) AND family=?1 AND platform_id=?2
                 AND +mapping=?3",
        )?;
        let numbers: Vec<i64> = statement
            .query_map(params![mapping.family, id, mapping.mapping], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for number in numbers {
            if !found.iter().any(|link: &Link| link.link == number) {
                found.extend(links::get(db, number)?);
            }
        }
    }
    Ok(found)
}

/// A pair's number and its fields.
type NumberedPair = (i64, PerSide<Vec<String>>);

/// The pairs of a mapping by number, also those of old, with their fields.
fn pairs_of(db: &Connection, mapping: i64) -> Result<Vec<NumberedPair>, StoreError> {
    let mut statement = db.prepare_cached("SELECT pair, identity FROM pair WHERE mapping=? ORDER BY pair")?;
    let rows = statement.query_map([mapping], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| row.map(|(pair, identity)| (pair, fields_of(&identity))).map_err(Into::into)).collect()
}

fn parked_of(db: &Connection, link: i64) -> Result<Vec<(i64, WhyParked)>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT pair, why, since, run, org, platform FROM parked WHERE link=?")?;
    let mut rows = statement.query([link])?;
    let mut parked = Vec::new();
    while let Some(row) = rows.next()? {
        parked.push((
            row.get(0)?,
            WhyParked {
                why: row.get(1)?,
                since: from_millis(row.get(2)?),
                run: row.get(3)?,
                values: PerSide {
                    org: serde_json::from_str(&row.get::<_, String>(4)?)?,
                    platform: serde_json::from_str(&row.get::<_, String>(5)?)?,
                },
            },
        ));
    }
    Ok(parked)
}

fn issues_of(
    db: &Connection,
    mapping: &Known,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Vec<IssueRow>, StoreError> {
    let mut issues = Vec::new();
    for (side, column) in [(Side::Org, "org_id"), (Side::Platform, "platform_id")] {
        let Some(id) = &ids[side] else { continue };
        let mut statement = db.prepare_cached(&format!(
            "SELECT i.issue, ?1, i.org_id, i.platform_id, i.side, i.label, i.code, i.cause, i.message, i.fields, i.run,
                    i.since, i.last_seen, i.tries, i.open, i.snoozed_until FROM issue i WHERE i.mapping=?2 AND i.{column}=?3 AND i.open=1"
        ))?;
        let rows = statement.query_map(params![mapping.name, mapping.mapping, id.as_str()], issue_row)?;
        for row in rows {
            let row = row?;
            if !issues.iter().any(|known: &IssueRow| known.issue == row.issue) {
                issues.push(row);
            }
        }
    }
    Ok(issues)
}

fn pending_of(
    db: &Connection,
    mapping: i64,
    ids: &PerSide<Option<RecordId>>,
) -> Result<Vec<WhyPending>, StoreError> {
    let mut pending = Vec::new();
    for side in Side::BOTH {
        let Some(id) = &ids[side] else { continue };
        let found = db
            .prepare_cached(
                "SELECT reason, since, next_try FROM pending WHERE mapping=? AND side=? AND id=?",
            )?
            .query_row(params![mapping, side.number(), id.as_str()], |row| {
                Ok(WhyPending {
                    side,
                    reason: row.get(0)?,
                    since: from_millis(row.get(1)?),
                    next_try: row.get::<_, Option<i64>>(2)?.map(from_millis),
                })
            })
            .optional()?;
        pending.extend(found);
    }
    Ok(pending)
}

fn skipped_of(
    db: &Connection,
    mapping: i64,
    record: &PerSide<Option<RecordId>>,
) -> Result<Vec<WhySkip>, StoreError> {
    let mut skips: BTreeMap<i64, String> = BTreeMap::new();
    for (side, column) in [(Side::Org, "org_id"), (Side::Platform, "platform_id")] {
        let Some(id) = &record[side] else { continue };
        let mut statement = db.prepare_cached(&format!(
            "SELECT run, body FROM line WHERE {column}=? AND outcome='skipped' AND +mapping=?
             ORDER BY line DESC LIMIT ?"
        ))?;
        let mut rows = statement.query(params![id.as_str(), mapping, SKIPS])?;
        while let Some(row) = rows.next()? {
            let line: Line = serde_json::from_str(&row.get::<_, String>(1)?)?;
            if let Action::Skip { reason } = line.action {
                skips.insert(row.get(0)?, reason.sentence());
            }
        }
    }
    Ok(skips.into_iter().rev().map(|(run, because)| WhySkip { run, because }).collect())
}
