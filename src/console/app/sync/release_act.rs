//! Releasing a brake: the person types the number that they accept, and the run is done again with it (law E10).

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::reading::Subject;
use crate::console::app::sync::Part;
use crate::console::app::toast::Tone;
use crate::console::view::text::sync as text;
use crate::domain::command::Command;
use crate::domain::report::RunRow;
use crate::ops::brakes::{self, Held};

impl App {
    /// The run that a release is about: the one that is open, the selected one, or the newest.
    fn braked_run(&self) -> Option<&RunRow> {
        match self.overlays.last() {
            Some(Overlay::Reading(reading)) => match &reading.subject {
                Subject::Run(row) => Some(row),
                _ => None,
            },
            _ if self.sync.part == Part::Runs => self.sync.selected_run(),
            _ => self.sync.runs.ready()?.first(),
        }
    }

    /// What a brake holds of the newest run, if it does.
    pub fn held_by_a_brake(&self) -> Option<Held> {
        brakes::held(self.sync.runs.ready()?.first()?)
    }

    /// Asks for the number; nothing is typed beforehand.
    pub(crate) fn ask_release(&mut self) -> Vec<Effect> {
        if let Err(reason) = self.available(Action::Release) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let held = self.braked_run().and_then(|run| Some((run.run, brakes::held(run)?)));
        let Some((run, held)) = held else {
            self.toasts.add(Tone::Info, text::NO_BRAKE, self.now);
            return Vec::new();
        };
        let help = text::release_help(&held);
        let prompt = Prompt::new(text::release_title(run), help, "", Asked::Release(Box::new(held)));
        self.overlays.push(Overlay::Prompt(prompt));
        Vec::new()
    }

    /// Takes over the typed number; a sentence where it is none.
    pub(crate) fn put_release(&mut self, held: &Held, typed: &str) -> Result<Vec<Effect>, String> {
        let request = brakes::release(held, typed)?;
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Reading(_)));
        Ok(vec![Effect::Ask(Command::Start(request))])
    }
}
