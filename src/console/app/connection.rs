//! Connection Settings: two forms side by side, with a test under each.

pub mod act;
pub mod draft;
pub mod field;
pub mod setting_text;
mod sign_in_act;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::console::app::connection::draft::ConnectionDraft;
use crate::console::app::connection::field::{FieldId, FieldKind};
use crate::console::app::history::History;
use crate::console::app::key::Key;
use crate::console::app::model::{SecretPlace, TestReport};
use crate::console::app::text_input::TextInput;
use crate::console::view::text::connection as text;
use crate::domain::report::Verdict;
use crate::domain::side::{PerSide, Side};
use crate::workspace::problems::{Problem, Severity};
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::Settings;

/// A test of one side.
#[derive(Clone, Debug, Default)]
pub enum TestState {
    /// Never done since the start.
    #[default]
    Idle,
    /// On its way.
    Running {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// It could be done, with this result.
    Done(TestReport),
    /// It could not be done.
    Failed(String),
}

/// A field that is being typed into.
#[derive(Clone)]
pub struct Editor {
    /// Which field.
    pub field: FieldId,
    /// What stands there.
    pub input: TextInput,
}

/// The state of the tab.
pub struct ConnectionTab {
    /// What the forms hold.
    pub draft: History<ConnectionDraft>,
    /// The side that has the focus.
    pub side: Side,
    /// The focused field of each side.
    pub focus: PerSide<FieldId>,
    /// The field that is being typed into.
    pub editing: Option<Editor>,
    /// Whether the focused secret is shown.
    pub revealed: bool,
    /// The tests.
    pub tests: PerSide<TestState>,
    /// Whether the form was edited since the test began.
    pub stale: PerSide<bool>,
    /// Errors beside the fields.
    pub errors: BTreeMap<FieldId, String>,
    /// Where the secrets are.
    pub secrets: BTreeMap<SecretName, SecretPlace>,
    /// Whether a save is on its way.
    pub saving: bool,
}

impl ConnectionTab {
    /// The tab for saved settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            draft: History::new(ConnectionDraft::of(settings)),
            side: Side::Org,
            focus: PerSide {
                org: FieldId::Environment,
                platform: FieldId::first_of_platform(settings.platform.kind),
            },
            editing: None,
            revealed: false,
            tests: PerSide::default(),
            stale: PerSide::default(),
            errors: BTreeMap::new(),
            secrets: BTreeMap::new(),
            saving: false,
        }
    }

    /// The fields that show on a side.
    pub fn shown(&self, side: Side) -> Vec<FieldId> {
        FieldId::shown(side, self.draft.now())
    }

    /// The focused field.
    pub fn focused(&self) -> FieldId {
        self.focus[self.side]
    }

    /// Whether a test is on its way.
    pub fn is_testing(&self) -> bool {
        Side::BOTH.into_iter().any(|side| matches!(self.tests[side], TestState::Running { .. }))
    }

    /// Puts the focus on a field.
    pub fn focus_on(&mut self, field: FieldId) {
        self.leave_field();
        self.side = field.side();
        self.focus[field.side()] = field;
        self.revealed = false;
    }

    /// Puts the focus `steps` fields further, over to the other side at the ends; around, if `around`.
    pub(crate) fn step(&mut self, steps: isize) {
        let mut fields = self.shown(Side::Org);
        fields.extend(self.shown(Side::Platform));
        let here = fields.iter().position(|field| *field == self.focused()).unwrap_or(0);
        let length = fields.len() as isize;
        if length == 0 {
            return;
        }
        let place = (here as isize + steps).rem_euclid(length) as usize;
        if let Some(field) = fields.get(place) {
            self.focus_on(*field);
        }
    }

    /// Begins to type into the focused field; a secret begins empty.
    pub(crate) fn begin(&mut self) {
        let field = self.focused();
        let text = self.draft.now().text(field);
        self.editing = Some(Editor { field, input: TextInput::new(&text) });
    }

    /// Takes over what was typed; the error stays beside the field, and the field stays open, where it is no value.
    pub(crate) fn accept(&mut self) -> bool {
        let Some(editor) = &self.editing else { return true };
        let (field, typed) = (editor.field, editor.input.text().to_owned());
        if self.put(field, &typed) {
            self.editing = None;
            true
        } else {
            false
        }
    }

    /// Puts a value into a field as one edit; tells whether it is one.
    pub(crate) fn put(&mut self, field: FieldId, value: &str) -> bool {
        let mut draft = self.draft.now().clone();
        let before = draft.text(field);
        match draft.set(field, value) {
            Ok(()) => {
                self.errors.remove(&field);
                if draft.text(field) != before {
                    self.draft.edit(|present| *present = draft);
                    self.edited(field.side());
                }
                true
            }
            Err(sentence) => {
                self.errors.insert(field, sentence);
                false
            }
        }
    }

    /// Chooses one of several accounts of the name that stands in its field.
    pub(crate) fn pick_account(&mut self, id: &str) {
        let mut draft = self.draft.now().clone();
        draft.platform.salesmanago.account_id = Some(id.to_owned());
        self.errors.remove(&FieldId::AccountName);
        self.draft.edit(|present| *present = draft);
        self.edited(Side::Platform);
    }

    /// The test results of a side are of other values from now on, and the focus may stand on a field that is gone.
    pub(crate) fn edited(&mut self, side: Side) {
        self.stale[side] = true;
        let shown = self.shown(side);
        if !shown.contains(&self.focus[side])
            && let Some(first) = shown.first()
        {
            self.focus[side] = *first;
        }
        self.errors.retain(|field, _| field.side() != side || shown.contains(field));
    }

    /// Leaves the field that is typed into, without taking over what was typed.
    pub fn leave_field(&mut self) {
        self.editing = None;
        self.revealed = false;
    }

    /// A key that is text.
    pub fn typed(&mut self, key: Key) {
        if let Some(editor) = &mut self.editing {
            editor.input.press(key);
        }
    }

    /// Pasted text.
    pub fn paste(&mut self, pasted: &str) {
        if let Some(editor) = &mut self.editing {
            editor.input.paste(pasted);
        }
    }

    /// Puts problems of the settings beside their fields.
    pub fn note_problems(&mut self, problems: &[Problem]) {
        for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
            if let Some(field) = FieldId::at_path(&problem.path) {
                self.errors.entry(field).or_insert_with(|| problem.message.clone());
            }
        }
    }

    /// Puts what a test found beside the fields it names.
    pub(crate) fn note_test(&mut self, side: Side, report: &TestReport) {
        self.errors.retain(|field, _| field.side() != side);
        for line in report.lines.iter().filter(|line| line.verdict == Verdict::Bad) {
            if let Some(field) = line.field.as_deref().and_then(FieldId::at_path) {
                self.errors.entry(field).or_insert_with(|| line.message.clone());
            }
        }
    }

    /// Whether a secret is there: typed, or kept somewhere.
    pub fn has_secret(&self, name: SecretName) -> bool {
        self.draft.now().typed.contains_key(&name)
            || self.secrets.get(&name).is_some_and(|place| *place != SecretPlace::Absent)
    }

    /// Which needed fields of a side are empty, as errors; all at once.
    pub(crate) fn missing(&self, side: Side) -> Vec<(FieldId, String)> {
        let draft = self.draft.now();
        self.shown(side)
            .into_iter()
            .filter(|field| field.needed(draft))
            .filter(|field| match field.kind() {
                FieldKind::Secret(name) | FieldKind::SignIn(name) => !self.has_secret(name),
                FieldKind::Text | FieldKind::Choice(_) | FieldKind::Owner => draft.text(*field).is_empty(),
            })
            // The owner can be picked only after a test, so that a test may do without.
            .map(|field| match field.kind() {
                FieldKind::SignIn(_) => (field, text::NOT_SIGNED_IN.to_owned()),
                _ => (field, text::needed(text::label(field))),
            })
            .collect()
    }

    /// The platform's users that the last test found.
    pub fn owners(&self) -> &[String] {
        match &self.tests.platform {
            TestState::Done(report) => &report.owners,
            TestState::Idle | TestState::Running { .. } | TestState::Failed(_) => &[],
        }
    }
}
