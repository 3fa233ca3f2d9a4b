//! Reads the sample from both sides: of each mapping the records that were changed last, the ends of links together, records of the same
//! key together, and the parents that references lead to. Only reads.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::connect::platform::Platform;
use crate::connect::salesforce::{Salesforce, full_id};
use crate::domain::criteria::Criteria;
use crate::domain::identity::key_across;
use crate::domain::mapping::Mapping;
use crate::domain::port::{Endpoint, Finder, ScanRequest, Source};
use crate::domain::profile::Profile;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::rehearsal::Uncopied;
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Session;

/// Objects that ids of the org are told by; others are found through the fields that lead to them.
const PREFIXES: &[(&str, &str)] = &[
    ("001", "Account"),
    ("003", "Contact"),
    ("005", "User"),
    ("006", "Opportunity"),
    ("00G", "Group"),
    ("00Q", "Lead"),
    ("012", "RecordType"),
    ("701", "Campaign"),
];

/// What tells a user, a record type or any parent apart, as far as the object has it.
const NAMES: &[&str] =
    &["Name", "FirstName", "LastName", "Username", "Email", "IsActive", "DeveloperName", "SobjectType"];

/// How many generations of parents are copied.
const GENERATIONS: usize = 3;

/// Pages of a scan that are looked at for records that only the platform has.
const PAGES: usize = 3;

/// The sampled records of one object of one side.
pub(super) struct Sampled {
    pub(super) side: Side,
    /// What the side says of it.
    pub(super) schema: ObjectSchema,
    /// The fields that the mappings need, paths included.
    pub(super) needed: Vec<String>,
    /// What was read.
    pub(super) selection: Selection,
    /// The records, each once.
    pub(super) records: Vec<Record>,
    known: HashSet<RecordId>,
}

impl Sampled {
    /// The value of a field, if it was read.
    pub(super) fn value<'r>(&self, record: &'r Record, field: &str) -> Option<&'r Value> {
        record.values.get(self.selection.position(field)?)?.as_ref()
    }

    fn keep(&mut self, record: Record) {
        if self.known.insert(record.id.clone()) {
            self.records.push(record);
        }
    }
}

/// Which records of a mapping were sampled.
#[derive(Default)]
pub(super) struct Share {
    pub(super) ids: PerSide<HashSet<RecordId>>,
    pub(super) linked: u64,
}

/// Everything that was read.
#[derive(Default)]
pub(super) struct Sample {
    pub(super) objects: Vec<Sampled>,
    /// By the names of the mappings.
    pub(super) shares: HashMap<String, Share>,
}

impl Sample {
    pub(super) fn get(&self, side: Side, object: &str) -> Option<&Sampled> {
        self.objects.iter().find(|known| known.side == side && known.schema.name.eq_ignore_ascii_case(object))
    }

    fn place(&self, side: Side, object: &str) -> Option<usize> {
        self.objects
            .iter()
            .position(|known| known.side == side && known.schema.name.eq_ignore_ascii_case(object))
    }
}

/// Both connections.
pub(super) struct Ends {
    pub(super) org: Arc<Salesforce>,
    pub(super) platform: Arc<dyn Platform>,
}

impl Ends {
    fn of(&self, side: Side) -> &dyn Endpoint {
        match side {
            Side::Org => self.org.as_ref(),
            Side::Platform => self.platform.as_ref(),
        }
    }
}

/// Reads it.
pub(super) struct Taking<'a> {
    pub(super) session: &'a Session,
    pub(super) ends: Ends,
    pub(super) profile: Option<&'static Profile>,
    /// Records of each mapping.
    pub(super) most: usize,
    pub(super) sample: Sample,
    pub(super) uncopied: Vec<Uncopied>,
}

impl Taking<'_> {
    /// Reads what the sides say of the objects of these mappings; mappings whose objects can't be seen are taken out.
    pub(super) async fn describe(&mut self, mappings: &mut Vec<Mapping>) -> Result<(), OpError> {
        for side in Side::BOTH {
            let mut names: Vec<String> =
                mappings.iter().map(|mapping| mapping.object(side).to_owned()).collect();
            names.sort_by_key(|name| name.to_lowercase());
            names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
            for schema in self.ends.of(side).describe(&names).await? {
                self.add(side, schema);
            }
        }
        let seen = |sample: &Sample, mapping: &Mapping| {
            Side::BOTH.into_iter().find(|side| sample.get(*side, mapping.object(*side)).is_none())
        };
        for mapping in mappings.iter() {
            if let Some(side) = seen(&self.sample, mapping) {
                self.uncopied.push(Uncopied {
                    mapping: Some(mapping.name.clone()),
                    what: mapping.object(side).to_owned(),
                    why: format!(
                        "{} has no such object that this user can see; the mapping is left out",
                        side.place()
                    ),
                });
            }
        }
        mappings.retain(|mapping| seen(&self.sample, mapping).is_none());
        for mapping in mappings.iter() {
            for side in Side::BOTH {
                self.need(side, mapping.object(side), fields_of(mapping, side));
            }
        }
        for place in 0..self.sample.objects.len() {
            self.select(place);
        }
        Ok(())
    }

    fn add(&mut self, side: Side, schema: ObjectSchema) {
        if self.sample.get(side, &schema.name).is_some() {
            return;
        }
        let needed = schema
            .fields
            .iter()
            .filter(|field| field.required && field.createable && !field.name.contains('.'))
            .chain(schema.fields.iter().filter(|field| {
                side == Side::Org && matches!(field.name.as_str(), "IsPersonAccount" | "RecordTypeId")
            }))
            .map(|field| field.name.clone())
            .collect();
        self.sample.objects.push(Sampled {
            side,
            schema,
            needed,
            selection: Selection::default(),
            records: Vec::new(),
            known: HashSet::new(),
        });
    }

    fn need(&mut self, side: Side, object: &str, fields: Vec<String>) {
        let Some(sampled) =
            self.sample.place(side, object).and_then(|place| self.sample.objects.get_mut(place))
        else {
            return;
        };
        for field in fields {
            if !sampled.needed.iter().any(|known| known.eq_ignore_ascii_case(&field)) {
                sampled.needed.push(field);
            }
        }
    }

    /// What is read of an object: what is needed of it, and the references that paths begin with.
    fn select(&mut self, place: usize) {
        let Some(sampled) = self.sample.objects.get_mut(place) else { return };
        let schema = &sampled.schema;
        let own = sampled.needed.iter().filter_map(|name| match name.split_once('.') {
            Some((head, _)) if sampled.side == Side::Org => schema
                .fields
                .iter()
                .find(|field| {
                    field.relationship.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(head))
                })
                .map(|field| field.name.as_str()),
            // A platform may have fields that it does not describe.
            Some(_) | None if sampled.side == Side::Platform => Some(name.as_str()),
            Some(_) | None => schema.field(name).map(|field| field.name.as_str()),
        });
        sampled.selection = Selection::new(own.collect::<Vec<_>>());
    }

    /// Reads the records of a mapping.
    pub(super) async fn take(&mut self, mapping: &Mapping) -> Result<(), OpError> {
        let mut share = Share::default();
        let (object, selection) = self.asked(mapping, Side::Org);
        let criteria = self.criteria(mapping, Side::Org);
        let recent = self.ends.org.recent(&object, &selection, criteria.as_ref(), self.most).await?;
        // A shadow of a person account is copied with its account.
        let is_shadow = |record: &Record| {
            let place = selection.position("IsPersonAccount");
            object.eq_ignore_ascii_case("Contact")
                && place.and_then(|place| record.values.get(place)?.clone()) == Some(Value::Bool(true))
        };
        let recent: Vec<Record> = recent.into_iter().filter(|record| !is_shadow(record)).collect();
        let begun = recent.len();
        self.keep_with_others(mapping, Side::Org, recent, &mut share).await?;
        let room = (self.most / 4).max(self.most.saturating_sub(begun));
        let alone = self.on_platform(mapping, room, &share).await?;
        self.keep_with_others(mapping, Side::Platform, alone, &mut share).await?;
        self.sample.shares.insert(mapping.name.clone(), share);
        Ok(())
    }

    /// What a record must meet today.
    fn criteria(&self, mapping: &Mapping, side: Side) -> Option<Criteria> {
        let criteria = mapping.criteria(side).and_then(|text| Criteria::parse(text).ok());
        criteria.map(|criteria| criteria.at(self.session.clock().now()))
    }

    fn asked(&self, mapping: &Mapping, side: Side) -> (String, Selection) {
        let object = mapping.object(side).to_owned();
        let selection =
            self.sample.get(side, &object).map(|known| known.selection.clone()).unwrap_or_default();
        (object, selection)
    }

    /// Records of the platform that are not in the sample yet, the ones that were changed last first as far as the pages show it.
    async fn on_platform(
        &self,
        mapping: &Mapping,
        room: usize,
        share: &Share,
    ) -> Result<Vec<Record>, OpError> {
        let (object, selection) = self.asked(mapping, Side::Platform);
        let source = self.ends.of(Side::Platform);
        let criteria = self.criteria(mapping, Side::Platform);
        let mut request = ScanRequest { object, selection, criteria, mark: None };
        let mut found: Vec<Record> = Vec::new();
        for _ in 0..PAGES {
            let page = source.scan(&request).await?;
            found.extend(page.records.into_iter().filter(|record| !share.ids.platform.contains(&record.id)));
            request.mark = page.next;
            if request.mark.is_none() || found.len() >= room {
                break;
            }
        }
        if let Some(mark) = &request.mark {
            source.forsake(mark).await;
        }
        found.sort_by(|one, other| other.stamp.cmp(&one.stamp).then_with(|| one.id.cmp(&other.id)));
        found.dedup_by(|one, other| one.id == other.id);
        found.truncate(room);
        Ok(found)
    }

    /// Keeps records of a side with their counterparts: the linked ones, and those of the same key.
    async fn keep_with_others(
        &mut self,
        mapping: &Mapping,
        side: Side,
        records: Vec<Record>,
        share: &mut Share,
    ) -> Result<(), OpError> {
        if records.is_empty() {
            return Ok(());
        }
        let other = side.other();
        let ids: Vec<RecordId> = records.iter().map(|record| record.id.clone()).collect();
        let (name, asked) = (mapping.name.clone(), ids.clone());
        let linked = read::read(self.session, move |reader| reader.linked(&name, side, &asked)).await?;
        let ends: Vec<RecordId> = linked.iter().flatten().cloned().collect();
        let alone = records.iter().enumerate().filter(|(at, _)| linked.get(*at).is_none_or(Option::is_none));
        let (own, selection) = self.asked(mapping, side);
        let (mut fields, mut rows): (Vec<String>, Vec<Vec<Value>>) = (Vec::new(), Vec::new());
        for (_, record) in alone {
            if let Some((names, values)) = key_across(mapping, side, &selection, record) {
                fields = names;
                rows.push(values);
            }
        }
        let (theirs, wanted) = self.asked(mapping, other);
        let mut found = Vec::new();
        if !ends.is_empty() {
            found = self.ends.of(other).read(&theirs, &wanted, &ends).await?;
            share.linked += found.len() as u64;
        }
        if !rows.is_empty() {
            let finder = match fields.as_slice() {
                [field] => {
                    Finder::Field { field: field.clone(), values: rows.into_iter().flatten().collect() }
                }
                _ => Finder::Fields { fields, rows },
            };
            found.extend(self.ends.of(other).find(&theirs, &wanted, &finder).await?);
        }
        for (side, object, records) in [(side, own, records), (other, theirs, found)] {
            share.ids[side].extend(records.iter().map(|record| record.id.clone()));
            if let Some(place) = self.sample.place(side, &object)
                && let Some(sampled) = self.sample.objects.get_mut(place)
            {
                for record in records {
                    sampled.keep(record);
                }
            }
        }
        Ok(())
    }

    /// Reads what references of the org lead to, the users that records of the platform belong to, and what the settings name by its id.
    pub(super) async fn parents(&mut self, named: &[RecordId]) -> Result<(), OpError> {
        for generation in 0..GENERATIONS {
            let mut wanted: Vec<(String, RecordId, Option<String>)> = Vec::new();
            if generation == 0 {
                let known =
                    named.iter().filter_map(|id| Some((object_of(id.as_str(), &[])?, id.clone(), None)));
                wanted.extend(known);
                for sampled in self.sample.objects.iter().filter(|sampled| sampled.side == Side::Platform) {
                    owners(sampled, self.profile, &mut wanted);
                }
            }
            for sampled in self.sample.objects.iter().filter(|sampled| sampled.side == Side::Org) {
                references(sampled, &mut wanted);
            }
            wanted.retain(|(object, id, _)| {
                self.sample.get(Side::Org, object).is_none_or(|known| !known.known.contains(id))
            });
            if wanted.is_empty() {
                return Ok(());
            }
            let mut objects: Vec<String> = wanted.iter().map(|(object, _, _)| object.clone()).collect();
            objects.sort();
            objects.dedup();
            let unknown: Vec<String> =
                objects.iter().filter(|name| self.sample.get(Side::Org, name).is_none()).cloned().collect();
            if !unknown.is_empty() {
                for schema in self.ends.org.describe(&unknown).await? {
                    self.add(Side::Org, schema);
                }
            }
            for object in objects {
                self.parents_of(&object, &wanted).await?;
            }
        }
        Ok(())
    }

    async fn parents_of(
        &mut self,
        object: &str,
        wanted: &[(String, RecordId, Option<String>)],
    ) -> Result<(), OpError> {
        let of_object = || wanted.iter().filter(|(of, _, _)| of == object);
        let Some(place) = self.sample.place(Side::Org, object) else {
            self.uncopied.push(Uncopied {
                mapping: None,
                what: object.to_owned(),
                why: "this user can't see that object; references to it stay blank".into(),
            });
            return Ok(());
        };
        let more = of_object().filter_map(|(_, _, field)| field.clone());
        let fields = NAMES.iter().map(|name| (*name).to_owned()).chain(more).collect();
        if self.sample.objects.get(place).is_some_and(|known| known.records.is_empty()) {
            self.need(Side::Org, object, fields);
            self.select(place);
        }
        let Some(sampled) = self.sample.objects.get_mut(place) else { return Ok(()) };
        let mut ids: Vec<RecordId> = of_object().map(|(_, id, _)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        let found = self.ends.org.read(object, &sampled.selection, &ids).await?;
        for record in found {
            sampled.keep(record);
        }
        // What can't be read is not asked for in the next generation again.
        sampled.known.extend(ids);
        Ok(())
    }
}

/// The fields of a side that a mapping reads, writes or tests.
fn fields_of(mapping: &Mapping, side: Side) -> Vec<String> {
    let criteria = mapping.criteria(side).and_then(|text| Criteria::parse(text).ok());
    let of_pairs = mapping.pairs.iter().flat_map(|pair| pair.fields(side).iter().cloned());
    let tested = criteria.iter().flat_map(Criteria::fields);
    let mark = mapping.mark(side).map(str::to_owned);
    let defaults = mapping.default.iter().filter(|default| default.side == side);
    let inactive = mapping.deactivation(side).map(|chosen| chosen.field.clone());
    let of_org = mapping.skip_create_when_blank.iter().cloned().chain(mapping.flag().map(str::to_owned));
    of_pairs
        .chain(tested)
        .chain(mark)
        .chain(defaults.map(|default| default.field.clone()))
        .chain(inactive)
        .chain(of_org.filter(|_| side == Side::Org))
        .filter(|name| !name.eq_ignore_ascii_case("Id"))
        .collect()
}

/// The users of the org that sampled records of the platform name.
fn owners(
    sampled: &Sampled,
    profile: Option<&'static Profile>,
    wanted: &mut Vec<(String, RecordId, Option<String>)>,
) {
    let Some(object) = profile.and_then(|profile| profile.object(&sampled.schema.name)) else { return };
    for field in object.org_user_fields() {
        let ids =
            sampled.records.iter().filter_map(|record| full_id(sampled.value(record, field)?.as_text()?));
        wanted.extend(ids.filter_map(|id| Some((object_of(id.as_str(), &[])?, id, None))));
    }
}

/// What the references of sampled records lead to, with the fields that paths through them name.
fn references(sampled: &Sampled, wanted: &mut Vec<(String, RecordId, Option<String>)>) {
    for field in sampled.schema.fields.iter().filter(|field| field.kind == FieldKind::Reference) {
        if sampled.selection.position(&field.name).is_none() {
            continue;
        }
        let tails: Vec<&str> = sampled
            .needed
            .iter()
            .filter_map(|name| name.split_once('.'))
            .filter(|(head, _)| {
                field.relationship.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(head))
            })
            .map(|(_, tail)| tail)
            .collect();
        for record in &sampled.records {
            let Some(id) = sampled.value(record, &field.name).and_then(Value::as_text).and_then(full_id)
            else {
                continue;
            };
            let Some(object) = object_of(id.as_str(), &field.references) else { continue };
            wanted.push((object.clone(), id.clone(), None));
            wanted.extend(tails.iter().map(|tail| (object.clone(), id.clone(), Some((*tail).to_owned()))));
        }
    }
}

/// The object of an id: the only one that the field may lead to, else the one that ids of that beginning belong to.
fn object_of(id: &str, references: &[String]) -> Option<String> {
    if let [only] = references {
        return Some(only.clone());
    }
    let (_, object) = PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix))?;
    Some((*object).to_owned())
}

/// Ids of the org that a text of settings names.
pub(super) fn ids_in(settings: &serde_json::Value) -> Vec<RecordId> {
    let mut found = Vec::new();
    let mut todo = vec![settings];
    while let Some(value) = todo.pop() {
        match value {
            serde_json::Value::String(text) => found.extend(literal(text)),
            serde_json::Value::Array(items) => todo.extend(items),
            serde_json::Value::Object(entries) => {
                found.extend(entries.keys().filter_map(|name| literal(name)));
                todo.extend(entries.values());
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }
    found.sort();
    found.dedup();
    found
}

/// An id that stands for itself: 18 characters, or 15 of an object that ids are told by.
fn literal(text: &str) -> Option<RecordId> {
    let known = PREFIXES.iter().any(|(prefix, _)| text.starts_with(prefix));
    full_id(text).filter(|_| known)
}
