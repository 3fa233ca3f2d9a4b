//! Mappings checked against what both sides describe, with names turned into places, ready for a run.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::canonical::{Form, canonical, is_canonical};
use crate::domain::criteria::Criteria;
use crate::domain::mapping::{Direction, Mapping, Pair};
use crate::domain::record::{Record, Selection};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;

mod deactivation;
mod encoded;

/// All mappings of a run.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// In the order of the settings file; members of a family keep their precedence.
    pub mappings: Vec<CompiledMapping>,
    /// What is read of each object, shared by its mappings.
    pub selections: PerSide<BTreeMap<String, Selection>>,
}

/// One mapping, ready for a run.
#[derive(Clone, Debug)]
pub struct CompiledMapping {
    /// As the admin wrote it.
    pub spec: Mapping,
    /// Its pairs, in order.
    pub pairs: Vec<CompiledPair>,
    /// Places of the key pairs.
    pub keys: Vec<usize>,
    /// Parsed criteria.
    pub criteria: PerSide<Option<Criteria>>,
    /// Places of the mark fields in the selections.
    pub marks: PerSide<Option<usize>>,
    /// What a record of a side is set to when its counterpart was deleted (law E9).
    pub deactivation: PerSide<Option<(String, Value)>>,
    /// Place of the sync flag in the org's selection (law E15).
    pub flag: Option<usize>,
    /// What is read on each side.
    pub selection: PerSide<Selection>,
}

/// One pair, ready for a run.
#[derive(Clone, Debug)]
pub struct CompiledPair {
    /// As the admin wrote it.
    pub spec: Pair,
    /// Tells whether a base belongs to this pair: changed fields or another transform make it a new pair.
    pub identity: String,
    /// Names of its fields, shared by all that is told of them.
    pub names: PerSide<Arc<[String]>>,
    /// Places of its fields in the selections.
    pub places: PerSide<Vec<usize>>,
    /// Canonical forms of its fields.
    pub forms: PerSide<Vec<Form>>,
    /// Which way its value may flow, with the mapping's direction and what can be written taken in.
    pub direction: Direction,
    /// Whether it may be set on create, per side.
    pub creatable: PerSide<bool>,
    /// Per side, whether this user may write its fields on records that are there, whatever the direction.
    pub writable: PerSide<bool>,
}

/// Something wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblem {
    /// The mapping.
    pub mapping: String,
    /// The pair, if it is about one.
    pub pair: Option<usize>,
    /// Whether the mapping can't run.
    pub severity: Severity,
    /// What has to be mended.
    pub cause: Cause,
    /// A sentence with the next step.
    pub message: String,
}

/// Where a problem has to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// In the org: its user does not see an object or a field, or may not write it. A wrong name looks the same from here.
    Right,
    /// In the mapping itself.
    Settings,
}

impl Cause {
    /// Of something that a side does not show: only the org hides what its user has no right to.
    fn of_hidden(side: Side) -> Self {
        match side {
            Side::Org => Self::Right,
            Side::Platform => Self::Settings,
        }
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The mapping can't run.
    Error,
    /// It runs, but somebody should look.
    Warning,
}

/// A value in its canonical form; a tick box is never blank: what was not said is false.
fn fold(form: Form, value: &Value) -> Value {
    match canonical(form, value) {
        Value::Null if form.kind == FieldKind::Bool => Value::Bool(false),
        folded => folded,
    }
}

impl CompiledPair {
    /// The raw values of a record for this pair; `None` if one of the fields was not returned.
    pub fn values(&self, side: Side, record: &Record) -> Option<Vec<Value>> {
        if let (Transform::Constant(text), Side::Org) = (&self.spec.transform, side) {
            return Some(vec![Value::text(text.as_str())]);
        }
        let mut values = Vec::with_capacity(self.places[side].len());
        for place in &self.places[side] {
            values.push(record.values.get(*place)?.clone()?);
        }
        Some(values)
    }

    /// The canonical form of raw values of a side.
    pub fn fold(&self, side: Side, values: &[Value]) -> Vec<Value> {
        if matches!(self.spec.transform, Transform::Constant(_)) && side == Side::Org {
            return values.to_vec();
        }
        values.iter().zip(&self.forms[side]).map(|(value, form)| fold(*form, value)).collect()
    }

    /// The canonical values of a record for this pair; `None` if one of the fields was not returned. The same as
    /// [`CompiledPair::values`], folded, without the copy in between.
    pub fn held(&self, side: Side, record: &Record) -> Option<Vec<Value>> {
        if matches!(self.spec.transform, Transform::Constant(_)) {
            return Some(self.fold(side, &self.values(side, record)?));
        }
        let mut held = Vec::with_capacity(self.places[side].len());
        for (place, form) in self.places[side].iter().zip(&self.forms[side]) {
            held.push(fold(*form, record.values.get(*place)?.as_ref()?));
        }
        Some(held)
    }

    /// Whether a record holds these canonical values; `None` if one of the fields was not returned. The same as
    /// [`CompiledPair::values`], folded and compared, without a copy of what is equal.
    pub fn holds(&self, side: Side, record: &Record, folded: &[Value]) -> Option<bool> {
        if matches!(self.spec.transform, Transform::Constant(_)) && side == Side::Org {
            return Some(self.fold(side, &self.values(side, record)?) == folded);
        }
        let mut same = self.places[side].len() == folded.len();
        for (place, (form, folded)) in self.places[side].iter().zip(self.forms[side].iter().zip(folded)) {
            let value = record.values.get(*place)?.as_ref()?;
            same &= match form.kind {
                FieldKind::Bool => fold(*form, value) == *folded,
                _ => is_canonical(*form, value, folded),
            };
        }
        Some(same)
    }

    /// Values of `from` turned into raw values of the other side.
    pub fn translate(
        &self,
        from: Side,
        values: &[Value],
        present: Option<&[Value]>,
    ) -> Result<Vec<Value>, crate::domain::transform::TransformError> {
        match &self.spec.transform {
            // The org's "value" of a constant pair is the constant itself.
            Transform::Constant(_) => Ok(values.to_vec()),
            transform => {
                let target = from.other();
                transform.apply(values, target, self.spec.fields(target).len(), present)
            }
        }
    }
}

impl CompiledMapping {
    /// The title people know it by.
    pub fn title(&self) -> String {
        format!("{} {} {}", self.spec.org_object, self.spec.direction.arrow(), self.spec.platform_object)
    }

    /// The key of a record in the platform's canonical form; `None` if a part is blank or absent.
    pub fn key_of(&self, side: Side, record: &Record) -> Option<Vec<Value>> {
        let mut key = Vec::with_capacity(self.keys.len());
        for pair in self.keys.iter().filter_map(|place| self.pairs.get(*place)) {
            let folded = match side {
                Side::Platform => pair.held(side, record)?,
                Side::Org => {
                    let turned = pair.translate(Side::Org, &pair.values(side, record)?, None).ok()?;
                    pair.fold(Side::Platform, &turned)
                }
            };
            if folded.iter().all(Value::is_blank) {
                return None;
            }
            key.extend(folded);
        }
        (!key.is_empty()).then_some(key)
    }

    /// The same with the relative dates of its criteria worked out at a moment.
    pub fn at(self, now: DateTime<Utc>) -> Self {
        Self { criteria: self.criteria.map(|criteria| criteria.map(|criteria| criteria.at(now))), ..self }
    }

    /// Whether a record meets the criteria that test its side.
    pub fn in_scope(&self, side: Side, record: &Record) -> bool {
        self.criteria[side].as_ref().is_none_or(|criteria| criteria.admit(&self.selection[side], record))
    }

    /// The platform fields of the key, by which matching groups records.
    pub fn key_fields(&self, side: Side) -> Vec<String> {
        self.keys
            .iter()
            .filter_map(|place| self.pairs.get(*place))
            .flat_map(|pair| pair.spec.fields(side).iter().cloned())
            .collect()
    }
}

/// Checks all enabled mappings against both sides' descriptions and compiles them.
pub fn compile(
    mappings: &[Mapping],
    schemas: &PerSide<Vec<ObjectSchema>>,
) -> (Compiled, Vec<MappingProblem>) {
    let mut problems = Vec::new();
    let mut names: PerSide<BTreeMap<String, Vec<String>>> = PerSide::default();
    let enabled: Vec<&Mapping> = mappings.iter().filter(|mapping| mapping.enabled).collect();
    for mapping in &enabled {
        for side in Side::BOTH {
            let wanted = names[side].entry(mapping.object(side).to_owned()).or_default();
            for pair in &mapping.pairs {
                wanted.extend(pair.fields(side).iter().cloned());
            }
            wanted.extend(mapping.mark(side).map(str::to_owned));
            wanted.extend(mapping.deactivation(side).map(|chosen| chosen.field.clone()));
            wanted.extend(mapping.flag().filter(|_| side == Side::Org).map(str::to_owned));
            if let Some(Ok(criteria)) = mapping.criteria(side).map(Criteria::parse) {
                wanted.extend(criteria.fields());
            }
        }
    }
    let selections = names.map(|objects| {
        objects.into_iter().map(|(object, fields)| (object, Selection::new(fields))).collect()
    });
    let mut compiled = Compiled { mappings: Vec::new(), selections };
    for mapping in enabled {
        let before = problems.len();
        if let Some(ready) = compile_one(mapping, schemas, &compiled.selections, &mut problems)
            && !problems[before..].iter().any(|problem| problem.severity == Severity::Error)
        {
            compiled.mappings.push(ready);
        }
    }
    (compiled, problems)
}

fn find_object<'a>(schemas: &'a [ObjectSchema], name: &str) -> Option<&'a ObjectSchema> {
    schemas.iter().find(|schema| schema.name.eq_ignore_ascii_case(name))
}

/// The schema of a field, following a path through a reference where its object is described.
pub fn find_field<'a>(
    schemas: &'a [ObjectSchema],
    object: &'a ObjectSchema,
    name: &str,
) -> Option<Cow<'a, FieldSchema>> {
    if let Some(field) = object.field(name) {
        return Some(Cow::Borrowed(field));
    }
    let (head, rest) = name.split_once('.')?;
    let reference = object
        .fields
        .iter()
        .find(|field| field.relationship.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(head)))?;
    let parent = reference.references.iter().find_map(|target| find_object(schemas, target));
    let mut found = match parent {
        Some(parent) => find_field(schemas, parent, rest)?.into_owned(),
        None => FieldSchema { name: rest.to_owned(), label: rest.to_owned(), ..FieldSchema::default() },
    };
    name.clone_into(&mut found.name);
    found.createable = false;
    found.updateable = false;
    found.required = false;
    Some(Cow::Owned(found))
}

fn compile_one(
    mapping: &Mapping,
    schemas: &PerSide<Vec<ObjectSchema>>,
    selections: &PerSide<BTreeMap<String, Selection>>,
    problems: &mut Vec<MappingProblem>,
) -> Option<CompiledMapping> {
    let mut report = |pair: Option<usize>, cause: Cause, message: String| {
        let severity = Severity::Error;
        problems.push(MappingProblem { mapping: mapping.name.clone(), pair, severity, cause, message });
    };
    let mut objects: PerSide<Option<&ObjectSchema>> = PerSide::default();
    for side in Side::BOTH {
        objects[side] = find_object(&schemas[side], mapping.object(side));
        if objects[side].is_none() {
            let place = if side == Side::Org { "Salesforce" } else { "the platform" };
            report(
                None,
                Cause::of_hidden(side),
                format!(
                    "{place} shows no object {} to this user; check the name, then the user's right to read it",
                    mapping.object(side)
                ),
            );
        }
    }
    let (Some(org), Some(platform)) = (objects.org, objects.platform) else { return None };
    let objects = PerSide { org, platform };
    let empty = Selection::default();
    let selection =
        PerSide::from_fn(|side| selections[side].get(mapping.object(side)).unwrap_or(&empty).clone());
    let mut criteria = PerSide::default();
    for side in Side::BOTH {
        match mapping.criteria(side).map(Criteria::parse) {
            None => {}
            Some(Err(error)) => report(None, Cause::Settings, format!("criteria of the {side}: {error}")),
            Some(Ok(parsed)) => {
                for field in parsed.fields() {
                    if find_field(&schemas[side], objects[side], &field).is_none() {
                        report(
                            None,
                            Cause::of_hidden(side),
                            format!(
                                "criteria of the {side}: {} has no field {field} that this user can see",
                                mapping.object(side)
                            ),
                        );
                    }
                }
                criteria[side] = Some(parsed);
            }
        }
    }
    let mut pairs = Vec::with_capacity(mapping.pairs.len());
    for (place, pair) in mapping.pairs.iter().enumerate() {
        match compile_pair(mapping, pair, schemas, &objects, &selection) {
            Ok(ready) => pairs.push(ready),
            Err((cause, message)) => report(Some(place), cause, message),
        }
    }
    let keys: Vec<usize> =
        mapping.pairs.iter().enumerate().filter(|(_, pair)| pair.key).map(|(place, _)| place).collect();
    if keys.is_empty() {
        report(
            None,
            Cause::Settings,
            "no pair is marked as key; without one no records can be matched".into(),
        );
    }
    for side in Side::BOTH {
        let target = objects[side];
        if mapping.creates_on(side) {
            if !target.createable {
                report(
                    None,
                    Cause::of_hidden(side),
                    format!(
                        "this user may not create {} records; grant the right or switch creating off",
                        target.name
                    ),
                );
            }
            for field in target.fields.iter().filter(|field| field.required && field.createable) {
                let mapped = mapping.pairs.iter().any(|pair| {
                    pair.direction.allows(side)
                        && pair.fields(side).iter().any(|name| name.eq_ignore_ascii_case(&field.name))
                });
                let defaulted = mapping
                    .default
                    .iter()
                    .any(|default| default.side == side && default.field.eq_ignore_ascii_case(&field.name));
                if !mapped && !defaulted {
                    report(
                        None,
                        Cause::Settings,
                        format!("{} is required to create {} and no pair fills it", field.name, target.name),
                    );
                }
            }
        } else if mapping.direction.allows(side) && !target.updateable {
            report(None, Cause::of_hidden(side), format!("this user may not change {} records", target.name));
        }
        if let Some(mark) = mapping.mark(side)
            && target.field(mark).is_none_or(|field| !field.createable)
        {
            report(
                None,
                Cause::of_hidden(side),
                format!(
                    "{}.{mark} is to hold the other side's id, but this user cannot write it",
                    target.name
                ),
            );
        }
    }
    let deactivation = PerSide::from_fn(|side| match deactivation::compile(mapping, objects[side], side)? {
        Ok(ready) => Some(ready),
        Err((cause, message)) => {
            report(None, cause, message);
            None
        }
    });
    if let Some((cause, message)) = flag_problem(mapping, objects.org) {
        report(None, cause, message);
    }
    let flag = mapping.flag().and_then(|name| selection.org.position(name));
    let marks = PerSide::from_fn(|side| mapping.mark(side).and_then(|name| selection[side].position(name)));
    (pairs.len() == mapping.pairs.len()).then(|| CompiledMapping {
        spec: mapping.clone(),
        pairs,
        keys,
        criteria,
        marks,
        deactivation,
        flag,
        selection,
    })
}

/// What keeps a field from being the sync flag: it must be a tick box that we may take back (F84, F113).
fn flag_problem(mapping: &Mapping, org: &ObjectSchema) -> Option<(Cause, String)> {
    let name = mapping.flag()?;
    match org.field(name) {
        None => Some((
            Cause::Right,
            format!(
                "{} has no field {name} that this user can see; make a checkbox of that name, or correct sync_flag",
                org.name
            ),
        )),
        Some(field) if field.kind != FieldKind::Bool => Some((
            Cause::Settings,
            format!("{}.{name} is of type {}; a sync flag must be a checkbox", org.name, field.kind.word()),
        )),
        Some(field) if !field.updateable => Some((
            Cause::Right,
            format!(
                "{}.{name} cannot be written by this user, so the flag could not be taken back",
                org.name
            ),
        )),
        Some(_) => None,
    }
}

fn compile_pair(
    mapping: &Mapping,
    pair: &Pair,
    schemas: &PerSide<Vec<ObjectSchema>>,
    objects: &PerSide<&ObjectSchema>,
    selection: &PerSide<Selection>,
) -> Result<CompiledPair, (Cause, String)> {
    let mut fields: PerSide<Vec<Cow<'_, FieldSchema>>> = PerSide::default();
    for side in Side::BOTH {
        for name in pair.fields(side) {
            let field = find_field(&schemas[side], objects[side], name).ok_or_else(|| {
                let message = format!(
                    "{} has no field {name} that this user can see; check the name, then the field permissions",
                    objects[side].name
                );
                (Cause::of_hidden(side), message)
            })?;
            if field.kind == FieldKind::Other {
                let message = format!(
                    "{}.{name} holds a kind of value that cannot be synchronized",
                    objects[side].name
                );
                return Err((Cause::Settings, message));
            }
            fields[side].push(field);
        }
    }
    let counts = (fields.org.len(), fields.platform.len());
    let misshapen = |message: &str| Err((Cause::Settings, message.to_owned()));
    match (&pair.transform, counts) {
        (Transform::Constant(_), (0, 1))
        | (Transform::FullName, (2, 1))
        | (Transform::Consent { .. } | Transform::Reference(_), (1, 1)) => {}
        (Transform::Copy | Transform::Table(_), (org, platform)) if org == platform && org > 0 => {}
        (Transform::Rules(rules), (org, platform)) => {
            for side in Side::BOTH {
                let (from, to) = match side {
                    Side::Org => (platform, org),
                    Side::Platform => (org, platform),
                };
                let flows = pair.direction.and(mapping.direction).is_some_and(|way| way.allows(side));
                if let Err(unfit) = rules.fits(side, from, to)
                    && flows
                {
                    return misshapen(&unfit.sentence(side));
                }
            }
        }
        (Transform::Constant(_), _) => {
            return misshapen("a constant needs no Salesforce field and one platform field");
        }
        (Transform::FullName, _) => {
            return misshapen(
                "a full name needs first and last name in Salesforce and one field on the platform",
            );
        }
        (Transform::Consent { .. }, _) => return misshapen("consent needs one field on either side"),
        (Transform::Reference(_), _) => return misshapen("a reference is one field on either side"),
        (Transform::Copy | Transform::Table(_), _) => {
            return misshapen("both sides of a pair need the same number of fields, and at least one");
        }
    }
    let writable = PerSide::from_fn(|side| {
        !fields[side].is_empty() && fields[side].iter().all(|field| field.createable && field.updateable)
    });
    let creatable = PerSide::from_fn(|side| {
        !fields[side].is_empty() && fields[side].iter().all(|field| field.createable)
    });
    let asked = pair
        .direction
        .and(mapping.direction)
        .ok_or_else(|| (Cause::Settings, "its direction excludes the mapping's direction".to_owned()))?;
    for side in Side::BOTH {
        if asked.allows(side) && pair.direction.allows(side) && !writable[side] && !fields[side].is_empty() {
            let blocked: Vec<&str> = fields[side]
                .iter()
                .filter(|field| !(field.createable && field.updateable))
                .map(|field| field.name.as_str())
                .collect();
            // A formula is writable for nobody; that is the mapping's mistake as much as a missing right would be the org's. The way
            // out is the same, and a run answers the same.
            let message = format!(
                "{} cannot be written by this user; let the pair flow the other way only",
                blocked.join(", ")
            );
            return Err((Cause::of_hidden(side), message));
        }
    }
    let places = PerSide::from_fn(|side| {
        fields[side].iter().filter_map(|field| selection[side].position(&field.name)).collect()
    });
    let forms = PerSide::from_fn(|side| {
        fields[side].iter().map(|field| Form { kind: field.kind, scale: field.scale }).collect()
    });
    Ok(CompiledPair {
        spec: pair.clone(),
        identity: pair.identity(),
        names: PerSide::from_fn(|side| pair.fields(side).into()),
        places,
        forms,
        direction: asked,
        creatable,
        writable,
    })
}
