//! Lines become batches of rows, one per object, kind and mapping.

use std::collections::HashMap;

use crate::domain::compiled::CompiledMapping;
use crate::domain::plan::{Action, Change};
use crate::domain::port::{WriteBatch, WriteKind, WriteRow};
use crate::domain::record::Selection;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::session::{Prepared, Session};

/// Fewer rows than these go out together anyway.
const ONE_BATCH: usize = 200;

/// A batch with the items its rows belong to.
pub(in crate::engine) struct Outgoing {
    pub(in crate::engine) batch: WriteBatch,
    pub(super) owners: Vec<usize>,
    /// Rows that it takes.
    most: usize,
    /// Whether it is sent by a job.
    pub(in crate::engine) by_job: bool,
    /// The journal entries of its rows.
    pub(super) entries: Vec<i64>,
}

impl Session<'_> {
    pub(in crate::engine) fn batches(&self, items: &[Item], side: Side) -> Vec<Outgoing> {
        let mut batches: Vec<Outgoing> = Vec::new();
        let mut going: Vec<(usize, WriteKind)> = items
            .iter()
            .enumerate()
            .filter_map(|(owner, item)| Some((owner, kind_of(item, side)?)))
            .collect();
        let mut rows: HashMap<(usize, WriteKind), usize> = HashMap::new();
        for (owner, kind) in &going {
            *rows.entry((items[*owner].mapping, *kind)).or_default() += 1;
        }
        if going.len() > ONE_BATCH {
            // Children of one parent lock it; side by side in one batch they do not meet one another.
            going.sort_by_cached_key(|(owner, _)| parents(&items[*owner], side));
        }
        for (owner, kind) in going {
            let item = &items[owner];
            let line = &item.decision.line;
            let mapping = &self.mappings[item.mapping];
            let spec = &mapping.compiled.spec;
            let most = mapping.capabilities[side].write_batch.max(1);
            let at = batches.iter().position(|known| {
                known.batch.object == spec.object(side)
                    && known.batch.kind == kind
                    && known.batch.rows.len() < known.most
                    && known.batch.mark.as_deref() == spec.mark(side).filter(|_| kind == WriteKind::Create)
                    && known.batch.effects == spec.effects(self.request.kind)
                    && known.owners.first().is_some_and(|first| items[*first].mapping == item.mapping)
            });
            let at = at.unwrap_or_else(|| {
                let batch = self.empty_batch(item.mapping, side, kind);
                let count = rows.get(&(item.mapping, kind)).copied().unwrap_or(0);
                let of_a_job = self.context.endpoints[side].rows_of_a_job(&batch, count);
                batches.push(Outgoing {
                    most: of_a_job.unwrap_or(most).max(1),
                    by_job: of_a_job.is_some(),
                    batch,
                    owners: Vec::new(),
                    entries: Vec::new(),
                });
                batches.len() - 1
            });
            let batch = &mut batches[at];
            let mut values = vec![None; batch.batch.selection.len()];
            for change in line.changes.iter().filter(|change| change.to == side) {
                fill(&mut values, &batch.batch.selection, change);
            }
            let key = key_on(mapping, side, item);
            batch.batch.rows.push(WriteRow { id: line.ids[side].clone(), values, key });
            batch.owners.push(owner);
        }
        batches
    }

    /// A batch of a mapping that has no rows yet.
    pub(super) fn empty_batch(&self, mapping: usize, side: Side, kind: WriteKind) -> WriteBatch {
        let mapping = &self.mappings[mapping].compiled;
        let spec = &mapping.spec;
        let selection = writable(mapping, side);
        let consent = consent_places(mapping, side, &selection);
        WriteBatch {
            object: spec.object(side).to_owned(),
            kind,
            selection,
            rows: Vec::new(),
            read_back: mapping.selection[side].clone(),
            mark: spec.mark(side).filter(|_| kind == WriteKind::Create).map(str::to_owned),
            consent,
            effects: spec.effects(self.request.kind),
        }
    }
}

/// What is done with an item on a side, if anything is to be sent now.
pub(super) fn kind_of(item: &Item, side: Side) -> Option<WriteKind> {
    let line = &item.decision.line;
    let kind = match line.action {
        Action::Create { on } if on == side => WriteKind::Create,
        Action::Merge if line.writes_to(side) => WriteKind::Update,
        Action::Delete { on } if on == side => WriteKind::Delete,
        _ => return None,
    };
    (!item.postponed() && item.results[side].is_none()).then_some(kind)
}

/// The records that a line makes its record belong to.
fn parents(item: &Item, side: Side) -> Vec<String> {
    let changes = item.decision.line.changes.iter().filter(|change| change.to == side);
    let named = changes.flat_map(|change| change.fields.iter().zip(&change.new));
    let parents = named.filter(|(field, value)| field.ends_with("Id") && !value.is_blank());
    parents.map(|(_, value)| value.to_string()).collect()
}

/// The fields of a side that this mapping may write, in order.
fn writable(mapping: &CompiledMapping, side: Side) -> Selection {
    Selection::new(
        mapping
            .pairs
            .iter()
            .filter(|pair| pair.creatable[side])
            .flat_map(|pair| pair.spec.fields(side).iter().cloned())
            .chain(mapping.spec.mark(side).map(str::to_owned))
            .chain(mapping.deactivation[side].iter().map(|(field, _)| field.clone()))
            .chain(
                mapping
                    .spec
                    .default
                    .iter()
                    .filter(|default| default.side == side)
                    .map(|default| default.field.clone()),
            ),
    )
}

fn consent_places(mapping: &CompiledMapping, side: Side, selection: &Selection) -> Vec<usize> {
    mapping
        .pairs
        .iter()
        .filter(|pair| pair.spec.transform.is_consent())
        .flat_map(|pair| pair.spec.fields(side))
        .filter_map(|name| selection.position(name))
        .collect()
}

fn fill(values: &mut [Option<Value>], selection: &Selection, change: &Change) {
    for (name, value) in change.fields.iter().zip(&change.new) {
        if let Some(slot) = selection.position(name).and_then(|place| values.get_mut(place)) {
            *slot = Some(value.clone());
        }
    }
}

/// The key of the target: as it stands now for an update, as it will be for a create.
fn key_on(prepared: &Prepared, side: Side, item: &Item) -> Vec<Value> {
    let mapping = &prepared.compiled;
    let mut key = Vec::new();
    for place in &mapping.keys {
        let Some(pair) = mapping.pairs.get(*place) else { continue };
        let present = item.records[side].as_ref().and_then(|staged| pair.values(side, &staged.record));
        let based = || {
            let number = prepared.row.pairs.get(*place)?;
            Some(item.link.as_ref()?.bases.get(*number)?[side].clone())
        };
        let sent = || {
            item.decision
                .line
                .changes
                .iter()
                .find(|change| change.pair == Some(*place) && change.to == side)
                .map(|change| change.new.clone())
        };
        key.extend(present.or_else(based).or_else(sent).unwrap_or_default());
    }
    key
}
