//! Draws a question with its answers, and a prompt for one line of text.

use ratatui::layout::Rect;

use crate::console::app::message::Hit;
use crate::console::app::overlay::prompt::Prompt;
use crate::console::app::overlay::question::Question;
use crate::console::view::canvas::Canvas;
use crate::console::view::safe_text::{self, wrap};
use crate::console::view::theme::Meaning;

pub(super) fn draw(canvas: &mut Canvas<'_>, question: &Question, area: Rect) {
    let width = area.width.saturating_sub(4).min(76);
    let text_width = usize::from(width.saturating_sub(4));
    let lines: Vec<String> = question.lines.iter().flat_map(|line| wrap(line, text_width)).collect();
    let buttons: Vec<(String, usize)> = question
        .choices
        .iter()
        .enumerate()
        .map(|(place, choice)| (format!("{} ({})", choice.label, choice.letter), place))
        .collect();
    let beside: usize = buttons.iter().map(|(label, _)| safe_text::width(label) + 5).sum();
    let stacked = beside > text_width;
    let button_rows = if stacked { buttons.len() as u16 } else { 1 };
    let height = lines.len() as u16 + button_rows + 3;
    let inner = canvas.popup(area, width, height, &question.title);
    let room = usize::from(inner.height.saturating_sub(button_rows));
    let start = question.scroll.min(lines.len().saturating_sub(room));
    for (offset, line) in lines.iter().skip(start).take(room).enumerate() {
        let y = inner.y + offset as u16;
        canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, Meaning::Text);
    }
    if start + room < lines.len() {
        canvas.more_below(inner);
    }
    let mut y = inner.bottom().saturating_sub(button_rows);
    let mut x = inner.x + 1;
    for (label, place) in buttons {
        let focused = place == question.focused;
        // The focused button is told by its brackets, too.
        let words =
            if focused { format!("[{} {label}]", canvas.glyphs.pointer) } else { format!("  {label} ") };
        let meaning = if focused { Meaning::Selection } else { Meaning::Text };
        let used = canvas.text(x, y, inner.right().saturating_sub(x), &words, meaning);
        canvas.hit(Rect { x, y, width: used, height: 1 }, Hit::OverlayRow(place));
        if stacked {
            y += 1;
        } else {
            x += used + 1;
        }
    }
}

/// With a capital at its start and a full stop at its end.
fn sentence(error: &str) -> String {
    let mut letters = error.trim().chars();
    let mut sentence: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

pub(super) fn prompt(canvas: &mut Canvas<'_>, prompt: &Prompt, area: Rect) {
    let width = area.width.saturating_sub(4).min(84);
    let text_width = usize::from(width.saturating_sub(4));
    let help: Vec<String> = prompt.help.lines().flat_map(|line| wrap(line, text_width)).collect();
    let error = prompt.error.as_deref().map(|error| format!("{} {}", canvas.glyphs.bad, sentence(error)));
    let error = error.map(|error| wrap(&error, text_width)).unwrap_or_default();
    let height = (help.len() + error.len()) as u16 + 3;
    let inner = canvas.popup(area, width, height, &prompt.title);
    let field = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), height: 1, ..inner };
    let mask = prompt.is_secret().then_some(canvas.glyphs.mask);
    canvas.typing(field, &prompt.input, mask);
    let lines =
        error.iter().map(|line| (line, Meaning::Error)).chain(help.iter().map(|line| (line, Meaning::Muted)));
    for (offset, (line, meaning)) in lines.enumerate() {
        let y = inner.y + 1 + offset as u16;
        if y < inner.bottom() {
            canvas.text(inner.x + 1, y, inner.width.saturating_sub(2), line, meaning);
        }
    }
}
