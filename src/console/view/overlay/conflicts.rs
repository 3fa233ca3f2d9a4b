//! Draws the conflict inbox: the list, or one conflict with base, both sides and the result side by side.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::conflicts::{Conflicts, decided, result};
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::logs::ids;
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{common, inbox as text, numbers};
use crate::console::view::theme::Meaning;
use crate::domain::plan::parked_because;
use crate::domain::report::ConflictRow;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::conflicts::Wish;

/// Columns from which the four values stand side by side.
const BESIDE: u16 = 72;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, inbox: &Conflicts, area: Rect) {
    let shown = inbox.shown();
    if inbox.open
        && let Some(row) = inbox.selected()
    {
        return record(app, canvas, inbox, row, area);
    }
    let all = inbox.rows.ready().map_or(0, Vec::len);
    let title = match (inbox.filter.is_empty(), all) {
        (true, 0) => text::CONFLICTS.to_owned(),
        (true, all) => format!("{} · {all}", text::CONFLICTS),
        (false, all) => format!("{} · {} of {all} with “{}”", text::CONFLICTS, shown.len(), inbox.filter),
    };
    let inner = canvas.popup(area, area.width, area.height, &title);
    let words = match &inbox.rows {
        Load::Ready(rows) if rows.is_empty() => Some((text::NONE, Meaning::Success)),
        Load::Ready(_) if shown.is_empty() => Some((text::NONE_SHOWN, Meaning::Muted)),
        Load::Ready(_) => None,
        Load::Waiting => Some((common::LOADING, Meaning::Muted)),
        Load::Failed(reason) => Some((reason.as_str(), Meaning::Error)),
    };
    if let Some((words, meaning)) = words {
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), words, meaning);
        return;
    }
    let widths = widths(inner.width);
    let names = PerSideNames::of(app);
    let heads = ["", "record", "field", "Salesforce", names.platform, "why"];
    let mut x = inner.x + 2;
    for (head, width) in heads.iter().zip(widths) {
        canvas.text(x, inner.y, width as u16, head, Meaning::Muted);
        x += width as u16;
    }
    let height = usize::from(inner.height.saturating_sub(1));
    let selected = inbox.selection.place(shown.len());
    let start = window_start(selected, shown.len(), height);
    for (place, row) in shown.iter().enumerate().skip(start).take(height) {
        let line = Rect { y: inner.y + 1 + (place - start) as u16, height: 1, ..inner };
        canvas.line(
            Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line },
            &list_line(row, &widths),
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
}

struct PerSideNames {
    platform: &'static str,
}

impl PerSideNames {
    fn of(app: &App) -> Self {
        Self { platform: app.settings.platform.kind.label() }
    }
}

/// Widths of number, record, field, both values, and why.
fn widths(width: u16) -> [usize; 6] {
    let room = usize::from(width).saturating_sub(2);
    let why = if width >= BESIDE { 18 } else { 0 };
    let rest = room.saturating_sub(5 + why);
    let label = rest * 26 / 100;
    let field = rest * 24 / 100;
    let value = (rest - label - field) / 2;
    [5, label, field, value, value, why]
}

fn list_line(row: &ConflictRow, widths: &[usize; 6]) -> Vec<Piece<'static>> {
    let [number, label, field, org, platform, why] = *widths;
    let name = if row.label.is_empty() { "–" } else { &row.label };
    let state = match (&row.decided, &row.note) {
        (Some(_), _) => ("decided, waits".to_owned(), Meaning::Success),
        (None, Some(_)) => ("has changed".to_owned(), Meaning::Warning),
        (None, None) => (row.why.replace('_', " "), Meaning::Muted),
    };
    let gap = |text: &str, width: usize| format!("{} ", column(text, width.saturating_sub(1)));
    vec![
        (gap(&format!("! {}", row.conflict), number).into(), Meaning::Conflict),
        (gap(name, label).into(), Meaning::Text),
        (gap(&fields(row), field).into(), Meaning::Text),
        (gap(&held(row, Side::Org), org).into(), Meaning::Text),
        (gap(&held(row, Side::Platform), platform).into(), Meaning::Text),
        (column(&state.0, why).into(), state.1),
    ]
}

/// What a side holds; a record that is gone holds nothing.
fn held(row: &ConflictRow, side: Side) -> String {
    if row.deleted == Some(side) { "deleted".into() } else { values(&row.values[side]) }
}

fn fields(row: &ConflictRow) -> String {
    if row.deleted.is_some() {
        return "record".into();
    }
    match (row.fields.org.is_empty(), row.fields.platform.is_empty()) {
        (true, true) => "record".into(),
        (true, false) => row.fields.platform.join(" + "),
        (false, _) => row.fields.org.join(" + "),
    }
}

fn quoted(value: &Value) -> String {
    if value.is_blank() { "blank".into() } else { format!("“{value}”") }
}

fn values(values: &[Value]) -> String {
    values.iter().map(quoted).collect::<Vec<_>>().join(" + ")
}

/// One conflict in full.
fn record(app: &App, canvas: &mut Canvas<'_>, inbox: &Conflicts, row: &ConflictRow, area: Rect) {
    let name = if row.label.is_empty() { String::new() } else { format!(" · {}", row.label) };
    let title = format!("Conflict {} · {}{name}", row.conflict, row.mapping);
    let inner = canvas.popup(area, area.width, area.height, &title);
    let (left, width) = (inner.x + 1, inner.width.saturating_sub(2));
    let mut y = inner.y;
    let mut say = |canvas: &mut Canvas<'_>, words: &str, meaning: Meaning| {
        for line in wrap(words, usize::from(width)) {
            if y < inner.bottom() {
                canvas.text(left, y, width, &line, meaning);
                y += 1;
            }
        }
    };
    say(canvas, &ids(&row.ids, canvas.glyphs.both), Meaning::Muted);
    let words = match row.deleted {
        Some(gone) => {
            let place = |side: Side| place(app, side);
            text::deleted(&place(gone), &place(gone.other()), &place(gone.other()))
        }
        None => text::refused(parked_because(&row.why)),
    };
    say(canvas, &words, Meaning::Text);
    let since = numbers::exact(row.since, app.zone);
    say(canvas, &format!("Since {since}, last seen in run {}.", row.run), Meaning::Muted);
    if let Some(note) = &row.note {
        say(canvas, &format!("! Your last decision came to nothing: {note}."), Meaning::Warning);
    }
    if let Some(waiting) = &row.decided {
        let words = format!("Decided by {}; the next run takes it.", waiting.by);
        say(canvas, &words, Meaning::Success);
    }
    if let Some(gone) = row.deleted {
        y += 1;
        let table = Rect { x: left, y, width, height: inner.bottom().saturating_sub(y) };
        return departed(app, canvas, row, gone.other(), inbox.wish.as_ref(), table);
    }
    let result = match (&inbox.wish, &row.decided) {
        (Some(wish), _) => Some(result(row, wish)),
        (None, Some(waiting)) => Some(decided(row, &waiting.choice)),
        (None, None) => None,
    };
    y += 1;
    let table = Rect { x: left, y, width, height: inner.bottom().saturating_sub(y) };
    y = if width >= BESIDE {
        beside(app, canvas, row, result.as_deref(), table)
    } else {
        stacked(app, canvas, row, result.as_deref(), table)
    };
    if y + 1 < inner.bottom() {
        let sign = if inbox.rule { "[x]" } else { "[ ]" };
        canvas.line(
            Rect { x: left, y: y + 1, width, height: 1 },
            &[(sign.into(), Meaning::Key), (" ".into(), Meaning::Text), (text::RULE.into(), Meaning::Text)],
        );
    }
    if result.is_none() {
        for (offset, line) in wrap(text::choose_first(false), usize::from(width)).iter().enumerate() {
            let y = y + 2 + offset as u16;
            if y < inner.bottom() {
                canvas.text(left, y, width, line, Meaning::Muted);
            }
        }
    }
}

/// A side as the place of a record, in words.
fn place(app: &App, side: Side) -> String {
    match side {
        Side::Org => "in Salesforce".into(),
        Side::Platform => format!("on {}", app.settings.platform.kind.label()),
    }
}

/// A record whose counterpart was deleted: what was edited, and what becomes of it.
fn departed(
    app: &App,
    canvas: &mut Canvas<'_>,
    row: &ConflictRow,
    left: Side,
    wish: Option<&Wish>,
    area: Rect,
) {
    let label = usize::from(area.width / 3).clamp(12, 30);
    let line = |canvas: &mut Canvas<'_>, y: u16, name: &str, value: &str, meaning: Meaning| {
        if y < area.bottom() {
            let name = format!("{} ", column(name, label.saturating_sub(1)));
            let value = column(value, usize::from(area.width).saturating_sub(label));
            canvas.line(
                Rect { y, height: 1, ..area },
                &[(name.into(), Meaning::Muted), (value.into(), meaning)],
            );
        }
    };
    let mut y = area.y;
    line(canvas, y, text::EDITED, &place(app, left), Meaning::Muted);
    // The result and the keys stand below, however much was edited.
    let room = usize::from(area.height.saturating_sub(4));
    let edits: Vec<(&String, &Value)> = row.fields[left].iter().zip(&row.values[left]).collect();
    let shown = if edits.len() > room { room.saturating_sub(1) } else { edits.len() };
    for (field, value) in edits.iter().take(shown) {
        y += 1;
        line(canvas, y, field, &quoted(value), Meaning::Text);
    }
    if shown < edits.len() {
        y += 1;
        line(canvas, y, &format!("and {} more", edits.len() - shown), "", Meaning::Muted);
    }
    y += 2;
    match wish {
        Some(Wish::Record(answer)) => {
            line(canvas, y, text::RESULT, &text::fate(*answer, &place(app, left)), Meaning::Conflict);
        }
        Some(Wish::Take(_) | Wish::Base | Wish::Values(_)) | None => {
            canvas.text(area.x, y, area.width, text::choose_first(true), Meaning::Muted);
        }
    }
}

/// The value of a field among those of its pair; the platform may have fewer or more of them.
fn at(values: Option<&[Value]>, place: usize) -> String {
    values.and_then(|values| values.get(place)).map_or_else(|| "–".into(), quoted)
}

/// How many rows the pair needs, and the name of each.
fn names(row: &ConflictRow) -> Vec<String> {
    let (org, platform) = (&row.fields.org, &row.fields.platform);
    (0..org.len().max(platform.len()))
        .map(|place| org.get(place).or_else(|| platform.get(place)).cloned().unwrap_or_default())
        .collect()
}

fn beside(
    app: &App,
    canvas: &mut Canvas<'_>,
    row: &ConflictRow,
    result: Option<&[Value]>,
    area: Rect,
) -> u16 {
    let label = usize::from(area.width / 5).clamp(12, 24);
    let cell = usize::from(area.width).saturating_sub(label) / 4;
    let platform = app.settings.platform.kind.label();
    let line = |cells: [(String, Meaning); 5]| -> Vec<Piece<'static>> {
        cells
            .into_iter()
            .enumerate()
            .map(|(place, (text, meaning))| {
                let width = if place == 0 { label } else { cell };
                (format!("{} ", column(&text, width.saturating_sub(1))).into(), meaning)
            })
            .collect()
    };
    let heads =
        ["", text::BASE, "Salesforce", platform, text::RESULT].map(|head| (head.to_owned(), Meaning::Muted));
    canvas.line(Rect { height: 1, ..area }, &line(heads));
    let mut y = area.y + 1;
    for (place, name) in names(row).into_iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        let base = row.base.as_ref().map(|base| base.org.as_slice());
        let cells = [
            (name, Meaning::Text),
            (at(base, place), Meaning::Muted),
            (at(Some(&row.values.org), place), Meaning::Text),
            (at(Some(&row.values.platform), place), Meaning::Text),
            (at(result, place), Meaning::Conflict),
        ];
        canvas.line(Rect { y, height: 1, ..area }, &line(cells));
        y += 1;
    }
    y
}

fn stacked(
    app: &App,
    canvas: &mut Canvas<'_>,
    row: &ConflictRow,
    result: Option<&[Value]>,
    area: Rect,
) -> u16 {
    let join = |values: &[Value]| values.iter().map(quoted).collect::<Vec<_>>().join(" + ");
    let of = |side: Side| (row.fields[side].join(" + "), join(&row.values[side]));
    let (org_field, org) = of(Side::Org);
    let (platform_field, platform) = of(Side::Platform);
    let base = row.base.as_ref().map_or_else(|| "–".to_owned(), |base| join(&base.org));
    let lines = [
        (text::BASE.to_owned(), String::new(), base, Meaning::Muted),
        ("Salesforce".to_owned(), org_field, org, Meaning::Text),
        (app.settings.platform.kind.label().to_owned(), platform_field, platform, Meaning::Text),
        (
            text::RESULT.to_owned(),
            String::new(),
            result.map_or_else(|| "–".to_owned(), join),
            Meaning::Conflict,
        ),
    ];
    let mut y = area.y;
    for (label, field, value, meaning) in lines {
        let words = if field.is_empty() { value } else { format!("{field}  {value}") };
        let room = usize::from(area.width).saturating_sub(13);
        for (place, part) in wrap(&words, room).into_iter().take(2).enumerate() {
            if y >= area.bottom() {
                return y;
            }
            let head = if place == 0 { column(&label, 13) } else { " ".repeat(13) };
            canvas.line(
                Rect { y, height: 1, ..area },
                &[(head.into(), Meaning::Muted), (part.into(), meaning)],
            );
            y += 1;
        }
    }
    y
}
