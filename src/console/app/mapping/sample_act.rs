//! What the actions do on a record that was pulled into the editor.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::overlay::sample::SampleSheet;
use crate::console::app::overlay::sheet::{Sheet, Target};
use crate::console::app::toast::Tone;
use crate::console::view::text::{mapping as mapping_text, sample as text};
use crate::domain::mapping::Mapping;
use crate::domain::sample::{PairSample, Pulled, results};
use crate::domain::side::{PerSide, Side};

impl App {
    /// Opens the record of the selected mapping; the first time, some record is pulled.
    pub(crate) fn open_sample(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected().cloned() else {
            self.toasts.add(Tone::Info, mapping_text::NO_MAPPING_HERE, self.now);
            return Vec::new();
        };
        self.overlays.push(Overlay::Sample(SampleSheet::new(mapping.name.clone())));
        let mut effects = self.needed_schemas();
        if !matches!(self.mapping.pulled.get(&mapping.name), Some(Load::Ready(_) | Load::Waiting)) {
            effects.extend(self.pull(mapping, None));
        }
        effects
    }

    fn pull(&mut self, mapping: Mapping, wanted: Option<String>) -> Vec<Effect> {
        self.mapping.pulled.insert(mapping.name.clone(), Load::Waiting);
        vec![Effect::Pull { mapping: Box::new(mapping), wanted }]
    }

    /// A record was named in its prompt.
    pub(crate) fn put_sample(&mut self, mapping: &str, typed: &str) -> Vec<Effect> {
        let Some(mapping) = self.mapping.named(mapping).cloned() else { return Vec::new() };
        let wanted = typed.trim();
        self.pull(mapping, (!wanted.is_empty()).then(|| wanted.to_owned()))
    }

    /// A record arrived, or not.
    pub(crate) fn pulled(&mut self, mapping: String, answer: Answer<Box<Pulled>>) {
        self.mapping.pulled.insert(mapping, answer.map(|pulled| *pulled).into());
    }

    /// What became of the pulled record, pair by pair, by the draft as it stands now.
    pub fn sample_results(&self, mapping: &Mapping) -> Vec<PairSample> {
        let Some(pulled) = self.mapping.pulled.get(&mapping.name).and_then(Load::ready) else {
            return Vec::new();
        };
        let schemas = PerSide {
            org: self.mapping.described(Side::Org, mapping),
            platform: self.mapping.described(Side::Platform, mapping),
        };
        results(mapping, schemas, pulled)
    }

    /// An action on the record on top.
    pub(crate) fn act_on_sample(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Sample(sheet)) = self.overlays.last_mut() else { return Vec::new() };
        let name = sheet.mapping.clone();
        let pairs = self.mapping.named(&name).map_or(0, |mapping| mapping.pairs.len());
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if sheet.selection.act(action, pairs) {
            return Vec::new();
        }
        let pair = sheet.selection.place(pairs);
        match action {
            Action::Open if pair < pairs => {
                let target = Target::Pair { mapping: name, pair };
                self.overlays.push(Overlay::Sheet(Sheet::new(target)));
            }
            Action::Sample => self.overlays.push(Overlay::Prompt(Prompt::new(
                text::RECORD,
                text::RECORD_HELP,
                "",
                Asked::Sample(name),
            ))),
            _ => {}
        }
        Vec::new()
    }
}
