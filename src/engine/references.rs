//! References between records: what points to a record of one side is told to the other side as its counterpart.
//!
//! Everything that is decided speaks of the platform's ids: `Referring` stands before an endpoint and turns the org's ids into
//! those of the linked records when records are read by id, and back when they are written. What a scan or a feed brings is staged
//! as it is, and so is what is read by id before anything is decided, since its parents may be linked only later in the same run; it is
//! told right before its line is decided (`Session::settle`). A record with a reference to another that is not linked comes once more
//! behind all others, for as long as the run links something (law E6, parents first). Then the reference counts as not returned: the line
//! goes on without it, and the record waits to be looked at again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use rusqlite::Connection;

use crate::domain::compiled::CompiledPair;
use crate::domain::mapping::Mapping;
use crate::domain::port::layer::{Layer, Layered};
use crate::domain::port::{Endpoint, Finder, Job, PortClass, PortError, RowResult, WriteBatch, Written};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::links::Link;
use crate::store::work::Work;
use crate::store::{Store, StoreError, links, pending, work};

/// Why a record waits whose parent is not linked yet.
pub const WAITS_FOR_PARENT: &str = "waits_for_parent";

/// When such a record is looked at again by itself, if nothing was linked meanwhile.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// The references of an object: the field, and the platform object it leads to.
type Fields = Vec<(String, String)>;

/// An endpoint whose references speak of the platform's ids.
struct Referring {
    side: Side,
    inner: Arc<dyn Endpoint>,
    store: Store,
    /// The newest link that counts, where what was linked since is not to be seen.
    newest: Option<i64>,
    fields: BTreeMap<String, Fields>,
    /// The objects that a field of the org may lead to, as far as described.
    leads_to: Mutex<HashMap<(String, String), Vec<String>>>,
}

/// The references of a side, by object.
fn references(mappings: &[Mapping], side: Side) -> BTreeMap<String, Fields> {
    let mut found: BTreeMap<String, Fields> = BTreeMap::new();
    for mapping in mappings {
        for pair in &mapping.pairs {
            let (Transform::Reference(target), Some(field)) = (&pair.transform, pair.fields(side).first())
            else {
                continue;
            };
            let known = found.entry(mapping.object(side).to_ascii_lowercase()).or_default();
            if !known.iter().any(|(name, _)| name.eq_ignore_ascii_case(field)) {
                known.push((field.clone(), target.clone()));
            }
        }
    }
    found
}

/// Both endpoints with their references told by links, or by those up to the newest that counts; as they are where no mapping has any.
pub fn referring(
    endpoints: &PerSide<Arc<dyn Endpoint>>,
    mappings: &[Mapping],
    store: &Store,
    newest: Option<i64>,
) -> PerSide<Arc<dyn Endpoint>> {
    PerSide::from_fn(|side| {
        let (inner, fields) = (Arc::clone(&endpoints[side]), references(mappings, side));
        if fields.is_empty() {
            return inner;
        }
        let (store, leads_to) = (store.clone(), Mutex::default());
        Arc::new(Layered(Referring { side, inner, store, newest, fields, leads_to })) as Arc<dyn Endpoint>
    })
}

/// The family onto a platform object.
fn family(db: &Connection, object: &str) -> Result<Option<i64>, StoreError> {
    use rusqlite::OptionalExtension;
    Ok(db
        .prepare_cached("SELECT family FROM family WHERE platform_object=? COLLATE NOCASE")?
        .query_row([object], |row| row.get(0))
        .optional()?)
}

/// The platform's id of what a reference leads to; `None` where it is not linked. It may have been told already.
fn told(
    db: &Connection,
    side: Side,
    target: &str,
    id: &str,
    newest: Option<i64>,
) -> Result<Option<String>, StoreError> {
    let Some(family) = family(db, target)? else { return Ok(None) };
    let counts = |link: &Link| newest.is_none_or(|newest| link.link <= newest);
    if side == Side::Org
        && let Some(link) = links::open_in_family(db, family, id)?.filter(counts)
    {
        return Ok(Some(link.ids.platform.as_str().to_owned()));
    }
    let known = links::by_platform(db, family, id)?.filter(|link| link.closed.is_none() && counts(link));
    Ok(known.map(|link| link.ids.platform.as_str().to_owned()))
}

/// The org's id of a platform record, where it is linked to one of these objects.
fn org_id(db: &Connection, target: &str, id: &str, objects: &[String]) -> Result<Option<String>, StoreError> {
    let Some(family) = family(db, target)? else { return Ok(None) };
    let Some(link) = links::by_platform(db, family, id)?.filter(|link| link.closed.is_none()) else {
        return Ok(None);
    };
    let object: String = db
        .prepare_cached("SELECT org_object FROM mapping WHERE mapping=?")?
        .query_row([link.mapping], |row| row.get(0))?;
    let fits = objects.is_empty() || objects.iter().any(|known| known.eq_ignore_ascii_case(&object));
    Ok(fits.then(|| link.ids.org.as_str().to_owned()))
}

fn store_error(error: &StoreError) -> PortError {
    PortError::new(PortClass::Transient, "STORE", format!("The state database could not be asked: {error}."))
}

impl Referring {
    fn of(&self, object: &str) -> &[(String, String)] {
        self.fields.get(&object.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// Turns the references of records into the platform's ids; what is not linked counts as not returned.
    async fn tell(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        let places: Vec<(usize, String)> = self
            .of(object)
            .iter()
            .filter_map(|(field, target)| Some((selection.position(field)?, target.clone())))
            .collect();
        let mut wanted: Vec<(usize, usize, String, String)> = Vec::new();
        for (number, record) in records.iter().enumerate() {
            for (place, target) in &places {
                if let Some(Some(value)) = record.values.get(*place)
                    && !value.is_blank()
                {
                    wanted.push((number, *place, target.clone(), value.to_string()));
                }
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let (side, newest) = (self.side, self.newest);
        let found = self
            .store
            .write(move |db| {
                let tell = |(number, place, target, id): (usize, usize, String, String)| {
                    Ok((number, place, told(db, side, &target, &id, newest)?))
                };
                wanted.into_iter().map(tell).collect::<Result<Vec<_>, StoreError>>()
            })
            .await
            .map_err(|error| store_error(&error))?;
        for (number, place, id) in found {
            if let Some(slot) = records.get_mut(number).and_then(|record| record.values.get_mut(place)) {
                *slot = id.map(Value::text);
            }
        }
        Ok(())
    }

    /// Turns the references of what a write left into the platform's ids.
    async fn tell_rows(&self, batch: &WriteBatch, rows: &mut [RowResult]) -> Result<(), PortError> {
        for row in rows {
            if let RowResult::Done { record: Some(record), .. } = row {
                self.tell(&batch.object, &batch.read_back, std::slice::from_mut(record)).await?;
            }
        }
        Ok(())
    }

    /// Turns the platform's ids in the rows of a write into the org's; one that is not linked is left alone.
    async fn own_ids(&self, batch: &WriteBatch) -> Result<WriteBatch, PortError> {
        let mut batch = batch.clone();
        let leads_to = |field: &str| {
            let known = self.leads_to.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (batch.object.to_ascii_lowercase(), field.to_ascii_lowercase());
            known.get(&key).cloned().unwrap_or_default()
        };
        let places: Vec<(usize, String, Vec<String>)> = self
            .of(&batch.object)
            .iter()
            .filter_map(|(field, target)| {
                Some((batch.selection.position(field)?, target.clone(), leads_to(field)))
            })
            .collect();
        for (place, target, objects) in places {
            let values: Vec<Option<String>> = batch
                .rows
                .iter()
                .map(|row| {
                    let value = row.values.get(place)?.as_ref().filter(|value| !value.is_blank())?;
                    Some(value.to_string())
                })
                .collect();
            let ids = self
                .store
                .write(move |db| {
                    let own = |value: Option<String>| match value {
                        Some(value) => Ok(Some(org_id(db, &target, &value, &objects)?)),
                        None => Ok(None),
                    };
                    values.into_iter().map(own).collect::<Result<Vec<_>, StoreError>>()
                })
                .await
                .map_err(|error| store_error(&error))?;
            for (row, id) in batch.rows.iter_mut().zip(ids) {
                if let (Some(slot), Some(id)) = (row.values.get_mut(place), id) {
                    *slot = id.map(Value::text);
                }
            }
        }
        Ok(batch)
    }
}

#[async_trait]
impl Layer for Referring {
    fn inner(&self) -> &dyn Endpoint {
        &*self.inner
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let schemas = self.inner.describe(objects).await?;
        let mut known = self.leads_to.lock().unwrap_or_else(PoisonError::into_inner);
        for schema in &schemas {
            for (name, _) in self.of(&schema.name) {
                if let Some(field) = schema.field(name) {
                    let key = (schema.name.to_ascii_lowercase(), name.to_ascii_lowercase());
                    known.insert(key, field.references.clone());
                }
            }
        }
        drop(known);
        Ok(schemas)
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let mut records = self.inner.read(object, selection, ids).await?;
        self.tell(object, selection, &mut records).await?;
        Ok(records)
    }

    async fn read_early(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.inner.read_early(object, selection, ids).await
    }

    async fn settle(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        self.tell(object, selection, records).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        let own = match self.side {
            Side::Org => self.own_ids(batch).await?,
            Side::Platform => return self.inner.write(batch).await,
        };
        let mut written = self.inner.write(&own).await?;
        if let Written::Rows(rows) = &mut written {
            self.tell_rows(batch, rows).await?;
        }
        Ok(written)
    }

    async fn carry_out(&self, job: &Job, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let own = match self.side {
            Side::Org => self.own_ids(batch).await?,
            Side::Platform => return self.inner.carry_out(job, batch).await,
        };
        let mut rows = self.inner.carry_out(job, &own).await?;
        self.tell_rows(batch, &mut rows).await?;
        Ok(rows)
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        let mut records = self.inner.find(object, selection, by).await?;
        self.tell(object, selection, &mut records).await?;
        Ok(records)
    }

    async fn find_early(
        &self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        self.inner.find_early(object, selection, by).await
    }
}

impl Session<'_> {
    /// Tells the references of what was staged, now that the records before it are linked; gives those that have to wait for a parent,
    /// by mapping, side and id.
    pub(super) async fn settle(&self, items: &mut [Item]) -> Result<Vec<(i64, Side, RecordId)>, End> {
        let mut waiting = Vec::new();
        for side in Side::BOTH {
            for object in self.objects(side) {
                let has_references = self.mappings.iter().any(|mapping| {
                    let spec = &mapping.compiled.spec;
                    spec.object(side) == object
                        && spec.pairs.iter().any(|pair| matches!(pair.transform, Transform::Reference(_)))
                });
                if !has_references {
                    continue;
                }
                let of_object = |item: &Item| {
                    self.mappings
                        .get(item.mapping)
                        .is_some_and(|mapping| mapping.compiled.spec.object(side) == object)
                };
                let mut places = Vec::new();
                let mut records = Vec::new();
                for (place, item) in items.iter_mut().enumerate() {
                    if of_object(item)
                        && let Some(staged) = &mut item.records[side]
                    {
                        places.push(place);
                        records.push(staged.record.clone());
                    }
                }
                let selection = self.selection(side, &object);
                let before: Vec<usize> = records.iter().map(returned).collect();
                self.context.endpoints[side].settle(&object, &selection, &mut records).await?;
                for ((place, record), before) in places.into_iter().zip(records).zip(before) {
                    let Some(item) = items.get_mut(place) else { continue };
                    if returned(&record) < before
                        && let Some(mapping) = self.mappings.get(item.mapping)
                    {
                        waiting.push((mapping.row.mapping, side, record.id.clone()));
                    }
                    if let Some(staged) = &mut item.records[side] {
                        staged.record = record;
                    }
                }
            }
        }
        Ok(waiting)
    }

    /// Whether references have to be told.
    pub(super) fn has_references(&self) -> bool {
        let refers = |pair: &CompiledPair| matches!(pair.spec.transform, Transform::Reference(_));
        self.mappings.iter().any(|mapping| mapping.compiled.pairs.iter().any(refers))
    }

    /// Ends a chunk where another mapping begins, if references have to be told: what they lead to is linked once its own chunk is done.
    pub(super) fn cut_before_children(&self, chunk: &mut Vec<Work>) {
        if !self.has_references() {
            return;
        }
        let first = chunk.first().map(|work| work.mapping);
        let end = chunk.iter().position(|work| Some(work.mapping) != first).unwrap_or(chunk.len());
        chunk.truncate(end);
    }

    /// Puts the items that wait for a parent behind all work that is there; gives the others. One that gives up its key is not put off,
    /// since another may be created under it.
    pub(super) async fn put_behind(
        &self,
        items: Vec<Item>,
        waiting: &mut Vec<(i64, Side, RecordId)>,
    ) -> Result<Vec<Item>, End> {
        let (mut kept, mut put_off) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            let Some(mapping) = self.mappings.get(item.mapping) else { continue };
            let is_it = |(number, side, id): &(i64, Side, RecordId)| {
                *number == mapping.row.mapping && item.decision.line.ids[*side].as_ref() == Some(id)
            };
            let keys = &mapping.compiled.keys;
            let mut changed = item.decision.line.changes.iter().filter_map(|change| change.pair);
            let frees = item.link.is_some() && changed.any(|pair| keys.contains(&pair));
            if !frees && waiting.iter().any(is_it) {
                waiting.retain(|one| !is_it(one));
                put_off.push(item.work);
            } else {
                kept.push(item);
            }
        }
        if !put_off.is_empty() {
            let behind =
                move |db: &Connection| put_off.iter().try_for_each(|number| work::put_behind(db, *number));
            self.context.store.write(behind).await?;
        }
        Ok(kept)
    }

    /// Keeps the records that wait for a parent, to be looked at again.
    pub(super) async fn await_parents(&self, waiting: Vec<(i64, Side, RecordId)>) -> Result<(), End> {
        if waiting.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.context
            .store
            .write(move |db| {
                for (mapping, side, id) in &waiting {
                    pending::put(db, *mapping, *side, id, WAITS_FOR_PARENT, now, Some(now + PATIENCE))?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Where this run has linked something, those that wait for a parent are looked at in the next one.
    pub(super) async fn wake_children(&self) -> Result<(), End> {
        if self.counts.created() > 0 {
            let now = self.now();
            self.context.store.write(move |db| pending::wake(db, WAITS_FOR_PARENT, now)).await?;
        }
        Ok(())
    }
}

fn returned(record: &Record) -> usize {
    record.values.iter().flatten().count()
}
