//! Draws the form of a mapping or a pair.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::overlay::sheet::{Row, RowId, RowKind, Sheet, Target};
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::sheet as text;
use crate::console::view::theme::Meaning;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, sheet: &Sheet, area: Rect) {
    let rows = app.sheet_rows(&sheet.target);
    let width = area.width.saturating_sub(4).min(84);
    let more = if sampled(app, &sheet.target).is_empty() { 0 } else { 4 };
    let height = (rows.len() as u16 + more + if is_rules(&rows) { 8 } else { 5 }).min(area.height);
    let inner = canvas.popup(area, width, height, &text::title(&sheet.target));
    let selected = sheet.selection.place(rows.len());
    let rules =
        matches!(rows.get(selected).map(|row| row.id), Some(RowId::RulesToPlatform | RowId::RulesToOrg));
    let help_rows = if rules { 5_u16 } else { 2_u16 };
    // What becomes of the pulled record is seen while its pair is edited.
    let sampled: Vec<String> = sampled(app, &sheet.target)
        .iter()
        .flat_map(|line| wrap(line, usize::from(inner.width.saturating_sub(2))))
        .collect();
    let sampled_rows = (sampled.len() as u16).min(inner.height / 3);
    let help_rows = (help_rows + sampled_rows).min(inner.height.saturating_sub(1));
    let list_height = usize::from(inner.height - help_rows);
    let start = window_start(selected, rows.len(), list_height);
    let label_width = rows
        .iter()
        .map(|row| crate::console::view::safe_text::width(label(row)))
        .max()
        .unwrap_or(0)
        .clamp(14, usize::from(inner.width / 2));
    for (place, row) in rows.iter().enumerate().skip(start).take(list_height) {
        let line = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let value = if row.value.is_empty() { "–".to_owned() } else { row.value.clone() };
        let equals = if matches!(
            row.id,
            RowId::Translation(_) | RowId::Untranslated(_) | RowId::Otherwise | RowId::OtherwiseOrg
        ) {
            " = "
        } else {
            "  "
        };
        canvas.line(
            Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line },
            &[
                (column(label(row), label_width).into(), Meaning::Text),
                (equals.into(), Meaning::Muted),
                (value.into(), if row.value.is_empty() { Meaning::Muted } else { Meaning::Accent }),
                (sign(row, canvas).into(), Meaning::Muted),
            ],
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
    if start + list_height < rows.len() {
        canvas.more_below(inner);
    }
    let help = match (&sheet.target, rows.get(selected)) {
        (Target::Translations { .. }, Some(row)) if matches!(row.id, RowId::Otherwise) => {
            format!("{} {}.", text::help(row.id), text::ADD_TRANSLATION)
        }
        (_, Some(row)) => text::help(row.id).to_owned(),
        (_, None) => String::new(),
    };
    for (offset, line) in sampled.iter().take(usize::from(sampled_rows)).enumerate() {
        let y = inner.bottom() - sampled_rows + offset as u16;
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, Meaning::Accent);
    }
    for (offset, line) in wrap(&help, usize::from(inner.width.saturating_sub(2)))
        .iter()
        .take(usize::from(help_rows.saturating_sub(sampled_rows)))
        .enumerate()
    {
        let y = inner.bottom() - help_rows + offset as u16;
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, Meaning::Muted);
    }
}

/// What is shown for a row.
fn label(row: &Row) -> &str {
    row.shown.as_ref().unwrap_or(&row.label)
}

/// What becomes of the pulled record in the pair of a form.
fn sampled(app: &App, target: &Target) -> Vec<String> {
    let (Target::Pair { mapping, pair } | Target::Translations { mapping, pair }) = target else {
        return Vec::new();
    };
    let Some(mapping) = app.mapping.named(mapping) else { return Vec::new() };
    let results = app.sample_results(mapping);
    results.get(*pair).map(|result| super::sample::lines_of(app, result)).unwrap_or_default()
}

fn is_rules(rows: &[Row]) -> bool {
    rows.iter().any(|row| row.id == RowId::RulesToOrg)
}

fn sign(row: &Row, canvas: &Canvas<'_>) -> String {
    match row.kind {
        RowKind::Choice(_) | RowKind::Field(_) => format!(" {}", canvas.glyphs.choose),
        RowKind::Opens => " …".into(),
        RowKind::Switch | RowKind::Text => String::new(),
    }
}
