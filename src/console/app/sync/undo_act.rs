//! Taking a run back: what it means is read first, then asked; the answer starts an undo (law E16).

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Choice, Consequence, Question};
use crate::console::app::overlay::reading::{Reading, Subject};
use crate::console::app::toast::Tone;
use crate::console::view::text::{common, sync as text};
use crate::domain::command::{Allowances, RunRequest};
use crate::domain::outcome::RunKind;
use crate::domain::report::RunRow;
use crate::domain::undo::{Extent, UndoPreview};

impl App {
    /// Reads what taking the selected run back would mean.
    pub(crate) fn preview_undo(&mut self) -> Vec<Effect> {
        if let Some(run) = self.sync.selected_run().map(|run| run.run) {
            return vec![Effect::PreviewUndo(run)];
        }
        self.toasts.add(Tone::Info, text::NO_RUNS, self.now);
        Vec::new()
    }

    /// Opens a run; of an undo what it would do and what it left is read, too.
    pub(crate) fn open_run(&mut self, run: RunRow) -> Vec<Effect> {
        let undo = (run.kind == RunKind::Undo).then_some(run.run);
        let mut reading = Reading::new(Subject::Run(Box::new(run)));
        reading.undone = undo.map(|_| Load::Waiting);
        self.overlays.push(Overlay::Reading(reading));
        undo.map(Effect::ReadUndoPage).into_iter().collect()
    }

    /// Asks, with the numbers and with what can't be undone; the focus is on No.
    pub(crate) fn ask_undo(&mut self, answer: Answer<UndoPreview>) {
        match answer {
            Ok(preview) => {
                let start =
                    |extent| Consequence::Start(RunRequest::undo(preview.run, extent, Allowances::default()));
                self.overlays.push(Overlay::Question(Question::new(
                    text::undo_title(preview.run, preview.kind),
                    preview.sentences(self.settings.platform.kind.label()),
                    vec![
                        Choice::new(text::UNDO_LOOK, 'p', start(Extent::Look)),
                        Choice::new(text::UNDO_YES, 'y', start(Extent::Write)),
                        Choice::new(common::NO, 'n', Consequence::Nothing),
                    ],
                )));
            }
            Err(reason) => self.toasts.add(Tone::Warning, reason, self.now),
        }
    }
}
