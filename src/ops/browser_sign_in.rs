//! Signs in to Salesforce by browser: a person signs in there once, and what that leaves behind opens every later session.
//!
//! [`begin`] tells the address and listens for the browser to come back; [`Attempt::finish`] waits for it, changes the code for a refresh
//! token, keeps that with the secrets, and looks who and where we are. Dropping either ends the sign-in and gives the port back. Where the
//! browser runs on another machine, the address to which it came back can be handed over as text.

mod callback;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::connect::browser;
use crate::connect::salesforce::{BrowserSignIn, Returned, SalesforceSecrets, SalesforceSettings};
use crate::domain::side::Side;
use crate::ops::error::{OpClass, OpError};
use crate::ops::secrets::{self, SecretName, SecretPlace};
use crate::ops::session::{Access, Session};
use crate::ops::{connections, save_settings};
use crate::workspace::settings::{Settings, SignIn};

use self::callback::{Listener, Page, Visit};

/// How long the person may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A sign-in that waits for the browser.
pub struct Attempt {
    /// Where the person signs in.
    pub address: String,
    /// Where the browser comes back to, as the app has to know it.
    pub callback: String,
    /// When nobody is waited for any more.
    pub until: DateTime<Utc>,
    session: Session,
    settings: Settings,
    typed: Vec<(SecretName, SecretString)>,
    connect: (SalesforceSettings, SalesforceSecrets),
    sign_in: BrowserSignIn,
    listener: Listener,
}

/// How far a sign-in is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The browser has not come back.
    Waiting,
    /// Something came that does not belong to this sign-in; a sentence about it. It goes on waiting.
    Odd(String),
    /// The browser came back; the org is asked for the token.
    Returned,
}

/// Somebody has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user.
    pub user: String,
    /// The org's id.
    pub org_id: String,
    /// The org's name.
    pub org: String,
    /// Whether it is a sandbox.
    pub sandbox: bool,
    /// Where the refresh token is kept.
    pub place: SecretPlace,
}

impl SignedIn {
    /// Who signed in where.
    pub fn sentence(&self) -> String {
        let kind = if self.sandbox { ", a sandbox" } else { "" };
        format!("Signed in as {} to “{}” ({}{kind}).", self.user, self.org, self.org_id)
    }
}

/// Begins a sign-in with these settings, saved or not; typed secrets come before stored ones.
pub async fn begin(
    session: &Session,
    settings: &Settings,
    typed: &[(SecretName, SecretString)],
) -> Result<Attempt, OpError> {
    if session.access() == Access::ReadOnly {
        return Err(OpError::settings(
            "The workspace was opened read-only, so what a sign-in leaves behind could not be kept.",
        )
        .code("read_only"));
    }
    if settings.salesforce.sign_in != SignIn::Browser {
        return Err(OpError::settings(
            "The settings sign in to Salesforce in another way. Choose “Browser” as Sign-in in Connection Settings, or run `forcesync \
             connection set salesforce.sign_in=browser`.",
        )
        .code("not_by_browser"));
    }
    let name = SecretName::SalesforceRefreshToken;
    if secrets::states(session).await?.contains(&(name, SecretPlace::Environment)) {
        return Err(OpError::settings(format!(
            "The refresh token comes from the variable {}, so the one of a new sign-in would not be used. Unset the variable.",
            name.variable()
        ))
        .code("from_environment"));
    }
    let known = secrets::read(session, settings, Side::Org, typed).await?;
    let connect = connections::salesforce_parts(settings, &known, &session.surroundings())?;
    let callback = settings.salesforce.callback_url();
    let sign_in = BrowserSignIn::new(callback.as_str())?;
    let address = sign_in.address(&connect.0)?;
    let listener = Listener::open(settings.salesforce.callback_port).await?;
    Ok(Attempt {
        address,
        callback,
        until: session.clock().now() + TimeDelta::from_std(PATIENCE).unwrap_or_default(),
        session: session.clone(),
        settings: settings.clone(),
        typed: typed.to_vec(),
        connect,
        sign_in,
        listener,
    })
}

/// Opens the address in the person's browser; tells whether there was one.
pub async fn show(address: &str) -> bool {
    let address = address.to_owned();
    tokio::task::spawn_blocking(move || browser::open(&address)).await.unwrap_or(false)
}

impl Attempt {
    /// Waits until the browser comes back, or the address to which it came is pasted, and does the rest.
    pub async fn finish(
        self,
        pasted: UnboundedReceiver<String>,
        told: &watch::Sender<Stage>,
    ) -> Result<SignedIn, OpError> {
        let Self { callback, session, settings, typed, connect, sign_in, mut listener, .. } = self;
        let exchange = Exchange { session: &session, settings: &settings, typed: &typed, connect: &connect };
        let done = exchange.wait(&sign_in, &callback, &mut listener, pasted, told).await;
        listener.close(session.clock().as_ref()).await;
        done
    }
}

/// What a code is changed with.
struct Exchange<'a> {
    session: &'a Session,
    settings: &'a Settings,
    typed: &'a [(SecretName, SecretString)],
    connect: &'a (SalesforceSettings, SalesforceSecrets),
}

impl Exchange<'_> {
    async fn wait(
        &self,
        sign_in: &BrowserSignIn,
        callback: &str,
        listener: &mut Listener,
        mut pasted: UnboundedReceiver<String>,
        told: &watch::Sender<Stage>,
    ) -> Result<SignedIn, OpError> {
        let late = self.session.clock().sleep(PATIENCE);
        tokio::pin!(late);
        loop {
            let (query, answer) = tokio::select! {
                Some(Visit { query, answer }) = listener.visits.recv() => (query, Some(answer)),
                Some(text) = pasted.recv() => (query_of(&text), None),
                () = &mut late => return Err(nobody_came(callback)),
            };
            let code = match sign_in.returned(&self.connect.0, &query) {
                Returned::Foreign => {
                    let sentence = if answer.is_some() { ANOTHER_TAB } else { NOT_THE_ADDRESS };
                    told.send_replace(Stage::Odd(sentence.into()));
                    say(answer, "Not this sign-in", ANOTHER_TAB.into());
                    continue;
                }
                Returned::Refused(error) => {
                    say(answer, "Not signed in", error.message.clone());
                    return Err(error.into());
                }
                Returned::Code(code) => code,
            };
            told.send_replace(Stage::Returned);
            let done = self.complete(sign_in, &code);
            tokio::pin!(done);
            let done = loop {
                tokio::select! {
                    done = &mut done => break done,
                    // A second tab, or the same page loaded again: a code counts once.
                    Some(visit) = listener.visits.recv() => say(
                        Some(visit.answer),
                        "One moment",
                        "This sign-in is being dealt with already. You can close this page.".into(),
                    ),
                }
            };
            match &done {
                Ok(signed_in) => {
                    let sentence = format!("{} You can close this page.", signed_in.sentence());
                    say(answer, "Signed in", sentence);
                }
                Err(error) => say(answer, "Not signed in", error.message.clone()),
            }
            return done;
        }
    }

    /// Changes the code, keeps the token, and looks who and where we are.
    async fn complete(&self, sign_in: &BrowserSignIn, code: &SecretString) -> Result<SignedIn, OpError> {
        let (settings, known) = self.connect;
        let clock = self.session.clock();
        let approved = sign_in.exchange(settings, known, code, clock.clone()).await?;
        let around = self.session.surroundings();
        // Nobody may replace the new token by what a renewal of the old one brings.
        let turn = around.refresh_tokens.turn().await?;
        let name = SecretName::SalesforceRefreshToken;
        let place = secrets::set(self.session, name, approved.refresh_token).await?;
        drop(turn);
        save_settings::tell_engine(self.session, Vec::new()).await;
        let known = secrets::read(self.session, self.settings, Side::Org, self.typed).await?;
        let connection = connections::salesforce(self.settings, &known, &around)?;
        let identity = connection.sign_in().await?;
        tracing::info!(org = %approved.org_id, "Somebody signed in to Salesforce by browser.");
        Ok(SignedIn {
            user: identity.username,
            org_id: approved.org_id.to_string(),
            org: identity.name,
            sandbox: identity.is_sandbox,
            place,
        })
    }
}

/// Told where another state than ours came.
const ANOTHER_TAB: &str =
    "A page of another sign-in came back, perhaps of an older tab; it was not used. Go on in the newest tab.";

/// Told where what was pasted holds no code, or not ours.
const NOT_THE_ADDRESS: &str = "What was pasted is not the address to which this sign-in comes back. Copy the whole address line of the \
                               browser after you have signed in there.";

fn say(answer: Option<tokio::sync::oneshot::Sender<Page>>, title: &'static str, sentence: String) {
    if let Some(answer) = answer {
        // Who has closed the page needs no answer.
        let _ = answer.send(Page { title, sentence });
    }
}

/// The query of an address, or the text itself where it is one.
fn query_of(text: &str) -> String {
    let text = text.trim();
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    query.split('#').next().unwrap_or_default().to_owned()
}

fn nobody_came(callback: &str) -> OpError {
    OpError::new(
        OpClass::Failed,
        format!(
            "Nobody signed in within 5 minutes. Begin anew. If the browser showed “redirect_uri_mismatch”, register {callback} as callback \
             URL in the app, letter for letter; if it could not reach that address at the end, it runs on another machine: paste the \
             address here to which it was sent."
        ),
    )
    .code("timed_out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_found_in_whatever_is_pasted() {
        for text in [
            "http://localhost:8717/callback?code=a%3D&state=b",
            "  code=a%3D&state=b\n",
            "localhost:8717/callback?code=a%3D&state=b#top",
        ] {
            assert_eq!(query_of(text), "code=a%3D&state=b", "{text}");
        }
    }
}
