//! The plan over a tab: counts, then records, then the pairs of one record with old value, new value and rule.

use crate::console::app::action::Action;
use crate::console::app::model::Load;
use crate::console::app::selection::Selection;
use crate::domain::command::RunRequest;
use crate::domain::plan::saved::{Deed, PlanCount, PlanHead, PlanLine, PlanQuery};

/// How deep one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Sums.
    Counts,
    /// The records of one sum, or all.
    Records,
    /// One record.
    Record,
}

/// A plan, or one that is being made.
pub struct PlanSheet {
    /// The run that it foresees.
    pub request: RunRequest,
    /// Its head; waiting while it is being made.
    pub head: Load<PlanHead>,
    /// How deep one looks.
    pub level: Level,
    /// Which sum is selected; the first stands for all lines.
    pub group: Selection,
    /// The lines of the sum that is open.
    pub lines: Load<Vec<PlanLine>>,
    /// Whether all of them are read.
    pub all: bool,
    /// Which line is selected.
    pub record: Selection,
    /// First line shown of a record.
    pub scroll: usize,
    /// What a shown line contains.
    pub filter: String,
    /// Tells late pages of an earlier question from those of this one.
    pub generation: u64,
    /// Whether more lines are on their way.
    pub reading: bool,
}

impl PlanSheet {
    /// A plan that is about to be made.
    pub fn new(request: RunRequest) -> Self {
        Self {
            request,
            head: Load::Waiting,
            level: Level::Counts,
            group: Selection::default(),
            lines: Load::Waiting,
            all: false,
            record: Selection::default(),
            scroll: 0,
            filter: String::new(),
            generation: 0,
            reading: false,
        }
    }

    /// Whether it is still being made.
    pub fn is_made(&self) -> bool {
        self.head.ready().is_some()
    }

    /// The sum that is selected; none stands for all lines.
    pub fn selected_count(&self) -> Option<&PlanCount> {
        let head = self.head.ready()?;
        self.group.place(head.counts.len() + 1).checked_sub(1).and_then(|place| head.counts.get(place))
    }

    /// The question for the lines that are shown.
    pub fn query(&self) -> PlanQuery {
        let search = (!self.filter.is_empty()).then(|| self.filter.clone());
        match self.selected_count() {
            Some(count) => PlanQuery {
                mapping: Some(count.mapping.clone()),
                deed: Some(count.deed),
                side: count.side,
                search,
                left: false,
            },
            None => PlanQuery { search, ..PlanQuery::default() },
        }
    }

    /// The selected line.
    pub fn selected(&self) -> Option<&PlanLine> {
        let lines = self.lines.ready()?;
        lines.get(self.record.place(lines.len()))
    }

    /// Moves; tells whether the action does.
    pub fn step(&mut self, action: Action) -> bool {
        match self.level {
            Level::Counts => {
                let length = self.head.ready().map_or(0, |head| head.counts.len() + 1);
                self.group.act(action, length)
            }
            Level::Records => {
                let length = self.lines.ready().map_or(0, Vec::len);
                self.record.act(action, length)
            }
            Level::Record => super::Overlay::scroll(&mut self.scroll, action),
        }
    }

    /// Whether the last line that was read is selected and there may be more.
    pub fn wants_more(&self) -> Option<i64> {
        let lines = self.lines.ready()?;
        let at_end = self.record.place(lines.len()) + 1 >= lines.len();
        (self.level == Level::Records && at_end && !self.all && !self.reading)
            .then(|| lines.last().map(|line| line.number))
            .flatten()
    }
}

/// The sign of a deed.
pub fn sign(deed: Deed) -> &'static str {
    match deed {
        Deed::Create => "+",
        Deed::Update => "~",
        Deed::Delete => "-",
        Deed::Link => "=",
        Deed::Conflict => "!",
        Deed::Refused => "x",
        Deed::Skipped => ".",
    }
}
