//! Reads ahead what many entries of the journal need, so that a job of thousands of rows is looked up in a few calls.

use std::collections::{BTreeMap, HashMap};

use crate::domain::port::{Finder, PortClass, WriteKind};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::journal::Entry;

/// Fewer entries are looked up one by one.
const WORTH_IT: usize = 200;

type Place = (usize, Side);

/// What was read ahead.
#[derive(Default)]
pub(super) struct Ahead {
    /// Targets of updates, by id.
    held: HashMap<Place, HashMap<RecordId, Record>>,
    /// Results of creates, by the id of their source.
    created: HashMap<Place, HashMap<RecordId, Vec<Record>>>,
}

impl Ahead {
    /// The targets of updates, as far as they are there; `None` if they were not read ahead.
    pub(super) fn held(&self, place: Place) -> Option<&HashMap<RecordId, Record>> {
        self.held.get(&place)
    }

    /// The results of a create; `None` if they were not looked for.
    pub(super) fn created(&self, place: Place, source: &RecordId) -> Option<Vec<Record>> {
        self.created.get(&place)?.get(source).cloned()
    }
}

impl Session<'_> {
    /// Reads ahead for these entries.
    pub(super) async fn look_ahead(&self, open: &[Entry]) -> Result<Ahead, End> {
        let mut ahead = Ahead::default();
        if open.len() < WORTH_IT {
            return Ok(ahead);
        }
        let mut groups: BTreeMap<(usize, u8, bool), Vec<&Entry>> = BTreeMap::new();
        for entry in open {
            let place = self.mappings.iter().position(|mapping| mapping.row.mapping == entry.mapping);
            let creates = match entry.kind {
                WriteKind::Create => true,
                WriteKind::Update => false,
                WriteKind::Delete => continue,
            };
            if let Some(place) = place {
                groups
                    .entry((place, u8::from(entry.side == Side::Platform), creates))
                    .or_default()
                    .push(entry);
            }
        }
        for ((place, _, creates), entries) in groups {
            self.context.control.checkpoint().await?;
            let Some(side) = entries.first().map(|entry| entry.side) else { continue };
            if creates {
                self.created_ahead(&mut ahead, place, side, &entries).await?;
            } else {
                let ids: Vec<RecordId> = entries.iter().filter_map(|entry| entry.target.clone()).collect();
                let mapping = &self.mappings[place].compiled;
                let records = self.context.endpoints[side]
                    .read(mapping.spec.object(side), &mapping.selection[side], &ids)
                    .await?;
                let records = records.into_iter().map(|record| (record.id.clone(), record)).collect();
                ahead.held.insert((place, side), records);
            }
        }
        Ok(ahead)
    }

    /// By the mark where there is one, then by a key of one field; what neither can tell stays open.
    async fn created_ahead(
        &self,
        ahead: &mut Ahead,
        place: usize,
        side: Side,
        entries: &[&Entry],
    ) -> Result<(), End> {
        let mapping = &self.mappings[place].compiled;
        let mut found: HashMap<RecordId, Vec<Record>> = HashMap::new();
        if let Some(mark) = mapping.spec.mark(side) {
            let sources = || entries.iter().filter_map(|entry| entry.source.as_ref());
            let values = sources().map(|source| Value::text(source.as_str())).collect();
            let Some(by_mark) = self.by_value(place, side, mark, values).await? else { return Ok(()) };
            for source in sources() {
                let records = by_mark.get(&plain(&Value::text(source.as_str()))).cloned().unwrap_or_default();
                found.insert(source.clone(), records);
            }
        }
        let fields = mapping.key_fields(side);
        let left: Vec<(&RecordId, &Value)> = entries
            .iter()
            .filter_map(|entry| match (entry.source.as_ref(), entry.key.as_slice()) {
                (Some(source), [key]) if !key.is_blank() => Some((source, key)),
                _ => None,
            })
            .filter(|(source, _)| found.get(*source).is_none_or(Vec::is_empty))
            .collect();
        match fields.as_slice() {
            [field] if !left.is_empty() => {
                let values = left.iter().map(|(_, key)| (*key).clone()).collect();
                let Some(by_key) = self.by_value(place, side, field, values).await? else { return Ok(()) };
                for (source, key) in left {
                    found.insert(source.clone(), by_key.get(&plain(key)).cloned().unwrap_or_default());
                }
            }
            [] | [_] => {}
            // A key of several fields is looked up one by one, where the mark found nothing.
            _ => found.retain(|_, records| !records.is_empty()),
        }
        ahead.created.insert((place, side), found);
        Ok(())
    }

    /// Records by what a field holds; `None` where this side can't be searched by it.
    async fn by_value(
        &self,
        place: usize,
        side: Side,
        field: &str,
        values: Vec<Value>,
    ) -> Result<Option<HashMap<String, Vec<Record>>>, End> {
        let mapping = &self.mappings[place].compiled;
        let selection = &mapping.selection[side];
        let width = selection.len();
        let names = selection.names().iter().map(AsRef::as_ref).chain([field]);
        let wider = Selection::new(names);
        let Some(at) = wider.position(field) else { return Ok(None) };
        let finder = Finder::Field { field: field.to_owned(), values };
        let records =
            match self.context.endpoints[side].find(mapping.spec.object(side), &wider, &finder).await {
                Ok(records) => records,
                Err(error) if error.class == PortClass::Settings => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        let mut by_value: HashMap<String, Vec<Record>> = HashMap::new();
        for mut record in records {
            let Some(Some(value)) = record.values.get(at).cloned() else { continue };
            record.values.truncate(width);
            by_value.entry(plain(&value)).or_default().push(record);
        }
        Ok(Some(by_value))
    }
}

/// As sides compare keys: capitals and blanks around do not count.
fn plain(value: &Value) -> String {
    value.to_string().trim().to_lowercase()
}
