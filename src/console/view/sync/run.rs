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
            if let Some(seconds) = app.sync.foresight.of_step(progress) {
                let left = numbers::duration(seconds);
                match progress.phase {
                    // What comes behind it is not known yet.
                    Phase::Reading => title.push_str(&text::still_reads(&left)),
                    // Where one mapping is all there is, its own line tells it.
                    _ if progress.mappings.len() > 1 => {
                        let _ = write!(title, " · eta {left}");
                    }
                    _ => {}
                }
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
    // Nothing is counted before all is read.
    if y < inner.bottom() && progress.phase != Phase::Reading {
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

/// How much was read of both sides.
fn reading(app: &App, canvas: &mut Canvas<'_>, line: Rect) {
    let progress = &app.sync.progress;
    let mut words = numbers::count(progress.read);
    if let Some(expected) = progress.expected {
        let _ = write!(words, " / {}", numbers::count(expected));
    }
    bar(canvas, line, text::READ, (progress.read, progress.expected), &words);
}

fn gauge(app: &App, canvas: &mut Canvas<'_>, line: Rect, mapping: &MappingProgress) {
    let title = if mapping.title.is_empty() { &mapping.mapping } else { &mapping.title };
    let words = match mapping.total {
        // A total that is already passed is no total yet.
        Some(total) if total >= mapping.done && total > 0 => {
            let mut words = format!("{} / {}", numbers::count(mapping.done), numbers::count(total));
            if mapping.done == total {
                words.push_str("  done");
            } else if let Some(seconds) = app.sync.foresight.of_mapping(&app.sync.progress, mapping) {
                let _ = write!(words, "  eta {}", numbers::duration(seconds));
            }
            words
        }
        Some(_) | None if mapping.done == 0 => text::WAITING.into(),
        Some(_) | None => numbers::count(mapping.done),
    };
    bar(canvas, line, title, (mapping.done, mapping.total), &words);
}

fn bar(canvas: &mut Canvas<'_>, line: Rect, title: &str, (done, total): (u64, Option<u64>), words: &str) {
    let width = usize::from(line.width);
    let title_width = 20.min(width / 3);
    let words_width = 30.min(width.saturating_sub(title_width + 6));
    let cells = width.saturating_sub(title_width + words_width + 4);
    let mut pieces: Vec<Piece<'_>> = vec![
        (" ".into(), Meaning::Text),
        (column(title, title_width).into(), Meaning::Text),
        (" ".into(), Meaning::Text),
    ];
    match total {
        Some(total) if total > 0 && total >= done && cells >= 5 => {
            let full = (u128::from(done) * cells as u128 / u128::from(total)) as usize;
            pieces.push((canvas.glyphs.full.repeat(full).into(), Meaning::Gauge));
            pieces.push((canvas.glyphs.rest.repeat(cells - full).into(), Meaning::Border));
        }
        Some(_) | None => pieces.push((" ".repeat(cells).into(), Meaning::Text)),
    }
    pieces.push((" ".into(), Meaning::Text));
    pieces.push((right(words, words_width).into(), Meaning::Text));
    canvas.line(line, &pieces);
}

/// Counts in words; what went wrong stands out, and what matters less comes last, where a narrow terminal cuts.
fn counts(counts: &Counts) -> Vec<Piece<'static>> {
    let always = [
        ("read", counts.read, Meaning::Text),
        ("created", counts.created(), Meaning::Success),
        ("updated", counts.updated(), Meaning::Success),
        ("failed", counts.failed, Meaning::Error),
    ];
    let where_any = [
        ("deleted", counts.deleted(), Meaning::Success),
        ("conflicts", counts.conflicts, Meaning::Conflict),
        ("limited", counts.limited, Meaning::Warning),
        ("unchanged", counts.unchanged, Meaning::Muted),
        ("skipped", counts.skipped, Meaning::Muted),
    ];
    let shown = always.into_iter().chain(where_any.into_iter().filter(|(_, number, _)| *number > 0));
    shown
        .map(|(word, number, meaning)| {
            let meaning = if number == 0 { Meaning::Muted } else { meaning };
            (format!("{word} {}  ", numbers::count(number)).into(), meaning)
        })
        .collect()
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
