//! Forgetting a person (law E16): it says what goes, and wants the word typed out.

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::app::toast::Tone;
use crate::console::view::text::sync as text;
use crate::domain::forget::Forgotten;
use crate::domain::record::RecordId;
use crate::domain::side::PerSide;
use crate::ops::forget::WHAT_IT_DOES;

/// The word that confirms it.
const WORD: &str = "forget";

impl App {
    /// Asks before a person is forgotten, whose record is named by its mapping and ids.
    pub(crate) fn ask_forget(&mut self, person: Option<(String, PerSide<Option<RecordId>>)>) -> Vec<Effect> {
        if let Err(reason) = self.available(Action::Forget) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let found = person.and_then(|(name, ids)| {
            let mapping = self.settings.mapping(&name)?;
            match (ids.org, ids.platform) {
                (Some(id), _) => Some((mapping.org_object.clone(), id.to_string())),
                (None, Some(id)) => Some((mapping.platform_object.clone(), id.to_string())),
                (None, None) => None,
            }
        });
        let Some((object, id)) = found else {
            self.toasts.add(Tone::Info, text::FORGET_FROM_RECORD, self.now);
            return Vec::new();
        };
        let help = format!("{}\n{}", WHAT_IT_DOES.join("\n"), text::FORGET_HELP);
        let prompt = Prompt::new(text::forget_title(&object, &id), help, "", Asked::Forget { object, id });
        self.overlays.push(Overlay::Prompt(prompt));
        Vec::new()
    }

    /// Takes over the typed word; a sentence where it is another one.
    pub(crate) fn put_forget(object: String, id: String, typed: &str) -> Result<Vec<Effect>, String> {
        if !typed.trim().eq_ignore_ascii_case(WORD) {
            return Err(text::FORGET_WORD.into());
        }
        Ok(vec![Effect::Forget { object, id }])
    }

    /// A person was forgotten, or not: what showed their values is closed, and the lists are read again.
    pub(crate) fn forgotten(&mut self, answer: Answer<Forgotten>) -> Vec<Effect> {
        match answer {
            Ok(erased) => {
                self.toasts.add(Tone::Good, erased.sentence(), self.now);
                self.overlays.retain(|overlay| {
                    !matches!(overlay, Overlay::Issue(_) | Overlay::Reading(_) | Overlay::Records(_))
                });
                let mut effects = self.reading_effects();
                effects.extend(self.inbox_effects());
                effects
            }
            Err(reason) => {
                self.toasts.add(Tone::Warning, reason, self.now);
                Vec::new()
            }
        }
    }
}
