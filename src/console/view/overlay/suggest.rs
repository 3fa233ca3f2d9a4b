//! Draws the pairs that are proposed for a mapping.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::overlay::suggest::Suggest;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::{column, width};
use crate::console::view::text::mapping as text;
use crate::console::view::theme::Meaning;
use crate::domain::side::Side;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, suggest: &Suggest, area: Rect) {
    let ticked = suggest.rows.iter().filter(|(_, ticked)| *ticked).count();
    let title = format!("{}  {ticked}/{}", text::SUGGESTED, suggest.rows.len());
    let columns = area.width.saturating_sub(4).min(96);
    let inner = canvas.popup(area, columns, suggest.rows.len() as u16 + 3, &title);
    let room = usize::from(inner.width).saturating_sub(6);
    let widest = |side: Side| {
        let names = suggest.rows.iter().map(|(row, _)| width(&fields(row.pair.fields(side))));
        names.max().unwrap_or(0) + 1
    };
    // The reason goes first where there is little room; names are cut last.
    let reason = if room >= 64 { 34 } else { 0 };
    let names = room.saturating_sub(reason + 3);
    let org = widest(Side::Org)
        .min(names / 2)
        .max(names.saturating_sub(widest(Side::Platform)).min(widest(Side::Org)));
    let platform = names.saturating_sub(org);
    let selected = suggest.selection.place(suggest.rows.len());
    let height = usize::from(inner.height.saturating_sub(1));
    let start = window_start(selected, suggest.rows.len(), height);
    for (place, (row, ticked)) in suggest.rows.iter().enumerate().skip(start).take(height) {
        let line = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let sign = if *ticked { canvas.glyphs.on } else { canvas.glyphs.off };
        let meaning = if *ticked { Meaning::Text } else { Meaning::Disabled };
        canvas.line(
            Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line },
            &[
                (format!("{sign} ").into(), meaning),
                (column(&fields(row.pair.fields(Side::Org)), org).into(), meaning),
                (column(canvas.glyphs.arrow(row.pair.direction), 3).into(), Meaning::Accent),
                (column(&fields(row.pair.fields(Side::Platform)), platform).into(), meaning),
                (about(row).into(), Meaning::Muted),
            ],
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
    // What has been cut is told of the selected row, with a value where one is known.
    if let Some((row, _)) = suggest.rows.get(selected) {
        let sample = app
            .mapping
            .named(&suggest.mapping)
            .and_then(|mapping| app.mapping.sample(Side::Org, mapping, row.pair.org.first()?));
        let sample = sample.map(|sample| format!(" · such as {sample}")).unwrap_or_default();
        let words = format!("{} · {}{sample}", row.pair.name(), about(row));
        let y = inner.bottom().saturating_sub(1);
        canvas.text(inner.x + 2, y, inner.width.saturating_sub(2), &words, Meaning::Muted);
    }
}

fn fields(names: &[String]) -> String {
    if names.is_empty() { text::FIXED.to_owned() } else { names.join(" + ") }
}

fn about(row: &crate::ops::suggest::Suggestion) -> String {
    let transform = text::transform(&row.pair);
    let mut words = vec![row.why.words().to_owned()];
    if row.pair.key {
        words.insert(0, text::IS_KEY.to_owned());
    }
    if !transform.is_empty() {
        words.push(transform);
    }
    words.join(", ")
}
