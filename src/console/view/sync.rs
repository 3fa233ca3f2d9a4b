//! Draws Synchronization Information: status, force, automatic, the run at hand, issues, runs.

mod lists;
mod run;
mod status;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::sync::Part;
use crate::console::view::canvas::Canvas;

pub(in crate::console::view) use self::lists::result_look;

/// Columns from which status and actions stand side by side.
const BESIDE: u16 = 78;

/// Draws the tab.
pub fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let frame = if canvas.plain { 1 } else { 2 };
    let actions_height = status::actions_rows(app) + frame + 1;
    let rest = if area.width >= BESIDE {
        let height = (status::rows(app) + frame).max(actions_height).min(area.height);
        // The status block needs its labels in full; what is kicked off gets the rest.
        let left = (area.width / 2).max(50).min(area.width);
        status::draw(app, canvas, Rect { width: left, height, ..area });
        status::actions(app, canvas, Rect { x: area.x + left, width: area.width - left, height, ..area });
        below(area, height)
    } else {
        let height = (status::rows(app) + frame).min(area.height);
        status::draw(app, canvas, Rect { height, ..area });
        let left = below(area, height);
        let actions_height = actions_height.min(left.height);
        status::actions(app, canvas, Rect { height: actions_height, ..left });
        below(left, actions_height)
    };
    let run_rows = run::rows(app);
    let run_height = if run_rows == 0 { 0 } else { run_rows + frame };
    // On a small screen there is room for one thing: the list that has the focus, else the run, else what went wrong.
    if rest.height < run_height + 2 * (frame + 1) {
        match app.sync.part {
            Part::Runs => lists::runs(app, canvas, rest),
            Part::Force | Part::Automatic if app.sync.is_running() => run::draw(app, canvas, rest),
            Part::Issues | Part::Force | Part::Automatic => lists::issues(app, canvas, rest),
        }
        return;
    }
    if run_height > 0 {
        run::draw(app, canvas, Rect { height: run_height, ..rest });
    }
    let rest = below(rest, run_height);
    let groups = app.sync.groups.ready().map_or(1, |groups| groups.len().max(1)) as u16;
    let issues_height = (groups + frame).min(rest.height / 2).max(frame + 1);
    lists::issues(app, canvas, Rect { height: issues_height, ..rest });
    lists::runs(app, canvas, below(rest, issues_height));
}

fn below(area: Rect, used: u16) -> Rect {
    let used = used.min(area.height);
    Rect { y: area.y + used, height: area.height - used, ..area }
}
