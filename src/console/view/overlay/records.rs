//! Draws the records of a group of issues.

use ratatui::layout::Rect;

use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::records::Records;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::logs::ids;
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{common, inbox, numbers, sync as text};
use crate::console::view::theme::Meaning;

pub(super) fn draw(canvas: &mut Canvas<'_>, records: &Records, area: Rect) {
    let group = &records.group;
    let records_of = numbers::things(group.records, "record", "records");
    let title = if records.filter.is_empty() {
        format!("{} · {} · {records_of}", group.code, group.mapping)
    } else {
        let shown = records.shown().len();
        format!("{} · {} · {shown} of {records_of} with “{}”", group.code, group.mapping, records.filter)
    };
    let inner = canvas.popup(area, area.width, area.height, &title);
    let cause = wrap(&group.cause, usize::from(inner.width.saturating_sub(2)));
    let mut y = inner.y;
    for line in cause.iter().take(2) {
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, Meaning::Warning);
        y += 1;
    }
    y += 1;
    let rows = match &records.rows {
        Load::Ready(_) => records.shown(),
        Load::Waiting => {
            canvas.text(inner.x + 1, y, inner.width, common::LOADING, Meaning::Muted);
            return;
        }
        Load::Failed(reason) => {
            canvas.text(inner.x + 1, y, inner.width, reason, Meaning::Error);
            return;
        }
    };
    if rows.is_empty() {
        let words = if records.filter.is_empty() { text::NO_ISSUES } else { inbox::NO_RECORDS };
        canvas.text(inner.x + 1, y, inner.width, words, Meaning::Success);
        return;
    }
    let height = usize::from(inner.bottom().saturating_sub(y));
    let selected = records.selection.place(rows.len());
    let start = window_start(selected, rows.len(), height);
    let wide = inner.width >= 90;
    for (place, row) in rows.iter().enumerate().skip(start).take(height) {
        let line = Rect { y, height: 1, ..inner };
        let ids = ids(&row.ids, canvas.glyphs.both);
        let id_width = if wide { 44 } else { 21 };
        canvas.line(
            Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line },
            &[
                (column(if row.label.is_empty() { "–" } else { &row.label }, 20).into(), Meaning::Text),
                (column(&ids, id_width).into(), Meaning::Muted),
                (row.message.as_str().into(), Meaning::Text),
            ],
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
        y += 1;
    }
}
