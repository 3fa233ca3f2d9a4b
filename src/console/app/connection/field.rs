//! The fields of the two connection forms: which there are, when they show, and what may stand in them.

use std::sync::LazyLock;

use crate::console::app::connection::draft::ConnectionDraft;
use crate::domain::profile::{SettingKind, SettingProfile};
use crate::domain::side::Side;
use crate::workspace::secrets::SecretName;
use crate::workspace::settings::{PlatformKind, SignIn};

/// One field of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldId {
    /// Production, sandbox, or an own address.
    Environment,
    /// The org's address.
    MyDomain,
    /// How to sign in.
    SignIn,
    /// The integration user.
    Username,
    /// Its password.
    Password,
    /// Its API token.
    SecurityToken,
    /// The consumer key.
    ClientId,
    /// The consumer secret.
    ClientSecret,
    /// The port on which a sign-in by browser comes back.
    CallbackPort,
    /// The button that signs in by browser.
    SignInNow,
    /// The API version.
    ApiVersion,
    /// The part of the API budget kept for others.
    ApiReserve,
    /// Certificates to trust besides the system's.
    CaFile,
    /// Which platform it is.
    PlatformKind,
    /// A setting of a platform that its profile lists, by its place there.
    Setting(PlatformKind, usize),
    /// The platform's address (F46).
    Endpoint,
    /// The platform's client id (F47).
    PlatformClientId,
    /// The platform's secret (F48).
    ApiSecret,
    /// The platform's user (F49).
    Owner,
    /// The org's account for new records (F50).
    AccountName,
    /// The MicroSite key (F51).
    MicrositeKey,
    /// The landing page (F52).
    IframeName,
    /// Requests a second.
    Pace,
    /// Calls an hour that the account allows.
    CallsPerHour,
    /// Calls a day that the account allows.
    CallsPerDay,
    /// The part of these calls kept for others.
    PlatformReserve,
    /// Rows of a write.
    BatchSize,
    /// Longest span of a feed request.
    WindowDays,
    /// How far a feed reaches back.
    Overlap,
    /// Row by row or as jobs.
    Transport,
    /// Certificates to trust besides the system's.
    PlatformCaFile,
}

/// What kind of field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// Text that is never shown.
    Secret(SecretName),
    /// One of few: word and label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Text, with the platform's users to pick from after a test.
    Owner,
    /// A button that signs in by browser, and what that leaves behind.
    SignIn(SecretName),
}

const ENVIRONMENTS: &[(&str, &str)] =
    &[("production", "Production"), ("sandbox", "Sandbox"), ("custom", "Custom domain")];
const SIGN_INS: &[(&str, &str)] = &[
    ("client_credentials", "Client credentials"),
    ("browser", "Browser"),
    ("username_password", "Username and password"),
    ("soap", "SOAP login"),
];
const TRANSPORTS: &[(&str, &str)] = &[("per_row", "Row by row"), ("async", "As jobs")];

/// The platforms to choose from.
static PLATFORMS: LazyLock<Vec<(&'static str, &'static str)>> =
    LazyLock::new(|| PlatformKind::all().map(|kind| (kind.word(), kind.label())).collect());

/// The choices of all settings, by platform and place.
type Choices = Vec<(PlatformKind, usize, Vec<(&'static str, &'static str)>)>;
static CHOICES: LazyLock<Choices> = LazyLock::new(|| {
    let of = |kind: PlatformKind| {
        let settings = kind.profile().into_iter().flat_map(|profile| &profile.settings).enumerate();
        settings.map(move |(place, setting)| {
            let choices = match setting.kind {
                SettingKind::Flag => vec![("true", "yes"), ("false", "no")],
                _ => setting.choices.iter().map(|(word, label)| (word.as_str(), label.as_str())).collect(),
            };
            (kind, place, choices)
        })
    };
    PlatformKind::all().flat_map(of).collect()
});

impl FieldId {
    /// The fields of all platforms whose profiles list them.
    fn settings() -> impl Iterator<Item = Self> {
        let others = PlatformKind::all().filter(|kind| *kind != PlatformKind::SALESMANAGO);
        others.flat_map(|kind| {
            let settings = kind.profile().into_iter().flat_map(|profile| &profile.settings).enumerate();
            settings.filter(|(_, setting)| setting.form).map(move |(place, _)| Self::Setting(kind, place))
        })
    }

    /// All fields, in the order of the forms.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OWN.iter().copied().chain(Self::settings())
    }

    /// The field on which the focus stands at first: the address.
    pub fn first_of_platform(kind: PlatformKind) -> Self {
        let first = || Self::settings().find(|field| matches!(field, Self::Setting(of, _) if *of == kind));
        if kind == PlatformKind::SALESMANAGO { Self::Endpoint } else { first().unwrap_or(Self::PlatformKind) }
    }

    /// What the profile says of it.
    pub fn setting(self) -> Option<&'static SettingProfile> {
        match self {
            Self::Setting(kind, place) => kind.profile()?.settings.get(place),
            _ => None,
        }
    }

    /// The fields that have names of their own here.
    const OWN: &'static [Self] = &[
        Self::Environment,
        Self::MyDomain,
        Self::SignIn,
        Self::Username,
        Self::Password,
        Self::SecurityToken,
        Self::ClientId,
        Self::ClientSecret,
        Self::CallbackPort,
        Self::SignInNow,
        Self::ApiVersion,
        Self::ApiReserve,
        Self::CaFile,
        Self::PlatformKind,
        Self::Endpoint,
        Self::PlatformClientId,
        Self::ApiSecret,
        Self::Owner,
        Self::AccountName,
        Self::MicrositeKey,
        Self::IframeName,
        Self::Pace,
        Self::CallsPerHour,
        Self::CallsPerDay,
        Self::PlatformReserve,
        Self::BatchSize,
        Self::WindowDays,
        Self::Overlap,
        Self::Transport,
        Self::PlatformCaFile,
    ];

    /// The side it belongs to.
    pub fn side(self) -> Side {
        match self {
            Self::Environment
            | Self::MyDomain
            | Self::SignIn
            | Self::Username
            | Self::Password
            | Self::SecurityToken
            | Self::ClientId
            | Self::ClientSecret
            | Self::CallbackPort
            | Self::SignInNow
            | Self::ApiVersion
            | Self::ApiReserve
            | Self::CaFile => Side::Org,
            Self::PlatformKind
            | Self::Setting(..)
            | Self::Endpoint
            | Self::PlatformClientId
            | Self::ApiSecret
            | Self::Owner
            | Self::AccountName
            | Self::MicrositeKey
            | Self::IframeName
            | Self::Pace
            | Self::CallsPerHour
            | Self::CallsPerDay
            | Self::PlatformReserve
            | Self::BatchSize
            | Self::WindowDays
            | Self::Overlap
            | Self::Transport
            | Self::PlatformCaFile => Side::Platform,
        }
    }

    /// Its name in the settings file (a secret's: in the store of secrets), by which tests and problems point at it.
    pub fn path(self) -> String {
        let own = match self {
            Self::Setting(kind, _) => {
                let name = self.setting().map(|setting| setting.name.as_str()).unwrap_or_default();
                return format!("platform.{kind}.{name}");
            }
            Self::PlatformKind => "platform.kind",
            Self::Environment => "salesforce.environment",
            Self::MyDomain => "salesforce.my_domain",
            Self::SignIn => "salesforce.sign_in",
            Self::Username => "salesforce.username",
            Self::Password => "salesforce.password",
            Self::SecurityToken => "salesforce.security_token",
            Self::ClientId => "salesforce.client_id",
            Self::ClientSecret => "salesforce.client_secret",
            Self::CallbackPort => "salesforce.callback_port",
            Self::SignInNow => "salesforce.refresh_token",
            Self::ApiVersion => "salesforce.api_version",
            Self::ApiReserve => "salesforce.api_reserve_percent",
            Self::CaFile => "salesforce.ca_file",
            Self::Endpoint => "platform.salesmanago.endpoint",
            Self::PlatformClientId => "platform.salesmanago.client_id",
            Self::ApiSecret => "platform.salesmanago.api_secret",
            Self::Owner => "platform.salesmanago.owner",
            Self::AccountName => "platform.salesmanago.account_name",
            Self::MicrositeKey => "platform.salesmanago.microsite_key",
            Self::IframeName => "platform.salesmanago.iframe_name",
            Self::Pace => "platform.salesmanago.requests_per_second",
            Self::CallsPerHour => "platform.salesmanago.calls_per_hour",
            Self::CallsPerDay => "platform.salesmanago.calls_per_day",
            Self::PlatformReserve => "platform.salesmanago.reserve_percent",
            Self::BatchSize => "platform.salesmanago.batch_size",
            Self::WindowDays => "platform.salesmanago.max_window_days",
            Self::Overlap => "platform.salesmanago.overlap_seconds",
            Self::Transport => "platform.salesmanago.transport",
            Self::PlatformCaFile => "platform.salesmanago.ca_file",
        };
        own.to_owned()
    }

    /// The field that a problem or a check line points at; the last words count, so that `salesmanago.owner` is found too.
    pub fn at_path(path: &str) -> Option<Self> {
        let wanted = path.trim();
        Self::all().find(|field| field.path() == wanted).or_else(|| {
            Self::all().find(|field| {
                let path = field.path();
                let short = path.trim_start_matches("platform.");
                short == wanted || short.replace("salesmanago.", "platform.") == wanted
            })
        })
    }

    /// What kind of field it is.
    pub fn kind(self) -> FieldKind {
        match self {
            Self::PlatformKind => FieldKind::Choice(&PLATFORMS),
            Self::Setting(kind, place) => {
                let Some(setting) = self.setting() else { return FieldKind::Text };
                match setting.kind {
                    SettingKind::Secret => SecretName::of_platform(kind, &setting.name)
                        .map_or(FieldKind::Text, FieldKind::Secret),
                    SettingKind::Owner => FieldKind::Owner,
                    SettingKind::Choice | SettingKind::Flag => CHOICES
                        .iter()
                        .find(|(of, at, _)| (*of, *at) == (kind, place))
                        .map_or(FieldKind::Text, |(_, _, choices)| FieldKind::Choice(choices)),
                    SettingKind::Text
                    | SettingKind::Address
                    | SettingKind::Whole
                    | SettingKind::Decimal
                    | SettingKind::Path
                    | SettingKind::Texts
                    | SettingKind::Hosts => FieldKind::Text,
                }
            }
            Self::Environment => FieldKind::Choice(ENVIRONMENTS),
            Self::SignIn => FieldKind::Choice(SIGN_INS),
            Self::Transport => FieldKind::Choice(TRANSPORTS),
            Self::Password => FieldKind::Secret(SecretName::SalesforcePassword),
            Self::SecurityToken => FieldKind::Secret(SecretName::SalesforceSecurityToken),
            Self::ClientSecret => FieldKind::Secret(SecretName::SalesforceClientSecret),
            Self::ApiSecret => FieldKind::Secret(SecretName::SalesmanagoApiSecret),
            Self::Owner => FieldKind::Owner,
            Self::SignInNow => FieldKind::SignIn(SecretName::SalesforceRefreshToken),
            Self::MyDomain
            | Self::Username
            | Self::ClientId
            | Self::CallbackPort
            | Self::ApiVersion
            | Self::ApiReserve
            | Self::CaFile
            | Self::Endpoint
            | Self::PlatformClientId
            | Self::AccountName
            | Self::MicrositeKey
            | Self::IframeName
            | Self::Pace
            | Self::CallsPerHour
            | Self::CallsPerDay
            | Self::PlatformReserve
            | Self::BatchSize
            | Self::WindowDays
            | Self::Overlap
            | Self::PlatformCaFile => FieldKind::Text,
        }
    }

    /// The secret it holds, if it holds one.
    pub fn secret(self) -> Option<SecretName> {
        match self.kind() {
            FieldKind::Secret(name) => Some(name),
            FieldKind::Text | FieldKind::Choice(_) | FieldKind::Owner | FieldKind::SignIn(_) => None,
        }
    }

    /// The fields that show on a side: those of the chosen sign-in and platform.
    pub fn shown(side: Side, draft: &ConnectionDraft) -> Vec<Self> {
        let sign_in = draft.salesforce.sign_in;
        let chosen = draft.platform.kind;
        Self::all()
            .filter(|field| field.side() == side)
            .filter(|field| match field {
                Self::Username | Self::Password | Self::SecurityToken => {
                    matches!(sign_in, SignIn::UsernamePassword | SignIn::Soap)
                }
                Self::CallbackPort | Self::SignInNow => sign_in == SignIn::Browser,
                Self::ClientId | Self::ClientSecret => sign_in != SignIn::Soap,
                Self::Setting(kind, _) => *kind == chosen,
                Self::PlatformKind => true,
                field => field.side() == Side::Org || chosen == PlatformKind::SALESMANAGO,
            })
            .collect()
    }

    /// Whether a connection can't work without it.
    pub fn needed(self, draft: &ConnectionDraft) -> bool {
        match self {
            Self::MyDomain => {
                draft.salesforce.sign_in == SignIn::ClientCredentials
                    || draft.salesforce.environment == crate::workspace::settings::Environment::Custom
            }
            Self::Setting(..) => self.setting().is_some_and(|setting| setting.needed),
            // Some apps want no secret of who proves himself by a verifier.
            Self::ClientSecret => draft.salesforce.sign_in != SignIn::Browser,
            Self::Username
            | Self::Password
            | Self::ClientId
            | Self::SignInNow
            | Self::Endpoint
            | Self::PlatformClientId
            | Self::ApiSecret
            | Self::Owner => true,
            Self::Environment
            | Self::PlatformKind
            | Self::SignIn
            | Self::SecurityToken
            | Self::CallbackPort
            | Self::ApiVersion
            | Self::ApiReserve
            | Self::CaFile
            | Self::AccountName
            | Self::MicrositeKey
            | Self::IframeName
            | Self::Pace
            | Self::CallsPerHour
            | Self::CallsPerDay
            | Self::PlatformReserve
            | Self::BatchSize
            | Self::WindowDays
            | Self::Overlap
            | Self::Transport
            | Self::PlatformCaFile => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fields_of_the_chosen_sign_in_show() {
        let mut draft = ConnectionDraft::default();
        assert!(!FieldId::shown(Side::Org, &draft).contains(&FieldId::Password));
        draft.salesforce.sign_in = SignIn::Soap;
        let shown = FieldId::shown(Side::Org, &draft);
        assert!(shown.contains(&FieldId::Password) && !shown.contains(&FieldId::ClientSecret));
        assert!(!shown.contains(&FieldId::SignInNow));
        draft.salesforce.sign_in = SignIn::Browser;
        let shown = FieldId::shown(Side::Org, &draft);
        assert!(shown.contains(&FieldId::SignInNow) && !shown.contains(&FieldId::Username));
        assert!(!FieldId::ClientSecret.needed(&draft) && FieldId::SignInNow.needed(&draft));
    }

    #[test]
    fn a_field_is_found_by_its_full_and_its_short_path() {
        assert_eq!(FieldId::at_path("platform.salesmanago.owner"), Some(FieldId::Owner));
        assert_eq!(FieldId::at_path("salesmanago.owner"), Some(FieldId::Owner));
        assert_eq!(FieldId::at_path("platform.owner"), Some(FieldId::Owner));
        assert_eq!(FieldId::at_path("salesforce.my_domain"), Some(FieldId::MyDomain));
        assert_eq!(FieldId::at_path("nothing"), None);
    }
}
