//! Objects are posted to a webhook receiver, and come back with the ids of what was stored (F101).
//!
//! A receiver learns its structure from the first record that comes, and can only then be mapped in Deployteq (F110). Until somebody has
//! done that it answers what it was sent, without ids; so the first row goes alone, and nothing else is sent to a receiver that waits.

use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use super::Deployteq;
use super::customer::several;
use super::hook::Pass;
use super::service::{Answered, Failure, Patience, Refused, not_sent, row_error};
use super::shape::id_at;
use crate::connect::http::{Call, Idempotency};
use crate::connect::platform::Sampled;
use crate::domain::port::{PortError, RowClass, RowError, RowResult, WriteKind};
use crate::domain::record::RecordId;

/// A receiver, and the keys by which the objects that it echoes are told apart; the first is ticked for deduplication there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver<'a> {
    pub(super) name: &'a str,
    pub(super) keys: &'a [&'a str],
}

/// What a receiver made of one object.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// It was stored under this id.
    Stored(RecordId),
    /// It came back without an id.
    Echoed,
    /// It was refused.
    Refused(RowError),
    /// Nobody knows.
    Unknown,
}

/// What came of one call.
enum Sent {
    /// It was taken; an answer for each object.
    Taken(Vec<Told>),
    /// It was refused as a whole; the flag says whether another selection of its objects may be taken.
    Refused(RowError, bool),
}

impl Deployteq {
    async fn post(
        &self,
        name: &str,
        objects: &[Json],
        idempotency: Idempotency,
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let address = self.hooks.address(name).map_err(Failure::Nothing)?.to_owned();
        let call = Call::post("send to a receiver", address);
        let mut call = match self.hooks.pass(name) {
            Pass::Header(header) => call.secret_header("Authorization", header),
            Pass::Certificate => call,
            Pass::Issued => {
                let token: SecretString =
                    self.tokens.get(&self.service, "", patience).await.map_err(Failure::Nothing)?;
                call.bearer(&token)
            }
        };
        call = call.json(&Json::Array(objects.to_vec()));
        call.idempotency = idempotency;
        self.service.send(call, patience).await
    }

    /// Sends one object to a receiver so that it learns its structure; what it answered, and whether it is mapped already.
    pub(super) async fn send_sample(
        &self,
        receiver: Receiver<'_>,
        object: Map<String, Json>,
    ) -> Result<Sampled, PortError> {
        let answer =
            self.post(receiver.name, &[Json::Object(object)], Idempotency::Once, Patience::Person).await;
        let echoed = several(&answer.map_err(Failure::into_port)?)?.into_iter().next();
        let id = echoed.as_ref().and_then(|echo| self.stored(echo));
        self.hooks.learn(receiver.name, id.is_some());
        Ok(Sampled { id: id.map(|id| id.to_string()), echoed: echoed.map(Json::Object).unwrap_or_default() })
    }

    /// Sends objects to a receiver: the first alone as long as it is not known to be mapped, and nothing else if it waits.
    /// An `Err` means that nothing was sent.
    pub(super) async fn deliver(
        &self,
        receiver: Receiver<'_>,
        kind: WriteKind,
        objects: &[Json],
    ) -> Result<Vec<Told>, PortError> {
        let mut told: Vec<Told> = Vec::with_capacity(objects.len());
        if self.hooks.is_mapped(receiver.name) != Some(true)
            && kind != WriteKind::Delete
            && let Some(first) = objects.get(..1)
        {
            self.deliver_all(receiver, kind, first, &mut told).await?;
            if self.hooks.is_mapped(receiver.name) == Some(false) {
                told.resize(objects.len(), Told::Echoed);
                return Ok(told);
            }
        }
        if let Some(rest) = objects.get(told.len()..).filter(|rest| !rest.is_empty()) {
            self.deliver_all(receiver, kind, rest, &mut told).await?;
        }
        Ok(told)
    }

    /// Halves what is refused as a whole until the objects are alone that are wrong (law E6).
    async fn deliver_all(
        &self,
        receiver: Receiver<'_>,
        kind: WriteKind,
        objects: &[Json],
        told: &mut Vec<Told>,
    ) -> Result<(), PortError> {
        let end = told.len() + objects.len();
        let mut parts = vec![objects];
        while let Some(part) = parts.pop() {
            match self.exchange(receiver, kind, part).await {
                Ok(Sent::Taken(more)) => told.extend(more),
                Ok(Sent::Refused(_, true)) if part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.push(right);
                    parts.push(left);
                }
                Ok(Sent::Refused(error, _)) => {
                    told.resize(told.len() + part.len(), Told::Refused(error));
                }
                Err(error) if told.is_empty() => return Err(error),
                Err(error) => told.resize(end, Told::Refused(not_sent(&error))),
            }
            if told.len() >= end {
                break;
            }
        }
        Ok(())
    }

    async fn exchange(
        &self,
        receiver: Receiver<'_>,
        kind: WriteKind,
        objects: &[Json],
    ) -> Result<Sent, PortError> {
        let idempotency = match kind {
            WriteKind::Create => Idempotency::Once,
            WriteKind::Update | WriteKind::Delete => Idempotency::Repeatable,
        };
        let name = receiver.name;
        let unknown = || Sent::Taken(vec![Told::Unknown; objects.len()]);
        let answer = match self.post(name, objects, idempotency, Patience::Run).await {
            Ok(answer) => answer,
            Err(Failure::Nothing(error)) => return Err(error),
            Err(Failure::Unknown(_)) => return Ok(unknown()),
            Err(Failure::Refused(Refused { status, words, .. })) => {
                let message = format!("The webhook receiver of {name} refused it: “{words}”.");
                let error = row_error(RowClass::Data, &format!("HTTP_{status}"), &message);
                return Ok(Sent::Refused(error, matches!(status, 400 | 409 | 413 | 422)));
            }
        };
        // It took them; what it says of them can't be understood.
        let Ok(echoed) = several(&answer) else { return Ok(unknown()) };
        let ids: Vec<Option<RecordId>> = objects
            .iter()
            .enumerate()
            .map(|(place, object)| {
                echo_of(receiver.keys, object, place, &echoed).and_then(|echo| self.stored(echo))
            })
            .collect();
        if kind != WriteKind::Delete {
            let mapped = ids.iter().any(Option::is_some) || self.hooks.is_mapped(name) == Some(true);
            self.hooks.learn(name, mapped);
        }
        Ok(Sent::Taken(ids.into_iter().map(|id| id.map_or(Told::Echoed, Told::Stored)).collect()))
    }

    /// The id under which an echoed object was stored.
    fn stored(&self, echo: &Map<String, Json>) -> Option<RecordId> {
        id_at(&Json::Object(echo.clone()), &self.names.row_id)
    }

    /// What became of a row that was created or changed.
    pub(super) fn outcome(&self, receiver: Receiver<'_>, kind: WriteKind, told: Told) -> RowResult {
        match told {
            Told::Stored(id) => RowResult::Done { id, created: kind == WriteKind::Create, record: None },
            Told::Refused(error) => RowResult::Refused(error),
            Told::Unknown => RowResult::Unknown,
            Told::Echoed if self.hooks.is_mapped(receiver.name) == Some(true) => {
                RowResult::Refused(not_stored(receiver.name))
            }
            Told::Echoed => RowResult::Refused(waits(receiver)),
        }
    }
}

/// What a receiver that waits says of every row.
fn waits(receiver: Receiver<'_>) -> RowError {
    let Receiver { name, keys } = receiver;
    let key = keys.first().copied().unwrap_or_default();
    row_error(
        RowClass::Data,
        "HOOK_NOT_MAPPED",
        &format!(
            "The webhook receiver of {name} has its first record and now waits to be mapped: open it in Deployteq, map its fields, tick \
             {key} for deduplication, then try again."
        ),
    )
}

/// What is said of a row that came back without an id, while others come back with one.
fn not_stored(name: &str) -> RowError {
    row_error(
        RowClass::Data,
        "NOT_STORED",
        &format!(
            "The webhook receiver of {name} took it, but stored nothing: it came back without an id. Look into the receiver's log in \
             Deployteq, then try again."
        ),
    )
}

/// What a receiver says of an object: the one with the same keys; where it does not repeat them, the one in the same place.
fn echo_of<'a>(
    keys: &[&str],
    object: &Json,
    place: usize,
    echoed: &'a [Map<String, Json>],
) -> Option<&'a Map<String, Json>> {
    let known = keys.iter().find_map(|key| Some((*key, object.get(*key).filter(|held| !held.is_null())?)));
    let Some((key, held)) = known else { return echoed.get(place) };
    let same = |echo: &&Map<String, Json>| echo.get(key) == Some(held);
    let found = echoed.get(place).filter(same).or_else(|| echoed.iter().find(same));
    found.or_else(|| echoed.get(place).filter(|echo| !echo.contains_key(key)))
}
