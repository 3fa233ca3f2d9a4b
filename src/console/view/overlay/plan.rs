//! Draws the plan: its head with sums and costs, the records of a sum, one record with its pairs.

use std::fmt::Write;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::plan::{Level, PlanSheet, sign};
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::logs::ids;
use crate::console::view::safe_text::{column, right, wrap};
use crate::console::view::text::{common, numbers, plan as text, sync};
use crate::console::view::theme::Meaning;
use crate::domain::plan::saved::{Deed, PlanCount, PlanHead, PlanLine};
use crate::domain::plan::{Action, parked_because};
use crate::domain::side::Side;
use crate::domain::value::Value;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, sheet: &PlanSheet, area: Rect) {
    let inner = canvas.popup(area, area.width, area.height, &title(sheet));
    let room = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match &sheet.head {
        Load::Waiting => making(app, canvas, room),
        Load::Failed(reason) => {
            for (place, line) in wrap(reason, usize::from(room.width)).iter().enumerate() {
                let y = room.y + place as u16;
                if y < room.bottom() {
                    canvas.text(room.x, y, room.width, line, Meaning::Error);
                }
            }
        }
        Load::Ready(head) => match sheet.level {
            Level::Counts => counts(app, canvas, sheet, head, inner),
            Level::Records => records(app, canvas, sheet, inner),
            Level::Record => {
                if let Some(line) = sheet.selected() {
                    record(app, canvas, sheet, line, room);
                }
            }
        },
    }
}

fn title(sheet: &PlanSheet) -> String {
    let Some(head) = sheet.head.ready() else {
        return format!("Plan · {}", sheet.request.kind.word());
    };
    let mut title = format!("Plan {} · {}", head.title(), head.kind.word());
    if sheet.level == Level::Counts {
        let _ = write!(title, " · {}", numbers::things(head.lines, "line", "lines"));
        return title;
    }
    let _ = match sheet.selected_count() {
        Some(count) => write!(title, " · {} · {}", count.mapping, count.deed.word()),
        None => write!(title, " · {}", text::ALL_LINES),
    };
    if !sheet.filter.is_empty() {
        let _ = write!(title, " with “{}”", sheet.filter);
    }
    title
}

/// The numbers while it is made.
fn making(app: &App, canvas: &mut Canvas<'_>, room: Rect) {
    let progress = &app.sync.progress;
    let mut lines = vec![(text::MAKING.to_owned(), Meaning::Text), (String::new(), Meaning::Text)];
    let phase = sync::phase(progress.phase);
    if !phase.is_empty() {
        lines.push((phase.to_owned(), Meaning::Accent));
    }
    lines.push((format!("{} read", numbers::things(progress.read, "record", "records")), Meaning::Text));
    for mapping in &progress.mappings {
        let total = mapping.total.map_or_else(String::new, |total| format!(" of {}", numbers::count(total)));
        lines.push((
            format!("{}  {}{total} decided", mapping.title, numbers::count(mapping.done)),
            Meaning::Text,
        ));
    }
    let counts = &progress.counts;
    lines.push((
        format!(
            "{} to create, {} to update, {} need nothing",
            numbers::count(counts.created()),
            numbers::count(counts.updated()),
            numbers::count(counts.unchanged)
        ),
        Meaning::Muted,
    ));
    for (place, (line, meaning)) in lines.iter().enumerate() {
        let y = room.y + place as u16;
        if y < room.bottom() {
            canvas.text(room.x, y, room.width, line, *meaning);
        }
    }
}

/// The meaning of a deed.
fn look(deed: Deed) -> Meaning {
    match deed {
        Deed::Create => Meaning::Success,
        Deed::Update | Deed::Link => Meaning::Accent,
        Deed::Delete => Meaning::Warning,
        Deed::Conflict => Meaning::Conflict,
        Deed::Refused => Meaning::Error,
        Deed::Skipped => Meaning::Muted,
    }
}

fn place(app: &App, side: Side) -> &'static str {
    match side {
        Side::Org => "Salesforce",
        Side::Platform => app.settings.platform.kind.label(),
    }
}

fn where_or_why(app: &App, count: &PlanCount) -> String {
    match (count.side, &count.reason) {
        (Some(side), _) => place(app, side).to_owned(),
        (None, Some(reason)) if count.deed == Deed::Conflict => parked_because(reason).to_owned(),
        (None, Some(reason)) => reason.clone(),
        (None, None) => String::new(),
    }
}

/// Head and sums.
fn counts(app: &App, canvas: &mut Canvas<'_>, sheet: &PlanSheet, head: &PlanHead, inner: Rect) {
    let room = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let width = usize::from(room.width);
    let platform = app.settings.platform.kind.label();
    let mut above: Vec<(String, Meaning)> = Vec::new();
    let mut say = |words: &str, meaning: Meaning| {
        above.extend(wrap(words, width).into_iter().map(|line| (line, meaning)));
    };
    say(&text::sums(head), Meaning::Title);
    say(&text::cost(head, platform), Meaning::Text);
    say(
        &format!(
            "{} read, {} need nothing",
            numbers::things(head.read, "record", "records"),
            numbers::count(head.unchanged)
        ),
        Meaning::Muted,
    );
    for brake in &head.brakes {
        say(&text::brake(brake), Meaning::Warning);
    }
    for note in &head.notes {
        say(note, Meaning::Warning);
    }
    for line in &head.fires {
        say(line, Meaning::Muted);
    }
    // The list keeps at least half of the room.
    let rows = head.counts.len() + 1;
    let most =
        usize::from(room.height).saturating_sub(1).saturating_sub(rows.min(usize::from(room.height / 2)));
    let most = most.max(3);
    if above.len() > most {
        let hidden = above.len() + 1 - most;
        above.truncate(most - 1);
        above.push((text::more_of_head(hidden), Meaning::Accent));
    }
    let mut y = room.y;
    for (line, meaning) in &above {
        canvas.text(room.x, y, room.width, line, *meaning);
        y += 1;
    }
    y += 1;
    let height = usize::from(inner.bottom().saturating_sub(y));
    let selected = sheet.group.place(rows);
    let start = window_start(selected, rows, height);
    let (mapping, number) = (width * 22 / 100, 9);
    for offset in 0..height.min(rows - start) {
        let place = start + offset;
        let line = Rect { y: y + offset as u16, height: 1, ..inner };
        let pieces = match place.checked_sub(1).and_then(|place| head.counts.get(place)) {
            None => vec![
                (column("", 11).into(), Meaning::Text),
                (column(text::ALL_LINES, mapping).into(), Meaning::Text),
                (right(&numbers::count(head.lines), number).into(), Meaning::Text),
            ],
            Some(count) => vec![
                (format!("{} {}", sign(count.deed), column(count.deed.word(), 9)).into(), look(count.deed)),
                (column(&count.mapping, mapping).into(), Meaning::Text),
                (right(&numbers::count(count.records), number).into(), Meaning::Text),
                (format!("  {}", where_or_why(app, count)).into(), Meaning::Muted),
            ],
        };
        canvas.line(Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line }, &pieces);
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
}

/// The lines of a sum.
fn records(app: &App, canvas: &mut Canvas<'_>, sheet: &PlanSheet, inner: Rect) {
    let lines = match &sheet.lines {
        Load::Ready(lines) => lines,
        Load::Waiting => {
            canvas.text(inner.x + 1, inner.y, inner.width, common::LOADING, Meaning::Muted);
            return;
        }
        Load::Failed(reason) => {
            canvas.text(inner.x + 1, inner.y, inner.width, reason, Meaning::Error);
            return;
        }
    };
    if lines.is_empty() {
        let words = if sheet.filter.is_empty() { text::NOTHING_TO_DO } else { text::NONE_SHOWN };
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), words, Meaning::Muted);
        return;
    }
    let height = usize::from(inner.height);
    let selected = sheet.record.place(lines.len());
    let start = window_start(selected, lines.len(), height);
    let width = usize::from(inner.width.saturating_sub(2));
    let (name, id) = (width * 28 / 100, if width >= 100 { 44 } else { width * 24 / 100 });
    for (place, line) in lines.iter().enumerate().skip(start).take(height) {
        let row = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let deed = line.line.deeds(line.linked).first().map_or(Deed::Skipped, |deed| deed.deed);
        let gap = |words: &str, width: usize| format!("{} ", column(words, width.saturating_sub(1)));
        let label = if line.label.is_empty() { "–" } else { &line.label };
        canvas.line(
            Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row },
            &[
                (format!("{} ", sign(deed)).into(), look(deed)),
                (gap(label, name).into(), Meaning::Text),
                (gap(&ids(&line.line.ids, canvas.glyphs.both), id).into(), Meaning::Muted),
                (in_short(app, line).into(), Meaning::Text),
            ],
        );
        if place == selected {
            canvas.select(row, Focus::Here);
        }
        canvas.hit(row, Hit::OverlayRow(place));
    }
}

/// The first thing that a line does, and how many more there are.
fn in_short(app: &App, line: &PlanLine) -> String {
    let more = |rest: usize| if rest > 0 { format!("  (+{rest})") } else { String::new() };
    match (&line.line.action, line.line.changes.first(), line.line.parked.first()) {
        (Action::Skip { reason }, _, _) => reason.sentence(),
        (Action::Refuse { obstacle }, _, _) => format!("{}: {}", obstacle.code, obstacle.message),
        (Action::Delete { on }, _, _) => format!("deleted, {}", place(app, *on)),
        (Action::Create { on }, _, _) => {
            format!(
                "new, {}: {}",
                place(app, *on),
                numbers::things(line.line.changes.len() as u64, "value", "values")
            )
        }
        (_, Some(change), _) => format!(
            "{} {} → {}{}",
            change.fields.join(" + "),
            values(&change.old),
            values(&change.new),
            more(line.line.changes.len() - 1)
        ),
        (_, None, Some(parked)) => {
            format!(
                "{} against {}{}",
                values(&parked.org),
                values(&parked.platform),
                more(line.line.parked.len() - 1)
            )
        }
        (_, None, None) => line.line.obstacles.first().map_or_else(
            || "linked".to_owned(),
            |obstacle| format!("{}: {}", obstacle.code, obstacle.message),
        ),
    }
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

/// One record: each pair with its old value, its new one, and the rule.
fn record(app: &App, canvas: &mut Canvas<'_>, sheet: &PlanSheet, line: &PlanLine, room: Rect) {
    let width = usize::from(room.width);
    let mut lines: Vec<(String, Meaning)> = Vec::new();
    let mut say = |words: &str, meaning: Meaning| {
        if words.is_empty() {
            lines.push((String::new(), meaning));
        }
        lines
            .extend(wrap(words, width).into_iter().filter(|_| !words.is_empty()).map(|line| (line, meaning)));
    };
    if !line.label.is_empty() {
        say(&line.label, Meaning::Title);
    }
    say(&ids(&line.line.ids, canvas.glyphs.both), Meaning::Muted);
    let mut told: Vec<String> = Vec::new();
    for deed in line.line.deeds(line.linked) {
        let on = deed.side.map_or_else(String::new, |side| format!(", {}", place(app, side)));
        let words = format!("{} {}{on}", sign(deed.deed), deed.deed.word());
        if !told.contains(&words) {
            say(&words, look(deed.deed));
            told.push(words);
        }
    }
    match &line.line.action {
        Action::Skip { reason } => say(&reason.sentence(), Meaning::Text),
        Action::Refuse { obstacle } => {
            say(&format!("{}: {}", obstacle.code, obstacle.message), Meaning::Error);
        }
        Action::Create { .. } | Action::Merge | Action::Delete { .. } | Action::Restore { .. } => {}
    }
    for change in &line.line.changes {
        say("", Meaning::Text);
        say(&format!("{}, {}", change.fields.join(" + "), place(app, change.to)), Meaning::Accent);
        let old = if change.old.is_empty() { "–".to_owned() } else { values(&change.old) };
        say(&format!("  {old} → {}", values(&change.new)), Meaning::Text);
        say(&format!("  {}", change.rule.sentence()), Meaning::Muted);
    }
    for parked in &line.line.parked {
        say("", Meaning::Text);
        say(
            &format!(
                "! Salesforce {}, {} {}",
                values(&parked.org),
                place(app, Side::Platform),
                values(&parked.platform)
            ),
            Meaning::Conflict,
        );
        say(&format!("  {}", parked_because(&parked.why)), Meaning::Muted);
    }
    for obstacle in &line.line.obstacles {
        say(&format!("x {}: {}", obstacle.code, obstacle.message), Meaning::Error);
    }
    let height = usize::from(room.height);
    let start = sheet.scroll.min(lines.len().saturating_sub(height));
    for (offset, (words, meaning)) in lines.iter().skip(start).take(height).enumerate() {
        canvas.text(room.x, room.y + offset as u16, room.width, words, *meaning);
    }
    if start + height < lines.len() {
        canvas.more_below(room);
    }
}
