//! Draws what lies over a tab, one file a kind.

mod conditions;
mod conflicts;
mod drift;
mod help;
mod issue;
mod picker;
mod plan;
mod question;
mod reading;
mod records;
mod rehearsal;
mod sample;
mod scope;
mod sheet;
mod sign_in;
mod suggest;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::overlay::Overlay;
use crate::console::view::canvas::Canvas;

/// Draws one overlay; only the top one can be pressed.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, overlay: &Overlay, area: Rect) {
    canvas.hits.clear();
    canvas.cursor = None;
    match overlay {
        Overlay::Help { context, scroll } => help::draw(app, canvas, *context, *scroll, area),
        Overlay::Palette(picker) | Overlay::Picker(picker) => picker::draw(canvas, picker, area),
        Overlay::Question(question) => question::draw(canvas, question, area),
        Overlay::Prompt(prompt) => question::prompt(canvas, prompt, area),
        Overlay::Suggest(suggest) => suggest::draw(app, canvas, suggest, area),
        Overlay::Sheet(sheet) => sheet::draw(app, canvas, sheet, area),
        Overlay::Sample(sheet) => sample::draw(app, canvas, sheet, area),
        Overlay::Conditions(conditions) => conditions::draw(app, canvas, conditions, area),
        Overlay::Conflicts(inbox) => conflicts::draw(app, canvas, inbox, area),
        Overlay::Issue(sheet) => issue::draw(app, canvas, sheet, area),
        Overlay::Drift(drift) => drift::draw(app, canvas, drift, area),
        Overlay::Records(records) => records::draw(canvas, records, area),
        Overlay::Plan(sheet) => plan::draw(app, canvas, sheet, area),
        Overlay::SignIn(sheet) => sign_in::draw(app, canvas, sheet, area),
        Overlay::Reading(reading) => reading::draw(app, canvas, reading, area),
    }
}
