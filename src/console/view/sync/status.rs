//! The status block (F54–F57), and what can be kicked off or switched (F58–F61).

use std::fmt::Write;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::keymap::Context;
use crate::console::app::message::Hit;
use crate::console::app::model::{Engine, Load};
use crate::console::app::sync::Part;
use crate::console::app::tab::Tab;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::safe_text::{self, column};
use crate::console::view::text::{common, numbers, sync as text, tabs};
use crate::console::view::theme::Meaning;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::progress::EngineState;
use crate::domain::report::{FirstSync, LastAudit};

/// Rows of the status block; the last audit stands there once there was one.
pub(super) fn rows(app: &App) -> u16 {
    if last_audit(app).is_some() { 6 } else { 5 }
}

fn last_audit(app: &App) -> Option<&LastAudit> {
    app.sync.status.ready()?.last_audit.as_ref()
}

/// When the last audit was, what it found, and whether that was dealt with.
fn audit_line(app: &App, audit: &LastAudit) -> (&'static str, String, Meaning) {
    let at = numbers::moment_short(audit.at, app.now, app.zone);
    let runs = app.sync.runs.ready().map(Vec::as_slice).unwrap_or_default();
    let healed = runs.iter().find(|run| {
        run.kind == RunKind::Heal
            && run.run > audit.run
            && matches!(run.result, Some(RunResult::Succeeded | RunResult::PartlyFailed))
    });
    let holes = numbers::things(audit.holes, "hole", "holes");
    let (what, meaning) = match healed {
        _ if audit.holes == 0 => ("no holes".to_owned(), Meaning::Success),
        Some(run) => (format!("{holes}, dealt with in run {}", run.run), Meaning::Text),
        None if audit.gone == audit.holes => (format!("{holes}, for a person"), Meaning::Warning),
        None => {
            let key = app.keymap.key_of(Context::Sync, Action::Heal);
            (format!("{holes}{}", key.map(|key| format!(" ({key})")).unwrap_or_default()), Meaning::Warning)
        }
    };
    (text::AUDIT, format!("{at}, {what}"), meaning)
}
/// Columns of labels.
const LABEL: usize = 29;

/// The status block.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let title = if app.size.0 < crate::console::view::frame::FULL_NAMES {
        tabs::full(Tab::Sync)
    } else {
        text::STATUS
    };
    let inner = canvas.panel(area, title, Focus::Elsewhere);
    for (offset, (label, value, meaning)) in lines(app).into_iter().enumerate() {
        let y = inner.y + offset as u16;
        if y >= inner.bottom() {
            break;
        }
        canvas.line(
            Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(1), height: 1 },
            &[(column(label, LABEL).into(), Meaning::Text), (value.into(), meaning)],
        );
    }
}

fn lines(app: &App) -> Vec<(&'static str, String, Meaning)> {
    let current = current(app);
    let status = match &app.sync.status {
        Load::Ready(status) => status,
        Load::Waiting => {
            return vec![
                (text::FIRST, common::LOADING.into(), Meaning::Muted),
                (text::CURRENT, current.0, current.1),
            ];
        }
        Load::Failed(reason) => {
            return vec![
                (text::CURRENT, current.0, current.1),
                (text::STATUS, reason.clone(), Meaning::Error),
            ];
        }
    };
    let moment = |at| numbers::moment_short(at, app.now, app.zone);
    let first = match &status.first_sync {
        FirstSync::Never => (text::NEVER_DONE.to_owned(), Meaning::Warning),
        FirstSync::Begun => (text::BEGUN.to_owned(), Meaning::Warning),
        FirstSync::Done { at } => (format!("done {}", moment(*at)), Meaning::Success),
    };
    let mut issues = if status.issues == 0 {
        ("none".to_owned(), Meaning::Success)
    } else {
        (
            format!(
                "{} in {}",
                numbers::count(status.issues),
                numbers::things(status.issue_groups, "group", "groups")
            ),
            Meaning::Error,
        )
    };
    if status.conflicts > 0 {
        let key = app.keymap.key_of(Context::Sync, Action::Conflicts);
        let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
        let conflicts = numbers::things(status.conflicts, "conflict", "conflicts");
        let _ = write!(issues.0, ", {conflicts}{key}");
        issues.1 = Meaning::Conflict;
    }
    let at = |moment_at: Option<chrono::DateTime<chrono::Utc>>| {
        moment_at.map_or((text::NEVER.to_owned(), Meaning::Muted), |at| (moment(at), Meaning::Text))
    };
    let last = at(status.last_synchronization);
    let update = at(status.last_update);
    let mut lines = vec![
        (text::FIRST, first.0, first.1),
        (text::CURRENT, current.0, current.1),
        (text::ISSUES, issues.0, issues.1),
        (text::LAST, last.0, last.1),
        (text::UPDATE, update.0, update.1),
    ];
    lines.extend(last_audit(app).map(|audit| audit_line(app, audit)));
    lines
}

fn current(app: &App) -> (String, Meaning) {
    let progress = &app.sync.progress;
    match (&app.engine, progress.state) {
        (Engine::Unavailable(_), _) => ("unknown: no engine to ask".into(), Meaning::Warning),
        (Engine::Looking, _) => (common::LOADING.into(), Meaning::Muted),
        // A limit is no failure: it says until when, and by which limit.
        (Engine::Here | Engine::Elsewhere, EngineState::Idle) if progress.held.is_some() => {
            let held = progress.held.as_ref().map(|hold| {
                let left = progress.next_automatic.map(|next| numbers::between(app.now, next.max(app.now)));
                text::limited(&numbers::moment_short(hold.until, app.now, app.zone), hold, left.as_deref())
            });
            (held.unwrap_or_default(), Meaning::Warning)
        }
        (Engine::Here | Engine::Elsewhere, EngineState::Idle) => {
            let pending = app.sync.status.ready().map_or(0, |status| status.pending);
            if app.held_by_a_brake().is_some() {
                let key = app.keymap.key_of(Context::Sync, Action::Release);
                let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
                (format!("{}{key}", text::BRAKED), Meaning::Warning)
            } else if app.sync.status.ready().is_some_and(|status| text::leaves_out(status)) {
                (text::LEFT_OUT.into(), Meaning::Warning)
            } else if pending > 0 {
                (format!("idle, {} pending", numbers::count(pending)), Meaning::Text)
            } else {
                ("idle".into(), Meaning::Text)
            }
        }
        (Engine::Here | Engine::Elsewhere, state) => {
            let meaning = if state == EngineState::Paused { Meaning::Warning } else { Meaning::Accent };
            (text::state(state, progress.kind), meaning)
        }
    }
}

/// Rows inside the panel of actions.
pub(super) fn actions_rows(app: &App) -> u16 {
    if app.sync.unfolded { 4 } else { 2 }
}

/// Force synchronization, folded until Enter (F59), and the automatic one below.
pub(super) fn actions(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let part = app.sync.part;
    let force = part == Part::Force;
    let title = format!(
        "{} {}",
        if app.sync.unfolded { canvas.glyphs.unfolded } else { canvas.glyphs.folded },
        text::FORCE
    );
    let inner = canvas.panel(area, &title, Focus::when(force));
    let mut y = inner.y;
    let head = Rect { y: area.y, height: 1, ..area };
    canvas.hit(head, Hit::Row { list: 0, row: 0 });
    let key = |action: Action| {
        app.keymap.key_of(Context::Sync, action).map(|key| key.to_string()).unwrap_or_default()
    };
    if app.sync.unfolded {
        let selected = app.sync.force.place(3);
        let since = app.sync.status.ready().and_then(|status| status.last_synchronization);
        let since = since.map_or_else(
            || "everything: nothing was synchronized yet".to_owned(),
            |at| format!("since {}", numbers::moment(at, app.now, app.zone)),
        );
        let linked = app.sync.status.ready().map_or(0, |status| status.links);
        let all =
            if linked > 0 { format!("all, {} linked", numbers::count(linked)) } else { "all records".into() };
        let entries =
            [(Action::StartInitial, text::INITIAL, all), (Action::StartInstant, text::INSTANT, since)];
        for (place, (action, label, detail)) in entries.into_iter().enumerate() {
            let row = Rect { y, height: 1, ..inner };
            let possible = app.available(action).is_ok();
            let meaning = if possible { Meaning::Text } else { Meaning::Disabled };
            canvas.line(
                Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row },
                &[
                    (
                        format!("{} ", key(action)).into(),
                        if possible { Meaning::Key } else { Meaning::Disabled },
                    ),
                    (column(label, 24).into(), meaning),
                    (" ".into(), Meaning::Text),
                    (detail.into(), Meaning::Muted),
                ],
            );
            if force && selected == place + 1 {
                canvas.select(row, Focus::Here);
            }
            canvas.hit(row, Hit::Row { list: 0, row: place + 1 });
            y += 1;
        }
    } else {
        let (initial, instant) = (key(Action::StartInitial), key(Action::StartInstant));
        let room = usize::from(inner.width.saturating_sub(2));
        let hint = match (app.available(Action::StartInitial), app.available(Action::StartInstant)) {
            (Ok(()), Ok(())) => format!("{initial} initial, {instant} instant"),
            (Ok(()), Err(_)) => format!("{initial} initial, of everything"),
            // In full it is said when the key is pressed.
            (Err(reason), _) if safe_text::width(&reason) > room => {
                if app.sync.is_running() { text::GOES_ON } else { text::NOT_NOW }.into()
            }
            (Err(reason), _) => reason,
        };
        let row = Rect { y, height: 1, ..inner };
        canvas.text(row.x + 2, y, row.width.saturating_sub(2), &hint, Meaning::Muted);
        if force {
            canvas.text(row.x, y, 1, canvas.glyphs.pointer, Meaning::Accent);
        }
        y += 1;
    }
    if y < inner.bottom() {
        let outer = if canvas.plain { inner } else { area };
        canvas.divide(outer, y, &[(text::AUTOMATIC.into(), Meaning::Title)]);
        y += 1;
    }
    if y < inner.bottom() {
        let row = Rect { y, height: 1, ..inner };
        let line = Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row };
        let pieces = automatic(app, canvas);
        let needed: usize = pieces.iter().map(|(piece, _)| safe_text::width(piece)).sum();
        let (said, more) = match pieces.get(2..) {
            // What does not fit beside it stands below.
            Some(more) if needed > usize::from(line.width) && y + 1 < inner.bottom() => {
                (pieces.get(..2).unwrap_or_default(), more)
            }
            Some(_) | None => (pieces.as_slice(), &[][..]),
        };
        canvas.line(line, said);
        if !more.is_empty() {
            canvas.line(Rect { y: y + 1, x: line.x + 2, width: line.width.saturating_sub(2), ..line }, more);
        }
        if part == Part::Automatic {
            canvas.select(row, Focus::Here);
        }
        canvas.hit(row, Hit::Row { list: 1, row: 0 });
    }
}

fn automatic(app: &App, canvas: &Canvas<'_>) -> Vec<Piece<'static>> {
    let schedule = &app.settings.schedule;
    let on = if app.engine.answers() { app.sync.progress.automatic } else { schedule.automatic };
    let mut pieces: Vec<Piece<'static>> = vec![
        (
            if on { canvas.glyphs.on } else { canvas.glyphs.off }.into(),
            if on { Meaning::Success } else { Meaning::Muted },
        ),
        (format!(" {}, every {schedule}", if on { "on" } else { "off" }).into(), Meaning::Text),
    ];
    if let (true, Some(next)) = (on, app.sync.progress.next_automatic) {
        pieces.push((
            format!("  next {}", numbers::moment_short(next, app.now, app.zone)).into(),
            Meaning::Muted,
        ));
    }
    if let Some(quiet) = schedule.quiet {
        pieces.push((format!("  quiet {quiet}").into(), Meaning::Muted));
    }
    pieces
}
