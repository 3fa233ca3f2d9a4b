//! Match (law E1): staged records find their links; what has none is grouped by key and decided group by group.

use std::collections::BTreeMap;

use crate::domain::codec;
use crate::domain::compiled::CompiledMapping;
use crate::domain::identity::{FamilyRules, Holder, Member, What, resolve};
use crate::domain::outcome::RunKind;
use crate::domain::plan::{Action, Line, SkipReason};
use crate::domain::port::Finder;
use crate::domain::record::{Record, RecordId};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::context::End;
use crate::engine::session::{Session, both};
use crate::store::links::{self, Closed};
use crate::store::stage::{self, Candidate, Staged};
use crate::store::work;

/// Records looked at in one transaction.
const BATCH: usize = 2_000;

/// The bytes under which records of one key meet.
fn key_bytes(key: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in key {
        codec::put(&mut bytes, Some(value));
    }
    bytes
}

/// The values of key bytes.
fn key_values(bytes: &[u8], count: usize) -> Vec<Value> {
    codec::decode(bytes, count)
        .map(|values| values.into_iter().map(Option::unwrap_or_default).collect())
        .unwrap_or_default()
}

/// Members of a family whose keys are the same platform fields match among themselves.
#[derive(Clone, Debug)]
struct Class {
    family: i64,
    key_fields: Vec<String>,
    members: Vec<usize>,
}

/// What was found out about one staged record.
enum Found {
    Linked { mapping: usize, link: i64, ids: PerSide<RecordId> },
    Candidate { class: usize, key: Vec<u8>, candidate: Candidate },
    Left(Line, usize),
    Done,
}

impl Session<'_> {
    fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        for (place, mapping) in self.mappings.iter().enumerate() {
            let key_fields = mapping.compiled.key_fields(Side::Platform);
            let family = mapping.row.family;
            match classes.iter_mut().find(|class| class.family == family && class.key_fields == key_fields) {
                Some(class) => class.members.push(place),
                None => classes.push(Class { family, key_fields, members: vec![place] }),
            }
        }
        classes
    }

    /// Fills the table of work, and deals with everything that needs no decision.
    pub async fn match_records(&mut self) -> Result<(), End> {
        self.context
            .store
            .write(|db| {
                work::clear(db)?;
                stage::clear_candidates(db)
            })
            .await?;
        self.close_gone().await?;
        let classes = self.classes();
        for place in 0..self.mappings.len() {
            let class = classes.iter().position(|class| class.members.contains(&place)).unwrap_or(0);
            self.file_staged(Side::Org, place, class).await?;
        }
        for (number, class) in classes.iter().enumerate() {
            if let Some(first) = class.members.first() {
                self.file_staged(Side::Platform, *first, number).await?;
            }
        }
        for (number, class) in classes.iter().enumerate() {
            if self.request.kind != RunKind::Initial {
                self.find_counterparts(number, class).await?;
            }
            self.resolve_groups(number, class).await?;
        }
        let totals = self.context.store.write(|db| work::totals(db)).await?;
        self.publish_totals(&totals);
        Ok(())
    }

    /// Only a tombstone is a delete: its link is closed and listed (law E9, policy `ignore`).
    async fn close_gone(&self) -> Result<(), End> {
        for side in Side::BOTH {
            for object in self.objects(side) {
                let places: Vec<(usize, i64, i64)> = self
                    .mappings
                    .iter()
                    .enumerate()
                    .filter(|(_, mapping)| mapping.compiled.spec.object(side) == object)
                    .map(|(place, mapping)| (place, mapping.row.mapping, mapping.row.family))
                    .collect();
                let (run, now) = (self.run, self.now());
                let names: Vec<String> =
                    self.mappings.iter().map(|mapping| mapping.compiled.spec.name.clone()).collect();
                self.context
                    .store
                    .write(move |db| {
                        for tombstone in stage::gone(db, side, &object)? {
                            // Seen alive after it went: it is back.
                            let alive = stage::get(db, side, &object, tombstone.id.as_str(), 0)?;
                            if alive.is_some_and(|alive| {
                                tombstone.at.is_none_or(|at| alive.record.stamp.is_none_or(|stamp| stamp >= at))
                            }) {
                                continue;
                            }
                            stage::remove(db, side, &object, tombstone.id.as_str())?;
                            for link in links::of_record(db, side, tombstone.id.as_str())? {
                                let Some((place, _, _)) =
                                    places.iter().find(|(_, mapping, _)| *mapping == link.mapping)
                                else {
                                    continue;
                                };
                                let why = match (side, &tombstone.merged_into) {
                                    (Side::Org, Some(winner)) => Closed::MergedInto(winner.clone()),
                                    (Side::Org, None) => Closed::OnOrg,
                                    (Side::Platform, _) => Closed::OnPlatform,
                                };
                                links::close(db, link.link, &why)?;
                                let ids = both(&link.ids);
                                crate::store::history::put(
                                    db,
                                    now,
                                    &crate::store::history::NewHistory {
                                        run,
                                        mapping: link.mapping,
                                        ids: &ids,
                                        side,
                                        action: "closed",
                                        changes: &[],
                                    },
                                )?;
                                let message = match side {
                                    Side::Org => "Deleted in Salesforce; its link is closed and the platform's record stays.",
                                    Side::Platform => "Deleted on the platform; its link is closed and the org's record stays.",
                                };
                                crate::store::facts::insert(
                                    db,
                                    now,
                                    &crate::store::facts::NewFact::new(
                                        crate::domain::report::Level::Info,
                                        Some(run),
                                        message,
                                    )
                                    .of_mapping(names.get(*place).map_or("", String::as_str))
                                    .about(&ids),
                                )?;
                            }
                        }
                        Ok(())
                    })
                    .await?;
            }
        }
        Ok(())
    }

    /// Walks through what is staged of one object for one mapping (or, for the platform, one class).
    async fn file_staged(&mut self, side: Side, place: usize, class: usize) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let object = mapping.compiled.spec.object(side).to_owned();
        let fields = mapping.compiled.selection[side].len();
        let places: BTreeMap<i64, usize> =
            self.mappings.iter().enumerate().map(|(place, mapping)| (mapping.row.mapping, place)).collect();
        let members: Vec<CompiledMapping> = self
            .mappings
            .iter()
            .filter(|other| other.row.family == mapping.row.family)
            .map(|other| other.compiled.clone())
            .collect();
        let mut last = String::new();
        loop {
            self.context.control.checkpoint().await?;
            let (from, object_name, mapping) = (last.clone(), object.clone(), mapping.clone());
            let (places, members) = (places.clone(), members.clone());
            let (reached, left) = self
                .context
                .store
                .write(move |db| {
                    let batch = stage::after(db, side, &object_name, &from, fields, BATCH)?;
                    let reached = batch.last().map(|staged| staged.record.id.as_str().to_owned());
                    let full = batch.len() == BATCH;
                    let mut left = Vec::new();
                    for staged in batch {
                        let link = match side {
                            Side::Org => links::by_org(db, mapping.row.mapping, staged.record.id.as_str())?,
                            Side::Platform => {
                                links::by_platform(db, mapping.row.family, staged.record.id.as_str())?
                            }
                        };
                        let found = match link {
                            Some(link) => {
                                let Some(place) = places.get(&link.mapping).copied() else { continue };
                                match link.closed {
                                    None => Found::Linked { mapping: place, link: link.link, ids: link.ids },
                                    // The record that was gone is back (law E9).
                                    Some(Closed::OnOrg) if side == Side::Org => {
                                        links::reopen(db, link.link)?;
                                        Found::Linked { mapping: place, link: link.link, ids: link.ids }
                                    }
                                    Some(Closed::OnPlatform) if side == Side::Platform => {
                                        links::reopen(db, link.link)?;
                                        Found::Linked { mapping: place, link: link.link, ids: link.ids }
                                    }
                                    Some(_) => {
                                        stage::remove(db, side, &object_name, staged.record.id.as_str())?;
                                        Found::Left(
                                            skip(
                                                &mapping.compiled,
                                                side,
                                                &staged.record,
                                                SkipReason::LinkClosed,
                                            ),
                                            place,
                                        )
                                    }
                                }
                            }
                            None => unlinked(&mapping.compiled, &members, side, place, class, &staged),
                        };
                        match found {
                            Found::Linked { mapping, link, ids } => {
                                work::put(db, mapping, Some(link), &both(&ids))?;
                            }
                            Found::Candidate { class, key, candidate } => {
                                stage::put_candidate(db, class, &key, &candidate)?;
                            }
                            Found::Left(line, mapping) => left.push((line, mapping)),
                            Found::Done => {}
                        }
                    }
                    Ok((reached.filter(|_| full), left))
                })
                .await?;
            self.leave_out(left).await?;
            match reached {
                Some(id) => last = id,
                None => return Ok(()),
            }
        }
    }

    /// An instant sync has staged only what changed: for unlinked records the other records of the key are looked up, on both
    /// sides (law E1).
    async fn find_counterparts(&self, number: usize, class: &Class) -> Result<(), End> {
        let groups =
            self.context.store.write(move |db| stage::groups_after(db, number, None, 10_000)).await?;
        if groups.is_empty() {
            return Ok(());
        }
        let keys: Vec<Vec<Value>> =
            groups.iter().map(|(key, _)| key_values(key, class.key_fields.len())).collect();
        if let Some(first) = class.members.first() {
            let finder = finder(&class.key_fields, keys.clone());
            self.find_and_file(Side::Platform, *first, number, &finder).await?;
        }
        for place in &class.members {
            let mapping = &self.mappings[*place].compiled;
            let mut rows = Vec::new();
            for key in &keys {
                if let Some(row) = org_key(mapping, key) {
                    rows.push(row);
                }
            }
            let finder = finder(&mapping.key_fields(Side::Org), rows);
            self.find_and_file(Side::Org, *place, number, &finder).await?;
        }
        Ok(())
    }

    async fn find_and_file(
        &self,
        side: Side,
        place: usize,
        class: usize,
        finder: &Finder,
    ) -> Result<(), End> {
        let mapping = self.mappings[place].clone();
        let object = mapping.compiled.spec.object(side).to_owned();
        let read_at = self.now();
        let found =
            self.context.endpoints[side].find(&object, &mapping.compiled.selection[side], finder).await?;
        let members: Vec<CompiledMapping> = self
            .mappings
            .iter()
            .filter(|other| other.row.family == mapping.row.family)
            .map(|other| other.compiled.clone())
            .collect();
        self.context
            .store
            .write(move |db| {
                for record in found {
                    let linked = match side {
                        Side::Org => links::by_org(db, mapping.row.mapping, record.id.as_str())?.is_some(),
                        Side::Platform => {
                            links::by_platform(db, mapping.row.family, record.id.as_str())?.is_some()
                        }
                    };
                    if linked {
                        continue;
                    }
                    let staged = Staged { record, read_at };
                    if let Found::Candidate { class, key, candidate } =
                        unlinked(&mapping.compiled, &members, side, place, class, &staged)
                    {
                        stage::put(db, side, &object, std::slice::from_ref(&staged.record), read_at)?;
                        stage::put_candidate(db, class, &key, &candidate)?;
                    }
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    async fn resolve_groups(&mut self, number: usize, class: &Class) -> Result<(), End> {
        let rules = FamilyRules {
            members: class
                .members
                .iter()
                .map(|place| {
                    let spec = &self.mappings[*place].compiled.spec;
                    (*place, spec.name.clone(), spec.creates_on(Side::Platform))
                })
                .collect(),
            create_as: class
                .members
                .iter()
                .copied()
                .find(|place| self.mappings[*place].compiled.spec.creates_on(Side::Org)),
        };
        let places: BTreeMap<i64, (usize, String)> = self
            .mappings
            .iter()
            .enumerate()
            .map(|(place, mapping)| (mapping.row.mapping, (place, mapping.compiled.spec.name.clone())))
            .collect();
        let (family, fields) = (class.family, class.key_fields.len());
        let mut last: Option<Vec<u8>> = None;
        loop {
            self.context.control.checkpoint().await?;
            let (from, rules, places) = (last.take(), rules.clone(), places.clone());
            let (reached, lines) = self
                .context
                .store
                .write(move |db| {
                    let groups = stage::groups_after(db, number, from.as_deref(), BATCH)?;
                    let full = groups.len() == BATCH;
                    let reached = groups.last().map(|(key, _)| key.clone());
                    let mut lines = Vec::new();
                    for (key, candidates) in groups {
                        let values = key_values(&key, fields);
                        let members: Vec<Member> = candidates
                            .iter()
                            .map(|candidate| Member {
                                side: candidate.side,
                                mapping: candidate.mapping,
                                id: candidate.id.clone(),
                            })
                            .collect();
                        let holders: Vec<Holder> = links::by_key(db, family, links::key_hash(&values))?
                            .into_iter()
                            .filter_map(|link| {
                                let (mapping, name) = places.get(&link.mapping)?.clone();
                                Some(Holder { mapping, name, ids: link.ids })
                            })
                            .collect();
                        for verdict in resolve(&rules, &members, &holders) {
                            let action = match verdict.what {
                                What::Go => {
                                    work::put(db, verdict.mapping, None, &verdict.ids)?;
                                    continue;
                                }
                                What::Skip(reason) => Action::Skip { reason },
                                What::Refuse(obstacle) => Action::Refuse { obstacle },
                            };
                            let name = places
                                .values()
                                .find(|(place, _)| *place == verdict.mapping)
                                .map(|(_, name)| name.clone())
                                .unwrap_or_default();
                            lines.push((
                                Line {
                                    mapping: name,
                                    ids: verdict.ids,
                                    action,
                                    changes: Vec::new(),
                                    parked: Vec::new(),
                                    obstacles: Vec::new(),
                                },
                                verdict.mapping,
                            ));
                        }
                    }
                    Ok((reached.filter(|_| full), lines))
                })
                .await?;
            self.leave_out(lines).await?;
            match reached {
                Some(key) => last = Some(key),
                None => return Ok(()),
            }
        }
    }
}

fn finder(fields: &[String], rows: Vec<Vec<Value>>) -> Finder {
    match fields {
        [field] => Finder::Field {
            field: field.clone(),
            values: rows.into_iter().filter_map(|row| row.into_iter().next()).collect(),
        },
        several => Finder::Fields { fields: several.to_vec(), rows },
    }
}

/// A key of the platform as the org spells it.
pub(crate) fn org_key(mapping: &CompiledMapping, key: &[Value]) -> Option<Vec<Value>> {
    let mut rest = key;
    let mut row = Vec::new();
    for pair in mapping.keys.iter().filter_map(|place| mapping.pairs.get(*place)) {
        let (mine, others) = rest.split_at_checked(pair.spec.platform.len())?;
        rest = others;
        row.extend(pair.translate(Side::Platform, mine, None).ok()?);
    }
    Some(row)
}

fn skip(mapping: &CompiledMapping, side: Side, record: &Record, reason: SkipReason) -> Line {
    let mut ids = PerSide::default();
    ids[side] = Some(record.id.clone());
    Line {
        mapping: mapping.spec.name.clone(),
        ids,
        action: Action::Skip { reason },
        changes: Vec::new(),
        parked: Vec::new(),
        obstacles: Vec::new(),
    }
}

/// What becomes of a record without a link: a candidate under its key, or left out.
fn unlinked(
    mapping: &CompiledMapping,
    members: &[CompiledMapping],
    side: Side,
    place: usize,
    class: usize,
    staged: &Staged,
) -> Found {
    let in_scope = match side {
        Side::Org => mapping.in_scope(Side::Org, &staged.record),
        // A platform record takes part if one member of the family wants it.
        Side::Platform => members.iter().any(|member| member.in_scope(Side::Platform, &staged.record)),
    };
    if !in_scope {
        return Found::Done;
    }
    match mapping.key_of(side, &staged.record) {
        Some(key) => Found::Candidate {
            class,
            key: key_bytes(&key),
            candidate: Candidate {
                side,
                mapping: if side == Side::Org { place } else { 0 },
                id: staged.record.id.clone(),
            },
        },
        None => Found::Left(skip(mapping, side, &staged.record, SkipReason::KeyBlank), place),
    }
}
