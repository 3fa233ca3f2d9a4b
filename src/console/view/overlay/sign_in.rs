//! Draws a sign-in by browser: its address in full, and how far it is.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::overlay::sign_in::{SignInSheet, SignInState, Waiting};
use crate::console::view::canvas::Canvas;
use crate::console::view::safe_text::wrap;
use crate::console::view::text::sign_in as text;
use crate::console::view::theme::Meaning;

type Line = (String, Meaning);

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, sheet: &SignInSheet, area: Rect) {
    let width = area.width.saturating_sub(2).min(100);
    let said: Vec<Line> = match &sheet.state {
        SignInState::Beginning => vec![(text::BEGINNING.to_owned(), Meaning::Text)],
        SignInState::Waiting(waiting) => waiting_lines(app, canvas, waiting),
        SignInState::Returned => vec![(text::RETURNED.to_owned(), Meaning::Accent)],
        SignInState::Failed(sentence) => vec![(format!("{} {sentence}", canvas.glyphs.bad), Meaning::Error)],
    };
    let room = usize::from(width.saturating_sub(4));
    let lines: Vec<Line> = said
        .into_iter()
        .flat_map(|(line, meaning)| wrap(&line, room).into_iter().map(move |line| (line, meaning)))
        .collect();
    let height = (lines.len() as u16 + 2).clamp(5, area.height.max(5));
    let inner = canvas.popup(area, width, height, text::TITLE);
    let rows = usize::from(inner.height);
    let start = sheet.scroll.min(lines.len().saturating_sub(rows));
    for (offset, (line, meaning)) in lines.iter().skip(start).take(rows).enumerate() {
        let y = inner.y + offset as u16;
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, *meaning);
    }
    if start + rows < lines.len() {
        canvas.more_below(inner);
    }
}

fn waiting_lines(app: &App, canvas: &Canvas<'_>, waiting: &Waiting) -> Vec<Line> {
    let opened = match waiting.opened {
        None => text::OPENING,
        Some(true) => text::OPENED,
        Some(false) => text::NO_BROWSER,
    };
    let mut lines = vec![
        (opened.to_owned(), Meaning::Text),
        (text::waiting(&waiting.callback, waiting.until, app.now), Meaning::Accent),
    ];
    if let Some(odd) = &waiting.odd {
        lines.push((format!("{} {odd}", canvas.glyphs.warning), Meaning::Warning));
    }
    lines.extend([
        (String::new(), Meaning::Text),
        (text::ADDRESS.to_owned(), Meaning::Muted),
        (waiting.address.clone(), Meaning::Text),
        (String::new(), Meaning::Text),
        (text::elsewhere(&waiting.callback), Meaning::Muted),
        (text::mismatch(&waiting.callback), Meaning::Muted),
    ]);
    lines
}
