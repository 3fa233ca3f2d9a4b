//! Draws the form of an issue: whose it is, the remote's own words, and each pair with what both sides hold.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::issue::IssueSheet;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::logs::ids;
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{common, inbox as text, numbers};
use crate::console::view::theme::Meaning;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::issues::FormField;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, sheet: &IssueSheet, area: Rect) {
    let row = &sheet.row;
    let name = if row.label.is_empty() { String::new() } else { format!(" · {}", row.label) };
    let title = format!("Issue {} · {}{name}", row.issue, row.mapping);
    let inner = canvas.popup(area, area.width, area.height, &title);
    let (left, width) = (inner.x + 1, inner.width.saturating_sub(2));
    let platform = app.settings.platform.kind.label();
    let of = |side: Side| match side {
        Side::Org => "Salesforce",
        Side::Platform => platform,
    };
    let mut y = inner.y;
    let mut say = |canvas: &mut Canvas<'_>, words: &str, most: usize, meaning: Meaning| {
        for line in wrap(words, usize::from(width)).into_iter().take(most) {
            if y < inner.bottom() {
                canvas.text(left, y, width, &line, meaning);
                y += 1;
            }
        }
    };
    say(canvas, &ids(&row.ids, canvas.glyphs.both), 1, Meaning::Muted);
    // Our own causes are lower-case words; a service's codes are not.
    let ours = row.code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    let who = if ours { String::new() } else { format!("{} says ", of(row.side)) };
    say(canvas, &format!("! {who}{}: {}", row.code, row.message), 4, Meaning::Error);
    let tried = numbers::things(u64::from(row.tries), "time", "times");
    let state = match (row.open, row.snoozed_until) {
        (false, _) => ", resolved".to_owned(),
        (true, Some(until)) if until > app.now => {
            format!(", snoozed until {}", numbers::exact(until, app.zone))
        }
        (true, _) => String::new(),
    };
    let since = numbers::moment(row.since, app.now, app.zone);
    say(canvas, &format!("Since {since}, tried {tried}, last in run {}{state}.", row.run), 2, Meaning::Muted);
    let form = match &sheet.form {
        Load::Ready(form) => form,
        Load::Waiting => return say(canvas, common::LOADING, 1, Meaning::Muted),
        Load::Failed(reason) => return say(canvas, reason, 3, Meaning::Warning),
    };
    if form.same_cause > 0 {
        say(canvas, &text::as_well(form.same_cause), 2, Meaning::Text);
    }
    if !form.fields.iter().any(|field| field.failing) && !row.fields.is_empty() {
        say(canvas, &text::no_pair(&row.fields), 2, Meaning::Warning);
    }
    if let Some(reason) = &form.unread {
        say(canvas, reason, 2, Meaning::Warning);
    }
    y += 1;
    let label = usize::from(width / 4).clamp(13, 28);
    let cell = usize::from(width).saturating_sub(label + 4) / 2;
    let heads = [
        (format!("  {}", column("", label)), Meaning::Muted),
        (column(&source_head("Salesforce", form.source == Side::Org), cell), Meaning::Muted),
        (column(&source_head(platform, form.source == Side::Platform), cell), Meaning::Muted),
    ];
    if y < inner.bottom() {
        let pieces = heads.map(|(text, meaning)| (text.into(), meaning));
        canvas.line(Rect { x: left, y, width, height: 1 }, &pieces);
        y += 1;
    }
    let height = usize::from(inner.bottom().saturating_sub(y));
    let selected = sheet.place();
    let start = window_start(selected, form.fields.len(), height);
    for (place, field) in form.fields.iter().enumerate().skip(start).take(height) {
        let line = Rect { x: inner.x, y: y + (place - start) as u16, width: inner.width, height: 1 };
        let (sign, meaning) = if field.failing { ("! ", Meaning::Error) } else { ("  ", Meaning::Text) };
        canvas.line(
            Rect { x: left + 1, width: width.saturating_sub(1), ..line },
            &[
                (sign.into(), meaning),
                (format!("{} ", column(&name_of(field), label.saturating_sub(2))).into(), meaning),
                (
                    format!("{} ", column(&shown(field, Side::Org), cell.saturating_sub(1))).into(),
                    Meaning::Text,
                ),
                (column(&shown(field, Side::Platform), cell.saturating_sub(1)).into(), Meaning::Text),
            ],
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
}

/// The side whose value is edited is told in the head.
fn source_head(name: &str, source: bool) -> String {
    if source { format!("{name} (edit)") } else { name.to_owned() }
}

fn name_of(field: &FormField) -> String {
    let names = if field.fields.org.is_empty() { &field.fields.platform } else { &field.fields.org };
    names.join(" + ")
}

fn shown(field: &FormField, side: Side) -> String {
    let quoted = |value: &Value| if value.is_blank() { "blank".into() } else { format!("“{value}”") };
    match &field.values[side] {
        Some(values) => values.iter().map(quoted).collect::<Vec<String>>().join(" + "),
        None => "–".into(),
    }
}
