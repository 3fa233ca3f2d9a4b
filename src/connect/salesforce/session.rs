//! The one door to the org: every data call goes through it.
//!
//! It signs in at the first call and again, once, when the session is over; repeats what is safe to repeat; keeps the org's clock
//! and API budget in mind; and turns refusals into errors that say what to do.

mod judge;
mod request;
mod soap;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::errors::{self, Fault};
use super::limits::ApiBudget;
use super::settings::{SalesforceSecrets, SalesforceSettings};
use super::sign_in;
use crate::connect::budget::{Budget, Rules};
use crate::connect::http::{
    Answer, Body, Call, Http, Idempotency, Opened, Pieces, Reply, RetryPolicy, Verdict,
};
use crate::domain::port::{PortClass, PortError};
use crate::domain::record::RecordId;
use crate::domain::side::Side;

use judge::{is_doubtful, is_session_over, judge, limit_of, version_number};
pub(super) use request::{DoorError, Request};

/// How long a refused sign-in is remembered, so that tasks in a row don't lock the account.
const REFUSAL_REMEMBERED: TimeDelta = TimeDelta::minutes(10);

/// Sign-ins that an org takes from a user within an hour.
const LOGINS_PER_HOUR: u64 = 3_600;

/// A session and where it counts.
#[derive(Clone, Debug)]
struct Session {
    token: SecretString,
    instance: String,
    base: String,
    org_id: RecordId,
    user_id: RecordId,
    /// Rises with every sign-in, so that tasks that saw the same dead session sign in once.
    generation: u64,
}

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    http: Http,
    settings: SalesforceSettings,
    secrets: Mutex<SalesforceSecrets>,
    session: tokio::sync::Mutex<Signed>,
    budget: Budget,
    /// How far the org's clock is ahead of ours.
    ahead: Mutex<TimeDelta>,
    /// Calls of this connection that do not count against the org's daily limit.
    unmetered: AtomicU64,
}

#[derive(Debug, Default)]
struct Signed {
    session: Option<Session>,
    refused: Option<(DateTime<Utc>, PortError)>,
    signed_in: u64,
    /// The version that an instance was last asked for.
    version: Option<(String, String)>,
}

impl Door {
    pub(super) fn new(
        http: Http,
        settings: SalesforceSettings,
        secrets: SalesforceSecrets,
    ) -> Result<Self, PortError> {
        if version_number(&settings.api_version).is_none() {
            return Err(PortError::new(
                PortClass::Settings,
                "API_VERSION",
                format!("“{}” is no API version. Use one such as 67.0.", settings.api_version),
            ));
        }
        let rules = Rules {
            side: Side::Org,
            owner: "the org",
            reserve_percent: settings.api_reserve_percent,
            reserve_setting: "api_reserve_percent",
            // Every reply tells the day's use, by everybody; an hourly limit the org has none, but some platforms set one.
            per_hour: settings.calls_per_hour,
            per_day: 0,
            logins_per_hour: LOGINS_PER_HOUR,
        };
        Ok(Self {
            budget: Budget::new(rules, settings.ledger.clone()),
            http,
            settings,
            secrets: Mutex::new(secrets),
            session: tokio::sync::Mutex::default(),
            ahead: Mutex::new(TimeDelta::zero()),
            unmetered: AtomicU64::new(0),
        })
    }

    pub(super) fn settings(&self) -> &SalesforceSettings {
        &self.settings
    }

    /// Calls that count against the org's daily limit: signing in and asking for the versions do not.
    pub(super) fn calls(&self) -> u64 {
        self.http.calls().saturating_sub(self.unmetered.load(Ordering::Relaxed))
    }

    /// Waits, on the clock that everything here goes by.
    pub(super) async fn pause(&self, pause: std::time::Duration) {
        self.http.clock().sleep(pause).await;
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.http.clock().now()
    }

    /// Waits, on the clock of the connection.
    pub(super) async fn sleep(&self, duration: std::time::Duration) {
        self.http.clock().sleep(duration).await;
    }

    /// The org's clock, as far as its replies have told.
    pub(super) fn org_now(&self) -> DateTime<Utc> {
        self.now() + self.ahead()
    }

    /// How far the org's clock is ahead of ours.
    pub(super) fn ahead(&self) -> TimeDelta {
        *lock(&self.ahead)
    }

    /// What limits the calls.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(super) fn remember_budget(&self, budget: ApiBudget) {
        self.budget.told(budget.used, budget.limit, budget.at, budget.at);
    }

    /// The path that all resources of the chosen version start with; signs in if need be.
    pub(super) async fn base(&self) -> Result<String, PortError> {
        Ok(self.current().await?.base)
    }

    /// The ids of the org and of our user.
    pub(super) async fn ids(&self) -> Result<(RecordId, RecordId), PortError> {
        let session = self.current().await?;
        Ok((session.org_id, session.user_id))
    }

    /// The host that the data comes from.
    pub(super) async fn instance(&self) -> Result<String, PortError> {
        Ok(self.current().await?.instance)
    }

    /// Signs in whatever was remembered.
    pub(super) async fn sign_in_anew(&self) -> Result<(), PortError> {
        let mut signed = self.session.lock().await;
        signed.session = None;
        signed.refused = None;
        self.fill(&mut signed).await.map(drop)
    }

    async fn current(&self) -> Result<Session, PortError> {
        let mut signed = self.session.lock().await;
        self.fill(&mut signed).await
    }

    /// A session newer than the one that was refused.
    async fn renewed(&self, dead: u64) -> Result<Session, PortError> {
        let mut signed = self.session.lock().await;
        if signed.session.as_ref().is_some_and(|session| session.generation <= dead) {
            signed.session = None;
        }
        self.fill(&mut signed).await
    }

    /// Signs in if there is no session. The lock is held meanwhile, so that tasks wait for one sign-in instead of making several.
    async fn fill(&self, signed: &mut Signed) -> Result<Session, PortError> {
        if let Some(session) = &signed.session {
            return Ok(session.clone());
        }
        if let Some((at, error)) = &signed.refused
            && self.now() - *at < REFUSAL_REMEMBERED
        {
            return Err(error.clone());
        }
        self.budget.sign_in(self.now())?;
        let before = self.http.calls();
        let outcome = self.sign_in_now(signed).await;
        self.unmetered.fetch_add(self.http.calls().saturating_sub(before), Ordering::Relaxed);
        outcome
    }

    async fn sign_in_now(&self, signed: &mut Signed) -> Result<Session, PortError> {
        let secrets = lock(&self.secrets).clone();
        let ticket = match sign_in::sign_in(&self.http, &self.settings, &secrets).await {
            Ok(ticket) => ticket,
            Err(error) => {
                if matches!(error.class, PortClass::SignIn | PortClass::Blocked) {
                    signed.refused = Some((self.now(), error.clone()));
                }
                return Err(error);
            }
        };
        if let Some(rotated) = ticket.refresh_token {
            lock(&self.secrets).refresh_token = Some(rotated);
        }
        let version = match &signed.version {
            Some((instance, version)) if *instance == ticket.instance => version.clone(),
            Some(_) | None => self.choose_version(&ticket.instance).await?,
        };
        signed.version = Some((ticket.instance.clone(), version.clone()));
        signed.signed_in += 1;
        signed.refused = None;
        tracing::info!(org = %ticket.org_id, instance = %ticket.instance, version, "Signed in to Salesforce.");
        let session = Session {
            token: ticket.token,
            instance: ticket.instance,
            base: format!("/services/data/v{version}"),
            org_id: ticket.org_id,
            user_id: ticket.user_id,
            generation: signed.signed_in,
        };
        signed.session = Some(session.clone());
        Ok(session)
    }

    /// The highest version that the org offers and the settings allow. Asked once for an instance; it is not metered.
    async fn choose_version(&self, instance: &str) -> Result<String, PortError> {
        #[derive(Deserialize)]
        struct Offered {
            version: String,
        }
        let call =
            Call::get("versions", format!("{instance}/services/data")).header("Accept", "application/json");
        let sent = self.now();
        let reply = self
            .http
            .send_retrying(&call, &RetryPolicy::PATIENT, |reply| self.judge(reply, Idempotency::Repeatable))
            .await
            .map_err(|error| errors::from_http(&error))?;
        self.note(reply.date(), reply.header("Sforce-Limit-Info"), sent);
        let fault = Fault::from_reply(&reply);
        if let Some(refusal) = limit_of(&fault).filter(|_| !reply.is_success()) {
            self.budget.refused(refusal, &fault.code, reply.retry_after(), self.now());
            return Err(DoorError::Fault(fault).told("the API versions of the org"));
        }
        let offered: Vec<Offered> = reply.json().map_err(|_unreadable| {
            PortError::new(
                PortClass::Settings,
                "NOT_SALESFORCE",
                format!(
                    "{instance} does not tell its API versions (HTTP {}), so it is not a Salesforce org.",
                    reply.status
                ),
            )
        })?;
        let wanted = version_number(&self.settings.api_version).unwrap_or((67, 0));
        offered
            .iter()
            .filter_map(|offer| Some((version_number(&offer.version)?, &offer.version)))
            .filter(|(number, _)| *number <= wanted)
            .max()
            .map(|(_, version)| version.clone())
            .ok_or_else(|| {
                PortError::new(
                    PortClass::Settings,
                    "API_VERSION",
                    format!(
                        "The org offers no API version up to {}. Raise `api_version`.",
                        self.settings.api_version
                    ),
                )
            })
    }

    /// Sends a data call.
    pub(super) async fn send(&self, request: &Request) -> Result<Reply, DoorError> {
        if !request.into_reserve {
            self.budget.admit(self.now())?;
        }
        let session = self.current().await?;
        match self.send_on(&session, request).await {
            Err(DoorError::Fault(fault)) if is_session_over(&fault) => {
                tracing::info!("The Salesforce session is over; signing in again.");
                let session = self.renewed(session.generation).await?;
                self.send_on(&session, request).await
            }
            outcome => outcome,
        }
    }

    /// Sends a call whose reply may be long, and hands it back before its body is read.
    pub(super) async fn open(&self, request: &Request) -> Result<Opened, DoorError> {
        self.budget.admit(self.now())?;
        let session = self.current().await?;
        match self.open_on(&session, request).await {
            Err(DoorError::Fault(fault)) if is_session_over(&fault) => {
                let session = self.renewed(session.generation).await?;
                self.open_on(&session, request).await
            }
            outcome => outcome,
        }
    }

    async fn open_on(&self, session: &Session, request: &Request) -> Result<Opened, DoorError> {
        let call = Self::call(session, request, Body::Empty);
        let sent = self.now();
        let idempotency = request.idempotency;
        let answer = self
            .http
            .open_retrying(&call, &RetryPolicy::PATIENT, |reply| self.judge(reply, idempotency))
            .await
            .map_err(DoorError::Http)?;
        match answer {
            Answer::Open(opened) => {
                self.note(opened.date(), opened.header("Sforce-Limit-Info"), sent);
                self.budget.seen(self.calls(), self.now());
                self.budget.answered(sent, self.now());
                Ok(opened)
            }
            Answer::Whole(reply) => self.judged(request, reply, sent).map(|_| ()).and_then(|()| {
                Err(DoorError::Told(PortError::new(
                    PortClass::Protocol,
                    "UNREADABLE_REPLY",
                    "Salesforce answered a request for results with nothing that can be read.",
                )))
            }),
        }
    }

    /// Sends a body that is made while it is sent: once, because it can't be made twice here.
    pub(super) async fn upload(&self, request: &Request, pieces: Pieces) -> Result<Reply, DoorError> {
        self.budget.admit(self.now())?;
        let session = self.current().await?;
        let body = Body::Pieces { content_type: "text/csv; charset=UTF-8".into(), pieces };
        let call = Self::call(&session, request, body);
        let sent = self.now();
        let reply = self.http.send(&call).await.map_err(DoorError::Http)?;
        self.judged(request, reply, sent)
    }

    fn call(session: &Session, request: &Request, body: Body) -> Call {
        let mut call =
            Call::new(request.name, request.method.clone(), format!("{}{}", session.instance, request.path))
                .header("Accept", request.accept)
                .header("Sforce-Call-Options", concat!("client=forcesync/", env!("CARGO_PKG_VERSION")))
                .bearer(&session.token);
        for (name, text) in &request.headers {
            call = call.header(*name, text.as_str());
        }
        call.body = body;
        if let Some(operation) = &request.soap {
            call.url = format!("{}{}", session.instance, soap::path(&session.base));
            call = call
                .header("SOAPAction", "\"\"")
                .secret_body("text/xml; charset=UTF-8", soap::envelope(&session.token, operation));
        }
        call.idempotency = request.idempotency;
        call
    }

    async fn send_on(&self, session: &Session, request: &Request) -> Result<Reply, DoorError> {
        let body = request.body.as_ref().map_or(Body::Empty, |bytes| Body::Bytes {
            content_type: request.content_type.into(),
            bytes: bytes.clone(),
        });
        let call = Self::call(session, request, body);
        let idempotency = request.idempotency;
        let sent = self.now();
        let reply = self
            .http
            .send_retrying(&call, &RetryPolicy::PATIENT, |reply| self.judge(reply, idempotency))
            .await
            .map_err(DoorError::Http)?;
        self.judged(request, reply, sent)
    }

    /// Keeps what a reply tells, and tells a refusal from an answer.
    fn judged(&self, request: &Request, reply: Reply, sent: DateTime<Utc>) -> Result<Reply, DoorError> {
        self.note(reply.date(), reply.header("Sforce-Limit-Info"), sent);
        self.budget.seen(self.calls(), self.now());
        if reply.is_success() || reply.status == 304 {
            self.budget.answered(sent, self.now());
            return Ok(reply);
        }
        let fault = match &request.soap {
            Some(_) => soap::fault(&reply),
            None => Fault::from_reply(&reply),
        };
        if let Some(refusal) = limit_of(&fault) {
            self.budget.refused(refusal, &fault.code, reply.retry_after(), self.now());
        }
        Err(DoorError::Fault(fault))
    }

    /// Whether a reply asks for another try. A refusal by the day's limit that the org's own count contradicts is asked again after
    /// a short while; one that it confirms lasts.
    fn judge(&self, reply: &Reply, idempotency: Idempotency) -> Verdict {
        let now = self.now();
        let told = reply
            .header("Sforce-Limit-Info")
            .and_then(|text| ApiBudget::from_header(text, now))
            .map(|budget| (budget.used, budget.limit))
            .or_else(|| self.budget.last_told().map(|(used, limit, _at)| (used, limit)));
        match told {
            Some((used, limit)) if is_doubtful(reply, used, limit) => Verdict::Again,
            Some(_) | None => judge(reply, idempotency),
        }
    }

    /// Remembers what every reply to a call that was sent then tells beside its body.
    fn note(&self, date: Option<DateTime<Utc>>, usage: Option<&str>, sent: DateTime<Utc>) {
        let now = self.now();
        if let Some(date) = date {
            // The header has whole seconds; what is below one is no difference of clocks.
            let ahead = date - now;
            *lock(&self.ahead) = if ahead.abs() <= TimeDelta::seconds(2) { TimeDelta::zero() } else { ahead };
        }
        if let Some(budget) = usage.and_then(|text| ApiBudget::from_header(text, now)) {
            self.budget.told(budget.used, budget.limit, sent, budget.at);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
