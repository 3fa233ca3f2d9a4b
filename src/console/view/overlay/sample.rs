//! Draws a record that was pulled into the editor: each pair with its value, what the transform makes of it, and what is doubtful.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::overlay::sample::SampleSheet;
use crate::console::app::selection::window_start;
use crate::console::view::canvas::{Canvas, Focus};
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{mapping as mapping_text, sample as text};
use crate::console::view::theme::Meaning;
use crate::domain::mapping::Direction;
use crate::domain::sample::{PairSample, State};
use crate::domain::side::Side;

/// Lines for the selected pair.
const ABOUT: u16 = 5;

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, sheet: &SampleSheet, area: Rect) {
    let Some(mapping) = app.mapping.named(&sheet.mapping) else { return };
    let pulled = app.mapping.pulled.get(&sheet.mapping);
    let ready = pulled.and_then(Load::ready);
    let ids = ready.map(crate::domain::sample::Pulled::ids);
    let width = area.width.saturating_sub(2).min(110);
    let rows = mapping.pairs.len().max(1) as u16;
    let inner = canvas.popup(
        area,
        width,
        (rows + ABOUT + 5).min(area.height),
        &text::title(ids.as_ref(), canvas.glyphs.both),
    );
    let room = inner.width.saturating_sub(2);
    let mut y = inner.y;
    let tell = |canvas: &mut Canvas<'_>, y: &mut u16, words: &str, meaning: Meaning| {
        for line in wrap(words, usize::from(room)) {
            if *y < inner.bottom() {
                canvas.text(inner.x + 1, *y, room, &line, meaning);
            }
            *y += 1;
        }
    };
    let pulled = match pulled {
        Some(Load::Ready(pulled)) => pulled,
        Some(Load::Failed(reason)) => {
            tell(canvas, &mut y, reason, Meaning::Error);
            return;
        }
        Some(Load::Waiting) | None => {
            tell(canvas, &mut y, text::READING, Meaning::Muted);
            return;
        }
    };
    tell(canvas, &mut y, pulled.met.words(), Meaning::Muted);
    if mapping.pairs.is_empty() {
        tell(canvas, &mut y, text::NO_PAIRS, Meaning::Muted);
        return;
    }
    let results = app.sample_results(mapping);
    let about = ABOUT.min(inner.height / 3);
    let height = usize::from(inner.bottom().saturating_sub(y + about + 1));
    let selected = sheet.selection.place(results.len());
    let start = window_start(selected, results.len(), height);
    let names = usize::from(room / 4).max(12);
    let state = 9;
    let values = (usize::from(room).saturating_sub(2 + names + 3 + state) / 2).max(8);
    for (place, (pair, result)) in mapping.pairs.iter().zip(&results).enumerate().skip(start).take(height) {
        let line = Rect { y: y + (place - start) as u16, height: 1, ..inner };
        let (from, to) = ends(result);
        let (arrow, name) = match to {
            Side::Platform => (Direction::ToPlatform, pair.org.join(" + ")),
            Side::Org => (Direction::ToOrg, pair.platform.join(" + ")),
        };
        let name = if name.is_empty() { mapping_text::FIXED.to_owned() } else { name };
        let held = text::shown(result.values[from].as_deref());
        let gets = result.to[to].as_ref().map_or_else(|| "–".to_owned(), text::turned);
        let meaning = meaning(result.state());
        canvas.line(
            Rect { x: line.x + 2, width: line.width.saturating_sub(2), ..line },
            &[
                (column(result.state().word(), state).into(), meaning),
                (format!("{} ", column(&name, names - 1)).into(), Meaning::Text),
                (format!("{} ", column(&held, values - 1)).into(), Meaning::Accent),
                (column(canvas.glyphs.arrow(arrow), 3).into(), Meaning::Muted),
                (gets.into(), meaning),
            ],
        );
        if place == selected {
            canvas.select(line, Focus::Here);
        }
        canvas.hit(line, Hit::OverlayRow(place));
    }
    let mut y = inner.bottom().saturating_sub(about);
    if let Some(result) = results.get(selected) {
        for words in lines_of(app, result) {
            tell(canvas, &mut y, &words, Meaning::Text);
        }
    }
}

/// What is to be told of one pair in full.
pub(super) fn lines_of(app: &App, result: &PairSample) -> Vec<String> {
    let platform = app.settings.platform.kind.label();
    [Side::Platform, Side::Org].into_iter().flat_map(|target| text::way(result, target, platform)).collect()
}

/// Which way a pair is shown: from Salesforce, where it flows from there.
fn ends(result: &PairSample) -> (Side, Side) {
    match (&result.to.platform, &result.to.org) {
        (None, Some(_)) => (Side::Platform, Side::Org),
        (Some(_), _) | (None, None) => (Side::Org, Side::Platform),
    }
}

fn meaning(state: State) -> Meaning {
    match state {
        State::Same => Meaning::Success,
        State::New | State::Differs => Meaning::Text,
        State::Doubtful => Meaning::Warning,
        State::Refused => Meaning::Error,
        State::Unread => Meaning::Muted,
    }
}
