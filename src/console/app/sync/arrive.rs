//! What arrives on Synchronization Information: numbers of the engine, its answers, runs and groups of issues.

use chrono::TimeDelta;

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::sync as text;
use crate::domain::command::{Command, Reply};
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::progress::Progress;
use crate::domain::report::{IssueGroup, RunRow};
use crate::domain::undo::Extent;
use crate::ops::read_again;

/// Runs on a page.
const RUNS: usize = 50;

/// How often the issues are read while a run goes on.
const LOOK_AGAIN: TimeDelta = TimeDelta::milliseconds(500);

impl App {
    /// New numbers of the engine.
    pub(crate) fn progressed(&mut self, progress: Progress) -> Vec<Effect> {
        let facts_before = self.sync.progress.facts;
        let run_before = self.sync.progress.run;
        if progress.api_budget.is_some() {
            self.api_budget = progress.api_budget;
        }
        let ended = self.sync.take(progress, self.now);
        if ended {
            self.sync.ended = self.sync.progress.run;
        }
        let mut effects = Vec::new();
        if ended || self.sync.progress.run != run_before {
            effects.extend([Effect::ReadStatus, Effect::ReadIssueGroups, Effect::ReadRuns { before: None }]);
            effects.extend(self.inbox_effects());
        }
        // The run raises and resolves issues all the time; twice a second is as much as anybody can read.
        let moved = self.sync.progress.facts != facts_before;
        if moved && !ended && self.tab == Tab::Sync && self.now - self.sync.looked >= LOOK_AGAIN {
            self.sync.looked = self.now;
            effects.extend([Effect::ReadStatus, Effect::ReadIssueGroups]);
        }
        if moved && self.logs.wants_newer() {
            effects.push(self.logs.read_newer());
        }
        if ended && self.leaving == crate::console::app::leave::Leaving::AfterRun {
            effects.push(Effect::Quit(crate::console::app::effect::Leave::Quietly));
        }
        effects
    }

    /// The engine answered a command.
    pub(crate) fn replied(&mut self, command: &Command, answer: Answer<Reply>) -> Vec<Effect> {
        match answer {
            Ok(Reply::Refused { message }) => self.toasts.add(Tone::Warning, message, self.now),
            Ok(Reply::Started { run }) => {
                let looks = matches!(command, Command::Start(request)
                    if request.undo.is_some_and(|order| order.extent == Extent::Look));
                if looks {
                    self.sync.looking = Some(run);
                }
                self.toasts.add(Tone::Good, text::started(run), self.now);
            }
            Ok(Reply::Moved { feeds }) => {
                self.toasts.add(Tone::Good, read_again::sentence(&feeds), self.now);
                return vec![Effect::ReadStatus];
            }
            Ok(Reply::Accepted | Reply::Status { .. } | Reply::Forgotten { .. } | Reply::Kept { .. }) => {
                if let Some(sentence) = text::accepted(command) {
                    self.toasts.add(Tone::Good, sentence, self.now);
                }
                if let Command::Automatic { on: true } = command {
                    return vec![self.keep_automatic(true)];
                }
                if let Command::Accept { .. } | Command::ConfirmWorkspace { .. } = command {
                    return vec![Effect::ReadStatus];
                }
                if let Command::Snooze { .. } = command {
                    let mut effects = vec![Effect::ReadStatus, Effect::ReadIssueGroups];
                    effects.extend(self.inbox_effects());
                    return effects;
                }
            }
            Err(sentence) => self.toasts.add(Tone::Error, sentence, self.now),
        }
        Vec::new()
    }

    /// A page of runs arrived.
    pub(crate) fn take_runs(&mut self, before: Option<i64>, answer: Answer<Vec<RunRow>>) -> Vec<Effect> {
        self.sync.reading_runs = false;
        let mut looked = None;
        match (before, answer) {
            (_, Err(sentence)) if before.is_some() => self.toasts.add(Tone::Warning, sentence, self.now),
            (_, Err(sentence)) => self.sync.runs = Load::Failed(sentence),
            (Some(_), Ok(older)) => {
                self.sync.all_runs = older.len() < RUNS;
                if let Load::Ready(runs) = &mut self.sync.runs {
                    runs.extend(older);
                }
            }
            (None, Ok(mut fresh)) => {
                self.tell_end(&fresh);
                looked = fresh
                    .iter()
                    .find(|run| Some(run.run) == self.sync.looking && run.result.is_some())
                    .cloned();
                let old = self.sync.runs.ready().cloned().unwrap_or_default();
                if old.is_empty() {
                    self.sync.all_runs = fresh.len() < RUNS;
                } else if let Some(oldest) = fresh.last().map(|run| run.run) {
                    // Pages that were read before stay; the first page may have changed in between.
                    fresh.extend(old.iter().filter(|run| run.run < oldest).cloned());
                }
                let mut selection = self.sync.run;
                if selection.place(old.len()) > 0 {
                    selection.follow(&old, &fresh, |run| run.run);
                }
                self.sync.run = selection;
                self.sync.runs = Load::Ready(fresh);
            }
        }
        let Some(run) = looked else { return Vec::new() };
        self.sync.looking = None;
        // Only over the lists: whatever else is open has the person's attention.
        if self.tab == Tab::Sync && self.overlays.is_empty() { self.open_run(run) } else { Vec::new() }
    }

    /// Tells how the run has ended that was on its way.
    fn tell_end(&mut self, runs: &[RunRow]) {
        let Some(run) = runs.iter().find(|run| Some(run.run) == self.sync.ended) else { return };
        let Some(result) = run.result else { return };
        self.sync.ended = None;
        // An automatic run that found nothing is no news.
        let quiet = run.kind == RunKind::Automatic && result == RunResult::Succeeded;
        if !quiet {
            let tone = match result {
                RunResult::Succeeded => Tone::Good,
                RunResult::PartlyFailed | RunResult::Limited | RunResult::Cancelled => Tone::Warning,
                RunResult::Braked | RunResult::Blocked | RunResult::Failed => Tone::Error,
            };
            let sentence = text::ended(run, result);
            if let Some(before) = self.sync.told.replace(sentence.clone()) {
                self.toasts.take_back(&before);
            }
            self.toasts.add(tone, sentence, self.now);
        }
    }

    /// The groups of issues arrived.
    pub(crate) fn take_groups(&mut self, answer: Answer<Vec<IssueGroup>>) {
        let answer = answer.map(|groups| self.awake(groups));
        if let (Ok(fresh), Some(old)) = (&answer, self.sync.groups.ready()) {
            let mut selection = self.sync.group;
            selection
                .follow(old, fresh, |group| (group.code.clone(), group.mapping.clone(), group.cause.clone()));
            self.sync.group = selection;
        }
        self.sync.groups = answer.into();
    }
}
