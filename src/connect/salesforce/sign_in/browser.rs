//! Signing in by browser (OAuth's web server flow with PKCE): the address to which the browser is sent, what it brings back, and the code
//! that is changed for a refresh token.
//!
//! Whoever answers the browser lives elsewhere; here is what is told apart and what is sent.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

use super::super::errors;
use super::super::settings::{SalesforceSecrets, SalesforceSettings};
use super::{needed_text, oauth, of_this_org, refusal};
use crate::connect::http::Http;
use crate::domain::clock::Clock;
use crate::domain::port::{PortClass, PortError};
use crate::domain::record::RecordId;

/// What is asked for: the data, and to come back without the person.
const SCOPES: &str = "api refresh_token";

/// One sign-in by browser. [`std::fmt::Debug`] prints no secret of it.
#[derive(Debug)]
pub struct BrowserSignIn {
    /// Where the browser comes back to.
    redirect: String,
    /// By which it is known that it comes back from where it was sent.
    state: String,
    /// By which the org knows that the code is brought by who asked for it.
    verifier: SecretString,
}

/// What a browser that came back brings.
#[derive(Debug)]
pub enum Returned {
    /// The code to be changed for a token.
    Code(SecretString),
    /// The org or the person refused.
    Refused(PortError),
    /// It does not come from this sign-in: an older tab, or somebody else.
    Foreign,
}

/// What the org gave for the code.
#[derive(Debug)]
pub struct Approved {
    /// What opens every later session.
    pub refresh_token: SecretString,
    /// The org.
    pub org_id: RecordId,
}

impl BrowserSignIn {
    /// A new one, that comes back to this address.
    pub fn new(redirect: impl Into<String>) -> Result<Self, PortError> {
        Ok(Self { redirect: redirect.into(), state: random()?, verifier: random()?.into() })
    }

    /// The address at which the person signs in.
    pub fn address(&self, settings: &SalesforceSettings) -> Result<String, PortError> {
        let address = settings.environment.address();
        let client_id = needed_text(&settings.client_id, "consumer key (client_id)")?;
        let challenge = challenge(self.verifier.expose_secret());
        let pairs = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", self.redirect.as_str()),
            ("scope", SCOPES),
            ("state", self.state.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            // The user for the synchronization is seldom the one who is signed in to the browser already.
            ("prompt", "login"),
        ];
        let url = Url::parse_with_params(&format!("{address}/services/oauth2/authorize"), pairs);
        // In a query a plus is a blank to most servers, `%20` to all of them.
        url.map(|url| url.as_str().replace('+', "%20")).map_err(|error| {
            PortError::new(
                PortClass::Settings,
                "ADDRESS",
                format!("“{address}” is no address ({error}). Correct My Domain in the connection."),
            )
        })
    }

    /// What the query of the address means to which the browser came back.
    pub fn returned(&self, settings: &SalesforceSettings, query: &str) -> Returned {
        let pairs = pairs(query);
        let get = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let same = |state: &str| {
            // As long for a wrong one as for the right one.
            let (state, ours) = (state.as_bytes(), self.state.as_bytes());
            state.len() == ours.len()
                && state.iter().zip(ours).fold(0, |odd, (first, second)| odd | (first ^ second)) == 0
        };
        match (get("state"), get("code"), get("error")) {
            (Some(state), _, _) if !same(state) => Returned::Foreign,
            (Some(_), _, Some(error)) => {
                let words = get("error_description").unwrap_or_default();
                Returned::Refused(refusal::at_the_browser(settings, error, words))
            }
            (Some(_), Some(code), None) if !code.is_empty() => Returned::Code(code.to_owned().into()),
            _ => Returned::Foreign,
        }
    }

    /// Changes the code for a refresh token. One of another org than the pinned one is not taken.
    pub async fn exchange(
        &self,
        settings: &SalesforceSettings,
        secrets: &SalesforceSecrets,
        code: &SecretString,
        clock: Arc<dyn Clock>,
    ) -> Result<Approved, PortError> {
        let http = Http::new(&settings.http_options(), clock).map_err(|error| errors::from_http(&error))?;
        let ticket = oauth::by_code(&http, settings, secrets, (code, &self.verifier, &self.redirect)).await?;
        let ticket = of_this_org(settings, ticket)?;
        match ticket.refresh_token {
            Some(refresh_token) => Ok(Approved { refresh_token, org_id: ticket.org_id }),
            None => Err(refusal::no_refresh_token()),
        }
    }
}

/// 32 bytes that nobody can guess, as text.
fn random() -> Result<String, PortError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_unspecified| {
        PortError::new(
            PortClass::Transient,
            "RANDOM",
            "The system gives no random numbers, without which nobody can sign in safely. Try again.",
        )
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the org is told of the verifier before it sees it (S256).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()))
}

/// The pairs of a query, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let url = Url::parse(&format!("http://localhost/?{query}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::salesforce::Environment;

    fn settings() -> SalesforceSettings {
        SalesforceSettings {
            environment: Environment::Custom("https://acme.my.salesforce.com/".into()),
            client_id: "3MVG9+key/=".into(),
            ..SalesforceSettings::default()
        }
    }

    fn sign_in() -> BrowserSignIn {
        BrowserSignIn {
            redirect: "http://localhost:8717/callback".into(),
            state: "st-1".into(),
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned().into(),
        }
    }

    #[test]
    fn the_challenge_is_that_of_the_published_example() {
        let of = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(of, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_address_holds_what_the_org_needs_and_not_the_verifier() {
        let address = sign_in().address(&settings()).unwrap();
        assert_eq!(
            address,
            "https://acme.my.salesforce.com/services/oauth2/authorize?response_type=code&client_id=3MVG9%2Bkey%2F%3D\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8717%2Fcallback&scope=api%20refresh_token&state=st-1\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&prompt=login"
        );
        let (first, second) = (BrowserSignIn::new("x").unwrap(), BrowserSignIn::new("x").unwrap());
        assert_ne!(first.state, second.state);
        assert_ne!(first.verifier.expose_secret(), second.verifier.expose_secret());
        let verifier = first.verifier.expose_secret();
        assert!(verifier.len() >= 43 && !format!("{first:?}").contains(verifier));
    }

    #[test]
    fn only_what_carries_our_state_counts() {
        let sign_in = sign_in();
        let returned = |query| sign_in.returned(&settings(), query);
        match returned("code=aPrx%3D%3D&state=st-1") {
            Returned::Code(code) => assert_eq!(code.expose_secret(), "aPrx=="),
            other => panic!("{other:?}"),
        }
        for query in [
            "code=a&state=st-2",
            "code=a&state=st-11",
            "code=a",
            "state=st-1",
            "error=access_denied",
            "",
            "code=&state=st-1",
        ] {
            assert!(matches!(returned(query), Returned::Foreign), "{query}");
        }
    }

    #[test]
    fn each_refusal_at_the_browser_says_what_to_do() {
        for (error, words, part) in [
            ("access_denied", "end-user+denied+authorization", "choose “Allow”"),
            ("invalid_scope", "", "refresh_token, offline_access"),
            ("unsupported_response_type", "", "authorization code flow"),
            ("OAUTH_APP_BLOCKED", "", "administrator"),
            ("something_new", "odd", "something_new, odd"),
        ] {
            let query = format!("error={error}&error_description={words}&state=st-1");
            match sign_in().returned(&settings(), &query) {
                Returned::Refused(refused) => {
                    assert!(refused.message.contains(part), "{}", refused.message);
                    assert_eq!(refused.code, error);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
