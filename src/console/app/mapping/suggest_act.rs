//! What the actions do on proposed pairs.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::mapping::Pane;
use crate::console::app::model::Load;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::suggest::Suggest;
use crate::console::app::toast::Tone;
use crate::console::view::text::mapping as text;
use crate::domain::side::Side;
use crate::ops::suggest;

impl App {
    /// Proposes pairs for the selected mapping, as soon as both sides have said what fields they have.
    pub(crate) fn suggest_pairs(&mut self) -> Vec<Effect> {
        let Some(mapping) = self.mapping.selected() else {
            self.toasts.add(Tone::Info, text::NO_MAPPING_HERE, self.now);
            return Vec::new();
        };
        self.mapping.suggest_for = Some(mapping.name.clone());
        let effects = self.needed_schemas();
        self.open_suggestions();
        effects
    }

    /// Opens the proposal that somebody waits for, if both descriptions are there.
    pub(crate) fn open_suggestions(&mut self) {
        let Some(name) = self.mapping.suggest_for.clone() else { return };
        let Some(mapping) = self.mapping.named(&name) else {
            self.mapping.suggest_for = None;
            return;
        };
        for side in Side::BOTH {
            if let Some(Load::Failed(_)) = self.mapping.schema(side, mapping) {
                // Why is told where the description failed; the pickers ask again.
                self.mapping.suggest_for = None;
                return;
            }
        }
        let (Some(org), Some(platform)) =
            (self.mapping.described(Side::Org, mapping), self.mapping.described(Side::Platform, mapping))
        else {
            self.toasts.add(Tone::Info, text::SUGGESTING, self.now);
            return;
        };
        let found = suggest::pairs(self.settings.platform.kind, mapping, org, platform);
        self.mapping.suggest_for = None;
        if found.is_empty() {
            self.toasts.add(Tone::Info, text::NOTHING_TO_SUGGEST, self.now);
        } else {
            self.overlays.push(Overlay::Suggest(Suggest::new(name, found)));
        }
    }

    /// An action on the proposal on top.
    pub(crate) fn act_on_suggestions(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Suggest(suggest)) = self.overlays.last_mut() else { return Vec::new() };
        let action = match action {
            Action::NextPane => Action::Down,
            Action::PreviousPane => Action::Up,
            other => other,
        };
        if suggest.selection.act(action, suggest.rows.len()) {
            return Vec::new();
        }
        match action {
            Action::Toggle => suggest.toggle(),
            Action::Add => suggest.toggle_all(),
            Action::Open => {
                let (name, chosen) = (suggest.mapping.clone(), suggest.chosen());
                self.overlays.pop();
                self.add_suggested(&name, chosen);
            }
            _ => {}
        }
        Vec::new()
    }

    fn add_suggested(&mut self, name: &str, chosen: Vec<crate::domain::mapping::Pair>) {
        let count = chosen.len();
        if count == 0 {
            self.toasts.add(Tone::Info, text::NOTHING_TICKED, self.now);
            return;
        }
        self.mapping.edit(name, |mapping| mapping.pairs.extend(chosen));
        self.mapping.pane = Pane::Pairs;
        self.mapping.row.set(0);
        self.toasts.add(Tone::Good, text::pairs_added(count), self.now);
        self.review_mappings();
    }
}
