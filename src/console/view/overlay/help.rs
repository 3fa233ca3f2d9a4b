//! Help: what this screen is, its keys first, then those of everywhere; all from the key map.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::keymap::Context;
use crate::console::app::tab::Tab;
use crate::console::view::canvas::Canvas;
use crate::console::view::safe_text::{column, wrap};
use crate::console::view::text::{common, tabs};
use crate::console::view::theme::Meaning;

const GENERAL: &str = include_str!("../../../../assets/help/general.txt");
const KEYS: usize = 18;

enum Line {
    Title(String),
    Text(String),
    Key { keys: String, what: String },
}

pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, context: Context, scroll: usize, area: Rect) {
    let width = area.width.min(84);
    let lines = lines(app, context, usize::from(width.saturating_sub(4)));
    let height = (lines.len() as u16 + 2).min(area.height);
    let inner = canvas.popup(area, width, height, common::HELP);
    let room = usize::from(inner.height);
    let start = scroll.min(lines.len().saturating_sub(room));
    for (offset, line) in lines.iter().skip(start).take(room).enumerate() {
        let row = Rect {
            x: inner.x + 1,
            y: inner.y + offset as u16,
            width: inner.width.saturating_sub(2),
            height: 1,
        };
        match line {
            Line::Title(words) => {
                canvas.text(row.x, row.y, row.width, words, Meaning::Title);
            }
            Line::Text(words) => {
                canvas.text(row.x, row.y, row.width, words, Meaning::Text);
            }
            Line::Key { keys, what } => {
                canvas.line(
                    row,
                    &[(column(keys, KEYS).into(), Meaning::Key), (what.as_str().into(), Meaning::Text)],
                );
            }
        }
    }
    if start + room < lines.len() {
        canvas.more_below(inner);
    }
}

fn lines(app: &App, context: Context, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let about = tabs::about(app.tab);
    lines.push(Line::Title(tabs::full(app.tab).to_owned()));
    // What only this platform needs stands in its own file.
    let profile = app.settings.platform.kind.profile().filter(|_| app.tab == Tab::Connection);
    let of_platform = profile.map(|profile| profile.help.trim()).unwrap_or_default();
    for paragraph in about.lines().chain(of_platform.lines()) {
        lines.extend(wrap(paragraph, width).into_iter().map(Line::Text));
    }
    for place in context.chain() {
        lines.push(Line::Text(String::new()));
        lines.push(Line::Title(heading(*place).to_owned()));
        for action in Action::ALL {
            let keys: Vec<String> = app
                .keymap
                .bindings(*place)
                .iter()
                .filter(|binding| binding.action == *action)
                .map(|binding| binding.key.to_string())
                .collect();
            if !keys.is_empty() {
                lines.push(Line::Key { keys: keys.join(" "), what: action.title().to_owned() });
            }
        }
    }
    lines.push(Line::Text(String::new()));
    for paragraph in GENERAL.lines() {
        lines.extend(wrap(paragraph, width).into_iter().map(Line::Text));
    }
    lines.extend(wrap(&format!("Workspace: {}", app.folder), width).into_iter().map(Line::Text));
    lines
}

fn heading(context: Context) -> &'static str {
    match context {
        Context::Movement => "Moving",
        Context::Global => "Everywhere",
        Context::Connection | Context::Mapping | Context::Sync | Context::Logs => "Keys of this tab",
        Context::Typing => "While typing",
        Context::Picker => "Choosing",
        Context::Confirm => "Answering",
        Context::Panel => "In this window",
        Context::Sheet => "In this form",
        Context::Criteria => "In the criteria",
        Context::Inbox => "Deciding and mending",
        Context::Plan => "The plan",
        Context::Drift => "What changed",
        Context::SignIn => "While the browser is waited for",
        Context::Help => "In help",
    }
}
