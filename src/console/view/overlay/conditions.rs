//! Draws the criteria of a mapping: their rows, the sentence they make, and how many records take part.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::conditions::Conditions;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::wrap;
use crate::console::view::text::conditions as text;
use crate::console::view::theme::Meaning;
use crate::domain::criteria::words::sentence;
use crate::domain::side::Side;

/// Rows of the list that stay, however long the sentence is.
const LEAST_ROWS: u16 = 3;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, conditions: &Conditions, area: Rect) {
    let Some(mapping) = app.mapping.named(&conditions.mapping) else { return };
    let side = conditions.side;
    let platform = app.settings.platform.kind.label();
    let kind_of = |field: &str| app.kind_of_field(&conditions.mapping, side, field);
    let lines = app.condition_lines(conditions);
    let width = area.width.saturating_sub(4).min(92);
    let room = usize::from(width.saturating_sub(4));
    let mut below: Vec<(String, Meaning)> = Vec::new();
    let mut tell = |words: &str, meaning: Meaning| {
        below.extend(wrap(words, room).into_iter().map(|line| (line, meaning)));
    };
    match app.shown_criteria(conditions) {
        None => {}
        Some(Ok(criteria)) => {
            if lines.len() > 1 {
                tell(&format!("{}.", sentence(&criteria, &kind_of)), Meaning::Text);
            }
            if side == Side::Org && criteria.fields().iter().any(|field| field.contains('.')) {
                tell(text::OF_PARENT, Meaning::Muted);
            }
        }
        Some(Err(error)) => tell(&text::unreadable(&error), Meaning::Error),
    }
    match app.wanted_count().map(|counting| app.mapping.counts.get(&counting)) {
        Some(Some(Load::Ready(members))) => tell(&text::members(&members.to_string()), Meaning::Accent),
        Some(Some(Load::Failed(reason))) => tell(&text::uncounted(reason), Meaning::Warning),
        Some(Some(Load::Waiting) | None) => tell(text::COUNTING, Meaning::Muted),
        None => {}
    }
    let other = side.other();
    tell(&text::other_side(other, platform, mapping.criteria(other).is_some()), Meaning::Muted);
    let rows = (lines.len() as u16).max(1);
    let height = (rows + below.len() as u16 + 3).min(area.height);
    let inner = canvas.popup(area, width, height, &text::title(mapping.object(side), side, platform));
    let below_rows = (below.len() as u16).min(inner.height.saturating_sub(LEAST_ROWS.min(rows) + 1));
    let list_height = usize::from(inner.height.saturating_sub(below_rows + 1));
    if lines.is_empty() && app.shown_criteria(conditions).is_none() {
        canvas.text(inner.x + 2, inner.y, inner.width.saturating_sub(2), text::NONE, Meaning::Muted);
    }
    let selected = conditions.selection.place(lines.len());
    let start = window_start(selected, lines.len(), list_height);
    for (place, line) in lines.iter().enumerate().skip(start).take(list_height) {
        let row = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let indent = "  ".repeat(line.path.len());
        canvas.line(
            Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row },
            &[
                (indent.into(), Meaning::Text),
                (text::joined(line.joined).into(), Meaning::Muted),
                (text::line(&line.node, &kind_of).into(), Meaning::Text),
            ],
        );
        if place == selected {
            canvas.select(row, Focus::Here);
        }
        canvas.hit(row, Hit::OverlayRow(place));
    }
    // The last lines, the count among them, stay where there is little room.
    let skipped = below.len().saturating_sub(usize::from(below_rows));
    for (offset, (line, meaning)) in below.iter().skip(skipped).enumerate() {
        let y = inner.bottom() - below_rows + offset as u16;
        canvas.text(inner.x + 2, y, inner.width.saturating_sub(3), line, *meaning);
    }
}
