//! Draws a text to read: a run, a log line, why, history, check lines, problems of the settings file.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::model::Load;
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::view::canvas::Canvas;
use crate::console::view::connection::meaning;
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::sync::result_look;
use crate::console::view::text::{common, numbers, sync as text};
use crate::console::view::theme::Meaning;
use crate::domain::outcome::SideCounts;
use crate::domain::record::RecordId;
use crate::domain::report::{FactRow, HistoryRow, RunRow};
use crate::domain::side::{PerSide, Side};
use crate::domain::undo::UndoStep;
use crate::domain::value::Value;
use crate::domain::why::WhyRecord;
use crate::domain::why::telling::{Tone, Words, tell};
use crate::ops::undo::UndoPage;

/// Columns of labels.
const LABEL: usize = 16;

pub(super) type Line = (String, String, Meaning);

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, reading: &Reading, area: Rect) {
    let width = area.width.saturating_sub(2).min(110);
    let text_width = usize::from(width.saturating_sub(4));
    let (title, lines) = match &reading.subject {
        Subject::Run(row) => {
            let mut lines = run(app, canvas, row);
            lines.extend(reading.undone.iter().flat_map(|page| undone(app, page)));
            (format!("Run {}", row.run), lines)
        }
        Subject::Fact(row) => (format!("Log line {}", row.sequence), fact(app, row)),
        Subject::Why { of, records } => (format!("Why · {of}"), why(app, records)),
        Subject::History { of, rows } => (format!("History of {of}"), history(app, rows)),
        Subject::Check(lines) => ("Check".to_owned(), check(canvas, lines)),
        Subject::Problems(lines) => (
            "Problems in forcesync.toml".to_owned(),
            lines.iter().map(|line| (String::new(), line.clone(), Meaning::Warning)).collect(),
        ),
        Subject::Rehearsal { told, done } => {
            (crate::console::view::text::rehearsal::TITLE.to_owned(), super::rehearsal::lines(told, done))
        }
        Subject::Scope(changes) => {
            (crate::console::view::text::scope::TITLE.to_owned(), super::scope::lines(app, changes))
        }
    };
    let lines: Vec<Line> = lines.into_iter().flat_map(|line| wrapped(line, text_width)).collect();
    let height = (lines.len() as u16 + 2).clamp(5, area.height.max(5));
    let inner = canvas.popup(area, width, height, &title);
    let room = usize::from(inner.height);
    let start = reading.scroll.min(lines.len().saturating_sub(room));
    for (offset, (label, value, meaning)) in lines.iter().skip(start).take(room).enumerate() {
        let y = inner.y + offset as u16;
        let row = Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(2), height: 1 };
        canvas.line(row, &[(label.as_str().into(), Meaning::Muted), (value.as_str().into(), *meaning)]);
    }
    if start + room < lines.len() {
        canvas.more_below(inner);
    }
}

fn wrapped((label, value, meaning): Line, width: usize) -> Vec<Line> {
    if label.is_empty() {
        return wrap(&value, width).into_iter().map(|line| (String::new(), line, meaning)).collect();
    }
    let lines = wrap(&value, width.saturating_sub(LABEL));
    let lines = if lines.is_empty() { vec![String::new()] } else { lines };
    lines
        .into_iter()
        .enumerate()
        .map(|(place, line)| (column(if place == 0 { &label } else { "" }, LABEL), line, meaning))
        .collect()
}

fn labelled(label: &str, value: impl Into<String>) -> Line {
    (label.to_owned(), value.into(), Meaning::Text)
}

fn id_lines(app: &App, ids: &PerSide<Option<RecordId>>) -> Vec<Line> {
    let names = PerSide { org: "Salesforce", platform: app.settings.platform.kind.label() };
    Side::BOTH
        .into_iter()
        .filter_map(|side| ids[side].as_ref().map(|id| labelled(names[side], id.as_str())))
        .collect()
}

fn run(app: &App, canvas: &Canvas<'_>, row: &RunRow) -> Vec<Line> {
    let (_, word, meaning) = result_look(canvas, row.result);
    let counts = &row.counts;
    let mut lines = vec![labelled("kind", row.kind.word()), ("result".to_owned(), word.to_owned(), meaning)];
    if let Some(message) = &row.message {
        lines.push((String::from("message"), message.clone(), meaning));
    }
    lines.push(labelled("started", numbers::exact(row.started, app.zone)));
    if let Some(finished) = row.finished {
        lines.push(labelled("finished", numbers::exact(finished, app.zone)));
        lines.push(labelled("took", numbers::between(row.started, finished)));
    }
    if !row.mappings.is_empty() {
        lines.push(labelled("mappings", row.mappings.join(", ")));
    }
    let number = |label: &str, number: u64, meaning: Meaning| {
        (label.to_owned(), numbers::count(number), if number == 0 { Meaning::Muted } else { meaning })
    };
    lines.extend([
        (String::new(), String::new(), Meaning::Text),
        number("read", counts.read, Meaning::Text),
        number("unchanged", counts.unchanged, Meaning::Text),
        number("skipped", counts.skipped, Meaning::Text),
        number("limited", counts.limited, Meaning::Warning),
        number("conflicts", counts.conflicts, Meaning::Conflict),
        number("failed", counts.failed, Meaning::Error),
        (String::new(), String::new(), Meaning::Text),
        labelled("Salesforce", side_counts(&counts.salesforce)),
        labelled(app.settings.platform.kind.label(), side_counts(&counts.platform)),
        (String::new(), String::new(), Meaning::Text),
        (String::new(), "n shows the log of this run.".to_owned(), Meaning::Muted),
    ]);
    lines
}

/// What an undo would do, and what it left as it is and why.
fn undone(app: &App, page: &Load<UndoPage>) -> Vec<Line> {
    let page = match page {
        Load::Ready(page) => page,
        Load::Waiting => return vec![(String::new(), common::LOADING.into(), Meaning::Muted)],
        Load::Failed(reason) => return vec![(String::new(), reason.clone(), Meaning::Error)],
    };
    let place = |side: Side| match side {
        Side::Org => "in Salesforce".to_owned(),
        Side::Platform => format!("on {}", app.settings.platform.kind.label()),
    };
    let name = |ids: &PerSide<Option<RecordId>>, side: Side| {
        ids[side].as_ref().or(ids[side.other()].as_ref()).map(ToString::to_string).unwrap_or_default()
    };
    let mut lines = Vec::new();
    let head = |lines: &mut Vec<Line>, words: &str| {
        lines.push((String::new(), String::new(), Meaning::Text));
        lines.push((String::new(), words.to_owned(), Meaning::Accent));
    };
    if !page.planned.is_empty() {
        head(&mut lines, text::UNDO_PLANNED);
    }
    for step in &page.planned {
        let words = match step {
            UndoStep::WouldWrite(change) => format!(
                "  {}  {} {}: {} → {}",
                name(&change.ids, change.side),
                change.fields.join(" + "),
                place(change.side),
                values(&change.old),
                values(&change.new)
            ),
            UndoStep::WouldDelete(record) => {
                format!("  {}  deleted {}", name(&record.ids, record.side), place(record.side))
            }
            UndoStep::WouldRestore(record) => {
                format!("  {}  brought back {}", name(&record.ids, record.side), place(record.side))
            }
        };
        lines.push((String::new(), words, Meaning::Text));
    }
    if !page.left.is_empty() {
        head(&mut lines, text::UNDO_LEFT);
    }
    for left in &page.left {
        let fields =
            if left.fields.is_empty() { String::new() } else { format!("  {}", left.fields.join(" + ")) };
        let words =
            format!("  {}{fields} {}: {}", name(&left.ids, left.side), place(left.side), left.why.sentence());
        lines.push((String::new(), words, Meaning::Text));
    }
    if page.more {
        lines.push((String::new(), text::UNDO_MORE.to_owned(), Meaning::Muted));
    }
    lines
}

fn side_counts(counts: &SideCounts) -> String {
    format!(
        "{} created, {} updated, {} deleted, {}",
        numbers::count(counts.created),
        numbers::count(counts.updated),
        numbers::count(counts.deleted),
        numbers::things(counts.calls, "call", "calls")
    )
}

fn fact(app: &App, row: &FactRow) -> Vec<Line> {
    let mut lines = vec![
        labelled("at", numbers::exact(row.at, app.zone)),
        labelled("level", row.level.word()),
        labelled("message", row.message.clone()),
    ];
    lines.extend(row.run.map(|run| labelled("run", run.to_string())));
    lines.extend(row.mapping.clone().map(|mapping| labelled("mapping", mapping)));
    lines.extend(id_lines(app, &row.ids));
    if let Some(detail) = &row.detail {
        lines.push((String::new(), String::new(), Meaning::Text));
        let pretty = serde_json::to_string_pretty(detail).unwrap_or_default();
        lines.extend(pretty.lines().map(|line| (String::new(), line.to_owned(), Meaning::Text)));
    }
    lines
}

fn history(app: &App, rows: &Load<Vec<HistoryRow>>) -> Vec<Line> {
    let rows = match rows {
        Load::Ready(rows) => rows,
        Load::Waiting => return vec![(String::new(), common::LOADING.into(), Meaning::Muted)],
        Load::Failed(reason) => return vec![(String::new(), reason.clone(), Meaning::Error)],
    };
    if rows.is_empty() {
        return vec![(
            String::new(),
            "Nothing was written, or it is past its retention.".into(),
            Meaning::Muted,
        )];
    }
    let mut lines = Vec::new();
    for row in rows {
        let place = match row.side {
            Side::Org => "in Salesforce".to_owned(),
            Side::Platform => format!("on {}", app.settings.platform.kind.label()),
        };
        lines.push((
            String::new(),
            format!(
                "{}  {} {place}, run {}, mapping {}",
                numbers::exact(row.at, app.zone),
                row.action,
                row.run,
                row.mapping
            ),
            Meaning::Title,
        ));
        for change in &row.changes {
            lines.push((
                String::new(),
                format!(
                    "  {}  {} → {}   {}",
                    change.fields.join(" + "),
                    values(&change.old),
                    values(&change.new),
                    change.rule
                ),
                Meaning::Text,
            ));
        }
    }
    lines
}

fn why(app: &App, records: &Load<Vec<WhyRecord>>) -> Vec<Line> {
    let records = match records {
        Load::Ready(records) => records,
        Load::Waiting => return vec![(String::new(), common::LOADING.into(), Meaning::Muted)],
        Load::Failed(reason) => return vec![(String::new(), reason.clone(), Meaning::Error)],
    };
    let moment = |at| numbers::exact(at, app.zone);
    let words = Words {
        sides: PerSide { org: "Salesforce", platform: app.settings.platform.kind.label() },
        moment: &moment,
    };
    tell(records, &words)
        .into_iter()
        .map(|told| {
            let meaning = match told.tone {
                Tone::Head => Meaning::Title,
                Tone::Part => Meaning::Accent,
                Tone::Plain => Meaning::Text,
                Tone::Quiet => Meaning::Muted,
                Tone::Attention => Meaning::Warning,
            };
            (String::new(), format!("{}{}", "  ".repeat(told.depth), told.text), meaning)
        })
        .collect()
}

fn values(values: &[Value]) -> String {
    let shown: Vec<String> = values
        .iter()
        .map(|value| match value {
            _ if value.is_blank() => "blank".to_owned(),
            Value::Bool(_) => value.to_string(),
            _ => format!("“{value}”"),
        })
        .collect();
    shown.join(" + ")
}

fn check(canvas: &Canvas<'_>, lines: &Load<Vec<crate::domain::report::CheckLine>>) -> Vec<Line> {
    match lines {
        Load::Ready(lines) => lines
            .iter()
            .map(|line| {
                (
                    line.subject.clone(),
                    format!("{} {}", canvas.glyphs.verdict(line.verdict), line.message),
                    meaning(line.verdict),
                )
            })
            .collect(),
        Load::Waiting => vec![(String::new(), "Checking both sides …".into(), Meaning::Muted)],
        Load::Failed(reason) => vec![(String::new(), reason.clone(), Meaning::Error)],
    }
}
