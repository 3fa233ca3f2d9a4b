//! What is around every tab: tabs, the line of workspace and org, the toast.

use std::fmt::Write;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::connection::TestState;
use crate::console::app::message::Hit;
use crate::console::app::model::{Access, Engine};
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::canvas::{Canvas, Piece};
use crate::console::view::safe_text;
use crate::console::view::text::{
    common, connection as connection_text, numbers, sync as sync_text, tabs as text,
};
use crate::console::view::theme::Meaning;
use crate::domain::hold::Priority;
use crate::domain::progress::EngineState;
use crate::domain::report::StatusReport;
use crate::domain::side::Side;
use crate::workspace::settings::Environment;

/// Columns from which full tab names show.
pub const FULL_NAMES: u16 = 96;

/// The rows of the screen.
pub struct Parts {
    /// The tabs.
    pub tabs: Rect,
    /// Workspace and org.
    pub context: Rect,
    /// The tab itself.
    pub body: Rect,
    /// A message.
    pub toast: Rect,
    /// The keys.
    pub footer: Rect,
}

impl Parts {
    /// Cuts the screen.
    pub fn of(area: Rect) -> Self {
        let row = |y: u16| Rect { y: area.y + y, height: 1, ..area };
        Self {
            tabs: row(0),
            context: row(1),
            body: Rect { y: area.y + 2, height: area.height.saturating_sub(4), ..area },
            toast: row(area.height.saturating_sub(2)),
            footer: row(area.height.saturating_sub(1)),
        }
    }
}

/// The line of tabs, with marks.
pub fn tabs(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let mut x = area.x;
    for tab in Tab::ALL {
        let name = if area.width >= FULL_NAMES { text::full(tab) } else { text::short(tab) };
        let active = tab == app.tab;
        let meaning = if active { Meaning::TabActive } else { Meaning::Tab };
        let start = x;
        // The open tab is told by brackets, too, so that no theme hides it.
        let label = if active {
            format!("[{} {name}]", tab.place() + 1)
        } else {
            format!(" {} {name} ", tab.place() + 1)
        };
        x += canvas.text(x, area.y, area.right().saturating_sub(x), &label, meaning);
        if let Some((mark, meaning)) = mark(app, tab, canvas) {
            x += canvas.text(x, area.y, area.right().saturating_sub(x), &mark, meaning);
            x += 1;
        }
        canvas.hit(Rect { x: start, y: area.y, width: x - start, height: 1 }, Hit::Tab(tab));
    }
    let mut ends: Vec<Piece<'_>> = Vec::new();
    if app.access == Access::ReadOnly {
        ends.push((common::READ_ONLY_MARK.into(), Meaning::Warning));
        ends.push((" ".into(), Meaning::Text));
    }
    ends.push((common::PRODUCT.into(), Meaning::Muted));
    let width: usize = ends.iter().map(|(text, _)| safe_text::width(text)).sum();
    let start = area.right().saturating_sub(width as u16 + 1);
    if app.access == Access::ReadOnly || start > x {
        let start = start.max(area.x);
        canvas.line(Rect { x: start, width: area.right() - start, ..area }, &ends);
    }
}

fn mark(app: &App, tab: Tab, canvas: &Canvas<'_>) -> Option<(String, Meaning)> {
    match tab {
        Tab::Connection | Tab::Mapping => {
            let left_out = |status: &StatusReport| tab == Tab::Mapping && sync_text::leaves_out(status);
            if app.unsaved(tab) {
                Some((canvas.glyphs.unsaved.to_owned(), Meaning::Changed))
            } else {
                let warns = app.sync.status.ready().is_some_and(|status| left_out(status));
                warns.then(|| (canvas.glyphs.warning.to_owned(), Meaning::Warning))
            }
        }
        Tab::Sync => match app.sync.progress.state {
            EngineState::Running | EngineState::Stopping => {
                Some((canvas.glyphs.running.to_owned(), Meaning::Accent))
            }
            EngineState::Paused => Some((canvas.glyphs.paused.to_owned(), Meaning::Warning)),
            EngineState::Idle => {
                let issues = app.sync.status.ready().map_or(0, |status| status.issues);
                (issues > 0).then(|| (format!("!{issues}"), Meaning::Error))
            }
        },
        Tab::Logs => None,
    }
}

/// The line of workspace, org, environment, platform and API budget.
pub fn context(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let name = if app.settings.workspace.name.is_empty() {
        app.folder.rsplit('/').next().unwrap_or_default().to_owned()
    } else {
        app.settings.workspace.name.clone()
    };
    let environment = match app.settings.salesforce.environment {
        Environment::Production => "production",
        Environment::Sandbox => "sandbox",
        Environment::Custom => "custom domain",
    };
    let unequal = app.sync.status.ready().and_then(|status| status.unequal.as_ref());
    let org = match &app.org {
        // What stands out needs the room.
        Some(org) if unequal.is_some() => org.name.clone(),
        Some(org) => {
            let kind = if org.sandbox { "sandbox" } else { environment };
            let edition = org.edition.trim_end_matches(" Edition");
            let edition = if edition.is_empty() { String::new() } else { format!(", {edition}") };
            format!("{} ({kind}{edition})", org.name)
        }
        None => format!("{} ({environment})", connection_text::SALESFORCE),
    };
    let mut pieces: Vec<Piece<'_>> = vec![
        (format!(" {}", safe_text::fit_middle(&name, usize::from(area.width / 4))).into(), Meaning::Title),
        (format!(" {} {org} {} ", canvas.glyphs.dot, canvas.glyphs.both).into(), Meaning::Muted),
        (app.settings.platform.kind.label().into(), Meaning::Muted),
    ];
    if let Some(unequal) = unequal {
        let sign = canvas.glyphs.warning;
        pieces.push((format!(" {sign}{}", sync_text::unequal(&unequal.what)).into(), Meaning::Warning));
    }
    if let Some((used, limit)) = app.api_budget {
        let percent = (used * 100).checked_div(limit).unwrap_or(0);
        let reserve = app.settings.salesforce.api_reserve_percent;
        let reached = used >= Priority::Automatic.share(limit, reserve);
        let meaning = if reached { Meaning::Warning } else { Meaning::Muted };
        let words = if area.width < FULL_NAMES {
            format!(" {} API {percent} %", canvas.glyphs.dot)
        } else {
            let (used, limit) = (numbers::count(used), numbers::count(limit));
            format!(" {} API {used}/{limit} ({percent} %)", canvas.glyphs.dot)
        };
        pieces.push((words.into(), meaning));
        if reached {
            pieces.push((format!(", {reserve} % kept").into(), meaning));
        }
    }
    let offline =
        Side::BOTH.into_iter().any(|side| matches!(app.connection.tests[side], TestState::Failed(_)));
    if offline {
        pieces
            .push((format!(" {} {} offline", canvas.glyphs.dot, canvas.glyphs.bad).into(), Meaning::Warning));
    } else if let Engine::Unavailable(_) = app.engine {
        pieces.push((format!(" {} no engine", canvas.glyphs.dot).into(), Meaning::Warning));
    } else if app.engine == Engine::Elsewhere {
        pieces.push((format!(" {} engine: forcesync run", canvas.glyphs.dot).into(), Meaning::Muted));
    }
    let serious = app
        .problems
        .iter()
        .filter(|problem| problem.severity == crate::workspace::problems::Severity::Error)
        .count();
    if serious > 0 {
        pieces.push((
            format!(" {} {} {}", canvas.glyphs.dot, canvas.glyphs.warning, common::file_problems(serious))
                .into(),
            Meaning::Warning,
        ));
    }
    canvas.line(area, &pieces);
}

/// The newest message, or help for what has the focus.
pub fn toast(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let Some(toast) = app.toasts.newest() else {
        if app.overlays.is_empty()
            && let Some(help) = focused_help(app)
        {
            canvas.text(area.x, area.y, area.width, help, Meaning::Muted);
        }
        return;
    };
    let (sign, meaning) = match toast.tone {
        Tone::Good => (canvas.glyphs.good, Meaning::Success),
        Tone::Info => (canvas.glyphs.dot, Meaning::Accent),
        Tone::Warning => (canvas.glyphs.warning, Meaning::Warning),
        Tone::Error => (canvas.glyphs.bad, Meaning::Error),
    };
    let mut more = String::new();
    if toast.count > 1 {
        let _ = write!(more, " ({} times)", toast.count);
    }
    if app.toasts.len() > 1 {
        let _ = write!(more, " (+{}, Esc)", app.toasts.len() - 1);
    } else if toast.tone == Tone::Error {
        more.push_str(" (Esc)");
    }
    let room = usize::from(area.width).saturating_sub(safe_text::width(&more) + safe_text::width(sign) + 1);
    let sentence = safe_text::fit(&toast.text, room);
    canvas.line(
        area,
        &[
            (sign.into(), meaning),
            (" ".into(), Meaning::Text),
            (sentence.into(), meaning),
            (more.into(), Meaning::Muted),
        ],
    );
}

fn focused_help(app: &App) -> Option<&'static str> {
    match app.tab {
        Tab::Connection => Some(connection_text::help(app.connection.focused())),
        Tab::Mapping | Tab::Sync | Tab::Logs => None,
    }
}
