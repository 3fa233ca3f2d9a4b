//! Draws Connection Settings: a form for each side and its test below.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::connection::TestState;
use crate::console::app::connection::field::{FieldId, FieldKind};
use crate::console::app::message::Hit;
use crate::console::app::selection::window_start;
use crate::console::app::tab::Tab;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::frame::FULL_NAMES;
use crate::console::view::safe_text;
use crate::console::view::text::{common, connection as text, tabs};
use crate::console::view::theme::Meaning;
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::side::Side;

/// Columns from which both forms stand side by side.
const BESIDE: u16 = 76;
/// Columns of labels.
const LABEL: u16 = 16;

/// Draws the tab.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    if area.width >= BESIDE {
        let half = area.width / 2;
        side(app, canvas, Side::Org, Rect { width: half, ..area });
        side(app, canvas, Side::Platform, Rect { x: area.x + half, width: area.width - half, ..area });
    } else {
        side(app, canvas, app.connection.side, area);
    }
}

fn side(app: &App, canvas: &mut Canvas<'_>, side: Side, area: Rect) {
    let here = app.connection.side == side;
    let name = text::side_name(side, app.settings.platform.kind.label());
    let changed = app.connection.draft.now().side_differs(side, &app.settings);
    let narrow = app.size.0 < FULL_NAMES;
    let mut title = if app.size.0 < BESIDE {
        let other = text::side_name(side.other(), app.settings.platform.kind.label());
        let way = if side == Side::Org { "Right" } else { "Left" };
        format!("{}: {name} ({way}: {other})", tabs::full(Tab::Connection))
    } else if narrow && side == Side::Org {
        format!("{}: {name}", tabs::full(Tab::Connection))
    } else {
        name.to_owned()
    };
    if changed {
        title = format!("{title} {}", canvas.glyphs.unsaved);
    }
    let inner = canvas.panel(area, &title, Focus::when(here));
    let rows = rows(app, side, usize::from(inner.width));
    let focus_row = rows
        .iter()
        .position(|row| matches!(row, Row::Field(field) if *field == app.connection.focus[side]))
        .unwrap_or(0);
    let test_lines = test_lines(app, side, usize::from(inner.width));
    // The form gets what it needs, as long as the test keeps its title and a line.
    let for_test = (test_lines.len() as u16 + 1).clamp(2, (inner.height / 2).max(2));
    let form_height = (rows.len() as u16).min(inner.height.saturating_sub(for_test.min(3)));
    let start = window_start(focus_row, rows.len(), usize::from(form_height));
    for (offset, row) in rows.iter().skip(start).take(usize::from(form_height)).enumerate() {
        let line = Rect { y: inner.y + offset as u16, height: 1, ..inner };
        match row {
            Row::Field(field) => draw_field(app, canvas, *field, here, line),
            Row::Error { sentence, first } => {
                let sign = if *first { canvas.glyphs.bad } else { " " };
                canvas.line(
                    line,
                    &[
                        (format!("    {sign} ").into(), Meaning::Error),
                        (sentence.as_str().into(), Meaning::Error),
                    ],
                );
            }
        }
    }
    let divide = inner.y + form_height;
    if divide < inner.bottom() {
        let outer = if canvas.plain { inner } else { area };
        let head = test_head(app, canvas, side);
        canvas.divide(Rect { height: outer.height, ..outer }, divide, &head);
        for (offset, (sign, meaning, line)) in test_lines.iter().enumerate() {
            let y = divide + 1 + offset as u16;
            if y >= inner.bottom() {
                break;
            }
            let row = Rect { y, height: 1, ..inner };
            let sign = sign.map_or(" ", |verdict| canvas.glyphs.verdict(verdict));
            canvas.line(
                row,
                &[
                    (format!(" {sign} ").into(), *meaning),
                    (
                        line.as_str().into(),
                        if *meaning == Meaning::Success { Meaning::Text } else { *meaning },
                    ),
                ],
            );
        }
    }
}

enum Row {
    Field(FieldId),
    Error { sentence: String, first: bool },
}

fn rows(app: &App, side: Side, width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for field in app.connection.shown(side) {
        rows.push(Row::Field(field));
        if let Some(sentence) = app.connection.errors.get(&field) {
            // What to do next stands in full below the form; beside the field the cause is enough.
            let end = [". ", "; "].into_iter().filter_map(|end| sentence.find(end)).min();
            let cause = end.and_then(|end| sentence.get(..end)).unwrap_or(sentence);
            let lines = safe_text::wrap(cause, width.saturating_sub(6).max(10));
            let lines = lines.into_iter().take(3).enumerate();
            rows.extend(lines.map(|(place, sentence)| Row::Error { sentence, first: place == 0 }));
        }
    }
    rows
}

fn draw_field(app: &App, canvas: &mut Canvas<'_>, field: FieldId, side_here: bool, line: Rect) {
    let draft = app.connection.draft.now();
    let focused = app.connection.focus[field.side()] == field;
    let label = text::label(field);
    canvas.text(
        line.x + 2,
        line.y,
        LABEL,
        label,
        if focused && side_here { Meaning::Accent } else { Meaning::Text },
    );
    let value = Rect { x: line.x + 2 + LABEL, width: line.width.saturating_sub(2 + LABEL), ..line };
    let editing = app.connection.editing.as_ref().filter(|editor| editor.field == field);
    if let Some(editor) = editing {
        let mask = (field.secret().is_some() && !app.connection.revealed).then_some(canvas.glyphs.mask);
        canvas.typing(value, &editor.input, mask);
        canvas.text(line.x, line.y, 1, canvas.glyphs.pointer, Meaning::Accent);
        return;
    }
    match field.kind() {
        FieldKind::Text | FieldKind::Owner => {
            let shown = draft.text(field);
            if shown.is_empty() {
                canvas.text(value.x, value.y, value.width, text::OPTIONAL, Meaning::Muted);
            } else {
                canvas.text(value.x, value.y, value.width, &shown, Meaning::Text);
            }
            if field.kind() == FieldKind::Owner && !app.connection.owners().is_empty() {
                let x = value.right().saturating_sub(1);
                canvas.text(x, value.y, 1, canvas.glyphs.choose, Meaning::Muted);
            }
        }
        FieldKind::Choice(choices) => {
            let word = draft.text(field);
            let label = choices.iter().find(|(known, _)| *known == word).map_or("", |(_, label)| label);
            canvas.line(
                value,
                &[
                    (label.into(), Meaning::Text),
                    (format!(" {}", canvas.glyphs.choose).into(), Meaning::Muted),
                ],
            );
        }
        FieldKind::SignIn(name) => {
            let place = app.connection.secrets.get(&name).copied().unwrap_or_default();
            let absent = place == crate::console::app::model::SecretPlace::Absent;
            let wide = usize::from(value.width) > safe_text::width(text::SIGN_IN_BUTTON) + 3;
            let words = if absent && wide { text::SIGN_IN_BUTTON } else { text::SIGN_IN_SHORT };
            let mut pieces: Vec<Piece<'_>> = vec![(format!("[ {words} ]").into(), Meaning::Accent)];
            if !absent {
                pieces.push((format!(" {}", text::place(place)).into(), Meaning::Muted));
            }
            canvas.line(value, &pieces);
        }
        FieldKind::Secret(name) => {
            let typed = draft.typed.contains_key(&name);
            let place = app.connection.secrets.get(&name).copied().unwrap_or_default();
            let dots = canvas.glyphs.mask.to_string().repeat(8);
            let revealed = typed && app.connection.revealed && focused && side_here;
            let pieces: Vec<Piece<'_>> = if revealed {
                vec![(draft.text(field).into(), Meaning::Changed)]
            } else if typed {
                vec![(dots.into(), Meaning::Text), (format!("  {}", text::TYPED).into(), Meaning::Changed)]
            } else if place == crate::console::app::model::SecretPlace::Absent {
                vec![(text::place(place).into(), Meaning::Warning)]
            } else {
                vec![
                    (dots.into(), Meaning::Text),
                    (format!("  {}", text::place(place)).into(), Meaning::Muted),
                ]
            };
            canvas.line(value, &pieces);
        }
    }
    if focused && side_here {
        canvas.select(line, Focus::Here);
    }
    canvas.hit(line, Hit::Field(field));
}

fn test_head(app: &App, canvas: &Canvas<'_>, side: Side) -> Vec<Piece<'static>> {
    let mut head: Vec<Piece<'static>> = vec![("Test: ".into(), Meaning::Title)];
    match &app.connection.tests[side] {
        TestState::Idle => head.push((text::TEST_IDLE.into(), Meaning::Muted)),
        TestState::Running { since } => {
            let seconds = (app.now - *since).num_seconds();
            let frames = canvas.glyphs.spinner;
            let frame = (app.now.timestamp_subsec_millis() / 250) as usize % frames.len().max(1);
            let spinner = frames.get(frame).copied().unwrap_or_default();
            head.push((format!("{spinner} {}", text::TEST_GOING).into(), Meaning::Accent));
            if seconds >= 2 {
                head.push((format!(" {}", common::since(seconds)).into(), Meaning::Muted));
            }
        }
        TestState::Done(report) => {
            let (sign, word, meaning) = if report.passed {
                (canvas.glyphs.good, text::TEST_GOOD, Meaning::Success)
            } else {
                (canvas.glyphs.bad, text::TEST_BAD, Meaning::Error)
            };
            head.push((
                if canvas.plain { word.to_owned() } else { format!("{sign} {word}") }.into(),
                meaning,
            ));
            if let Some(org) = report.org.as_ref().filter(|org| side == Side::Org && !org.user.is_empty()) {
                head.push((format!(" as {}", org.user).into(), Meaning::Muted));
            }
        }
        TestState::Failed(_) => {
            head.push((format!("{} {}", canvas.glyphs.bad, text::TEST_BAD).into(), Meaning::Error));
        }
    }
    if app.connection.stale[side]
        && matches!(app.connection.tests[side], TestState::Done(_) | TestState::Failed(_))
    {
        // Before the name of the user, which may be longer than the line.
        head.truncate(2);
        head.push((format!(" ({})", text::TEST_STALE).into(), Meaning::Warning));
    }
    head
}

type TestLine = (Option<Verdict>, Meaning, String);

/// The lines of a test, bad ones first where they would not all fit.
fn test_lines(app: &App, side: Side, width: usize) -> Vec<TestLine> {
    let wrapped = |verdict: Option<Verdict>, meaning: Meaning, text: &str| -> Vec<TestLine> {
        safe_text::wrap(text, width.saturating_sub(4).max(10))
            .into_iter()
            .enumerate()
            .map(|(place, line)| (verdict.filter(|_| place == 0), meaning, line))
            .collect()
    };
    match &app.connection.tests[side] {
        TestState::Idle => wrapped(None, Meaning::Muted, text::TEST_HOW),
        TestState::Running { .. } => Vec::new(),
        TestState::Failed(sentence) => wrapped(Some(Verdict::Bad), Meaning::Error, sentence),
        TestState::Done(report) => {
            let mut lines: Vec<&CheckLine> = report.lines.iter().collect();
            lines.sort_by_key(|line| match line.verdict {
                Verdict::Bad => 0,
                Verdict::Warning => 1,
                Verdict::Good => 2,
            });
            lines
                .into_iter()
                .flat_map(|line| wrapped(Some(line.verdict), meaning(line.verdict), &line.message))
                .collect()
        }
    }
}

/// How a verdict looks.
pub fn meaning(verdict: Verdict) -> Meaning {
    match verdict {
        Verdict::Good => Meaning::Success,
        Verdict::Warning => Meaning::Warning,
        Verdict::Bad => Meaning::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::profile::profiles;

    #[test]
    fn every_label_leaves_a_blank_before_its_value() {
        for setting in profiles().flat_map(|profile| &profile.settings).filter(|setting| setting.form) {
            assert!(safe_text::width(&setting.label) < usize::from(LABEL), "{}", setting.label);
        }
    }
}
