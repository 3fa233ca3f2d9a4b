//! Draws Logs: the lines that pass the filter, and the selected one in full where there is room.

use std::fmt::Write;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::safe_text::{column, fit_middle, wrap};
use crate::console::view::text::{common, logs as text, numbers};
use crate::console::view::theme::Meaning;
use crate::domain::record::RecordId;
use crate::domain::report::{FactRow, Level};
use crate::domain::side::PerSide;

/// Rows of the body from which the detail shows.
const WITH_DETAIL: u16 = 18;

/// Draws the tab.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let detail = if area.height >= WITH_DETAIL && app.logs.selected_row().is_some() { 5 } else { 0 };
    let list = Rect { height: area.height - detail, ..area };
    lines(app, canvas, list);
    if detail > 0 {
        let below = Rect { y: list.bottom(), height: detail, ..area };
        draw_detail(app, canvas, below);
    }
}

fn title(app: &App) -> String {
    let logs = &app.logs;
    let mapping = logs.mapping.clone().unwrap_or_else(|| text::ALL_MAPPINGS.into());
    let run = logs.run.map_or_else(|| text::ALL_RUNS.to_owned(), |run| format!("run {run}"));
    let mut title = format!("{} · level ≥ {} · {mapping} · {run}", text::LOG, logs.level.word());
    if logs.filtering.is_none() && !logs.filter.is_empty() {
        let _ = write!(title, " · /{}", logs.filter);
    }
    if logs.following {
        let _ = write!(title, " · {}", text::FOLLOWING);
    } else if logs.fresh > 0 {
        let _ = write!(title, " · {}", text::fresh(logs.fresh));
    }
    title
}

fn lines(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.panel(area, &title(app), Focus::Here);
    let mut inner = inner;
    if let Some(input) = &app.logs.filtering {
        canvas.text(inner.x, inner.y, 2, "/", Meaning::Key);
        let field = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
        canvas.typing(field, input, None);
        inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    }
    let rows = &app.logs.rows;
    if rows.is_empty() {
        let filtered = !app.logs.filter.is_empty()
            || app.logs.run.is_some()
            || app.logs.mapping.is_some()
            || app.logs.level > Level::Info;
        let (words, meaning) = match (&app.logs.error, app.logs.arrived, filtered) {
            (Some(error), _, _) => (error.as_str(), Meaning::Error),
            (None, false, _) => (common::LOADING, Meaning::Muted),
            (None, true, true) => (text::NOTHING_PASSES, Meaning::Muted),
            (None, true, false) => (text::EMPTY, Meaning::Muted),
        };
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), words, meaning);
        return;
    }
    let height = usize::from(inner.height);
    let selected = app.logs.place();
    let start = if app.logs.following {
        rows.len().saturating_sub(height)
    } else {
        window_start(selected, rows.len(), height)
    };
    for (place, row) in rows.iter().enumerate().skip(start).take(height) {
        let line = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        draw_line(app, canvas, line, row);
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::Row { list: 0, row: place });
    }
}

fn look(level: Level) -> Meaning {
    match level {
        Level::Debug => Meaning::Muted,
        Level::Info => Meaning::Text,
        Level::Warn => Meaning::Warning,
        Level::Error => Meaning::Error,
    }
}

fn draw_line(app: &App, canvas: &mut Canvas<'_>, line: Rect, row: &FactRow) {
    let run = row.run.map(|run| format!("run {run}")).unwrap_or_default();
    let meaning = look(row.level);
    let mut pieces: Vec<Piece<'_>> = vec![
        (column(&numbers::clock(row.at, app.now, app.zone), 12).into(), Meaning::Muted),
        (column(row.level.word(), 6).into(), meaning),
    ];
    if line.width >= 70 {
        pieces.push((column(&run, 9).into(), Meaning::Muted));
    }
    pieces.push((
        row.message.as_str().into(),
        if row.level == Level::Debug { Meaning::Muted } else { Meaning::Text },
    ));
    canvas.line(Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line }, &pieces);
}

/// The ids of both records, cut in the middle.
pub(super) fn ids(ids: &PerSide<Option<RecordId>>, arrow: &str) -> String {
    let show = |id: &Option<RecordId>| id.as_ref().map(|id| fit_middle(id.as_str(), 20));
    match (show(&ids.org), show(&ids.platform)) {
        (Some(org), Some(platform)) => format!("{org} {arrow} {platform}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

fn draw_detail(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.panel(area, text::DETAIL, Focus::Elsewhere);
    let Some(row) = app.logs.selected_row() else { return };
    let mut facts = vec![numbers::exact(row.at, app.zone)];
    facts.extend(row.mapping.as_ref().map(|mapping| format!("mapping {mapping}")));
    let ids = ids(&row.ids, canvas.glyphs.both);
    if !ids.is_empty() {
        facts.push(format!("record {ids}"));
    }
    let mut all = wrap(&row.message, usize::from(inner.width.saturating_sub(2)));
    all.truncate(usize::from(inner.height.saturating_sub(1)));
    if let Some(detail) = &row.detail {
        facts.push(detail.to_string());
    }
    let lines = std::iter::once((facts.join(" · "), Meaning::Muted))
        .chain(all.into_iter().map(|line| (line, Meaning::Text)));
    for (offset, (line, meaning)) in lines.enumerate() {
        let y = inner.y + offset as u16;
        if y < inner.bottom() {
            canvas.text(inner.x + 1, y, inner.width.saturating_sub(1), &line, meaning);
        }
    }
}
