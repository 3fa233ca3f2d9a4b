//! The keys that work here, from the key map, fitted by rank; `?` help is always the last.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::keymap::Binding;
use crate::console::app::message::Hit;
use crate::console::view::canvas::Canvas;
use crate::console::view::safe_text::width;
use crate::console::view::text::common;
use crate::console::view::theme::Meaning;

/// Draws the bottom line.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut hints = app.keymap.hints(app.context());
    hints.retain(|binding| app.means_something(binding.action));
    let room = usize::from(area.width).saturating_sub(2);
    let shown = fitted(app, &hints, room);
    let cut = shown.len() < hints.len();
    let (mut first, last): (Vec<&Binding>, Vec<&Binding>) =
        shown.into_iter().partition(|binding| binding.action != Action::Help);
    // What belongs to this place before what belongs everywhere.
    first.sort_by_key(|binding| (matches!(binding.action, Action::Quit | Action::Palette), binding.rank));
    let mut x = area.x + 1;
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
    let start = x;
    let mut x = x;
    let key = binding.key.to_string();
    let possible = app.available(binding.action).is_ok();
    let key_meaning = if possible { Meaning::Key } else { Meaning::Disabled };
    x += canvas.text(x, area.y, area.right().saturating_sub(x), &key, key_meaning) + 1;
    let word = app.hint_of(binding);
    let word_meaning = if possible { Meaning::Muted } else { Meaning::Disabled };
    x += canvas.text(x, area.y, area.right().saturating_sub(x), word, word_meaning);
    let hit = Rect { x: start, y: area.y, width: x.saturating_sub(start), height: 1 };
    canvas.hit(hit, Hit::Action(binding.action));
    x + 2
}

/// As many hints as fit, the lowest ranks first.
fn fitted<'a>(app: &App, hints: &[&'a Binding], room: usize) -> Vec<&'a Binding> {
    let need = |binding: &Binding| width(&binding.key.to_string()) + 1 + width(app.hint_of(binding)) + 2;
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
