//! Leaving: unsaved edits are asked about first, then a run that is on its way.

use crate::console::app::App;
use crate::console::app::effect::{Effect, Leave, Part};
use crate::console::app::mapping::AfterSaving;
use crate::console::app::model::Engine;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Choice, Consequence, Question};
use crate::console::app::tab::Tab;
use crate::console::view::text::common as text;

/// Whether the program is about to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaving {
    /// No.
    #[default]
    No,
    /// As soon as these many saves have succeeded.
    AfterSaves(usize),
    /// As soon as the run that is on its way has ended.
    AfterRun,
}

impl App {
    /// Somebody wants to quit.
    pub fn quit(&mut self) -> Vec<Effect> {
        let unsaved: Vec<&str> = Tab::ALL
            .into_iter()
            .filter(|tab| self.unsaved(*tab))
            .map(crate::console::view::text::tabs::full)
            .collect();
        if unsaved.is_empty() {
            return self.quit_saved();
        }
        self.overlays.push(Overlay::Question(Question::new(
            text::QUIT_UNSAVED_TITLE,
            vec![text::quit_unsaved(&unsaved)],
            vec![
                Choice::new(text::SAVE, 's', Consequence::SaveAndQuit),
                Choice::new(text::DISCARD, 'd', Consequence::DiscardAndQuit),
                Choice::new(text::STAY, 'n', Consequence::Nothing),
            ],
        )));
        Vec::new()
    }

    /// Nothing is unsaved any more; what about the run?
    pub fn quit_saved(&mut self) -> Vec<Effect> {
        if !self.sync.is_running() {
            return vec![Effect::Quit(Leave::Quietly)];
        }
        match self.engine {
            // The run lives in another process and goes on without this console.
            Engine::Elsewhere | Engine::Looking | Engine::Unavailable(_) => {
                vec![Effect::Quit(Leave::Quietly)]
            }
            Engine::Here => {
                self.overlays.push(Overlay::Question(Question::new(
                    text::QUIT_RUNNING_TITLE,
                    vec![text::QUIT_RUNNING.into()],
                    vec![
                        Choice::new(text::FINISH, 'f', Consequence::QuitAfterRun),
                        Choice::new(text::STOP_AFTER_BATCH, 's', Consequence::QuitAfterBatch),
                        Choice::new(text::ABORT, 'a', Consequence::QuitAbort),
                        Choice::new(text::STAY, 'n', Consequence::Nothing),
                    ],
                )));
                Vec::new()
            }
        }
    }

    /// Saves what is unsaved and quits when all of it is in the file.
    pub fn save_and_quit(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (tab, part) in [(Tab::Connection, Part::Connection), (Tab::Mapping, Part::Mapping)] {
            if self.unsaved(tab) {
                effects.extend(match part {
                    // The question before this one has told what is unsaved.
                    Part::Mapping => self.send_mappings(AfterSaving::Stay),
                    Part::Connection | Part::Schedule => self.save(part),
                });
            }
        }
        let saves = effects.iter().filter(|effect| matches!(effect, Effect::Save { .. })).count();
        // A save that was refused has said why; then nobody leaves.
        if saves == Tab::ALL.into_iter().filter(|tab| self.unsaved(*tab)).count() {
            self.leaving = Leaving::AfterSaves(saves);
        }
        effects
    }

    /// A save has succeeded; is that all we waited for?
    pub fn saved_while_leaving(&mut self) -> Vec<Effect> {
        match self.leaving {
            Leaving::AfterSaves(left) if left > 1 => {
                self.leaving = Leaving::AfterSaves(left - 1);
                Vec::new()
            }
            Leaving::AfterSaves(_) => {
                self.leaving = Leaving::No;
                self.quit_saved()
            }
            Leaving::No | Leaving::AfterRun => Vec::new(),
        }
    }
}
