//! The groups of issues and the runs.

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::message::Hit;
use crate::console::app::model::Load;
use crate::console::app::selection::window_start;
use crate::console::app::sync::Part;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::safe_text::{column, right};
use crate::console::view::text::{common, numbers, sync as text};
use crate::console::view::theme::Meaning;
use crate::domain::outcome::RunResult;
use crate::domain::report::{IssueGroup, RunRow};

/// Groups of open issues.
pub(super) fn issues(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let here = app.sync.part == Part::Issues;
    let inner = canvas.panel(area, text::ISSUES_TITLE, Focus::when(here));
    let groups = match &app.sync.groups {
        Load::Ready(groups) if groups.is_empty() => {
            return say(canvas, inner, text::NO_ISSUES, Meaning::Success);
        }
        Load::Ready(groups) => groups,
        Load::Waiting => return say(canvas, inner, common::LOADING, Meaning::Muted),
        Load::Failed(reason) => return say(canvas, inner, reason, Meaning::Error),
    };
    let selected = app.sync.group.place(groups.len());
    let start = window_start(selected, groups.len(), usize::from(inner.height));
    for (place, group) in groups.iter().enumerate().skip(start).take(usize::from(inner.height)) {
        let row = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        group_line(app, canvas, row, group);
        if place == selected {
            canvas.select(row, Focus::when(here));
        }
        canvas.hit(row, Hit::Row { list: 2, row: place });
    }
}

fn group_line(app: &App, canvas: &mut Canvas<'_>, row: Rect, group: &IssueGroup) {
    let tail = format!(
        "{}  since {} ",
        numbers::things(group.records, "record", "records"),
        numbers::moment(group.since, app.now, app.zone)
    );
    let tail_width = if row.width > 70 { 38 } else { 12 };
    let tail = if row.width > 70 { tail } else { numbers::count(group.records) };
    let room = usize::from(row.width).saturating_sub(4 + tail_width);
    let words = format!("{}  {}  {}", group.code, group.mapping, group.cause);
    canvas.line(
        Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row },
        &[
            ("! ".into(), Meaning::Error),
            (column(&words, room).into(), Meaning::Text),
            (right(&tail, tail_width).into(), Meaning::Muted),
        ],
    );
}

/// Runs, newest first.
pub(super) fn runs(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let here = app.sync.part == Part::Runs;
    let inner = canvas.panel(area, text::RUNS, Focus::when(here));
    let runs = match &app.sync.runs {
        Load::Ready(runs) if runs.is_empty() => return say(canvas, inner, text::NO_RUNS, Meaning::Muted),
        Load::Ready(runs) => runs,
        Load::Waiting => return say(canvas, inner, common::LOADING, Meaning::Muted),
        Load::Failed(reason) => return say(canvas, inner, reason, Meaning::Error),
    };
    let selected = app.sync.run.place(runs.len());
    let start = window_start(selected, runs.len(), usize::from(inner.height));
    for (place, run) in runs.iter().enumerate().skip(start).take(usize::from(inner.height)) {
        let row = Rect { y: inner.y + (place - start) as u16, height: 1, ..inner };
        let pieces = run_pieces(app, canvas, run);
        canvas.line(Rect { x: row.x + 2, width: row.width.saturating_sub(2), ..row }, &pieces);
        if place == selected {
            canvas.select(row, Focus::when(here));
        }
        canvas.hit(row, Hit::Row { list: 3, row: place });
    }
}

fn say(canvas: &mut Canvas<'_>, inner: Rect, words: &str, meaning: Meaning) {
    if inner.height > 0 {
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), words, meaning);
    }
}

/// How a result looks.
pub(in crate::console::view) fn result_look(
    canvas: &Canvas<'_>,
    result: Option<RunResult>,
) -> (&'static str, &'static str, Meaning) {
    match result {
        None => (canvas.glyphs.running, "unfinished", Meaning::Accent),
        Some(result) => {
            let (sign, meaning) = match result {
                RunResult::Succeeded => (canvas.glyphs.good, Meaning::Success),
                RunResult::PartlyFailed | RunResult::Limited | RunResult::Braked | RunResult::Cancelled => {
                    (canvas.glyphs.warning, Meaning::Warning)
                }
                RunResult::Blocked | RunResult::Failed => (canvas.glyphs.bad, Meaning::Error),
            };
            (sign, text::result(result), meaning)
        }
    }
}

/// A run on one line.
pub(super) fn run_pieces(app: &App, canvas: &Canvas<'_>, run: &RunRow) -> Vec<Piece<'static>> {
    let (sign, word, meaning) = result_look(canvas, run.result);
    let sign = if canvas.plain { String::new() } else { format!("{sign} ") };
    let mut pieces: Vec<Piece<'static>> = vec![
        (right(&run.run.to_string(), 5).into(), Meaning::Muted),
        (format!(" {}", column(run.kind.word(), 10)).into(), Meaning::Text),
        (column(&numbers::moment(run.started, app.now, app.zone), 17).into(), Meaning::Muted),
        (format!("{sign}{}", column(word, 14)).into(), meaning),
    ];
    let counts = &run.counts;
    let entries = [
        (counts.created(), "created"),
        (counts.updated(), "updated"),
        (counts.deleted(), "deleted"),
        (counts.limited, "limited"),
        (counts.conflicts, "conflicts"),
        (counts.failed, "failed"),
    ];
    let words: Vec<String> = entries
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", numbers::count(number)))
        .collect();
    let words = match (&run.message, words.is_empty(), run.result) {
        (Some(message), true, Some(result)) if result != RunResult::Succeeded => message.clone(),
        (_, true, Some(RunResult::Succeeded)) => "nothing to do".into(),
        _ => words.join(", "),
    };
    pieces.push((words.into(), Meaning::Text));
    pieces
}
