//! Signing in to Salesforce by browser, with what stands on the screen.

use chrono::{DateTime, Utc};

use crate::console::app::App;
use crate::console::app::action::Action;
use crate::console::app::connection::field::{FieldId, FieldKind};
use crate::console::app::effect::Effect;
use crate::console::app::message::Answer;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::sign_in::{SignInSheet, SignInState, Waiting};
use crate::console::app::toast::Tone;
use crate::console::view::text::{connection, sign_in as text};
use crate::domain::side::Side;
use crate::ops::browser_sign_in::{SignedIn, Stage};
use crate::workspace::secrets::SecretName;

impl App {
    /// Begins a sign-in.
    pub(crate) fn begin_sign_in(&mut self) -> Vec<Effect> {
        if !self.connection.accept() {
            return Vec::new();
        }
        let missing: Vec<_> = self
            .connection
            .missing(Side::Org)
            .into_iter()
            .filter(|(field, _)| !matches!(field.kind(), FieldKind::SignIn(_)))
            .collect();
        if let Some((first, _)) = missing.first().cloned() {
            let count = missing.len();
            self.connection.errors.retain(|field, _| field.side() != Side::Org);
            self.connection.errors.extend(missing);
            self.connection.focus_on(first);
            self.toasts.add(Tone::Warning, connection::fill_in_first(count), self.now);
            return Vec::new();
        }
        self.overlays.push(Overlay::SignIn(SignInSheet::new()));
        vec![self.sign_in_effect()]
    }

    fn sign_in_effect(&self) -> Effect {
        let draft = self.connection.draft.now();
        Effect::SignIn { settings: Box::new(draft.over(&self.settings)), typed: draft.typed_of(Side::Org) }
    }

    fn sign_in_sheet(&mut self) -> Option<&mut SignInSheet> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::SignIn(sheet) => Some(sheet),
            _ => None,
        })
    }

    fn waiting(&mut self) -> Option<&mut Waiting> {
        match self.sign_in_sheet() {
            Some(SignInSheet { state: SignInState::Waiting(waiting), .. }) => Some(waiting),
            Some(_) | None => None,
        }
    }

    /// The address is known: it is shown, and the browser opened.
    pub(crate) fn sign_in_waits(
        &mut self,
        address: String,
        callback: String,
        until: DateTime<Utc>,
    ) -> Vec<Effect> {
        // Closed before it began.
        let Some(sheet) = self.sign_in_sheet() else { return vec![Effect::StopSignIn] };
        let open = Effect::OpenBrowser(address.clone());
        sheet.state = SignInState::Waiting(Waiting { address, callback, until, opened: None, odd: None });
        vec![open]
    }

    /// Whether there was a browser to open.
    pub(crate) fn browser_opened(&mut self, opened: bool) {
        if let Some(waiting) = self.waiting() {
            waiting.opened = Some(opened);
        }
    }

    /// How far it is.
    pub(crate) fn sign_in_stage(&mut self, stage: Stage) {
        match stage {
            Stage::Waiting => {}
            Stage::Odd(sentence) => {
                if let Some(waiting) = self.waiting() {
                    waiting.odd = Some(sentence);
                }
            }
            Stage::Returned => {
                if let Some(sheet) = self.sign_in_sheet() {
                    sheet.state = SignInState::Returned;
                }
            }
        }
    }

    /// It ended. Who has signed in wants to know what the user may do, so that the side is tested.
    pub(crate) fn signed_in(&mut self, answer: Answer<SignedIn>) -> Vec<Effect> {
        match answer {
            Ok(signed_in) => {
                self.overlays.retain(|overlay| !matches!(overlay, Overlay::SignIn(_)));
                let name = SecretName::SalesforceRefreshToken;
                self.connection.secrets.insert(name, signed_in.place.into());
                self.connection.errors.remove(&FieldId::SignInNow);
                self.toasts.add(Tone::Good, signed_in.sentence(), self.now);
                let mut effects = vec![Effect::SecretPlaces];
                effects.extend(self.test(Side::Org));
                effects
            }
            Err(sentence) => {
                match self.sign_in_sheet() {
                    Some(sheet) => sheet.state = SignInState::Failed(sentence),
                    None => self.toasts.add(Tone::Error, sentence, self.now),
                }
                Vec::new()
            }
        }
    }

    /// An action while it waits.
    pub(crate) fn act_on_sign_in(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::SignIn(sheet)) = self.overlays.last_mut() else { return Vec::new() };
        if Overlay::scroll(&mut sheet.scroll, action) {
            return Vec::new();
        }
        let address = sheet.waiting().map(|waiting| waiting.address.clone());
        match (action, address) {
            (Action::Copy, Some(address)) => self.copy(&address),
            (Action::Open, Some(address)) => {
                if let Some(waiting) = self.waiting() {
                    waiting.opened = None;
                }
                vec![Effect::OpenBrowser(address)]
            }
            (Action::Open, None) if !sheet.is_going() => {
                *sheet = SignInSheet::new();
                vec![self.sign_in_effect()]
            }
            _ => Vec::new(),
        }
    }

    /// It was closed while it waited.
    pub(crate) fn leave_sign_in(&mut self) -> Vec<Effect> {
        self.toasts.add(Tone::Info, text::LEFT, self.now);
        vec![Effect::StopSignIn]
    }
}
