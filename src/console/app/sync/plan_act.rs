//! What the actions do about a plan: it is made, looked into, kept under a name, applied.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::plan::{Level, PlanSheet};
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::selection::Selection;
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::plan as text;
use crate::domain::command::{Allowances, Command, RunRequest};
use crate::domain::outcome::RunKind;
use crate::domain::plan::saved::{PlanDeed, PlanHead, PlanLine};
use crate::domain::report::FirstSync;
use crate::ops::plan;

/// Lines read at once.
pub const PAGE: usize = 200;

impl App {
    /// Makes the plan of what the next run would do: of the selected mapping on its tab, of all elsewhere.
    pub(crate) fn make_plan(&mut self) -> Vec<Effect> {
        if self.unsaved(Tab::Mapping) {
            self.toasts.add(Tone::Info, text::SAVE_FIRST, self.now);
            return Vec::new();
        }
        let status = self.sync.status.ready();
        let done = status.is_some_and(|status| matches!(status.first_sync, FirstSync::Done { .. }));
        let kind = if done { RunKind::Instant } else { RunKind::Initial };
        let mut request = RunRequest::new(kind);
        if self.tab == Tab::Mapping {
            match self.mapping.selected() {
                Some(mapping) if !mapping.enabled => {
                    self.toasts.add(Tone::Info, text::SWITCHED_OFF, self.now);
                    return Vec::new();
                }
                Some(mapping) => request.mappings.push(mapping.name.clone()),
                None => {}
            }
        }
        self.open_plan(request)
    }

    /// Opens the plan of a run and has it made.
    pub(crate) fn open_plan(&mut self, request: RunRequest) -> Vec<Effect> {
        self.overlays.push(Overlay::Plan(Box::new(PlanSheet::new(request.clone()))));
        vec![Effect::MakePlan(request)]
    }

    /// The open plan.
    fn plan(&mut self) -> Option<&mut PlanSheet> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Plan(sheet) => Some(sheet.as_mut()),
            _ => None,
        })
    }

    /// One step back: from a record to the records, to the counts, and out; from a plan that is being made it calls it off.
    pub(crate) fn leave_plan(&mut self) -> Vec<Effect> {
        let Some(sheet) = self.plan() else { return Vec::new() };
        match (sheet.level, &sheet.head) {
            (Level::Record, _) => sheet.level = Level::Records,
            (Level::Records, _) if !sheet.filter.is_empty() => {
                sheet.filter.clear();
                return self.read_plan(None);
            }
            (Level::Records, _) => sheet.level = Level::Counts,
            (Level::Counts, Load::Waiting) => {
                self.overlays.pop();
                self.toasts.add(Tone::Info, text::CALLED_OFF, self.now);
                return vec![Effect::Ask(Command::Cancel)];
            }
            (Level::Counts, Load::Ready(_) | Load::Failed(_)) => {
                self.overlays.pop();
            }
        }
        Vec::new()
    }

    pub(crate) fn act_on_plan(&mut self, action: Action) -> Vec<Effect> {
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        let Some(sheet) = self.plan() else { return Vec::new() };
        if !sheet.is_made() {
            return Vec::new();
        }
        if sheet.step(action) {
            return match sheet.wants_more() {
                Some(after) => self.read_plan(Some(after)),
                None => Vec::new(),
            };
        }
        match action {
            Action::Open | Action::Right => match sheet.level {
                Level::Counts => {
                    sheet.level = Level::Records;
                    return self.read_plan(None);
                }
                Level::Records if sheet.selected().is_some() => {
                    sheet.level = Level::Record;
                    sheet.scroll = 0;
                }
                Level::Records | Level::Record => {}
            },
            Action::Left => return self.leave_plan(),
            Action::Filter => {
                let filter = sheet.filter.clone();
                let prompt = Prompt::new(text::FILTER, text::FILTER_HELP, &filter, Asked::PlanFilter);
                self.overlays.push(Overlay::Prompt(prompt));
            }
            Action::ApplyPlan => self.ask_apply(),
            Action::SavePlan | Action::Save => {
                let name = sheet.head.ready().and_then(|head| head.name.clone()).unwrap_or_default();
                let prompt = Prompt::new(text::NAME, text::NAME_HELP, &name, Asked::PlanName);
                self.overlays.push(Overlay::Prompt(prompt));
            }
            Action::Why => {
                let id = sheet.selected().and_then(|line| {
                    line.line.ids.org.as_ref().or(line.line.ids.platform.as_ref()).map(ToString::to_string)
                });
                if let Some(id) = id.filter(|_| self.plan().is_some_and(|sheet| sheet.level != Level::Counts))
                {
                    return self.open_why(id);
                }
            }
            Action::Copy | Action::CopyJson => {
                let json = match sheet.level {
                    Level::Counts => sheet.head.ready().and_then(|head| serde_json::to_string(head).ok()),
                    Level::Records | Level::Record => {
                        sheet.selected().and_then(|line| serde_json::to_string(line).ok())
                    }
                };
                return self.copy(&json.unwrap_or_default());
            }
            _ => {}
        }
        Vec::new()
    }

    /// Reads lines: the first page of a new question, or what comes behind a line.
    fn read_plan(&mut self, after: Option<i64>) -> Vec<Effect> {
        let Some(sheet) = self.plan() else { return Vec::new() };
        let Some(number) = sheet.head.ready().map(|head| head.plan) else { return Vec::new() };
        if after.is_none() {
            sheet.generation += 1;
            sheet.lines = Load::Waiting;
            sheet.record = Selection::default();
            sheet.all = false;
        }
        sheet.reading = true;
        vec![Effect::ReadPlan {
            plan: number,
            query: sheet.query(),
            after: after.unwrap_or(0),
            generation: sheet.generation,
        }]
    }

    /// Takes over a filter and shows the records that it lets through.
    pub(crate) fn put_plan_filter(&mut self, typed: &str) -> Vec<Effect> {
        let Some(sheet) = self.plan() else { return Vec::new() };
        typed.trim().clone_into(&mut sheet.filter);
        sheet.level = Level::Records;
        self.read_plan(None)
    }

    /// Keeps the plan under a name; a sentence where it can't have it.
    pub(crate) fn put_plan_name(&mut self, typed: &str) -> Result<Vec<Effect>, String> {
        let name = typed.trim();
        plan::check_name(name).map_err(|error| error.message)?;
        let Some(head) = self.plan().and_then(|sheet| match &mut sheet.head {
            Load::Ready(head) => Some(head),
            Load::Waiting | Load::Failed(_) => None,
        }) else {
            return Ok(Vec::new());
        };
        head.name = Some(name.to_owned());
        let deed = PlanDeed::Name { number: head.plan, name: Some(name.to_owned()) };
        Ok(vec![Effect::Ask(Command::Plans(deed))])
    }

    fn ask_apply(&mut self) {
        if let Err(reason) = self.available(Action::ApplyPlan) {
            self.toasts.add(Tone::Info, reason, self.now);
            return;
        }
        let platform = self.settings.platform.kind.label();
        let Some(head) = self.plan().and_then(|sheet| sheet.head.ready().cloned()) else { return };
        if head.is_empty() {
            self.toasts.add(Tone::Info, text::NOTHING_TO_DO, self.now);
            return;
        }
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::apply_title(&head),
            text::apply_lines(&head, platform),
            text::APPLY_YES,
            Consequence::Apply(head.plan),
        )));
    }

    /// Applies a plan; it has done its duty and is closed.
    pub(crate) fn apply_plan(&mut self, number: i64) -> Vec<Effect> {
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Plan(_)));
        vec![Effect::Ask(Command::Start(plan::applying(number, Allowances::default())))]
    }

    /// The plan is made, or it came to nothing.
    pub(crate) fn planned(&mut self, answer: Answer<Box<PlanHead>>) {
        match (self.plan(), answer) {
            (Some(sheet), answer) if !sheet.is_made() => {
                sheet.head = match answer {
                    Ok(head) => Load::Ready(*head),
                    Err(sentence) => Load::Failed(sentence),
                };
            }
            (_, Ok(head)) => self.toasts.add(Tone::Info, text::made(head.plan), self.now),
            // It was called off, and that was said.
            (_, Err(_)) => {}
        }
    }

    /// Lines arrived.
    pub(crate) fn take_plan_lines(&mut self, generation: u64, after: i64, answer: Answer<Vec<PlanLine>>) {
        let Some(sheet) = self.plan().filter(|sheet| sheet.generation == generation) else { return };
        sheet.reading = false;
        match answer {
            Ok(page) => {
                sheet.all = page.len() < PAGE;
                match &mut sheet.lines {
                    Load::Ready(lines) if after > 0 => lines.extend(page),
                    other => *other = Load::Ready(page),
                }
            }
            Err(sentence) => sheet.lines = Load::Failed(sentence),
        }
    }
}
