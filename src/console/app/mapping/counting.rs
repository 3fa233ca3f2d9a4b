//! How many records take part by the criteria that are open: asked once they rest, never waited for.

use chrono::TimeDelta;

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Counting;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::ops::members::Members;

/// How long the criteria rest before their members are counted.
const REST: TimeDelta = TimeDelta::milliseconds(400);

impl App {
    /// What is to be counted for the criteria that are open.
    pub fn wanted_count(&self) -> Option<Counting> {
        let conditions = self.overlays.iter().rev().find_map(|overlay| match overlay {
            Overlay::Conditions(conditions) => Some(conditions),
            _ => None,
        })?;
        let mapping = self.mapping.named(&conditions.mapping)?;
        let criteria = match self.shown_criteria(conditions) {
            Some(Ok(criteria)) => Some(criteria.to_string()),
            Some(Err(_)) => return None,
            None => None,
        };
        Some(Counting { side: conditions.side, object: mapping.object(conditions.side).to_owned(), criteria })
    }

    /// Counts the members of the open criteria once they have rested.
    pub(crate) fn want_count(&mut self) {
        self.mapping.count_due = match self.wanted_count() {
            Some(counting) if matches!(self.mapping.counts.get(&counting), None | Some(Load::Failed(_))) => {
                Some(self.now + REST)
            }
            Some(_) | None => None,
        };
    }

    /// Time has passed: perhaps the criteria have rested long enough.
    pub(crate) fn count_if_due(&mut self) -> Vec<Effect> {
        if self.mapping.count_due.is_none_or(|due| due > self.now) {
            return Vec::new();
        }
        self.mapping.count_due = None;
        let Some(counting) = self.wanted_count() else { return Vec::new() };
        self.mapping.counts.insert(counting.clone(), Load::Waiting);
        vec![Effect::CountMembers(counting)]
    }

    /// Members were counted, or not.
    pub(crate) fn counted(&mut self, counting: Counting, answer: Answer<Members>) {
        self.mapping.counts.insert(counting, answer.into());
    }
}
