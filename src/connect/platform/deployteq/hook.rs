//! Webhook receivers: rows of a table are posted to them, and come back with the ids of what was stored (F101).
//!
//! A receiver learns its structure from the first record that comes, and can only then be mapped in Deployteq (F110). Until somebody has
//! done that it answers what it was sent, without ids; so the first row goes alone, and nothing else is sent to a receiver that waits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json, json};

use super::customer::several;
use super::service::{Answered, Failure, Patience, Refused, not_sent, row_error};
use super::settings::TableDelete;
use super::shape::{id_at, kind_of, wire_value};
use super::{Deployteq, TABLE};
use crate::connect::http::{Call, Idempotency};
use crate::connect::platform::{Examined, Opening, Sampled};
use crate::domain::port::{
    PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::RecordId;
use crate::domain::report::Verdict;

/// The field that holds the org's id, by which a receiver recognises a row.
const KEY: &str = "Id";

/// How receivers let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    Bearer,
    Basic,
    Certificate,
    /// A token that the OAuth2 endpoint issues.
    Issued,
}

/// The receivers of the settings.
pub(super) struct Hooks {
    addresses: Vec<(String, String)>,
    auth: Auth,
    user: String,
    /// By table; the one without a name is everybody else's.
    tokens: Vec<(String, SecretString)>,
    /// Whether a receiver has answered with an id; `false` while it waits to be mapped.
    mapped: Mutex<HashMap<String, bool>>,
}

impl Hooks {
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, PortError> {
        let mut addresses = Vec::new();
        for entry in opening.told.texts("webhooks") {
            let Some((name, address)) = entry.split_once('=') else {
                return Err(PortError::new(
                    PortClass::Settings,
                    "SETTING_WRONG",
                    format!(
                        "In the Deployteq connection, the webhook “{entry}” has no name; write it as account=https://…"
                    ),
                ));
            };
            let address = address.trim();
            let address =
                if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
            addresses.push((name.trim().to_owned(), address));
        }
        Ok(Self {
            addresses,
            auth: match opening.told.text("webhook_auth").as_str() {
                "basic" => Auth::Basic,
                "certificate" => Auth::Certificate,
                "oauth2" => Auth::Issued,
                _ => Auth::Bearer,
            },
            user: opening.told.text("webhook_user"),
            tokens: tokens(&opening.secret("webhook_token")),
            mapped: Mutex::default(),
        })
    }

    fn address(&self, table: &str) -> Result<&str, PortError> {
        let found = self.addresses.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        found.map(|(_, address)| address.as_str()).ok_or_else(|| {
            PortError::new(
                PortClass::Settings,
                "NO_RECEIVER",
                format!(
                    "There is no webhook receiver for the table “{table}”: make the table and a receiver in Deployteq, then add \
                     {table}=ADDRESS to the webhooks of the connection."
                ),
            )
        })
    }

    fn token(&self, table: &str) -> SecretString {
        let own = self.tokens.iter().find(|(name, _)| name.eq_ignore_ascii_case(table));
        let any = || self.tokens.iter().find(|(name, _)| name.is_empty());
        own.or_else(any).map(|(_, token)| token.clone()).unwrap_or_default()
    }

    fn is_mapped(&self, table: &str) -> Option<bool> {
        self.mapped.lock().unwrap_or_else(PoisonError::into_inner).get(&table.to_ascii_lowercase()).copied()
    }

    fn learn(&self, table: &str, mapped: bool) {
        let mut known = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(table.to_ascii_lowercase(), mapped);
    }

    /// The tables that have a receiver.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(|(name, _)| name.as_str())
    }

    /// Says what is set up; nothing is sent, since whatever a receiver gets it takes for a record.
    pub(super) fn examine(&self, examined: &mut Examined) {
        for (name, _) in &self.addresses {
            let lacks = match self.auth {
                Auth::Bearer | Auth::Basic => self.token(name).expose_secret().is_empty(),
                Auth::Certificate | Auth::Issued => false,
            };
            if lacks {
                let message = format!("The webhook receiver {name} has no token: enter webhook_token.");
                examined.line(Verdict::Warning, message, Some("webhook_token"));
            } else {
                examined.good(format!(
                    "Webhook receiver {name}: set up; it is called when there is something to send."
                ));
            }
        }
    }
}

/// One token for all, or `table=token` for several; a token alone may hold an equals sign at its end, as base64 does.
fn tokens(told: &SecretString) -> Vec<(String, SecretString)> {
    let told = told.expose_secret().trim();
    let mut found = Vec::new();
    for part in told.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let (name, token) = match part.split_once('=') {
            Some((name, token)) if !token.trim_matches('=').is_empty() => (name.trim(), token.trim()),
            Some(_) | None => ("", part),
        };
        found.push((name.to_owned(), SecretString::from(token.to_owned())));
    }
    found
}

/// What a receiver that waits says of every row.
fn waits(table: &str) -> RowError {
    row_error(
        RowClass::Data,
        "HOOK_NOT_MAPPED",
        &format!(
            "The webhook receiver of {table} has its first record and now waits to be mapped: open it in Deployteq, map its fields, tick \
             {KEY} for deduplication, then try again."
        ),
    )
}

impl Deployteq {
    async fn post(
        &self,
        table: &str,
        rows: &[Json],
        idempotency: Idempotency,
        patience: Patience,
    ) -> Result<Answered, Failure> {
        let address = self.hooks.address(table).map_err(Failure::Nothing)?.to_owned();
        let mut call = Call::post("send to a receiver", address);
        call = match self.hooks.auth {
            Auth::Bearer => call.bearer(&self.hooks.token(table)),
            Auth::Basic => {
                let token = self.hooks.token(table);
                let basic = STANDARD.encode(format!("{}:{}", self.hooks.user, token.expose_secret()));
                call.secret_header("Authorization", SecretString::from(format!("Basic {basic}")))
            }
            Auth::Certificate => call,
            Auth::Issued => {
                let token = self.tokens.get(&self.service, "", patience).await.map_err(Failure::Nothing)?;
                call.bearer(&token)
            }
        };
        call = call.json(&Json::Array(rows.to_vec()));
        call.idempotency = idempotency;
        self.service.send(call, patience).await
    }

    /// Sends one row to a receiver so that it learns its structure; what it answered, and whether it is mapped already.
    pub(super) async fn send_sample(
        &self,
        table: &str,
        row: &Map<String, Json>,
    ) -> Result<Sampled, PortError> {
        let rows = [Json::Object(row.clone())];
        let answer = self.post(table, &rows, Idempotency::Once, Patience::Person).await;
        let answer = answer.map_err(Failure::into_port)?;
        let echoed = several(&answer)?.into_iter().next();
        let id = echoed.as_ref().and_then(|echo| id_at(&Json::Object(echo.clone()), &self.names.row_id));
        self.hooks.learn(table, id.is_some());
        Ok(Sampled { id: id.map(|id| id.to_string()), echoed: echoed.map(Json::Object).unwrap_or_default() })
    }

    pub(super) async fn post_rows(
        &self,
        table: &str,
        batch: &WriteBatch,
    ) -> Result<Vec<RowResult>, PortError> {
        let schema = self.schema(&batch.object)?;
        let bodies: Vec<Json> = batch
            .rows
            .iter()
            .map(|row| {
                let mut body = Map::new();
                for (name, value) in batch.selection.names().iter().zip(&row.values) {
                    if let Some(value) = value {
                        body.insert(name.to_string(), wire_value(kind_of(&schema, name), value));
                    }
                }
                self.address(&mut body, row);
                Json::Object(body)
            })
            .collect();
        let mut results: Vec<RowResult> = Vec::with_capacity(bodies.len());
        if self.hooks.is_mapped(table) != Some(true)
            && let Some(first) = bodies.get(..1)
        {
            results.extend(self.exchange(table, batch, first).await?);
            if self.hooks.is_mapped(table) == Some(false) {
                results.resize(bodies.len(), RowResult::Refused(waits(table)));
                return Ok(results);
            }
        }
        if let Some(rest) = bodies.get(results.len()..).filter(|rest| !rest.is_empty()) {
            match self.exchange(table, batch, rest).await {
                Ok(more) => results.extend(more),
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => results.resize(bodies.len(), RowResult::Refused(not_sent(&error))),
            }
        }
        if let Err(error) = self.remember(batch, &bodies, &mut results).await {
            tracing::warn!(%error, "What was sent to a receiver could not be kept.");
        }
        Ok(results)
    }

    /// By what a receiver recognises the row: the org's id, and its own where it is known.
    fn address(&self, body: &mut Map<String, Json>, row: &WriteRow) {
        if let (false, Some(key)) = (body.contains_key(KEY), row.key.first()) {
            body.insert(KEY.to_owned(), Json::String(key.to_string()));
        }
        if let Some(id) = &row.id {
            let name = self.names.row_id.trim_start_matches('/');
            body.insert(if name.is_empty() { "clang_id" } else { name }.to_owned(), json!(id.as_str()));
        }
    }

    async fn exchange(
        &self,
        table: &str,
        batch: &WriteBatch,
        bodies: &[Json],
    ) -> Result<Vec<RowResult>, PortError> {
        let idempotency = match batch.kind {
            WriteKind::Create => Idempotency::Once,
            WriteKind::Update | WriteKind::Delete => Idempotency::Repeatable,
        };
        let answer = match self.post(table, bodies, idempotency, Patience::Run).await {
            Ok(answer) => answer,
            Err(Failure::Nothing(error)) => return Err(error),
            Err(Failure::Unknown(_)) => return Ok(vec![RowResult::Unknown; bodies.len()]),
            Err(Failure::Refused(Refused { status, words, .. })) => {
                let message = format!("The webhook receiver of {table} refused it: “{words}”.");
                let error = row_error(RowClass::Data, &format!("HTTP_{status}"), &message);
                return Ok(vec![RowResult::Refused(error); bodies.len()]);
            }
        };
        if batch.kind == WriteKind::Delete {
            return Ok(Vec::new());
        }
        // It took them; what it says of them can't be understood.
        let Ok(echoed) = several(&answer) else { return Ok(vec![RowResult::Unknown; bodies.len()]) };
        let ids: Vec<Option<RecordId>> = bodies
            .iter()
            .enumerate()
            .map(|(place, body)| echo_of(body, place, &echoed).and_then(|echo| self.stored(echo)))
            .collect();
        self.hooks.learn(table, ids.iter().any(Option::is_some));
        let created = batch.kind == WriteKind::Create;
        Ok(ids
            .into_iter()
            .map(|id| match id {
                Some(id) => RowResult::Done { id, created, record: None },
                None => RowResult::Refused(waits(table)),
            })
            .collect())
    }

    /// The id under which an echoed object was stored. What we sent ourselves says nothing, so it has to be the service's own form.
    fn stored(&self, echo: &Map<String, Json>) -> Option<RecordId> {
        let whole = Json::Object(echo.clone());
        id_at(&whole, &self.names.row_id)
    }

    pub(super) async fn delete_rows(
        &self,
        table: &str,
        batch: &WriteBatch,
    ) -> Result<Vec<RowResult>, PortError> {
        let done = |row: &WriteRow| match &row.id {
            Some(id) => RowResult::Done { id: id.clone(), created: false, record: None },
            None => RowResult::Refused(row_error(RowClass::Gone, "GONE", "The row was never stored.")),
        };
        match self.names.table_delete {
            TableDelete::Never => {
                let error = row_error(
                    RowClass::Permission,
                    "NO_DELETE",
                    "Rows of tables are not deleted by this connection: set table_delete to webhook or rest, or delete it by hand.",
                );
                Ok(batch.rows.iter().map(|_| RowResult::Refused(error.clone())).collect())
            }
            TableDelete::Rest => {
                let mut results = Vec::with_capacity(batch.rows.len());
                for row in &batch.rows {
                    results.push(match &row.id {
                        Some(id) => self.delete_row(table, id).await?,
                        None => done(row),
                    });
                }
                Ok(results)
            }
            TableDelete::Webhook => {
                let bodies: Vec<Json> = batch
                    .rows
                    .iter()
                    .map(|row| {
                        let mut body = Map::new();
                        body.insert("event".into(), json!("deleted"));
                        self.address(&mut body, row);
                        Json::Object(body)
                    })
                    .collect();
                let refused = self.exchange(table, batch, &bodies).await?;
                if refused.is_empty() { Ok(batch.rows.iter().map(done).collect()) } else { Ok(refused) }
            }
        }
    }

    /// Keeps what a receiver was sent, since without the data model nobody can read it back; hands it back as what is held now.
    async fn remember(
        &self,
        batch: &WriteBatch,
        bodies: &[Json],
        results: &mut [RowResult],
    ) -> Result<(), PortError> {
        if self.names.data_model {
            return Ok(());
        }
        let notes = self.notes()?;
        let object = batch.object.to_ascii_lowercase();
        let ids: Vec<RecordId> = results
            .iter()
            .filter_map(|result| match result {
                RowResult::Done { id, .. } => Some(id.clone()),
                RowResult::Refused(_) | RowResult::Unknown => None,
            })
            .collect();
        let mut known: HashMap<RecordId, Map<String, Json>> = HashMap::new();
        for (id, note) in ids.iter().zip(notes.take(&object, &ids).await?) {
            let held = note.and_then(|note| serde_json::from_str(&note).ok()).unwrap_or_default();
            known.insert(id.clone(), held);
        }
        let schema = self.schema(&batch.object)?;
        let mut kept = Vec::with_capacity(ids.len());
        for (result, body) in results.iter_mut().zip(bodies) {
            if let (RowResult::Done { id, record, .. }, Json::Object(sent)) = (result, body) {
                let mut held = known.remove(&*id).unwrap_or_default();
                held.extend(sent.clone());
                *record = Some(super::shape::record(id.clone(), &schema, &batch.read_back, &held));
                kept.push((id.clone(), Json::Object(held).to_string()));
            }
        }
        notes.keep(&object, kept).await
    }
}

/// What a receiver says of a row: the object with the same id of the org; where it does not repeat that, the one in the same place.
fn echo_of<'a>(body: &Json, place: usize, echoed: &'a [Map<String, Json>]) -> Option<&'a Map<String, Json>> {
    let key = body.get(KEY).filter(|key| !key.is_null());
    let same = |echo: &&Map<String, Json>| key.is_some() && echo.get(KEY) == key;
    let found = echoed.get(place).filter(same).or_else(|| echoed.iter().find(same));
    found.or_else(|| echoed.get(place).filter(|echo| key.is_none() || !echo.contains_key(KEY)))
}

/// The table's name in a mapping.
pub(super) fn object_of(table: &str) -> String {
    format!("{TABLE}{table}").to_ascii_lowercase()
}
