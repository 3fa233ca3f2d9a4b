//! The progress line of a run on a terminal; nothing where stderr is none.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::cli::words;
use crate::domain::foresight::Foresight;
use crate::domain::progress::{EngineState, Phase, Progress};

/// The least time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// Cells of the bar itself.
const CELLS: u64 = 24;

/// A line that is drawn over itself.
#[derive(Debug)]
pub struct Bar {
    on: bool,
    drawn: Option<DateTime<Utc>>,
}

impl Bar {
    /// A bar on stderr if that is a terminal.
    pub fn new() -> Self {
        Self { on: std::io::stderr().is_terminal(), drawn: None }
    }

    /// Draws the numbers, unless that was done a moment ago.
    pub fn draw(&mut self, progress: &Progress, foresight: &Foresight, now: DateTime<Utc>) {
        let early = |last: DateTime<Utc>| (now - last).to_std().is_ok_and(|since| since < FRAME);
        if !self.on || self.drawn.is_some_and(early) {
            return;
        }
        self.drawn = Some(now);
        let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let text: String = line(progress, foresight, now).chars().take(width.saturating_sub(1)).collect();
        let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K{text}");
    }

    /// Takes the line away, before anything else is printed.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

fn phase_word(progress: &Progress) -> &'static str {
    match (progress.state, progress.phase) {
        (EngineState::Paused, _) => "paused",
        (EngineState::Stopping, _) => "stopping",
        (EngineState::Idle | EngineState::Running, phase) => match phase {
            Phase::None => "waiting",
            Phase::Preparing => "preparing",
            Phase::Recovering => "recovering",
            Phase::Reading => "reading",
            Phase::Matching => "matching",
            Phase::Deciding => "deciding",
            Phase::Writing => "writing",
            Phase::Finishing => "finishing",
        },
    }
}

fn line(progress: &Progress, foresight: &Foresight, now: DateTime<Utc>) -> String {
    let (done, total) = progress.done();
    let mut text = format!("{:<10}", phase_word(progress));
    if let Some(total) = total.filter(|total| *total > 0) {
        let filled = (done.min(total) * CELLS).checked_div(total).unwrap_or(0);
        text.extend((0..CELLS).map(|cell| if cell < filled { '█' } else { '░' }));
        text.push_str("  ");
        text.push_str(&words::number(done));
        text.push_str(" / ");
        text.push_str(&words::number(total));
    } else if done > 0 {
        text.push_str(&words::number(done));
    }
    if let Some(started) = progress.started {
        let elapsed = (now - started).to_std().unwrap_or_default();
        text.push_str("   ");
        text.push_str(&words::duration(elapsed));
    }
    if let Some(seconds) = foresight.of_step(progress) {
        text.push_str("   eta ");
        text.push_str(&words::duration(Duration::from_secs(seconds)));
    }
    let counts = &progress.counts;
    format!(
        "{text}   created {}   updated {}   failed {}",
        words::number(counts.created()),
        words::number(counts.updated()),
        words::number(counts.failed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::progress::MappingProgress;

    #[test]
    fn the_line_shows_how_much_of_how_much() {
        let progress = |done| Progress {
            state: EngineState::Running,
            phase: Phase::Writing,
            started: Some(DateTime::UNIX_EPOCH),
            mappings: vec![MappingProgress { done, total: Some(1200), ..MappingProgress::default() }],
            ..Progress::default()
        };
        let at = |second| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second);
        let mut foresight = Foresight::default();
        foresight.take(&progress(0), at(0));
        foresight.take(&progress(600), at(12));
        assert_eq!(
            line(&progress(600), &foresight, at(12)),
            "writing   ████████████░░░░░░░░░░░░  600 / 1,200   12 s   eta 12 s   created 0   updated 0   failed 0"
        );
    }
}
