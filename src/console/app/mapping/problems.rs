//! What is wrong with the mappings on the screen, found while they are edited.

use crate::console::app::mapping::MappingTab;
use crate::console::view::text::mapping as text;
use crate::domain::compiled::{self, compile};
use crate::domain::doubts::doubts;
use crate::domain::drift::Effect;
use crate::domain::report::{StatusReport, Verdict};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::workspace::problems::Severity;
use crate::workspace::settings::Settings;
use crate::workspace::validate::validate;

/// Something about a mapping that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingNote {
    /// The mapping.
    pub mapping: String,
    /// The pair, if it is about one.
    pub pair: Option<usize>,
    /// How bad it is.
    pub verdict: Verdict,
    /// A sentence.
    pub message: String,
    /// Whether it is a doubt about a pair, which a person may accept as it is.
    pub doubt: bool,
}

/// Everything that is known to be wrong with a draft: by the settings alone, and, where both objects are described, by
/// what the sides say.
pub fn find(settings: &Settings, tab: &MappingTab, status: Option<&StatusReport>) -> Vec<MappingNote> {
    let draft = tab.over(settings);
    let mut notes = status.map(|status| left_out(&draft, status)).unwrap_or_default();
    let known: Vec<(String, Option<usize>)> =
        notes.iter().map(|note| (note.mapping.clone(), note.pair)).collect();
    let of_settings: Vec<MappingNote> = validate(&draft)
        .into_iter()
        .filter_map(|problem| {
            let (mapping, pair) = place_of(&problem.path)?;
            Some(MappingNote {
                mapping: draft.mappings.get(mapping)?.name.clone(),
                pair,
                verdict: match problem.severity {
                    Severity::Error | Severity::Unfinished => Verdict::Bad,
                    Severity::Warning => Verdict::Warning,
                },
                message: problem.message,
                doubt: false,
            })
        })
        .collect();
    notes.extend(of_settings);
    for mapping in &draft.mappings {
        let (Some(org), Some(platform)) =
            (tab.described(Side::Org, mapping), tab.described(Side::Platform, mapping))
        else {
            continue;
        };
        let schemas = PerSide::from_fn(|side| described(tab, &draft, side));
        let (_, found) = compile(std::slice::from_ref(mapping), &schemas);
        // What runs have told in the words of the change is not told a second time.
        let told = |problem: &compiled::MappingProblem| {
            known.iter().any(|(name, pair)| *name == problem.mapping && *pair == problem.pair)
        };
        notes.extend(found.into_iter().filter(|problem| !told(problem)).map(|problem| MappingNote {
            mapping: problem.mapping,
            pair: problem.pair,
            verdict: match problem.severity {
                compiled::Severity::Error => Verdict::Bad,
                compiled::Severity::Warning => Verdict::Warning,
            },
            message: problem.message,
            doubt: false,
        }));
        // With the fields whose names are free among them.
        let of = |side: Side, plain: &ObjectSchema| {
            let whole = schemas[side].iter().find(|schema| schema.name.eq_ignore_ascii_case(&plain.name));
            whole.unwrap_or(plain).clone()
        };
        let (org, platform) = (of(Side::Org, org), of(Side::Platform, platform));
        let sides = PerSide { org: &org, platform: &platform };
        notes.extend(doubts(mapping, &draft.mappings, sides).into_iter().map(|doubt| MappingNote {
            mapping: mapping.name.clone(),
            pair: doubt.pair,
            verdict: Verdict::Warning,
            message: doubt.message,
            doubt: true,
        }));
    }
    let mut seen: Vec<MappingNote> = Vec::new();
    for note in notes {
        if !seen.contains(&note) {
            seen.push(note);
        }
    }
    seen
}

/// What runs leave out of the mappings, and why (laws E5 and E13).
fn left_out(draft: &Settings, status: &StatusReport) -> Vec<MappingNote> {
    let mut notes = Vec::new();
    for row in &status.drift {
        let Some(mapping) = draft.mapping(&row.finding.mapping) else { continue };
        let how = if row.acceptable { text::ACCEPT_ENDS_IT } else { "" };
        notes.push(MappingNote {
            mapping: mapping.name.clone(),
            pair: mapping.pairs.iter().position(|pair| pair.identity() == row.finding.pair),
            verdict: match row.finding.effect {
                Effect::Stops => Verdict::Bad,
                Effect::Parks | Effect::Warns => Verdict::Warning,
                Effect::Tells => Verdict::Good,
            },
            message: format!("{}.{how}", row.finding.message),
            doubt: false,
        });
    }
    for name in &status.unaccepted {
        notes.push(MappingNote {
            mapping: name.clone(),
            pair: None,
            verdict: Verdict::Warning,
            message: text::NOT_ACCEPTED.into(),
            doubt: false,
        });
    }
    notes
}

/// What a side said, with the fields of the draft whose names are free: nobody described those, because no saved mapping has them.
fn described(tab: &MappingTab, draft: &Settings, side: Side) -> Vec<ObjectSchema> {
    let mut schemas: Vec<ObjectSchema> = tab
        .schemas
        .iter()
        .filter(|((of, _), _)| *of == side)
        .filter_map(|(_, schema)| schema.ready().cloned())
        .collect();
    let Some(profile) = draft.platform.kind.profile().filter(|_| side == Side::Platform) else {
        return schemas;
    };
    for mapping in &draft.mappings {
        let Some(object) = profile.object(&mapping.platform_object) else { continue };
        let same = |schema: &&mut ObjectSchema| schema.name.eq_ignore_ascii_case(&mapping.platform_object);
        let Some(schema) = schemas.iter_mut().find(same) else { continue };
        for name in mapping.pairs.iter().flat_map(|pair| &pair.platform) {
            if schema.field(name).is_none()
                && let Some(field) = object.open_field(name)
            {
                schema.fields.push(field);
            }
        }
    }
    schemas
}

/// `mapping[0].pair[2].policy` → mapping 0, pair 2.
pub fn place_of(path: &str) -> Option<(usize, Option<usize>)> {
    let number = |text: &str| text.split(']').next().and_then(|digits| digits.parse().ok());
    let rest = path.strip_prefix("mapping[")?;
    let mapping = number(rest)?;
    let pair = rest.split_once("pair[").and_then(|(_, after)| number(after));
    Some((mapping, pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_mapping_and_pair() {
        assert_eq!(place_of("mapping[1].pair[12].policy"), Some((1, Some(12))));
        assert_eq!(place_of("mapping[0].name"), Some((0, None)));
        assert_eq!(place_of("salesforce.username"), None);
    }
}
