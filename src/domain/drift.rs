//! Drift (law E13): what a side says about its objects, compared with what it said when that was accepted.
//!
//! [`judge`] is pure. What was lost stops its mapping if the mapping can't do without it, and else parks its pair: that is, the run
//! is done with the mapping as it would be written without the pair. [`crate::domain::compiled`] says what a mapping needs.
//! [`print()`] tells at a glance that nothing differs.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::domain::compiled::{Cause, MappingProblem, Severity, compile, find_field};
use crate::domain::criteria::Criteria;
use crate::domain::mapping::{Mapping, Pair};
use crate::domain::schema::{FieldSchema, ObjectSchema};
use crate::domain::side::{PerSide, Side};

mod words;

use words::{capital, consequence, described, gone, listed, read_only, until_accepted};

/// What a change of a side does to a mapping; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The mapping is left out of runs.
    Stops,
    /// The pair is left out; the rest of the record goes on.
    Parks,
    /// Everything goes on, but records may be refused that were not before.
    Warns,
    /// Worth knowing.
    Tells,
}

impl Effect {
    /// The word of the database, of JSON and of tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Parks => "parks",
            Self::Warns => "warns",
            Self::Tells => "tells",
        }
    }

    /// The effect of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Stops, Self::Parks, Self::Warns, Self::Tells].into_iter().find(|effect| effect.word() == word)
    }
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// The object is not shown any more.
    ObjectGone,
    /// A field is not shown any more: deleted, renamed, or hidden.
    FieldGone,
    /// A field can't be written any more.
    NotWritable,
    /// A field holds another kind of value.
    TypeChanged,
    /// A field takes shorter texts.
    Shorter,
    /// A field takes longer texts.
    Longer,
    /// A picklist refuses values that are not in its list, or knows fewer.
    Restricted,
    /// A record can't be created any more without a field.
    Required,
    /// There are fields that were not there.
    NewFields,
    /// Anything else that a mapping needs.
    Other,
}

impl DriftKind {
    /// The word of the database and of JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::ObjectGone => "object_gone",
            Self::FieldGone => "field_gone",
            Self::NotWritable => "not_writable",
            Self::TypeChanged => "type_changed",
            Self::Shorter => "shorter",
            Self::Longer => "longer",
            Self::Restricted => "restricted",
            Self::Required => "required",
            Self::NewFields => "new_fields",
            Self::Other => "other",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::ObjectGone,
            Self::FieldGone,
            Self::NotWritable,
            Self::TypeChanged,
            Self::Shorter,
            Self::Longer,
            Self::Restricted,
            Self::Required,
            Self::NewFields,
            Self::Other,
        ]
        .into_iter()
        .find(|kind| kind.word() == word)
    }
}

/// One thing that differs from what was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The mapping's name.
    pub mapping: String,
    /// The side that changed.
    pub side: Side,
    /// Its object.
    pub object: String,
    /// The field; empty for the whole object.
    pub field: String,
    /// The text by which the state database knows the pair; empty for the whole mapping.
    pub pair: String,
    /// The pair as people name it; empty for the whole mapping.
    pub name: String,
    /// What changed.
    pub kind: DriftKind,
    /// What that does.
    pub effect: Effect,
    /// Where it has to be mended.
    #[serde(skip, default = "settings")]
    pub cause: Cause,
    /// A sentence.
    pub message: String,
}

fn settings() -> Cause {
    Cause::Settings
}

impl Finding {
    /// Whether a person can end it by accepting it. What is gone or can't be written has to be given back, or the mapping changed.
    pub fn acceptable(&self) -> bool {
        match self.kind {
            DriftKind::TypeChanged
            | DriftKind::Shorter
            | DriftKind::Longer
            | DriftKind::Restricted
            | DriftKind::NewFields => true,
            DriftKind::Required => self.effect == Effect::Warns,
            DriftKind::ObjectGone | DriftKind::FieldGone | DriftKind::NotWritable | DriftKind::Other => false,
        }
    }
}

/// What became of a mapping under what both sides say now.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The mapping as it can run: without the pairs that are parked.
    pub mapping: Mapping,
    /// What differs from what was accepted, the worst first.
    pub findings: Vec<Finding>,
    /// What was wrong already when it was accepted, or would be wrong in any case: the mapping can't run.
    pub problems: Vec<MappingProblem>,
}

impl Judged {
    /// Whether the mapping can run.
    pub fn runs(&self) -> bool {
        self.problems.is_empty() && self.findings.iter().all(|finding| finding.effect != Effect::Stops)
    }

    /// The pairs that are left out, by the text that the state database knows them by.
    pub fn parked(&self) -> Vec<String> {
        let parked = self.findings.iter().filter(|finding| finding.effect == Effect::Parks);
        let mut pairs: Vec<String> = parked.map(|finding| finding.pair.clone()).collect();
        pairs.sort();
        pairs.dedup();
        pairs
    }
}

/// What is kept of a side's description of a mapping's object: its own fields, and the fields of parents that the mapping uses.
pub fn footprint(mapping: &Mapping, side: Side, schemas: &[ObjectSchema]) -> Option<ObjectSchema> {
    let object = schemas.iter().find(|schema| schema.name.eq_ignore_ascii_case(mapping.object(side)))?;
    let mut kept = object.clone();
    kept.fields.retain(|field| !field.name.contains('.'));
    for name in used(mapping, side).into_iter().filter(|name| name.contains('.')) {
        if let Some(field) = find_field(schemas, object, &name)
            && kept.field(&name).is_none()
        {
            kept.fields.push(field.into_owned());
        }
    }
    Some(kept)
}

/// A number that differs when what is kept of an object does. Another version of this program may make another one of the same, so
/// that a difference only says: look closely.
pub fn print(kept: &ObjectSchema) -> u64 {
    print_of(kept, kept.fields.iter())
}

/// The [`print()`] of a side's [`footprint`], without making it.
pub fn print_now(mapping: &Mapping, side: Side, schemas: &[ObjectSchema]) -> Option<u64> {
    let object = schemas.iter().find(|schema| schema.name.eq_ignore_ascii_case(mapping.object(side)))?;
    let mut parents: Vec<Cow<'_, FieldSchema>> = Vec::new();
    for name in used(mapping, side).into_iter().filter(|name| name.contains('.')) {
        if let Some(field) = find_field(schemas, object, &name)
            && !parents.iter().any(|known| known.name.eq_ignore_ascii_case(&name))
        {
            parents.push(field);
        }
    }
    let own = object.fields.iter().filter(|field| !field.name.contains('.'));
    Some(print_of(object, own.chain(parents.iter().map(AsRef::as_ref))))
}

fn print_of<'a>(object: &ObjectSchema, fields: impl Iterator<Item = &'a FieldSchema>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.name, &object.label).hash(&mut hasher);
    (object.createable, object.updateable, object.readable).hash(&mut hasher);
    for field in fields {
        field.hash(&mut hasher);
    }
    hasher.finish()
}

/// All fields of a side that a mapping names.
fn used(mapping: &Mapping, side: Side) -> Vec<String> {
    let mut names: Vec<String> =
        mapping.pairs.iter().flat_map(|pair| pair.fields(side).iter().cloned()).collect();
    names.extend(special(mapping, side));
    names
}

/// The fields of a side without which a mapping does not do: criteria, marks, flag, what deactivates, defaults.
fn special(mapping: &Mapping, side: Side) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if let Some(Ok(criteria)) = mapping.criteria(side).map(Criteria::parse) {
        names.extend(criteria.fields());
    }
    names.extend(mapping.mark(side).map(str::to_owned));
    names.extend(mapping.deactivation(side).map(|chosen| chosen.field.clone()));
    if side == Side::Org {
        names.extend(mapping.flag().map(str::to_owned));
        names.push("RecordTypeId".into());
    }
    names
}

/// Whether the rest of a record can go on without this pair.
fn is_plain(mapping: &Mapping, pair: &Pair) -> bool {
    let needed = |side: Side| {
        let special = special(mapping, side);
        pair.fields(side).iter().any(|name| special.iter().any(|known| known.eq_ignore_ascii_case(name)))
    };
    !pair.key && !pair.transform.is_consent() && !Side::BOTH.into_iter().any(needed)
}

fn errors(mapping: &Mapping, schemas: &PerSide<Vec<ObjectSchema>>) -> Vec<MappingProblem> {
    let (_, mut problems) = compile(std::slice::from_ref(mapping), schemas);
    problems.retain(|problem| problem.severity == Severity::Error);
    problems
}

/// Compares what both sides say now with what was accepted; without the latter, nothing is drift.
pub fn judge(
    mapping: &Mapping,
    accepted: Option<&PerSide<ObjectSchema>>,
    now: &PerSide<Vec<ObjectSchema>>,
) -> Judged {
    let same_objects = |accepted: &&PerSide<ObjectSchema>| {
        Side::BOTH.into_iter().all(|side| accepted[side].name.eq_ignore_ascii_case(mapping.object(side)))
    };
    let problems = errors(mapping, now);
    let Some(accepted) = accepted.filter(same_objects) else {
        return Judged { mapping: mapping.clone(), findings: Vec::new(), problems };
    };
    let before: PerSide<Vec<ObjectSchema>> = accepted.as_ref().map(|schema| vec![schema.clone()]);
    let objects = PerSide::from_fn(|side| {
        now[side].iter().find(|schema| schema.name.eq_ignore_ascii_case(mapping.object(side)))
    });
    let comparison = Comparison { mapping, accepted, now, objects };
    let mut findings = Vec::new();
    let known = errors(mapping, &before);
    let is_new = |problem: &MappingProblem, known: &[MappingProblem]| {
        !known.iter().any(|old| old.message == problem.message)
    };
    for problem in problems.iter().filter(|problem| is_new(problem, &known)) {
        if let Some(pair) = problem.pair.and_then(|place| mapping.pairs.get(place)) {
            findings.push(comparison.lost_pair(pair, problem));
        }
    }
    for pair in &mapping.pairs {
        comparison.changed_pair(pair, &mut findings);
    }
    let mut reduced = mapping.clone();
    reduced.pairs.retain(|pair| {
        let identity = pair.identity();
        !findings.iter().any(|finding| finding.effect == Effect::Parks && finding.pair == identity)
    });
    let known = errors(&reduced, &before);
    let mut left = Vec::new();
    for problem in errors(&reduced, now) {
        let told = problem
            .pair
            .and_then(|place| reduced.pairs.get(place))
            .is_some_and(|pair| findings.iter().any(|finding| finding.pair == pair.identity()));
        if told {
            continue;
        }
        if is_new(&problem, &known)
            || findings.iter().any(|finding| finding.effect == Effect::Parks) && problem.pair.is_none()
        {
            findings.push(comparison.lost_otherwise(&problem));
        } else {
            left.push(problem);
        }
    }
    comparison.told(&mut findings);
    findings.sort_by_key(|finding| finding.effect);
    let mut seen: Vec<(Side, String, String, DriftKind)> = Vec::new();
    findings.retain(|finding| {
        let key = (finding.side, finding.field.clone(), finding.pair.clone(), finding.kind);
        let fresh = !seen.contains(&key);
        seen.push(key);
        fresh
    });
    Judged { mapping: reduced, findings, problems: left }
}

struct Comparison<'a> {
    mapping: &'a Mapping,
    accepted: &'a PerSide<ObjectSchema>,
    now: &'a PerSide<Vec<ObjectSchema>>,
    objects: PerSide<Option<&'a ObjectSchema>>,
}

impl Comparison<'_> {
    fn both(&self, side: Side, name: &str) -> (Option<&FieldSchema>, Option<Cow<'_, FieldSchema>>) {
        let now = self.objects[side].and_then(|object| find_field(&self.now[side], object, name));
        (self.accepted[side].field(name), now)
    }

    fn finding(
        &self,
        side: Side,
        field: &str,
        pair: Option<&Pair>,
        kind: DriftKind,
        effect: Effect,
    ) -> Finding {
        Finding {
            mapping: self.mapping.name.clone(),
            side,
            object: self.mapping.object(side).to_owned(),
            field: field.to_owned(),
            pair: pair.map(Pair::identity).unwrap_or_default(),
            name: pair.map(Pair::name).unwrap_or_default(),
            kind,
            effect,
            cause: match side {
                Side::Org => Cause::Right,
                Side::Platform => Cause::Settings,
            },
            message: String::new(),
        }
    }

    fn hit(&self, pair: &Pair) -> Effect {
        if is_plain(self.mapping, pair) { Effect::Parks } else { Effect::Stops }
    }

    /// A pair that can't work any more.
    fn lost_pair(&self, pair: &Pair, problem: &MappingProblem) -> Finding {
        let effect = self.hit(pair);
        for side in Side::BOTH {
            for name in pair.fields(side) {
                let (Some(accepted), found) = self.both(side, name) else { continue };
                let (kind, what) = match found {
                    None => (DriftKind::FieldGone, gone(side, self.mapping.object(side), accepted)),
                    Some(found) if accepted.writable() && !(found.createable && found.updateable) => {
                        (DriftKind::NotWritable, read_only(side, self.mapping.object(side), &found))
                    }
                    Some(_) => continue,
                };
                let mut finding = self.finding(side, name, Some(pair), kind, effect);
                finding.message = format!("{what}. {}", consequence(effect, self.mapping, Some(pair)));
                return finding;
            }
        }
        let mut finding = self.finding(side_of(problem), "", Some(pair), DriftKind::Other, effect);
        finding.message = format!("{}. {}", problem.message, consequence(effect, self.mapping, Some(pair)));
        finding
    }

    /// Something that the mapping as a whole needs.
    fn lost_otherwise(&self, problem: &MappingProblem) -> Finding {
        for side in Side::BOTH {
            let object = self.mapping.object(side);
            let Some(found) = self.objects[side] else {
                let mut finding = self.finding(side, "", None, DriftKind::ObjectGone, Effect::Stops);
                finding.message = format!(
                    "{} does not show the object {object} to this user any more: it was deleted, or the right to read it was \
                     withdrawn. {}",
                    capital(side),
                    consequence(Effect::Stops, self.mapping, None)
                );
                return finding;
            };
            for name in special(self.mapping, side) {
                let (Some(accepted), found) = self.both(side, &name) else { continue };
                if problem.message.contains(accepted.name.as_str()) && found.is_none() {
                    let mut finding = self.finding(side, &name, None, DriftKind::FieldGone, Effect::Stops);
                    finding.message = format!(
                        "{}. {}",
                        gone(side, object, accepted),
                        consequence(Effect::Stops, self.mapping, None)
                    );
                    return finding;
                }
            }
            let required = found.fields.iter().find(|field| {
                field.required && problem.message.starts_with(&format!("{} is required", field.name))
            });
            if let Some(field) = required {
                let mut finding = self.finding(side, &field.name, None, DriftKind::Required, Effect::Stops);
                finding.cause = Cause::Settings;
                finding.message = format!(
                    "{} does not create {object} records without {} any more, and no pair fills it. {}",
                    capital(side),
                    described(field),
                    "The mapping waits; add a pair or a default for it, or switch creating off"
                );
                return finding;
            }
        }
        let mut finding = self.finding(side_of(problem), "", None, DriftKind::Other, Effect::Stops);
        finding.cause = problem.cause;
        finding.message = format!("{}. {}", problem.message, consequence(Effect::Stops, self.mapping, None));
        finding
    }

    /// A pair whose fields are there, but are not what they were.
    fn changed_pair(&self, pair: &Pair, findings: &mut Vec<Finding>) {
        let effect = self.hit(pair);
        for side in Side::BOTH {
            for name in pair.fields(side) {
                let (Some(old), Some(new)) = self.both(side, name) else { continue };
                let field = format!("{}.{}", self.mapping.object(side), described(&new));
                let mut add = |kind: DriftKind, effect: Effect, message: String| {
                    let mut finding = self.finding(side, name, Some(pair), kind, effect);
                    finding.message = message;
                    findings.push(finding);
                };
                if old.kind != new.kind {
                    let what =
                        format!("{field} is of type {} now; it was {}", new.kind.word(), old.kind.word());
                    add(
                        DriftKind::TypeChanged,
                        effect,
                        format!("{what}. {}", until_accepted(effect, self.mapping, pair)),
                    );
                    continue;
                }
                match (old.length, new.length) {
                    (Some(before), Some(now)) if now < before => {
                        // What is cut off on one side must not be cut off on the other one, too.
                        let effect = if effect == Effect::Parks { Effect::Parks } else { Effect::Warns };
                        add(
                            DriftKind::Shorter,
                            effect,
                            format!(
                                "{field} takes {now} characters now; it took {before}. {}",
                                until_accepted(effect, self.mapping, pair)
                            ),
                        );
                    }
                    (Some(before), Some(now)) if now > before => add(
                        DriftKind::Longer,
                        Effect::Tells,
                        format!("{field} takes {now} characters now; it took {before}"),
                    ),
                    _ => {}
                }
                let fewer: Vec<&str> = old
                    .picklist
                    .iter()
                    .filter(|value| !new.picklist.contains(value))
                    .map(String::as_str)
                    .collect();
                if new.restricted && (!old.restricted || !fewer.is_empty()) && pair.direction.allows(side) {
                    let lost = if fewer.is_empty() {
                        String::new()
                    } else {
                        format!(" and not {} any more", fewer.join(", "))
                    };
                    add(
                        DriftKind::Restricted,
                        Effect::Warns,
                        format!(
                            "{field} takes only {} now{lost}; other values are refused record by record until they are \
                             translated (or accept it)",
                            listed(&new.picklist)
                        ),
                    );
                }
                if new.required && !old.required && self.mapping.creates_on(side) {
                    add(
                        DriftKind::Required,
                        Effect::Warns,
                        format!(
                            "{field} is required now: a record is not created without it. Add a default if it may be blank \
                             on the other side, or accept it"
                        ),
                    );
                }
            }
        }
    }

    /// What is only worth knowing.
    fn told(&self, findings: &mut Vec<Finding>) {
        for side in Side::BOTH {
            let Some(now) = self.objects[side] else { continue };
            let fresh: Vec<&str> = now
                .fields
                .iter()
                .filter(|field| !field.name.contains('.') && self.accepted[side].field(&field.name).is_none())
                .map(|field| field.name.as_str())
                .collect();
            if !fresh.is_empty() {
                let mut finding = self.finding(side, "", None, DriftKind::NewFields, Effect::Tells);
                let names: Vec<String> = fresh.iter().map(|name| (*name).to_owned()).collect();
                finding.message = format!("{} has new fields: {}", now.name, listed(&names));
                findings.push(finding);
            }
        }
    }
}

/// What is accepted once a person says so: everything as it is now, but for what is gone or can't be written, which stays as it was.
pub fn accept(
    mapping: &Mapping,
    accepted: &PerSide<ObjectSchema>,
    seen: &PerSide<ObjectSchema>,
) -> PerSide<ObjectSchema> {
    PerSide::from_fn(|side| {
        let mut taken = seen[side].clone();
        let used = used(mapping, side);
        for old in &accepted[side].fields {
            let needed = used.iter().any(|name| name.eq_ignore_ascii_case(&old.name));
            match taken.fields.iter_mut().find(|field| field.name.eq_ignore_ascii_case(&old.name)) {
                None if needed => taken.fields.push(old.clone()),
                Some(new) if needed => {
                    new.createable |= old.createable;
                    new.updateable |= old.updateable;
                }
                None | Some(_) => {}
            }
        }
        for new in &mut taken.fields {
            // A field that is required since can't be accepted away: it has to be filled.
            let was = accepted[side].field(&new.name).is_some_and(|old| old.required);
            let filled = used.iter().any(|name| name.eq_ignore_ascii_case(&new.name));
            new.required = new.required && (was || filled);
        }
        taken.createable |= accepted[side].createable;
        taken.updateable |= accepted[side].updateable;
        taken
    })
}

fn side_of(problem: &MappingProblem) -> Side {
    match problem.cause {
        Cause::Right => Side::Org,
        Cause::Settings => Side::Platform,
    }
}

#[cfg(test)]
mod tests;
