//! Unlinked records that share a key meet, and are decided group by group (law E1).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::codec;
use crate::domain::compiled::CompiledMapping;
use crate::domain::identity::{FamilyRules, Holder, Member, Verdict, What, resolve};
use crate::domain::plan::{Action, Line, SkipReason};
use crate::domain::port::Finder;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::engine::context::End;
use crate::engine::matching::{Found, gone, unlinked};
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::links::{self, Link};
use crate::store::stage::{self, Staged};
use crate::store::{contested, work};

/// Groups looked at in one transaction.
const BATCH: usize = 2_000;

/// So many keys are looked up between two looks at whether somebody wants to stop, where each of them is a call.
const HANDFUL: usize = 200;

/// The bytes under which records of one key meet.
pub(super) fn key_bytes(key: &[Value]) -> Vec<u8> {
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
pub(super) struct Class {
    family: i64,
    key_fields: Vec<String>,
    pub(super) members: Vec<usize>,
}

/// The platform has a record of this key already, and its closed link keeps it out of matching (law E9): to create another, or to
/// let the service find that one by its key, would write what must be left alone.
fn blocked(members: &[Member], link: &Link, places: &BTreeMap<i64, (usize, String)>) -> Vec<Verdict> {
    let mapping = places.get(&link.mapping).map(|(_, name)| name.clone()).unwrap_or_default();
    members
        .iter()
        .map(|member| {
            let mut ids = PerSide::default();
            ids[member.side] = Some(member.id.clone());
            let reason = SkipReason::HeldBy { mapping: mapping.clone(), id: link.ids.org.clone() };
            Verdict { mapping: member.mapping, ids, what: What::Skip(reason) }
        })
        .collect()
}

impl Session<'_> {
    pub(super) fn classes(&self) -> Vec<Class> {
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

    /// An instant sync has staged only what changed: for unlinked records the other records of the key are looked up, on both
    /// sides (law E1).
    pub(super) async fn find_counterparts(&self, number: usize, class: &Class) -> Result<(), End> {
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

    /// Whether a scan of the platform has brought everything that a class could be matched with.
    pub(super) fn lists(&self, class: &Class) -> bool {
        let object = class.members.first().map(|place| &self.mappings[*place].compiled.spec.platform_object);
        object.is_none_or(|object| self.context.endpoints.platform.lists(object))
    }

    /// An initial sync with a platform that can't list its records: each key is looked up there.
    pub(super) async fn find_unlisted(&self, number: usize, class: &Class) -> Result<(), End> {
        let Some(first) = class.members.first() else { return Ok(()) };
        let mut after: Option<Vec<u8>> = None;
        loop {
            self.context.control.checkpoint().await?;
            let from = after.clone();
            let groups = self
                .context
                .store
                .write(move |db| stage::groups_after(db, number, from.as_deref(), HANDFUL))
                .await?;
            let Some((last, _)) = groups.last() else { return Ok(()) };
            after = Some(last.clone());
            let keys: Vec<Vec<Value>> =
                groups.iter().map(|(key, _)| key_values(key, class.key_fields.len())).collect();
            self.find_and_file(Side::Platform, *first, number, &finder(&class.key_fields, keys)).await?;
        }
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
        let selection = &mapping.compiled.selection[side];
        let found = self.context.endpoints[side].find_early(&object, selection, finder).await?;
        let members: Vec<Arc<CompiledMapping>> = self
            .mappings
            .iter()
            .filter(|other| other.row.family == mapping.row.family)
            .map(|other| Arc::clone(&other.compiled))
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

    pub(super) async fn resolve_groups(&mut self, number: usize, class: &Class) -> Result<(), End> {
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
        let numbers: Vec<i64> = self.mappings.iter().map(|mapping| mapping.row.mapping).collect();
        let home = rules.create_as.or_else(|| class.members.first().copied()).unwrap_or(0);
        let starts = self.starts();
        let mut ahead = vec![0_u64; self.mappings.len()];
        let mut last: Option<Vec<u8>> = None;
        loop {
            self.context.control.checkpoint().await?;
            let starts = starts.clone();
            let (from, rules, places) = (last.take(), rules.clone(), places.clone());
            let numbers = numbers.clone();
            let (run, now) = (self.run, self.now());
            let (reached, lines, left) = self
                .context
                .store
                .write(move |db| {
                    let groups = stage::groups_after(db, number, from.as_deref(), BATCH)?;
                    let full = groups.len() == BATCH;
                    let reached = groups.last().map(|(key, _)| key.clone());
                    let mut lines = Vec::new();
                    let mut left: Vec<usize> = Vec::new();
                    let mut contests = contested::any(db)?;
                    let linked = links::any_of_family(db, family)?;
                    for (key, candidates) in groups {
                        let values = key_values(&key, fields);
                        let hash = links::key_hash(&values);
                        let members: Vec<Member> = candidates
                            .iter()
                            .map(|candidate| Member {
                                side: candidate.side,
                                mapping: candidate.mapping,
                                id: candidate.id.clone(),
                            })
                            .collect();
                        let holding = if linked { links::by_key(db, family, hash)? } else { Vec::new() };
                        let holders: Vec<Holder> = holding
                            .into_iter()
                            .filter_map(|link| {
                                let (mapping, name) = places.get(&link.mapping)?.clone();
                                Some(Holder { mapping, name, ids: link.ids })
                            })
                            .collect();
                        let blocking = match holders.as_slice() {
                            [] if linked && !broken(Mutant::ClosedLinkIsMatched) => {
                                links::blocking_key(db, family, hash)?
                            }
                            _ => None,
                        };
                        let verdicts = match &blocking {
                            Some(link) => blocked(&members, link, &places),
                            None => resolve(&rules, &members, &holders),
                        };
                        let all_go = verdicts.iter().all(|verdict| verdict.what == What::Go);
                        contests |= !all_go;
                        for member in members.iter().filter(|_| contests) {
                            let place = if member.side == Side::Org { member.mapping } else { home };
                            match numbers.get(place) {
                                Some(number) if !all_go => {
                                    contested::keep(db, *number, family, member.side, &member.id, hash)?;
                                }
                                _ => contested::goes(db, family, member.side, &member.id, hash)?,
                            }
                        }
                        for verdict in verdicts {
                            let action = match verdict.what {
                                What::Go => {
                                    let link = match numbers.get(verdict.mapping) {
                                        Some(mapping) if linked => {
                                            gone::met_again(db, run, now, *mapping, &verdict.ids)?
                                        }
                                        Some(_) | None => None,
                                    };
                                    let start = starts.get(verdict.mapping).and_then(Option::as_ref);
                                    if let (None, Some(start)) = (link, start)
                                        && start.is_ahead_of(db, &verdict.ids)?
                                    {
                                        left.push(verdict.mapping);
                                        continue;
                                    }
                                    work::put(db, verdict.mapping, link, &verdict.ids)?;
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
                    Ok((reached.filter(|_| full), lines, left))
                })
                .await?;
            self.leave_out(lines).await?;
            for place in left {
                if let Some(count) = ahead.get_mut(place) {
                    *count += 1;
                }
            }
            match reached {
                Some(key) => last = Some(key),
                None => return self.tell_ahead(&ahead).await,
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
