//! The one place where things happen to the state.

use crate::console::app::App;
use crate::console::app::connection::draft::ConnectionDraft;
use crate::console::app::connection::field::FieldId;
use crate::console::app::effect::{Effect, Leave, Part};
use crate::console::app::leave::Leaving;
use crate::console::app::mapping::AfterSaving;
use crate::console::app::message::{Answer, Msg, SettingsRead};
use crate::console::app::model::Engine;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::reading::Subject;
use crate::console::app::toast::Tone;
use crate::console::view::text::{common as text, connection, sync};
use crate::workspace::problems::{Problem, Severity};

impl App {
    /// Takes in what happened; what is returned shall be done outside.
    pub fn update(&mut self, message: Msg) -> Vec<Effect> {
        match message {
            Msg::Key(key) => self.key(key),
            Msg::Paste(pasted) => self.paste(&pasted),
            Msg::Press(hit) => self.press(hit),
            Msg::Wheel(lines) => self.wheel(lines),
            Msg::Resize { columns, rows } => {
                self.size = (columns, rows);
                Vec::new()
            }
            Msg::Tick(now) => self.tick(now),
            Msg::Progress(progress) => self.progressed(*progress),
            Msg::Terminate => vec![Effect::Quit(Leave::AfterBatch)],
            Msg::Settings(answer) => self.take_settings(answer),
            Msg::Saved(part, answer) => self.saved(part, answer),
            Msg::SaveRefused(part, problems) => {
                self.save_refused(part, &problems);
                Vec::new()
            }
            Msg::PassphraseNeeded(then) => {
                self.ask_passphrase(then, None);
                Vec::new()
            }
            Msg::VaultOpened => vec![Effect::SecretPlaces],
            Msg::VaultStaysShut(reason, then) => {
                self.ask_passphrase(then, Some(reason));
                Vec::new()
            }
            Msg::Said(sentence) => {
                self.toasts.add(Tone::Warning, sentence, self.now);
                Vec::new()
            }
            Msg::SecretPlaces(places) => {
                self.connection.secrets = places.into_iter().collect();
                Vec::new()
            }
            Msg::Tested(side, answer) => self.tested(side, answer),
            Msg::SignInBegun { address, callback, until } => self.sign_in_waits(address, callback, until),
            Msg::BrowserOpened(opened) => {
                self.browser_opened(opened);
                Vec::new()
            }
            Msg::SignInStage(stage) => {
                self.sign_in_stage(stage);
                Vec::new()
            }
            Msg::SignedIn(answer) => self.signed_in(answer),
            Msg::Unlocked(unlocked) => {
                self.unlocked = unlocked;
                if self.tab == crate::console::app::tab::Tab::Mapping {
                    self.needed_schemas()
                } else {
                    Vec::new()
                }
            }
            Msg::Checked(answer) => {
                for overlay in &mut self.overlays {
                    if let Overlay::Reading(reading) = overlay
                        && let Subject::Check(lines) = &mut reading.subject
                    {
                        *lines = answer.into();
                        break;
                    }
                }
                Vec::new()
            }
            Msg::Described { side, object, answer } => {
                self.described(side, object, answer);
                Vec::new()
            }
            Msg::ObjectsListed(answer) => {
                self.objects_listed(answer);
                Vec::new()
            }
            Msg::Sampled { side, object, answer } => {
                self.sampled(side, object, answer);
                Vec::new()
            }
            Msg::Scope(answer) => {
                self.take_scope(answer);
                Vec::new()
            }
            Msg::Rehearsing(told) => {
                self.rehearsing(told);
                Vec::new()
            }
            Msg::Rehearsed(answer) => {
                self.take_rehearsal(answer);
                Vec::new()
            }
            Msg::Pulled(mapping, answer) => {
                self.pulled(mapping, answer);
                Vec::new()
            }
            Msg::NamesListed(of, answer) => {
                self.take_names(of, answer);
                Vec::new()
            }
            Msg::Counted(counting, answer) => {
                self.counted(counting, answer);
                Vec::new()
            }
            Msg::Proposed(answer) => self.proposed(answer),
            Msg::Engine(engine) => {
                if let Engine::Unavailable(reason) = &engine {
                    self.toasts.add(Tone::Warning, sync::engine_unavailable(reason), self.now);
                }
                self.engine = engine;
                Vec::new()
            }
            Msg::Replied(command, answer) => self.replied(&command, answer),
            Msg::Status(answer) => {
                self.sync.looked = self.now;
                self.sync.status = answer.into();
                self.review_mappings();
                Vec::new()
            }
            Msg::Runs { before, answer } => self.take_runs(before, answer),
            Msg::IssueGroups(answer) => {
                self.take_groups(answer);
                Vec::new()
            }
            Msg::Issues(answer) => {
                self.take_issues(answer);
                Vec::new()
            }
            Msg::IssueForm(answer) => {
                self.take_form(answer);
                Vec::new()
            }
            Msg::Mended(answer) => self.mended(answer),
            Msg::Conflicts(answer) => {
                self.take_conflicts(answer);
                Vec::new()
            }
            Msg::Resolved(answer) => self.resolved(answer),
            Msg::Log { purpose, generation, answer } => {
                if self.logs.take(purpose, generation, answer) {
                    vec![self.logs.read_newer()]
                } else {
                    Vec::new()
                }
            }
            Msg::History(answer) => {
                for overlay in self.overlays.iter_mut().rev() {
                    if let Overlay::Reading(reading) = overlay
                        && let Subject::History { rows, .. } = &mut reading.subject
                    {
                        *rows = answer.into();
                        break;
                    }
                }
                Vec::new()
            }
            Msg::UndoPreview(answer) => {
                self.ask_undo(answer);
                Vec::new()
            }
            Msg::UndoPage { run, answer } => {
                for overlay in self.overlays.iter_mut().rev() {
                    if let Overlay::Reading(reading) = overlay
                        && reading.run() == Some(run)
                    {
                        reading.undone = Some(answer.into());
                        break;
                    }
                }
                Vec::new()
            }
            Msg::Planned(answer) => {
                self.planned(answer);
                Vec::new()
            }
            Msg::PlanLines { generation, after, answer } => {
                self.take_plan_lines(generation, after, answer);
                Vec::new()
            }
            Msg::Forgotten(answer) => self.forgotten(answer),
            Msg::Why(answer) => {
                for overlay in self.overlays.iter_mut().rev() {
                    if let Overlay::Reading(reading) = overlay
                        && let Subject::Why { records, .. } = &mut reading.subject
                    {
                        *records = answer.into();
                        break;
                    }
                }
                Vec::new()
            }
            Msg::Exported(answer) => {
                match answer {
                    Ok(path) => self.toasts.add(Tone::Good, text::exported(&path), self.now),
                    Err(sentence) => self.toasts.add(Tone::Error, sentence, self.now),
                }
                Vec::new()
            }
            Msg::Themed(theme) => {
                self.look.theme = theme;
                Vec::new()
            }
        }
    }

    fn tick(&mut self, now: chrono::DateTime<chrono::Utc>) -> Vec<Effect> {
        self.now = now;
        self.toasts.expire(now);
        let counting = self.count_if_due();
        let lists_are_old = !self.engine.answers()
            && matches!(self.tab, crate::console::app::tab::Tab::Sync | crate::console::app::tab::Tab::Logs)
            && now - self.sync.looked >= chrono::TimeDelta::seconds(5);
        if !lists_are_old {
            return counting;
        }
        self.sync.looked = now;
        let mut effects =
            vec![Effect::ReadStatus, Effect::ReadIssueGroups, Effect::ReadRuns { before: None }];
        if self.logs.wants_newer() {
            effects.push(self.logs.read_newer());
        }
        effects
    }

    fn take_settings(&mut self, answer: Answer<Box<SettingsRead>>) -> Vec<Effect> {
        match answer {
            Ok(read) => {
                let SettingsRead { settings, problems } = *read;
                self.connection.draft.reset(ConnectionDraft::of(&settings));
                self.mapping.draft.reset(settings.mappings.clone());
                self.settings = settings;
                self.problems = problems;
                self.connection.errors.clear();
                let problems = std::mem::take(&mut self.problems);
                self.connection.note_problems(&problems);
                self.problems = problems;
                self.review_mappings();
            }
            Err(sentence) => self.toasts.add(Tone::Error, sentence, self.now),
        }
        Vec::new()
    }

    /// Asks for the passphrase of the vault. What waits for it is not lost while it is asked for, and given up with Esc.
    fn ask_passphrase(&mut self, then: Box<Effect>, error: Option<String>) {
        let mut prompt = Prompt::new(text::PASSPHRASE, text::PASSPHRASE_HELP, "", Asked::Passphrase { then });
        prompt.error = error;
        self.overlays.push(Overlay::Prompt(prompt));
    }

    fn save_refused(&mut self, part: Part, problems: &[Problem]) {
        self.leaving = Leaving::No;
        self.saving_ended(part);
        self.connection.note_problems(problems);
        let first = problems.iter().find(|problem| problem.severity == Severity::Error);
        if let Some(field) = first.and_then(|problem| FieldId::at_path(&problem.path))
            && part == Part::Connection
        {
            self.connection.focus_on(field);
            let choices = first.map(|problem| problem.choices.as_slice()).unwrap_or_default();
            if !choices.is_empty() {
                let items = choices.iter().map(|(id, cells)| Item::new(id.as_str(), cells.iter().cloned()));
                let title = connection::label(field);
                let picker = Picker::new(title, &[], items.collect(), Picked::Field(field));
                self.overlays.push(Overlay::Picker(picker));
            }
        }
        let sentence = first.map(|problem| problem.message.clone()).unwrap_or_default();
        self.toasts.add(Tone::Error, text::save_refused(&sentence), self.now);
    }

    fn saving_ended(&mut self, part: Part) {
        match part {
            Part::Connection => self.connection.saving = false,
            Part::Mapping => self.mapping.saving = false,
            Part::Schedule => {}
        }
    }

    fn saved(&mut self, part: Part, answer: Answer<Box<SettingsRead>>) -> Vec<Effect> {
        self.saving_ended(part);
        let read = match answer {
            Ok(read) => *read,
            Err(sentence) => {
                self.leaving = Leaving::No;
                self.toasts.add(Tone::Error, sentence, self.now);
                return Vec::new();
            }
        };
        self.settings = read.settings;
        self.problems = read.problems;
        match part {
            Part::Connection => {
                // What saving looked up (an account's id, the org's id) belongs to the draft as well, and typed secrets are
                // stored now: neither is an edit, and no undo shall bring a secret back.
                self.connection.draft.reset(ConnectionDraft::of(&self.settings));
                let problems = std::mem::take(&mut self.problems);
                self.connection.note_problems(&problems);
                self.problems = problems;
            }
            Part::Mapping => {
                self.mapping.draft.amend(|mappings| mappings.clone_from(&self.settings.mappings));
            }
            Part::Schedule => {}
        }
        self.review_mappings();
        let open = self.problems.iter().filter(|problem| problem.severity != Severity::Warning).count();
        let (tone, sentence) = text::saved(part, open);
        self.toasts.add(tone, sentence, self.now);
        let mut effects = vec![Effect::SecretPlaces, Effect::Unlocked];
        // Saving has told a running engine already.
        if !self.engine.answers() {
            effects.push(Effect::Attach);
        }
        effects.extend(self.saved_while_leaving());
        if part == Part::Mapping && std::mem::take(&mut self.mapping.then) == AfterSaving::Sync {
            effects.extend(self.offer_initial());
        }
        effects
    }
}
