//! Draws what both sides changed since it was accepted: a list, and the selected one in full.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::overlay::drift::Drift;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{drift as text, numbers};
use crate::console::view::theme::Meaning;
use crate::domain::drift::Effect;
use crate::domain::report::DriftRow;

/// Columns of what it does.
const EFFECT: usize = 16;
/// Columns of the mapping.
const MAPPING: usize = 16;
/// Columns of labels.
const LABEL: usize = 9;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, drift: &Drift, area: Rect) {
    let rows = app.drift_rows();
    let inner = canvas.popup(area, area.width, area.height, &text::title(rows.len()));
    let room = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let place = drift.selection.place(rows.len());
    let Some(selected) = rows.get(place) else {
        canvas.text(room.x, room.y, room.width, text::NOTHING, Meaning::Success);
        for (offset, line) in wrap(text::NOTHING_HOW, usize::from(room.width)).iter().enumerate() {
            let y = room.y + 2 + offset as u16;
            if y < room.bottom() {
                canvas.text(room.x, y, room.width, line, Meaning::Muted);
            }
        }
        return;
    };
    let detail = detail(app, selected, usize::from(room.width));
    // The list gives way to the detail, but keeps three rows.
    let list = (rows.len() as u16).min(room.height.saturating_sub(detail.len() as u16 + 1).max(3));
    let start = window_start(place, rows.len(), usize::from(list));
    for (offset, (at, row)) in rows.iter().enumerate().skip(start).take(usize::from(list)).enumerate() {
        let line = Rect { y: inner.y + offset as u16, height: 1, ..inner };
        let (sign, meaning) = look(canvas, row.finding.effect);
        let field = if row.finding.field.is_empty() {
            row.finding.object.clone()
        } else {
            format!("{}.{}", row.finding.object, row.finding.field)
        };
        canvas.line(
            Rect { x: room.x, width: room.width, ..line },
            &[
                (column(&format!("{sign} {}", text::effect(row.finding.effect)), EFFECT).into(), meaning),
                (column(&row.finding.mapping, MAPPING).into(), Meaning::Text),
                (field.into(), Meaning::Text),
            ],
        );
        if at == place {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(at));
    }
    let top = inner.y + list + 1;
    for (offset, (words, meaning)) in detail.iter().enumerate() {
        let y = top + offset as u16;
        if y < inner.bottom() {
            canvas.text(room.x, y, room.width, words, *meaning);
        }
    }
}

fn look(canvas: &Canvas<'_>, effect: Effect) -> (&'static str, Meaning) {
    match effect {
        Effect::Stops => (canvas.glyphs.bad, Meaning::Error),
        Effect::Parks | Effect::Warns => (canvas.glyphs.warning, Meaning::Warning),
        Effect::Tells => (canvas.glyphs.dot, Meaning::Muted),
    }
}

fn detail(app: &App, row: &DriftRow, width: usize) -> Vec<(String, Meaning)> {
    let finding = &row.finding;
    let mut lines: Vec<(String, Meaning)> =
        wrap(&format!("{}.", finding.message), width).into_iter().map(|line| (line, Meaning::Text)).collect();
    let way_out = match (row.acceptable, finding.effect) {
        (true, Effect::Tells) => text::CAN_LEAVE,
        (true, Effect::Stops | Effect::Parks | Effect::Warns) => text::CAN_ACCEPT,
        (false, _) => text::CAN_MEND,
    };
    let waits = text::waits(finding.effect, &finding.mapping, &finding.name);
    let since = format!("{}, seen last by run {}", numbers::moment(row.since, app.now, app.zone), row.run);
    for (label, words) in [(text::WAITS, waits.as_str()), (text::SINCE, &since), (text::WAY_OUT, way_out)] {
        for (place, line) in wrap(words, width.saturating_sub(LABEL)).into_iter().enumerate() {
            let label = column(if place == 0 { label } else { "" }, LABEL);
            lines.push((format!("{label}{line}"), Meaning::Muted));
        }
    }
    lines
}
