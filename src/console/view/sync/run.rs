//! The run at hand: a gauge for each mapping, counts, rate, API calls. Idle: how the last one ended.

use std::fmt::Write;

use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::model::Engine;
use crate::console::view::canvas::{Canvas, Focus, Piece};
use crate::console::view::safe_text::{column, right};
use crate::console::view::text::{numbers, sync as text};
use crate::console::view::theme::Meaning;
use crate::domain::outcome::Counts;
use crate::domain::progress::{EngineState, MappingProgress, Phase};

/// Gauges shown at most.
const GAUGES: usize = 4;

/// Rows inside the panel; none where there is nothing to say.
pub(super) fn rows(app: &App) -> u16 {
    if app.sync.is_running() {
        app.sync.progress.mappings.len().clamp(1, GAUGES) as u16 + 2
    } else {
        u16::from(matches!(app.engine, Engine::Unavailable(_)))
    }
}

/// Draws the panel.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let progress = &app.sync.progress;
    if !app.sync.is_running() {
        idle(app, canvas, area);
        return;
    }
    let kind = progress.kind.map(crate::domain::outcome::RunKind::word).unwrap_or_default();
    let mut title = if progress.plans {
        format!("Plan · {kind}")
    } else {
        format!("Run {} · {kind}", progress.run.map(|run| run.to_string()).unwrap_or_default())
    };
    if let Some(started) = progress.started {
        let _ = write!(title, " · {}", numbers::between(started, app.now));
    }
    match progress.state {
        EngineState::Paused => title.push_str(" · paused"),
        EngineState::Stopping => title.push_str(" · stopping"),
        EngineState::Running | EngineState::Idle => {
            let phase = text::phase(progress.phase);
            if !phase.is_empty() {
                let _ = write!(title, " · {phase}");
            }
        }
    }
    let inner = canvas.panel(area, &title, Focus::Elsewhere);
    let mut y = inner.y;
    let mut gauges = inner.height.saturating_sub(2).max(1) as usize;
    // While both sides are read, all mappings wait.
    if progress.mappings.is_empty() || progress.phase == Phase::Reading {
        let line = Rect { y, height: 1, ..inner };
        reading(app, canvas, line);
        y += 1;
        gauges -= 1;
    }
    for mapping in progress.mappings.iter().take(gauges) {
        gauge(app, canvas, Rect { y, height: 1, ..inner }, mapping);
        y += 1;
    }
    if y < inner.bottom() {
        let pieces = counts(&progress.counts);
        canvas.line(Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(1), height: 1 }, &pieces);
        y += 1;
    }
    if y < inner.bottom() {
        let line = Rect { x: inner.x + 1, y, width: inner.width.saturating_sub(1), height: 1 };
        speed(app, canvas, line);
    }
}

fn idle(app: &App, canvas: &mut Canvas<'_>, area: Rect) {
    let inner = canvas.panel(area, "Engine", Focus::Elsewhere);
    if let Engine::Unavailable(reason) = &app.engine
        && inner.height > 0
    {
        let words = text::engine_unavailable(reason);
        canvas.text(inner.x + 1, inner.y, inner.width.saturating_sub(1), &words, Meaning::Warning);
    }
}

fn reading(app: &App, canvas: &mut Canvas<'_>, line: Rect) {
    let progress = &app.sync.progress;
    let mut words = match progress.expected {
        Some(expected) => {
            format!(" read {} / {}", numbers::count(progress.read), numbers::count(expected))
        }
        None => format!(" read {}", numbers::count(progress.read)),
    };
    if let Some(left) = progress.expected.and_then(|expected| expected.checked_sub(progress.read))
        && left > 0
        && progress.state == EngineState::Running
        && let Some(seconds) = app.sync.eta(left)
    {
        let _ = write!(words, "  eta {}", numbers::duration(seconds));
    }
    canvas.text(line.x, line.y, line.width, &words, Meaning::Text);
}

fn gauge(app: &App, canvas: &mut Canvas<'_>, line: Rect, mapping: &MappingProgress) {
    let width = usize::from(line.width);
    let title_width = 20.min(width / 3);
    let title = if mapping.title.is_empty() { &mapping.mapping } else { &mapping.title };
    let numbers_text = match mapping.total {
        // A total that is already passed is no total yet.
        Some(total) if total >= mapping.done && total > 0 => {
            let mut words = format!("{} / {}", numbers::count(mapping.done), numbers::count(total));
            if mapping.done == total {
                words.push_str("  done");
            } else if let Some(left) = total.checked_sub(mapping.done)
                && let Some(seconds) = app.sync.eta(left)
                && app.sync.progress.state == EngineState::Running
                && mapping.done > 0
            {
                let _ = write!(words, "  eta {}", numbers::duration(seconds));
            }
            words
        }
        Some(_) | None if mapping.done == 0 => text::WAITING.into(),
        Some(_) | None => numbers::count(mapping.done),
    };
    let numbers_width = 30.min(width.saturating_sub(title_width + 6));
    let bar = width.saturating_sub(title_width + numbers_width + 4);
    let mut pieces: Vec<Piece<'_>> = vec![
        (" ".into(), Meaning::Text),
        (column(title, title_width).into(), Meaning::Text),
        (" ".into(), Meaning::Text),
    ];
    match mapping.total {
        Some(total) if total > 0 && total >= mapping.done && bar >= 5 => {
            let done = (mapping.done.min(total) as usize * bar / total as usize).min(bar);
            pieces.push((canvas.glyphs.full.repeat(done).into(), Meaning::Gauge));
            pieces.push((canvas.glyphs.rest.repeat(bar - done).into(), Meaning::Border));
        }
        Some(_) | None => pieces.push((" ".repeat(bar).into(), Meaning::Text)),
    }
    pieces.push((" ".into(), Meaning::Text));
    pieces.push((right(&numbers_text, numbers_width).into(), Meaning::Text));
    canvas.line(line, &pieces);
}

/// Counts in words; what went wrong stands out.
pub(super) fn counts(counts: &Counts) -> Vec<Piece<'static>> {
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    let entries = [
        ("read", counts.read, Meaning::Text),
        ("created", counts.created(), Meaning::Success),
        ("updated", counts.updated(), Meaning::Success),
        // Before what matters less: a narrow terminal cuts the end.
        ("failed", counts.failed, Meaning::Error),
        ("unchanged", counts.unchanged, Meaning::Muted),
        ("skipped", counts.skipped, Meaning::Muted),
        ("limited", counts.limited, Meaning::Warning),
        ("conflicts", counts.conflicts, Meaning::Conflict),
    ];
    for (word, number, meaning) in entries {
        let meaning = if number == 0 { Meaning::Muted } else { meaning };
        pieces.push((format!("{word} {}  ", numbers::count(number)).into(), meaning));
    }
    pieces
}

fn speed(app: &App, canvas: &mut Canvas<'_>, line: Rect) {
    let progress = &app.sync.progress;
    let mut pieces: Vec<Piece<'_>> = vec![("records/s ".into(), Meaning::Muted)];
    let most = app.sync.rates.iter().copied().max().unwrap_or(0);
    let room = usize::from(line.width / 3);
    if most > 0 && !canvas.plain {
        let skip = app.sync.rates.len().saturating_sub(room);
        let bars: String = app
            .sync
            .rates
            .iter()
            .skip(skip)
            .map(|rate| {
                let height = (*rate * 7 / most) as usize;
                canvas.glyphs.heights.get(height).copied().unwrap_or(" ")
            })
            .collect();
        pieces.push((bars.into(), Meaning::Accent));
        pieces.push((" ".into(), Meaning::Text));
    }
    let rate = app.sync.rate().map_or("–".to_owned(), numbers::count);
    pieces.push((format!("{rate}   ").into(), Meaning::Text));
    pieces.push((
        format!(
            "API calls Salesforce {}, {} {}",
            numbers::count(progress.counts.salesforce.calls),
            app.settings.platform.kind.label(),
            numbers::count(progress.counts.platform.calls)
        )
        .into(),
        Meaning::Muted,
    ));
    canvas.line(line, &pieces);
}
