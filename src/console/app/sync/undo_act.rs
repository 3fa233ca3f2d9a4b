//! Taking a run back: what it means is read first, then asked; the answer starts an undo (law E16).

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::toast::Tone;
use crate::console::view::text::sync as text;
use crate::domain::command::{Allowances, RunRequest};
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

    /// Asks, with the numbers and with what can't be undone; the focus is on No.
    pub(crate) fn ask_undo(&mut self, answer: Answer<UndoPreview>) {
        match answer {
            Ok(preview) => {
                let request = RunRequest::undo(preview.run, Extent::Write, Allowances::default());
                self.overlays.push(Overlay::Question(Question::yes_no(
                    text::undo_title(preview.run, preview.kind),
                    preview.sentences(self.settings.platform.kind.label()),
                    text::UNDO_YES,
                    Consequence::Start(request),
                )));
            }
            Err(reason) => self.toasts.add(Tone::Warning, reason, self.now),
        }
    }
}
