//! Looks who enters and leaves by the criteria on the screen, before they are saved.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::toast::Tone;
use crate::console::view::text::scope as text;
use crate::domain::scope::ScopeChange;
use crate::ops::scope;

impl App {
    /// Asks both sides who enters and leaves.
    pub(crate) fn open_scope(&mut self) -> Vec<Effect> {
        let changed = scope::changed(&self.settings, &self.mapping.over(&self.settings));
        if changed.is_empty() {
            self.toasts.add(Tone::Info, text::SAME, self.now);
            return Vec::new();
        }
        self.overlays.push(Overlay::Reading(Reading::new(Subject::Scope(Load::Waiting))));
        vec![Effect::LookAtScope(changed)]
    }

    /// The answer, if somebody still waits for it.
    pub(crate) fn take_scope(&mut self, answer: Answer<Vec<ScopeChange>>) {
        for overlay in self.overlays.iter_mut().rev() {
            if let Overlay::Reading(reading) = overlay
                && let Subject::Scope(changes) = &mut reading.subject
            {
                *changes = answer.into();
                break;
            }
        }
    }
}
