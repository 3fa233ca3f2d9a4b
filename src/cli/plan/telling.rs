//! A plan for people: its head with counts and costs, its lines with pairs, old and new values and the rule.

use std::fmt::Write;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::cli::table::Table;
use crate::cli::words;
use crate::domain::plan::Action;
use crate::domain::plan::parked_because;
use crate::domain::plan::saved::{Deed, PlanCount, PlanDifference, PlanHead, PlanLine};
use crate::domain::side::Side;
use crate::domain::why::telling::values;
use crate::ops::plan::file::Event;
use crate::ops::session::Session;

/// What the sides are called.
pub(in crate::cli) struct Names {
    platform: &'static str,
}

impl Names {
    pub(in crate::cli) fn of(session: &Session) -> Self {
        Self { platform: session.settings().platform.kind.label() }
    }

    pub(in crate::cli) fn side(&self, side: Side) -> &'static str {
        match side {
            Side::Org => "Salesforce",
            Side::Platform => self.platform,
        }
    }
}

/// Prints the head.
pub(in crate::cli) fn head(head: &PlanHead, names: &Names, context: &Context) {
    let output = &context.output;
    output.object(&Event::Plan(Box::new(head.clone())));
    let named = head.name.as_ref().map_or_else(String::new, |name| format!(" “{name}”"));
    output.text(format_args!(
        "Plan {}{named}   {} sync, made {}, {} read, {} need nothing",
        head.plan,
        head.kind.word(),
        words::moment(head.made),
        words::count_of(head.read, "record"),
        words::number(head.unchanged)
    ));
    let mut table = Table::new(&["", "", "mapping", "records", "values", "where or why"]);
    for count in &head.counts {
        table.row([
            sign(count.deed).to_owned(),
            count.deed.word().to_owned(),
            count.mapping.clone(),
            words::number(count.records),
            if count.values > 0 { words::number(count.values) } else { String::new() },
            where_or_why(count, names),
        ]);
    }
    if table.is_empty() {
        output.text("  Nothing is to be done.");
    } else {
        table.print(output);
    }
    let share =
        head.cost.share().map_or_else(String::new, |share| format!(" ({} of the day's)", percent(share)));
    let calls =
        |side: Side| format!("{} to {}", words::count_of(head.cost.calls(side), "call"), names.side(side));
    output.text(format_args!(
        "  costs about  {}{share}, {}, {}",
        calls(Side::Org),
        calls(Side::Platform),
        words::duration(Duration::from_secs(head.cost.seconds))
    ));
    for (place, line) in head.fires.iter().enumerate() {
        let name = if place == 0 { "sets off" } else { "" };
        output.text(format_args!("  {name:<12} {}", safe(line)));
    }
    for brake in &head.brakes {
        output.text(format_args!(
            "  brake        {} in {}: {} planned, {} free today; `{} {}` lets them through",
            brake.kind.replace('_', " "),
            safe(&brake.mapping),
            words::number(brake.planned),
            words::number(brake.free),
            brake.flag,
            brake.planned
        ));
    }
    for note in &head.notes {
        output.text(format_args!("  note         {}", safe(note)));
    }
}

/// A share as people read it: two digits that say something.
pub(in crate::cli) fn percent(share: f64) -> String {
    if share >= 10.0 {
        format!("{share:.0} %")
    } else if share >= 0.1 {
        format!("{share:.1} %")
    } else if share >= 0.001 {
        format!("{share:.3} %")
    } else {
        "less than 0.001 %".into()
    }
}

fn sign(deed: Deed) -> &'static str {
    match deed {
        Deed::Create => "+",
        Deed::Update => "~",
        Deed::Delete => "-",
        Deed::Link => "=",
        Deed::Conflict => "!",
        Deed::Refused => "x",
        Deed::Skipped => "·",
    }
}

fn where_or_why(count: &PlanCount, names: &Names) -> String {
    match (count.side, &count.reason) {
        (Some(side), _) => format!("in {}", names.side(side)),
        (None, Some(reason)) => match count.deed {
            Deed::Conflict => parked_because(reason).to_owned(),
            Deed::Create | Deed::Update | Deed::Delete | Deed::Link | Deed::Refused | Deed::Skipped => {
                reason.clone()
            }
        },
        (None, None) => String::new(),
    }
}

/// Prints a line with its pairs.
pub(in crate::cli) fn line(line: PlanLine, names: &Names, context: &Context) {
    if context.output.is_json() {
        context.output.object(&Event::Line(Box::new(line)));
        return;
    }
    for text in texts(&line, names) {
        context.output.text(safe(&text));
    }
}

/// A line and its pairs as lines of text.
fn texts(line: &PlanLine, names: &Names) -> Vec<String> {
    let deeds = line.line.deeds(line.linked);
    let first = deeds.first().map_or(Deed::Skipped, |deed| deed.deed);
    let name = if line.label.is_empty() { String::new() } else { format!("{}  ", line.label) };
    let mut head = format!(
        "\n{} {}  {}  {name}{}",
        sign(first),
        what(line, names),
        line.line.mapping,
        words::ids(&line.line.ids)
    );
    if let Some(outcome) = line.outcome {
        let why = line.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let _ = write!(head, "  [{}{why}]", outcome.word());
    }
    let mut texts: Vec<String> = vec![head];
    match &line.line.action {
        Action::Skip { reason } => texts.push(format!("      {}", reason.sentence())),
        Action::Refuse { obstacle } => texts.push(format!("      {}: {}", obstacle.code, obstacle.message)),
        Action::Create { .. } | Action::Merge | Action::Delete { .. } | Action::Restore { .. } => {}
    }
    for change in &line.line.changes {
        let old = if change.old.is_empty() { String::new() } else { format!("{} → ", values(&change.old)) };
        texts.push(format!(
            "      {} {}: {old}{}   ({})",
            names.side(change.to),
            change.fields.join(" + "),
            values(&change.new),
            change.rule.sentence()
        ));
    }
    for parked in &line.line.parked {
        texts.push(format!(
            "    ! Salesforce {} against {} {}: {}",
            values(&parked.org),
            names.platform,
            values(&parked.platform),
            parked_because(&parked.why)
        ));
    }
    for obstacle in &line.line.obstacles {
        texts.push(format!("    x {}: {}", obstacle.code, obstacle.message));
    }
    texts
}

fn what(line: &PlanLine, names: &Names) -> String {
    let mut words: Vec<String> = Vec::new();
    for deed in line.line.deeds(line.linked) {
        let word = match deed.side {
            Some(side) => format!("{} in {}", deed.deed.word(), names.side(side)),
            None => deed.deed.word().to_owned(),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// Prints how two plans differ in a record.
pub(in crate::cli) fn difference(difference: &PlanDifference, names: &Names, context: &Context) {
    for (mark, line) in
        [("only in the first:", &difference.before), ("only in the second:", &difference.after)]
    {
        let Some(line) = line else { continue };
        let mark = match (&difference.before, &difference.after) {
            (Some(_), Some(_)) => mark.trim_start_matches("only "),
            _ => mark,
        };
        for (place, text) in texts(line, names).iter().enumerate() {
            let text = text.trim_start_matches('\n');
            let text = if place == 0 { format!("{mark} {text}") } else { text.to_owned() };
            context.output.text(safe(&text));
        }
    }
}
