//! Which mappings take part in the next automatic run, where some have an interval of their own (F12, F14).
//!
//! Mappings onto one platform object take part together, by the shortest of their intervals: to whom a record belongs can't be said
//! without all of them (law E1).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::command::RunRequest;
use crate::domain::mapping::Mapping;
use crate::domain::outcome::RunKind;
use crate::workspace::settings::Every;

/// When each mapping last took part in a run, since this engine began; who never did is due.
#[derive(Debug, Default)]
pub(crate) struct Tempo(Mutex<HashMap<String, DateTime<Utc>>>);

impl Tempo {
    /// Remembers who took part.
    pub(crate) fn note(&self, mappings: &[Mapping], request: &RunRequest, now: DateTime<Utc>) {
        match request.kind {
            // Who was read on one side alone is still due on the other.
            RunKind::Initial | RunKind::Instant | RunKind::Automatic
                if request.direction.is_none() && request.reads.is_none() => {}
            RunKind::Initial
            | RunKind::Instant
            | RunKind::Automatic
            | RunKind::Apply
            | RunKind::Undo
            | RunKind::Heal
            | RunKind::Audit => return,
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for mapping in mappings {
            if request.mappings.is_empty() || request.mappings.contains(&mapping.name) {
                last.insert(mapping.name.clone(), now);
            }
        }
    }

    /// How long until the first of the mappings in use is due.
    pub(crate) fn wait(&self, mappings: &[Mapping], now: DateTime<Utc>) -> TimeDelta {
        let first = in_use(mappings).map(|mapping| self.due(mappings, mapping, now)).min();
        first.map_or(TimeDelta::zero(), |due| (due - now).max(TimeDelta::zero()))
    }

    /// Who takes part in a run that begins by then; nothing where all do.
    pub(crate) fn part(&self, mappings: &[Mapping], by: DateTime<Utc>) -> Option<Vec<String>> {
        // Somebody always takes part: who is due first.
        let first = in_use(mappings).map(|mapping| self.due(mappings, mapping, by)).min()?;
        let by = by.max(first);
        let (due, later): (Vec<&Mapping>, Vec<&Mapping>) =
            in_use(mappings).partition(|mapping| self.due(mappings, mapping, by) <= by);
        (!later.is_empty()).then(|| due.into_iter().map(|mapping| mapping.name.clone()).collect())
    }

    fn due(&self, mappings: &[Mapping], mapping: &Mapping, now: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let family = family(mappings, mapping);
        let lasts = family.map(|member| last.get(&member.name).copied());
        // Where one member never took part, all are due.
        let oldest = lasts.collect::<Option<Vec<_>>>().and_then(|lasts| lasts.into_iter().min());
        oldest.map_or(now, |oldest| oldest + interval(mappings, mapping))
    }
}

fn in_use(mappings: &[Mapping]) -> impl Iterator<Item = &Mapping> {
    mappings.iter().filter(|mapping| mapping.enabled)
}

fn family<'a>(mappings: &'a [Mapping], mapping: &'a Mapping) -> impl Iterator<Item = &'a Mapping> {
    in_use(mappings).filter(|member| member.platform_object.eq_ignore_ascii_case(&mapping.platform_object))
}

/// The shortest interval of a family; none of its own is no interval at all.
fn interval(mappings: &[Mapping], mapping: &Mapping) -> TimeDelta {
    let own = |member: &Mapping| {
        let every = member.every.as_ref().and_then(|text| text.parse::<Every>().ok());
        every.and_then(|every| TimeDelta::from_std(every.duration()).ok()).unwrap_or_default()
    };
    family(mappings, mapping).map(own).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(name: &str, platform: &str, every: Option<&str>) -> Mapping {
        let text = format!("name = \"{name}\"\norg_object = \"{name}\"\nplatform_object = \"{platform}\"\n");
        Mapping { every: every.map(str::to_owned), ..toml::from_str(&text).unwrap() }
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_mapping_with_an_interval_sits_out_until_it_is_over() {
        let mappings = [mapping("contact", "contact", None), mapping("course", "course", Some("1h"))];
        let tempo = Tempo::default();
        assert_eq!(tempo.part(&mappings, at(0)), None, "at first all are due");
        let automatic = RunRequest::new(RunKind::Automatic);
        tempo.note(&mappings, &automatic, at(0));
        assert_eq!(tempo.part(&mappings, at(5)), Some(vec!["contact".to_owned()]));
        assert_eq!(tempo.wait(&mappings, at(5)), TimeDelta::zero());
        tempo.note(&mappings, &RunRequest { mappings: vec!["contact".into()], ..automatic }, at(55));
        assert_eq!(tempo.part(&mappings, at(60)), None);
    }

    #[test]
    fn mappings_onto_one_object_take_part_together() {
        let mappings = [
            mapping("contact", "contact", Some("10m")),
            mapping("lead", "contact", Some("1h")),
            mapping("course", "course", Some("1d")),
        ];
        let tempo = Tempo::default();
        tempo.note(&mappings, &RunRequest::new(RunKind::Initial), at(0));
        assert_eq!(tempo.part(&mappings, at(10)), Some(vec!["contact".to_owned(), "lead".to_owned()]));
        assert_eq!(tempo.wait(&mappings, at(4)), TimeDelta::minutes(6), "nobody is due before");
    }

    #[test]
    fn a_run_of_something_else_is_no_part() {
        let mappings = [mapping("course", "course", Some("1h"))];
        let tempo = Tempo::default();
        tempo.note(&mappings, &RunRequest::new(RunKind::Audit), at(0));
        assert_eq!(tempo.wait(&mappings, at(1)), TimeDelta::zero());
    }
}
