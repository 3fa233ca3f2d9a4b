//! The explanation as lines of text, the same in the console and on the command line.

use chrono::{DateTime, Utc};

use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::domain::why::{WhyLink, WhyPair, WhyRecord, WhyStep};

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The head of a record.
    Head,
    /// The head of a pair or a part.
    Part,
    /// What is so.
    Plain,
    /// What led to it.
    Quiet,
    /// What somebody should look at.
    Attention,
}

/// One line; whoever shows it makes it harmless and wraps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How it is meant.
    pub tone: Tone,
    /// How deep it stands.
    pub depth: usize,
    /// The text.
    pub text: String,
}

/// Names and the form of moments.
pub struct Words<'a> {
    /// What both sides are called.
    pub sides: PerSide<&'a str>,
    /// How a moment is written.
    pub moment: &'a dyn Fn(DateTime<Utc>) -> String,
}

/// Tells all that is known of a record.
pub fn tell(records: &[WhyRecord], words: &Words<'_>) -> Vec<Told> {
    let mut told = Vec::new();
    if records.is_empty() {
        told.push(line(Tone::Plain, 0, "Nothing is known of this record: no run has read or written it."));
    }
    for record in records {
        tell_record(record, words, &mut told);
    }
    told
}

fn line(tone: Tone, depth: usize, text: impl Into<String>) -> Told {
    Told { tone, depth, text: text.into() }
}

fn id(id: Option<&RecordId>) -> &str {
    id.map_or("–", RecordId::as_str)
}

fn tell_record(record: &WhyRecord, words: &Words<'_>, told: &mut Vec<Told>) {
    told.push(line(
        Tone::Head,
        0,
        format!(
            "{} {} ⇄ {} {}   mapping {}",
            record.objects.org,
            id(record.ids.org.as_ref()),
            record.objects.platform,
            id(record.ids.platform.as_ref()),
            record.mapping
        ),
    ));
    let seen = |seen: &PerSide<Option<DateTime<Utc>>>| {
        let parts: Vec<String> = Side::BOTH
            .iter()
            .filter_map(|side| Some(format!("{} {}", words.sides[*side], (words.moment)(seen[*side]?))))
            .collect();
        if parts.is_empty() { String::new() } else { format!(" Last seen: {}.", parts.join(", ")) }
    };
    match &record.link {
        WhyLink::Linked { seen: at } => {
            told.push(line(Tone::Plain, 1, format!("The two are linked.{}", seen(at))));
        }
        WhyLink::Closed { because, seen: at } => told.push(line(
            Tone::Attention,
            1,
            format!("The link is closed, nothing is written any more: {because}.{}", seen(at)),
        )),
        WhyLink::NotLinked { because } => {
            for reason in because {
                told.push(line(Tone::Attention, 1, format!("Not linked: {}.", reason.trim_end_matches('.'))));
            }
        }
    }
    for issue in &record.issues {
        told.push(line(
            Tone::Attention,
            1,
            format!("Issue {}: {}: {}", issue.issue, issue.code, issue.message),
        ));
    }
    for pending in &record.pending {
        let next = pending
            .next_try
            .map_or_else(|| "when it changes".to_owned(), |at| format!("from {}", (words.moment)(at)));
        told.push(line(
            Tone::Plain,
            1,
            format!("Will be looked at again {next}: {}.", pending.reason.replace('_', " ")),
        ));
    }
    for skip in &record.skipped {
        told.push(line(Tone::Plain, 1, format!("Skipped by run {}: {}.", skip.run, skip.because)));
    }
    for pair in &record.pairs {
        tell_pair(pair, words, told);
    }
    if !record.events.is_empty() {
        told.push(line(Tone::Part, 1, "Besides"));
        for step in &record.events {
            told.push(line(Tone::Quiet, 2, tell_step(step, words)));
        }
    }
}

fn tell_pair(pair: &WhyPair, words: &Words<'_>, told: &mut Vec<Told>) {
    let names = |side: Side| {
        if pair.fields[side].is_empty() { "a constant".to_owned() } else { pair.fields[side].join(" + ") }
    };
    let note = if pair.mapped { "" } else { "   (not mapped any more)" };
    told.push(line(Tone::Part, 1, format!("{} ⇄ {}{note}", names(Side::Org), names(Side::Platform))));
    match &pair.base {
        None => told.push(line(Tone::Plain, 2, "No base: the two sides of this pair have not met yet.")),
        Some(base) if base.org == base.platform => {
            told.push(line(Tone::Plain, 2, format!("Both sides last held {}.", values(&base.org))));
        }
        Some(base) => {
            for side in Side::BOTH {
                told.push(line(
                    Tone::Plain,
                    2,
                    format!("{} last held {}.", words.sides[side], values(&base[side])),
                ));
            }
        }
    }
    if let Some(parked) = &pair.parked {
        told.push(line(
            Tone::Attention,
            2,
            format!(
                "Waits since {} (run {}): {}. {} held {}, {} {}.",
                (words.moment)(parked.since),
                parked.run,
                parked.sentence(),
                words.sides.org,
                values(&parked.values.org),
                words.sides.platform,
                values(&parked.values.platform)
            ),
        ));
    }
    if pair.steps.is_empty() && pair.base.is_some() {
        told.push(line(
            Tone::Quiet,
            2,
            "Never written by forcesync as far as history goes back: both sides held it.",
        ));
    }
    for step in &pair.steps {
        told.push(line(Tone::Quiet, 2, tell_step(step, words)));
    }
}

fn tell_step(step: &WhyStep, words: &Words<'_>) -> String {
    let kind = step.kind.map(|kind| format!(" ({})", kind.word())).unwrap_or_default();
    let mut text = format!("{}  run {}{kind}", (words.moment)(step.at), step.run);
    let side = words.sides[step.side];
    if step.fields.is_empty() {
        text.push_str("  ");
        text.push_str(&step.action);
        text.push_str(" on ");
        text.push_str(side);
    } else if step.old.is_empty() {
        text.extend(["  ", side, " set to ", &values(&step.new)]);
    } else {
        text.extend(["  ", side, " ", &values(&step.old), " → ", &values(&step.new)]);
    }
    if !step.rule.is_empty() {
        text.push_str("  because: ");
        text.push_str(&step.rule);
    }
    text
}

/// Values as they are shown.
pub fn values(values: &[Value]) -> String {
    let shown: Vec<String> = values
        .iter()
        .map(|value| if value.is_blank() { "blank".to_owned() } else { format!("“{value}”") })
        .collect();
    shown.join(" + ")
}
