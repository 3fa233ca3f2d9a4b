//! Pulls one record into the editor, with its counterpart: by id, by the value of its key, or any. Nothing is written.

use std::sync::Arc;

use crate::connect::salesforce::id::full_id;
use crate::domain::criteria::Criteria;
use crate::domain::identity::key_across;
use crate::domain::mapping::Mapping;
use crate::domain::port::{Endpoint, Finder, ScanRequest};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::sample::{Met, Pulled, PulledRecord};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::domain::why::{WhyLink, WhyQuery};
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{connections, describe, read, secrets};

/// Records that are looked at to find one that takes part.
const LOOKED_AT: usize = 20;

/// Both connections with what is read of a mapping's objects.
struct Puller<'a> {
    mapping: &'a Mapping,
    ends: PerSide<Arc<dyn Endpoint>>,
    selections: PerSide<Selection>,
    /// What a record of the org must meet today to take part.
    criteria: Option<Criteria>,
}

/// Pulls a record of a mapping as it is written now, saved or not. `wanted` is an id of either side or the value of the key; without it,
/// some record of the org that takes part, else one of the platform.
pub async fn pull(session: &Session, mapping: &Mapping, wanted: Option<&str>) -> Result<Pulled, OpError> {
    let wanted = wanted.map(str::trim).filter(|wanted| !wanted.is_empty());
    let settings = session.settings();
    let around = session.surroundings();
    let org_secrets = secrets::read(session, &settings, Side::Org, &[]).await?;
    let platform_secrets = secrets::read(session, &settings, Side::Platform, &[]).await?;
    let org = Arc::new(connections::salesforce(&settings, &org_secrets, &around)?);
    let platform = connections::platform(&settings, &platform_secrets, &around)?;
    let mut selections = PerSide::default();
    for side in Side::BOTH {
        let schema = describe::object(session, side, mapping.object(side)).await?;
        selections[side] = selection(mapping, side, &schema);
    }
    let some = match wanted {
        Some(_) => Vec::new(),
        None => org.some(&mapping.org_object, &selections.org, LOOKED_AT).await?,
    };
    let ends: PerSide<Arc<dyn Endpoint>> = PerSide { org, platform };
    let criteria = mapping.criteria(Side::Org).and_then(|text| Criteria::parse(text).ok());
    let criteria = criteria.map(|criteria| criteria.at(session.clock().now()));
    let puller = Puller { mapping, ends, selections, criteria };
    let (side, record) = match wanted {
        Some(wanted) => puller.named(wanted).await?,
        None => puller.any(some).await?,
    };
    let (met, other) = puller.counterpart(session, side, &record).await?;
    let mut records: PerSide<Option<PulledRecord>> = PerSide::default();
    let pulled = |side: Side, record| PulledRecord { selection: puller.selections[side].clone(), record };
    records[side] = Some(pulled(side, record));
    records[side.other()] = other.map(|record| pulled(side.other(), record));
    Ok(Pulled { records, met })
}

/// Everything of an object that a pair may be made of, and what its pairs and criteria name.
fn selection(mapping: &Mapping, side: Side, schema: &ObjectSchema) -> Selection {
    let own = schema
        .fields
        .iter()
        .filter(|field| {
            field.kind != FieldKind::Other && (side == Side::Platform || !field.name.contains('.'))
        })
        .map(|field| field.name.clone());
    let criteria = mapping.criteria(side).and_then(|text| Criteria::parse(text).ok());
    let named = mapping
        .pairs
        .iter()
        .flat_map(|pair| pair.fields(side).iter().cloned())
        .chain(criteria.iter().flat_map(Criteria::fields))
        // A name that the org does not know would refuse the whole read.
        .filter(|name| side == Side::Platform || schema.field(name).is_some());
    Selection::new(own.chain(named))
}

impl Puller<'_> {
    fn object(&self, side: Side) -> &str {
        self.mapping.object(side)
    }

    async fn by_id(&self, side: Side, id: RecordId) -> Result<Option<Record>, OpError> {
        let ids = [id];
        let found = self.ends[side].read(self.object(side), &self.selections[side], &ids).await?;
        Ok(found.into_iter().next())
    }

    async fn any(&self, some: Vec<Record>) -> Result<(Side, Record), OpError> {
        let takes_part = |record: &Record| {
            let member =
                self.criteria.as_ref().is_none_or(|criteria| criteria.admit(&self.selections.org, record));
            member && self.key(Side::Org, record).is_some()
        };
        let place = some.iter().position(takes_part).unwrap_or(0);
        if let Some(record) = some.into_iter().nth(place) {
            return Ok((Side::Org, record));
        }
        let request = ScanRequest {
            object: self.object(Side::Platform).to_owned(),
            selection: self.selections.platform.clone(),
            criteria: None,
            mark: None,
        };
        let page = self.ends.platform.scan(&request).await?;
        if let Some(mark) = &page.next {
            self.ends.platform.forsake(mark).await;
        }
        page.records.into_iter().next().map(|record| (Side::Platform, record)).ok_or_else(|| {
            OpError::failed("Neither side has a record of this mapping yet.").code("no_record")
        })
    }

    /// The record that an id or the value of the key names.
    async fn named(&self, wanted: &str) -> Result<(Side, Record), OpError> {
        if let Some(id) = full_id(wanted)
            && let Some(record) = self.by_id(Side::Org, id).await?
        {
            return Ok((Side::Org, record));
        }
        let mut keys = self.mapping.pairs.iter().filter(|pair| pair.key);
        if let (Some(key), None) = (keys.next(), keys.next()) {
            for side in Side::BOTH {
                let [field] = key.fields(side) else { continue };
                let finder = Finder::Field { field: field.clone(), values: vec![Value::text(wanted)] };
                let found = self.ends[side].find(self.object(side), &self.selections[side], &finder).await?;
                if let Some(record) = found.into_iter().next() {
                    return Ok((side, record));
                }
            }
        }
        // A platform may refuse what can't be one of its ids; then it has no such record.
        if let Ok(Some(record)) = self.by_id(Side::Platform, RecordId::new(wanted)).await {
            return Ok((Side::Platform, record));
        }
        Err(OpError::settings(format!(
            "No record of this mapping has “{wanted}” as its id or key on either side. Take an id of Salesforce, one of the platform, or the value of the key."
        ))
        .code("no_record"))
    }

    /// The key of a record as the other side would hold it; nothing where a part is blank or can't be turned.
    fn key(&self, side: Side, record: &Record) -> Option<(Vec<String>, Vec<Value>)> {
        key_across(self.mapping, side, &self.selections[side], record)
    }

    /// The record of the other side: the linked one, else the one of the same key.
    async fn counterpart(
        &self,
        session: &Session,
        side: Side,
        record: &Record,
    ) -> Result<(Met, Option<Record>), OpError> {
        let other = side.other();
        if let Some(id) = self.linked(session, side, &record.id).await
            && let Some(found) = self.by_id(other, id).await?
        {
            return Ok((Met::Linked, Some(found)));
        }
        let Some((mut fields, mut values)) = self.key(side, record) else { return Ok((Met::BlankKey, None)) };
        let finder = if fields.len() == 1 {
            Finder::Field { field: fields.remove(0), values }
        } else {
            Finder::Fields { fields, rows: vec![std::mem::take(&mut values)] }
        };
        let mut found = self.ends[other].find(self.object(other), &self.selections[other], &finder).await?;
        Ok(match found.len() {
            0 => (Met::Alone, None),
            1 => (Met::ByKey, found.pop()),
            _ => (Met::Several, None),
        })
    }

    /// A workspace without a state, or a mapping that was never saved, has no links.
    async fn linked(&self, session: &Session, side: Side, id: &RecordId) -> Option<RecordId> {
        let query = WhyQuery { object: None, id: id.to_string(), field: None };
        let known = read::read(session, move |reader| reader.why(&query)).await.ok()?;
        let of_this = known.into_iter().find(|known| {
            known.mapping == self.mapping.name
                && known.ids[side].as_ref() == Some(id)
                && matches!(known.link, WhyLink::Linked { .. })
        })?;
        of_this.ids[side.other()].clone()
    }
}
