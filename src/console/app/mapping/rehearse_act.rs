//! Tries the mappings on the screen out on a copy of some records, before they are saved.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::domain::rehearsal::Rehearsal;

impl App {
    /// Begins a rehearsal of the mappings as they are edited.
    pub(crate) fn open_rehearsal(&mut self) -> Vec<Effect> {
        let draft = self.mapping.over(&self.settings);
        let subject = Subject::Rehearsal { told: String::new(), done: Load::Waiting };
        self.overlays.push(Overlay::Reading(Reading::new(subject)));
        vec![Effect::Rehearse(Box::new(draft))]
    }

    /// How far it is.
    pub(crate) fn rehearsing(&mut self, step: String) {
        if let Some((told, _)) = self.rehearsal() {
            *told = step;
        }
    }

    /// What it showed, if somebody still waits for it.
    pub(crate) fn take_rehearsal(&mut self, answer: Answer<Box<Rehearsal>>) {
        if let Some((_, done)) = self.rehearsal() {
            *done = answer.into();
        }
    }

    fn rehearsal(&mut self) -> Option<(&mut String, &mut Load<Box<Rehearsal>>)> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Reading(Reading { subject: Subject::Rehearsal { told, done }, .. }) => {
                Some((told, done))
            }
            _ => None,
        })
    }
}
