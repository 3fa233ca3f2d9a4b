//! Logs: facts, newest at the bottom, followed unless somebody looks further back.

pub mod act;

use crate::console::app::effect::{Effect, LogPurpose};
use crate::console::app::key::Key;
use crate::console::app::message::Answer;
use crate::console::app::text_input::TextInput;
use crate::domain::report::{FactRow, Level, LogQuery};

/// Lines on a page.
pub const PAGE_LINES: usize = 200;
/// Lines kept in memory; those at the far end are read again when needed.
const MOST: usize = 5_000;

/// The state of the tab.
pub struct LogsTab {
    /// The lines, oldest first.
    pub rows: Vec<FactRow>,
    /// The selected line, by its sequence; `None` is the newest.
    pub selected: Option<i64>,
    /// Whether new lines move the view.
    pub following: bool,
    /// At least this serious.
    pub level: Level,
    /// Of this mapping only.
    pub mapping: Option<String>,
    /// Of this run only.
    pub run: Option<i64>,
    /// Containing this text only.
    pub filter: String,
    /// The filter while it is typed.
    pub filtering: Option<TextInput>,
    /// Whether nothing older exists.
    pub complete: bool,
    /// Whether a page is being read.
    pub reading: bool,
    /// Lines that came while nobody followed.
    pub fresh: usize,
    /// Why the last page could not be read.
    pub error: Option<String>,
    /// Whether a first page has arrived.
    pub arrived: bool,
    /// Counts filters, so that a late answer to an old one is known.
    pub generation: u64,
    /// Whether newer lines are to be read once the present read is over.
    again: bool,
    /// Whether so many lines came while nobody followed that the newest are not kept.
    behind: bool,
}

impl Default for LogsTab {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            selected: None,
            following: true,
            level: Level::Info,
            mapping: None,
            run: None,
            filter: String::new(),
            filtering: None,
            complete: false,
            reading: false,
            fresh: 0,
            error: None,
            arrived: false,
            generation: 0,
            again: false,
            behind: false,
        }
    }
}

impl LogsTab {
    /// The filter as a query, without a place.
    pub fn query(&self) -> LogQuery {
        LogQuery {
            level: Some(self.level),
            run: self.run,
            mapping: self.mapping.clone(),
            text: (!self.filter.is_empty()).then(|| self.filter.clone()),
            before: None,
            after: None,
            limit: PAGE_LINES,
        }
    }

    /// Reads the newest page.
    pub fn read_afresh(&self) -> Effect {
        Effect::ReadLog { query: self.query(), purpose: LogPurpose::Fresh, generation: self.generation }
    }

    /// Reads what came since the newest line.
    pub fn read_newer(&mut self) -> Effect {
        let after = self.rows.last().map(|row| row.sequence);
        self.reading = true;
        let purpose = if after.is_some() { LogPurpose::Newer } else { LogPurpose::Fresh };
        Effect::ReadLog { query: LogQuery { after, ..self.query() }, purpose, generation: self.generation }
    }

    /// Whether newer lines may be asked for now; if a read is on its way, they are asked for after it.
    pub fn wants_newer(&mut self) -> bool {
        if self.behind {
            return false;
        }
        if self.reading {
            self.again = true;
        }
        !self.reading
    }

    /// Begins anew with a changed filter.
    pub(crate) fn changed(&mut self) -> Vec<Effect> {
        self.generation += 1;
        self.rows.clear();
        self.selected = None;
        self.following = true;
        self.complete = false;
        self.arrived = false;
        self.fresh = 0;
        self.behind = false;
        self.reading = true;
        vec![self.read_afresh()]
    }

    /// Follows new lines again.
    pub(crate) fn follow(&mut self) -> Vec<Effect> {
        self.following = true;
        self.selected = None;
        self.fresh = 0;
        if self.behind { self.changed() } else { Vec::new() }
    }

    /// Shows the lines of one run, or of all.
    pub fn show_run(&mut self, run: Option<i64>) -> Vec<Effect> {
        self.run = run;
        self.changed()
    }

    /// The place of the selected line.
    pub fn place(&self) -> usize {
        let last = self.rows.len().saturating_sub(1);
        match self.selected {
            Some(sequence) => self
                .rows
                .binary_search_by_key(&sequence, |row| row.sequence)
                .unwrap_or_else(|place| place.min(last)),
            None => last,
        }
    }

    /// The selected line.
    pub fn selected_row(&self) -> Option<&FactRow> {
        self.rows.get(self.place())
    }

    /// A page arrived, newest first; tells whether newer lines are to be read right away.
    pub fn take(&mut self, purpose: LogPurpose, generation: u64, answer: Answer<Vec<FactRow>>) -> bool {
        if generation != self.generation {
            return false;
        }
        self.reading = false;
        self.arrived = true;
        let mut page = match answer {
            Ok(page) => page,
            Err(sentence) => {
                self.error = Some(sentence);
                return false;
            }
        };
        self.error = None;
        page.sort_by_key(|row| row.sequence);
        match purpose {
            LogPurpose::Fresh => {
                self.complete = page.len() < PAGE_LINES;
                self.rows = page;
            }
            LogPurpose::Older => {
                self.complete = page.len() < PAGE_LINES;
                page.retain(|row| self.rows.first().is_none_or(|first| row.sequence < first.sequence));
                page.append(&mut self.rows);
                self.rows = page;
            }
            LogPurpose::Newer => {
                // A full page is not the last one, whether or not the engine says so.
                self.again |= page.len() >= PAGE_LINES;
                page.retain(|row| self.rows.last().is_none_or(|last| row.sequence > last.sequence));
                if !self.following {
                    self.fresh += page.len();
                    if self.rows.len() + page.len() > MOST {
                        self.behind = true;
                        self.again = false;
                        page.clear();
                    }
                }
                // Far behind a fast run: what lies between is left out, the page says where it begins.
                if page.len() >= PAGE_LINES && self.following {
                    self.rows = page;
                    self.complete = false;
                } else {
                    self.rows.append(&mut page);
                }
            }
        }
        if self.rows.len() > MOST {
            let too_many = self.rows.len() - MOST;
            if self.following {
                self.rows.drain(..too_many);
                self.complete = false;
            }
        }
        std::mem::take(&mut self.again)
    }

    /// A key that is text, in the filter.
    pub(crate) fn typed(&mut self, key: Key) -> Vec<Effect> {
        let Some(input) = &mut self.filtering else { return Vec::new() };
        if !input.press(key) {
            return Vec::new();
        }
        input.text().trim().clone_into(&mut self.filter);
        self.changed()
    }

    /// Pasted text, in the filter.
    pub(crate) fn paste(&mut self, pasted: &str) -> Vec<Effect> {
        let Some(input) = &mut self.filtering else { return Vec::new() };
        input.paste(pasted);
        input.text().trim().clone_into(&mut self.filter);
        self.changed()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::side::PerSide;

    fn fact(sequence: i64) -> FactRow {
        FactRow {
            sequence,
            at: DateTime::UNIX_EPOCH,
            level: Level::Info,
            run: None,
            mapping: None,
            ids: PerSide { org: None, platform: None },
            message: format!("Fact {sequence}."),
            detail: None,
        }
    }

    #[test]
    fn a_full_page_of_newer_lines_asks_for_the_next_one() {
        let mut logs = LogsTab::default();
        logs.take(LogPurpose::Fresh, 0, Ok(vec![fact(1)]));
        let full: Vec<FactRow> = (2..2 + PAGE_LINES as i64).map(fact).collect();
        assert!(logs.take(LogPurpose::Newer, 0, Ok(full)));
        assert!(!logs.take(LogPurpose::Newer, 0, Ok(vec![fact(1_000)])));
    }

    #[test]
    fn a_flood_of_lines_that_nobody_follows_is_not_kept_and_following_reads_afresh() {
        let mut logs = LogsTab::default();
        logs.take(LogPurpose::Fresh, 0, Ok(vec![fact(1)]));
        logs.following = false;
        for page in 0..=(MOST / PAGE_LINES) {
            let first = 2 + (page * PAGE_LINES) as i64;
            logs.take(LogPurpose::Newer, 0, Ok((first..first + PAGE_LINES as i64).map(fact).collect()));
        }
        assert!(logs.rows.len() <= MOST && !logs.wants_newer());
        assert!(matches!(logs.follow().as_slice(), [Effect::ReadLog { purpose: LogPurpose::Fresh, .. }]));
        assert!(logs.following);
    }

    #[test]
    fn a_selection_survives_new_lines_and_they_are_counted() {
        let mut logs = LogsTab::default();
        logs.take(LogPurpose::Fresh, 0, Ok(vec![fact(3), fact(2), fact(1)]));
        logs.following = false;
        logs.selected = Some(2);
        logs.take(LogPurpose::Newer, 0, Ok(vec![fact(5), fact(4)]));
        assert_eq!(logs.selected_row().map(|row| row.sequence), Some(2));
        assert_eq!(logs.fresh, 2);
        logs.take(LogPurpose::Older, 0, Ok(vec![fact(0)]));
        assert_eq!(logs.rows.iter().map(|row| row.sequence).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert!(logs.complete);
    }

    #[test]
    fn a_late_answer_to_an_old_filter_is_ignored() {
        let mut logs = LogsTab::default();
        logs.changed();
        logs.take(LogPurpose::Fresh, 0, Ok(vec![fact(1)]));
        assert!(logs.rows.is_empty() && !logs.arrived);
    }
}
