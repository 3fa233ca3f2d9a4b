//! The connections as they stand on the screen: settings and typed secrets, not saved yet.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::console::app::connection::field::FieldId;
use crate::console::app::connection::setting_text;
use crate::domain::side::Side;
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::{
    Environment, PlatformConnection, SalesforceConnection, Settings, SignIn, Transport,
};

/// What the two forms hold.
#[derive(Clone, Debug, Default)]
pub struct ConnectionDraft {
    /// The org.
    pub salesforce: SalesforceConnection,
    /// The platform.
    pub platform: PlatformConnection,
    /// Secrets typed here, not stored yet.
    pub typed: BTreeMap<SecretName, SecretString>,
}

impl ConnectionDraft {
    /// The draft of saved settings.
    pub fn of(settings: &Settings) -> Self {
        Self {
            salesforce: settings.salesforce.clone(),
            platform: settings.platform.clone(),
            typed: BTreeMap::new(),
        }
    }

    /// Settings with this draft in them.
    pub fn over(&self, settings: &Settings) -> Settings {
        Settings { salesforce: self.salesforce.clone(), platform: self.platform.clone(), ..settings.clone() }
    }

    /// Whether saving would change anything.
    pub fn differs(&self, settings: &Settings) -> bool {
        !self.typed.is_empty() || self.salesforce != settings.salesforce || self.platform != settings.platform
    }

    /// Whether saving would change anything of one side.
    pub fn side_differs(&self, side: Side, settings: &Settings) -> bool {
        self.typed.keys().any(|name| side_of(*name) == side)
            || match side {
                Side::Org => self.salesforce != settings.salesforce,
                Side::Platform => self.platform != settings.platform,
            }
    }

    /// The typed secrets of a side.
    pub fn typed_of(&self, side: Side) -> Vec<(SecretName, SecretString)> {
        self.typed
            .iter()
            .filter(|(name, _)| side_of(**name) == side)
            .map(|(name, value)| (*name, value.clone()))
            .collect()
    }

    /// The text of a field. Of a secret it is the typed one.
    pub fn text(&self, field: FieldId) -> String {
        let sf = &self.salesforce;
        let sm = &self.platform.salesmanago;
        match field {
            FieldId::Environment => environment_word(sf.environment).into(),
            FieldId::MyDomain => sf.my_domain.clone(),
            FieldId::SignIn => sign_in_word(sf.sign_in).into(),
            FieldId::Username => sf.username.clone(),
            FieldId::Password | FieldId::SecurityToken | FieldId::ClientSecret | FieldId::ApiSecret => field
                .secret()
                .and_then(|name| self.typed.get(&name))
                .map(|value| value.expose_secret().to_owned())
                .unwrap_or_default(),
            FieldId::ClientId => sf.client_id.clone(),
            FieldId::CallbackPort => sf.callback_port.to_string(),
            FieldId::SignInNow => String::new(),
            FieldId::ApiVersion => sf.api_version.clone(),
            FieldId::ApiReserve => sf.api_reserve_percent.to_string(),
            FieldId::CaFile => sf.ca_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            FieldId::PlatformKind => self.platform.kind.word().into(),
            FieldId::Setting(kind, _) => match (field.secret(), field.setting()) {
                (Some(name), _) => {
                    self.typed.get(&name).map(|value| value.expose_secret().to_owned()).unwrap_or_default()
                }
                (None, Some(setting)) => {
                    setting_text::shown(self.platform.told_of(kind).value(&setting.name).as_ref())
                }
                (None, None) => String::new(),
            },
            FieldId::Endpoint => sm.endpoint.clone(),
            FieldId::PlatformClientId => sm.client_id.clone(),
            FieldId::Owner => sm.owner.clone(),
            FieldId::AccountName => sm.account_name.clone(),
            FieldId::MicrositeKey => sm.microsite_key.clone(),
            FieldId::IframeName => sm.iframe_name.clone(),
            FieldId::Pace => sm.requests_per_second.to_string(),
            FieldId::CallsPerHour => sm.calls_per_hour.to_string(),
            FieldId::CallsPerDay => sm.calls_per_day.to_string(),
            FieldId::PlatformReserve => sm.reserve_percent.to_string(),
            FieldId::BatchSize => sm.batch_size.to_string(),
            FieldId::WindowDays => sm.max_window_days.to_string(),
            FieldId::Overlap => sm.overlap_seconds.to_string(),
            FieldId::Transport => transport_word(sm.transport).into(),
            FieldId::PlatformCaFile => {
                sm.ca_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
            }
        }
    }

    /// Puts a text into a field; a sentence where it can't be one of its values.
    pub fn set(&mut self, field: FieldId, text: &str) -> Result<(), String> {
        if let Some(name) = field.secret() {
            // Blanks at the ends are part of a password, but never of what somebody meant to type here: line breaks are
            // gone already, so the text is taken as it is.
            if text.is_empty() {
                self.typed.remove(&name);
            } else {
                self.typed.insert(name, SecretString::from(text.to_owned()));
            }
            return Ok(());
        }
        let text = text.trim();
        let path = || (!text.is_empty()).then(|| text.into());
        let sf = &mut self.salesforce;
        let sm = &mut self.platform.salesmanago;
        match field {
            FieldId::PlatformKind => {
                self.platform.kind = text.parse().map_err(|error| format!("{error}."))?;
            }
            FieldId::Setting(kind, _) => {
                if let Some(setting) = field.setting() {
                    let value = setting_text::read(setting, text)?;
                    self.platform.tell(kind, &setting.name, value);
                }
            }
            FieldId::Environment => {
                sf.environment = match text {
                    "sandbox" => Environment::Sandbox,
                    "custom" => Environment::Custom,
                    _ => Environment::Production,
                }
            }
            FieldId::MyDomain => sf.my_domain = text.into(),
            FieldId::SignIn => {
                sf.sign_in = match text {
                    "username_password" => SignIn::UsernamePassword,
                    "soap" => SignIn::Soap,
                    "browser" => SignIn::Browser,
                    _ => SignIn::ClientCredentials,
                }
            }
            FieldId::Username => sf.username = text.into(),
            // Secrets are in their place already, and a button holds nothing.
            FieldId::Password
            | FieldId::SecurityToken
            | FieldId::ClientSecret
            | FieldId::ApiSecret
            | FieldId::SignInNow => {}
            FieldId::ClientId => sf.client_id = text.into(),
            FieldId::CallbackPort => sf.callback_port = port(text)?,
            FieldId::ApiVersion => sf.api_version = api_version(text)?,
            FieldId::ApiReserve => sf.api_reserve_percent = percent(text)?,
            FieldId::CaFile => sf.ca_file = path(),
            FieldId::Endpoint => sm.endpoint = text.into(),
            FieldId::PlatformClientId => sm.client_id = text.into(),
            FieldId::Owner => sm.owner = text.into(),
            FieldId::AccountName => {
                if sm.account_name != text {
                    sm.account_id = None;
                }
                sm.account_name = text.into();
            }
            FieldId::MicrositeKey => sm.microsite_key = text.into(),
            FieldId::IframeName => sm.iframe_name = text.into(),
            FieldId::Pace => sm.requests_per_second = pace(text)?,
            FieldId::CallsPerHour => sm.calls_per_hour = whole(text, 0, u32::MAX)?,
            FieldId::CallsPerDay => sm.calls_per_day = whole(text, 0, u32::MAX)?,
            FieldId::PlatformReserve => sm.reserve_percent = percent(text)?,
            FieldId::BatchSize => sm.batch_size = whole(text, 1, 1_000)?,
            FieldId::WindowDays => sm.max_window_days = whole(text, 1, 3_650)?,
            FieldId::Overlap => sm.overlap_seconds = whole(text, 0, 86_400)?,
            FieldId::Transport => {
                sm.transport = match text {
                    "async" => Transport::Async,
                    _ => Transport::PerRow,
                }
            }
            FieldId::PlatformCaFile => sm.ca_file = path(),
        }
        Ok(())
    }
}

/// The side that a secret belongs to.
pub fn side_of(name: SecretName) -> Side {
    if name.platform().is_some() { Side::Platform } else { Side::Org }
}

fn environment_word(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "production",
        Environment::Sandbox => "sandbox",
        Environment::Custom => "custom",
    }
}

fn sign_in_word(sign_in: SignIn) -> &'static str {
    match sign_in {
        SignIn::ClientCredentials => "client_credentials",
        SignIn::UsernamePassword => "username_password",
        SignIn::Soap => "soap",
        SignIn::Browser => "browser",
    }
}

fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::PerRow => "per_row",
        Transport::Async => "async",
    }
}

fn api_version(text: &str) -> Result<String, String> {
    let text = text.trim_start_matches(['v', 'V']);
    let number = text.split('.').next().unwrap_or_default();
    match number.parse::<u16>() {
        Ok(major) if major >= 20 && matches!(text.strip_prefix(number), Some("" | ".0")) => {
            Ok(format!("{major}.0"))
        }
        _ => Err("An API version looks like 67.0.".into()),
    }
}

fn percent(text: &str) -> Result<u8, String> {
    text.trim_end_matches('%')
        .trim()
        .parse()
        .ok()
        .filter(|number| *number <= 95)
        .ok_or_else(|| "The reserve is a number from 0 to 95.".into())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port >= 1_024)
        .ok_or_else(|| "A port of this machine is a number from 1024 to 65535.".into())
}

fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, ',' | ' ' | '_')).collect();
    digits.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| match most {
        u32::MAX => format!("A whole number, {least} or more."),
        _ => format!("A whole number from {least} to {most}."),
    })
}

fn pace(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && (0.0..=1000.0).contains(number))
        .ok_or_else(|| "The pace is a number of requests a second; 0 sets no limit.".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::connection::field::FieldKind;
    use crate::domain::profile::SettingKind;

    #[test]
    fn every_field_gives_back_what_was_put_in() {
        let mut draft = ConnectionDraft::default();
        for field in FieldId::all() {
            let text = match field {
                FieldId::Environment => "sandbox",
                FieldId::SignIn => "soap",
                FieldId::Transport => "async",
                FieldId::ApiVersion => "66.0",
                FieldId::ApiReserve => "35",
                FieldId::CallbackPort => "1717",
                FieldId::SignInNow => "",
                FieldId::Pace => "2.5",
                FieldId::CallsPerHour | FieldId::CallsPerDay => "3600",
                FieldId::PlatformReserve | FieldId::BatchSize | FieldId::WindowDays | FieldId::Overlap => {
                    "25"
                }
                FieldId::PlatformKind => "learndot",
                FieldId::Setting(..) => match (field.kind(), field.setting().map(|setting| setting.kind)) {
                    (FieldKind::Choice(choices), _) => choices[0].0,
                    (_, Some(SettingKind::Whole | SettingKind::Decimal)) => "7",
                    _ => "something",
                },
                _ => "something",
            };
            draft.set(field, text).unwrap();
            assert_eq!(draft.text(field), text, "{}", field.path());
        }
    }

    #[test]
    fn numbers_that_are_none_are_refused_with_a_sentence() {
        let mut draft = ConnectionDraft::default();
        assert!(draft.set(FieldId::ApiReserve, "120").is_err());
        assert!(draft.set(FieldId::Pace, "fast").is_err());
        assert!(draft.set(FieldId::CallbackPort, "80").is_err());
        assert!(draft.set(FieldId::CallbackPort, "70000").is_err());
        assert!(draft.set(FieldId::BatchSize, "0").unwrap_err().contains("from 1 to 1000"));
        assert_eq!(draft.set(FieldId::CallsPerDay, "50,000"), Ok(()));
        assert!(draft.set(FieldId::ApiVersion, "latest").is_err());
        assert_eq!(draft.set(FieldId::ApiVersion, "v68"), Ok(()));
        assert_eq!(draft.salesforce.api_version, "68.0");
    }

    #[test]
    fn a_typed_secret_makes_the_draft_differ_and_never_shows_in_debug() {
        let mut draft = ConnectionDraft::default();
        draft.set(FieldId::Password, "hunter2-marker").unwrap();
        assert!(draft.side_differs(Side::Org, &Settings::default()));
        assert!(!draft.side_differs(Side::Platform, &Settings::default()));
        assert!(!format!("{draft:?}").contains("hunter2-marker"));
    }

    #[test]
    fn another_account_name_forgets_the_id_of_the_old_one() {
        let mut draft = ConnectionDraft::default();
        draft.platform.salesmanago.account_id = Some("001".into());
        draft.set(FieldId::AccountName, "Web leads").unwrap();
        assert_eq!(draft.platform.salesmanago.account_id, None);
    }
}
