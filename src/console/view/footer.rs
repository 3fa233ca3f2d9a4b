//! The keys that work here, from the key map, fitted by rank; `?` help is always the last.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::keymap::Binding;
use crate::console::app::message::Hit;
use crate::console::app::overlay::Overlay;
use crate::console::view::canvas::Canvas;
use crate::console::view::safe_text::width;
use crate::console::view::text::common;
use crate::console::view::theme::Meaning;

/// Draws the bottom line.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut hints = app.keymap.hints(app.context());
    hints.retain(|binding| app.means_something(binding.action));
    let answers = answers(app);
    let needed: usize = answers.iter().map(|(letter, word, _)| word_room(&letter.to_string(), word)).sum();
    let room = usize::from(area.width).saturating_sub(2 + needed);
    let shown = fitted(app, &hints, room);
    let cut = shown.len() < hints.len();
    let (mut first, last): (Vec<&Binding>, Vec<&Binding>) =
        shown.into_iter().partition(|binding| binding.action != Action::Help);
    // What belongs to this place before what belongs everywhere.
    first.sort_by_key(|binding| (matches!(binding.action, Action::Quit | Action::Palette), binding.rank));
    let mut x = area.x + 1;
    for (letter, word, place) in &answers {
        let words = [(letter.to_string(), Meaning::Key), (word.clone(), Meaning::Muted)];
        x = pressable(canvas, &words, x, area, Hit::OverlayRow(*place));
    }
    for binding in &first {
        x = hint(app, canvas, binding, x, area);
    }
    if cut {
        x += canvas.text(x, area.y, area.right().saturating_sub(x), common::MORE, Meaning::Muted) + 1;
    }
    for binding in last {
        x = hint(app, canvas, binding, x, area);
    }
}

fn hint(app: &App, canvas: &mut Canvas<'_>, binding: &Binding, x: u16, area: Rect) -> u16 {
    let (key, word) = (binding.key.to_string(), app.hint_of(binding).to_owned());
    let words = if app.available(binding.action).is_ok() {
        [(key, Meaning::Key), (word, Meaning::Muted)]
    } else {
        [(key, Meaning::Disabled), (word, Meaning::Disabled)]
    };
    pressable(canvas, &words, x, area, Hit::Action(binding.action))
}

/// A key and its word, which a mouse can press; answers where the next hint begins.
fn pressable(
    canvas: &mut Canvas<'_>,
    [(key, key_meaning), (word, word_meaning)]: &[(String, Meaning); 2],
    start: u16,
    area: Rect,
    hit: Hit,
) -> u16 {
    let mut x = start;
    x += canvas.text(x, area.y, area.right().saturating_sub(x), key, *key_meaning) + 1;
    x += canvas.text(x, area.y, area.right().saturating_sub(x), word, *word_meaning);
    canvas.hit(Rect { x: start, y: area.y, width: x.saturating_sub(start), height: 1 }, hit);
    x + 2
}

/// The answers of a question that no key of the map presses: letter, word and place.
fn answers(app: &App) -> Vec<(char, String, usize)> {
    let Some(Overlay::Question(question)) = app.overlays.last() else { return Vec::new() };
    let named = question.choices.iter().enumerate();
    named
        .filter(|(_, choice)| !matches!(choice.letter, 'y' | 'n'))
        .map(|(place, choice)| (choice.letter, lower(&choice.label), place))
        .collect()
}

/// A label as a word among others.
fn lower(label: &str) -> String {
    let mut letters = label.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

fn word_room(key: &str, word: &str) -> usize {
    width(key) + 1 + width(word) + 2
}

/// As many hints as fit, the lowest ranks first.
fn fitted<'a>(app: &App, hints: &[&'a Binding], room: usize) -> Vec<&'a Binding> {
    let need = |binding: &Binding| word_room(&binding.key.to_string(), app.hint_of(binding));
    let all: usize = hints.iter().map(|binding| need(binding)).sum();
    // Room for the sign that there is more.
    let room = if all <= room + 2 { room + 2 } else { room.saturating_sub(2) };
    let mut used = 0;
    hints
        .iter()
        .copied()
        .filter(|binding| {
            let needed = need(binding);
            let fits = used + needed <= room;
            if fits {
                used += needed;
            }
            fits
        })
        .collect()
}
