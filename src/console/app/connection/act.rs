//! What the actions do on Connection Settings.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::connection::TestState;
use crate::console::app::connection::field::{FieldId, FieldKind};
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::{Access, TestReport};
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::picker::{Item, Picked, Picker};
use crate::console::app::overlay::question::{Consequence, Question};
use crate::console::app::toast::Tone;
use crate::console::view::text::{common, connection as text};
use crate::domain::side::Side;

impl App {
    /// An action on this tab.
    pub(crate) fn perform_connection(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Up => self.move_field(-1),
            Action::Down => self.move_field(1),
            Action::NextPane => self.next_field(1),
            Action::PreviousPane => self.next_field(-1),
            Action::PageUp | Action::First => self.end_field(false),
            Action::PageDown | Action::Last => self.end_field(true),
            Action::Left | Action::Right => self.other_side(),
            Action::Open => return self.open_field(),
            Action::Toggle => return self.cycle_field(),
            Action::Back => return self.step_back(),
            Action::Test => return self.test(self.connection.side),
            Action::SignIn => return self.begin_sign_in(),
            Action::Reveal => self.reveal(),
            Action::MakeObjects => self.ask_to_make_objects(),
            Action::Delete => return self.clear_field(),
            Action::Copy | Action::CopyJson => return self.copy_field(),
            _ => {}
        }
        Vec::new()
    }

    fn move_field(&mut self, step: isize) {
        // Up and down stay within the side; Tab goes over to the other one.
        let fields = self.connection.shown(self.connection.side);
        let here = fields.iter().position(|field| *field == self.connection.focused()).unwrap_or(0);
        let place = here.saturating_add_signed(step).min(fields.len().saturating_sub(1));
        if let Some(field) = fields.get(place) {
            self.connection.focus_on(*field);
        }
    }

    fn end_field(&mut self, last: bool) {
        let fields = self.connection.shown(self.connection.side);
        if let Some(field) = if last { fields.last() } else { fields.first() } {
            self.connection.focus_on(*field);
        }
    }

    fn next_field(&mut self, step: isize) {
        let was_typing = self.connection.editing.is_some();
        if !self.connection.accept() {
            return;
        }
        self.connection.step(step);
        // Who fills in a form with Tab goes on typing in the next field.
        let is_text =
            !matches!(self.connection.focused().kind(), FieldKind::Choice(_) | FieldKind::SignIn(_));
        if was_typing && is_text {
            self.connection.begin();
        }
    }

    fn other_side(&mut self) {
        let other = self.connection.side.other();
        let field = self.connection.focus[other];
        self.connection.focus_on(field);
    }

    fn refuse_in_read_only(&mut self) -> bool {
        let refused = self.access == Access::ReadOnly;
        if refused {
            self.toasts.add(Tone::Info, common::READ_ONLY, self.now);
        }
        refused
    }

    fn open_field(&mut self) -> Vec<Effect> {
        if self.connection.editing.is_some() {
            self.connection.accept();
            return Vec::new();
        }
        if self.refuse_in_read_only() {
            return Vec::new();
        }
        let field = self.connection.focused();
        match field.kind() {
            FieldKind::Text | FieldKind::Secret(_) => self.connection.begin(),
            FieldKind::SignIn(_) => return self.begin_sign_in(),
            FieldKind::Choice(choices) => {
                let items = choices.iter().map(|(word, label)| Item::new(*word, [*label])).collect();
                let mut picker = Picker::new(text::label(field), &[], items, Picked::Field(field));
                picker.choose(&self.connection.draft.now().text(field));
                self.overlays.push(Overlay::Picker(picker));
            }
            FieldKind::Owner if self.connection.owners().is_empty() => self.connection.begin(),
            FieldKind::Owner => {
                let mut items: Vec<Item> =
                    self.connection.owners().iter().map(|owner| Item::new(owner, [owner.as_str()])).collect();
                items.push(Item::new(text::OWNER_TYPED, [text::OWNER_TYPED_LABEL]));
                let mut picker = Picker::new(text::label(field), &[], items, Picked::Field(field));
                picker.choose(&self.connection.draft.now().text(field));
                self.overlays.push(Overlay::Picker(picker));
            }
        }
        Vec::new()
    }

    /// A value was picked for a field.
    pub(crate) fn picked_for_field(&mut self, field: FieldId, word: &str) {
        self.connection.focus_on(field);
        if field == FieldId::AccountName {
            // One of several namesakes: the name stays.
            self.connection.pick_account(word);
            self.toasts.add(Tone::Info, text::ACCOUNT_PICKED, self.now);
        } else if matches!(field.kind(), FieldKind::Owner) && word == text::OWNER_TYPED {
            self.connection.begin();
        } else {
            self.connection.put(field, word);
        }
    }

    fn cycle_field(&mut self) -> Vec<Effect> {
        let field = self.connection.focused();
        let FieldKind::Choice(choices) = field.kind() else { return self.open_field() };
        let now = self.connection.draft.now().text(field);
        let here = choices.iter().position(|(word, _)| *word == now).unwrap_or(0);
        if let Some((word, _)) = choices.get((here + 1) % choices.len()) {
            self.connection.put(field, word);
        }
        Vec::new()
    }

    fn step_back(&mut self) -> Vec<Effect> {
        if self.connection.editing.is_some() {
            let field = self.connection.focused();
            self.connection.leave_field();
            self.connection.errors.remove(&field);
        } else if self.connection.revealed {
            self.connection.revealed = false;
        } else {
            self.toasts.dismiss();
        }
        Vec::new()
    }

    /// Begins a test of a side with what stands on the screen.
    pub(crate) fn test(&mut self, side: Side) -> Vec<Effect> {
        if !self.connection.accept() {
            return Vec::new();
        }
        if matches!(self.connection.tests[side], TestState::Running { .. }) {
            self.toasts.add(Tone::Info, text::TEST_RUNNING, self.now);
            return Vec::new();
        }
        let missing: Vec<_> = self
            .connection
            .missing(side)
            .into_iter()
            .filter(|(field, _)| !matches!(field.kind(), FieldKind::Owner))
            .collect();
        if let Some((first, _)) = missing.first().cloned() {
            let count = missing.len();
            self.connection.errors.retain(|field, _| field.side() != side);
            self.connection.errors.extend(missing);
            self.connection.focus_on(first);
            self.toasts.add(Tone::Warning, text::fill_in_first(count), self.now);
            return Vec::new();
        }
        self.connection.tests[side] = TestState::Running { since: self.now };
        self.connection.stale[side] = false;
        let draft = self.connection.draft.now();
        vec![Effect::Test {
            side,
            settings: Box::new(draft.over(&self.settings)),
            typed: draft.typed_of(side),
        }]
    }

    /// A test ended.
    pub(crate) fn tested(&mut self, side: Side, answer: Answer<TestReport>) -> Vec<Effect> {
        let name = text::side_name(side, self.settings.platform.kind.label());
        match answer {
            Ok(report) => {
                if !self.connection.stale[side] {
                    self.connection.note_test(side, &report);
                }
                if let Some(org) = &report.org {
                    self.org = Some(org.clone());
                }
                if report.api_budget.is_some() {
                    self.api_budget = report.api_budget;
                }
                let (tone, sentence) = if report.passed {
                    (Tone::Good, text::test_passed(name))
                } else {
                    (Tone::Warning, text::test_failed(name))
                };
                self.toasts.add(tone, sentence, self.now);
                self.connection.tests[side] = TestState::Done(report);
            }
            Err(sentence) => {
                self.toasts.add(Tone::Error, sentence.clone(), self.now);
                self.connection.tests[side] = TestState::Failed(sentence);
            }
        }
        vec![Effect::Unlocked]
    }

    fn ask_to_make_objects(&mut self) {
        if self.refuse_in_read_only() {
            return;
        }
        let wanted = self.settings.platform.kind.profile().map(|profile| profile.org_objects.as_slice());
        let names: Vec<&str> = wanted.into_iter().flatten().map(|object| object.name.as_str()).collect();
        if names.is_empty() {
            self.toasts.add(Tone::Info, text::NOTHING_WANTED, self.now);
            return;
        }
        self.overlays.push(Overlay::Question(Question::yes_no(
            text::OBJECTS_TITLE,
            text::objects_lines(&names),
            text::OBJECTS_YES,
            Consequence::MakeObjects,
        )));
    }

    fn reveal(&mut self) {
        let field = self.connection.focused();
        let typed = field.secret().is_some_and(|name| self.connection.draft.now().typed.contains_key(&name));
        if field.secret().is_none() {
            self.toasts.add(Tone::Info, text::NO_SECRET_HERE, self.now);
        } else if typed {
            self.connection.revealed = !self.connection.revealed;
        } else {
            self.toasts.add(Tone::Info, text::STORED_SECRET, self.now);
        }
    }

    fn clear_field(&mut self) -> Vec<Effect> {
        let field = self.connection.focused();
        if !matches!(field.kind(), FieldKind::Choice(_) | FieldKind::SignIn(_))
            && !self.connection.put(field, "")
        {
            self.connection.errors.remove(&field);
        }
        Vec::new()
    }

    fn copy_field(&mut self) -> Vec<Effect> {
        let field = self.connection.focused();
        if field.secret().is_some() || matches!(field.kind(), FieldKind::SignIn(_)) {
            self.toasts.add(Tone::Info, text::SECRET_NOT_COPIED, self.now);
            return Vec::new();
        }
        self.copy(&self.connection.draft.now().text(field))
    }

    /// The mouse pressed a field.
    pub(crate) fn press_field(&mut self, field: FieldId) -> Vec<Effect> {
        if self.connection.editing.as_ref().is_some_and(|editor| editor.field == field) {
            return Vec::new();
        }
        if !self.connection.accept() {
            return Vec::new();
        }
        let again = self.connection.focused() == field && self.connection.side == field.side();
        self.connection.focus_on(field);
        if again { self.open_field() } else { Vec::new() }
    }
}
