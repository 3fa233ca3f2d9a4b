//! Where pushed lines come in while `forcesync run` lives: a folder for each step, and a signed post to a port of this machine. On the
//! same port the platform's own deliveries come in, as `hints`.
//!
//! A file `STEP/x.jsonl` is pushed once it is a second old, then moved to `STEP/done`, beside it a file for each stream. A post to
//! `/push/STEP` carries `X-Forcesync-Signature: sha256=…`, the HMAC of its body under the push secret, and is answered with the lines.

mod hints;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::push::PushedLine;
use crate::ops::engine::EngineClient;
use crate::ops::error::OpError;
use crate::ops::push;
use crate::ops::session::Session;
use crate::ops::webhooks::Deliveries;
use crate::service::inbound::hints::Listener;

/// How often the folder is looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// The largest post.
const LARGEST: usize = 8 << 20;

struct Door {
    session: Session,
    engine: EngineClient,
    secret: SecretString,
    /// One push after the other.
    turn: tokio::sync::Mutex<()>,
}

/// Takes lines in until dropped; waits for ever where nothing is set up.
pub async fn serve(
    session: &Session,
    engine: EngineClient,
    secret: Option<SecretString>,
) -> Result<(), OpError> {
    let inbound = session.settings().inbound;
    let door = Arc::new(Door {
        session: session.clone(),
        engine,
        secret: secret.unwrap_or_default(),
        turn: tokio::sync::Mutex::default(),
    });
    let folder = inbound.folder.map(|folder| session.folder().join(folder));
    let watched = async {
        match folder {
            Some(folder) => watch(&door, &folder).await,
            None => std::future::pending().await,
        }
    };
    let deliveries = Deliveries::open(session).await?.map(|deliveries| {
        let path = deliveries.path();
        (path, Arc::new(Listener::new(session, door.engine.clone(), deliveries)))
    });
    let looked = async {
        match &deliveries {
            Some((_, listener)) => listener.look().await,
            None => std::future::pending().await,
        }
    };
    let listened = async {
        if inbound.port == 0 {
            return std::future::pending().await;
        }
        if door.secret.expose_secret().is_empty() && deliveries.is_none() {
            return Err(OpError::settings(
                "[inbound] has a port, but there is nothing to take in: no push secret (`forcesync secret set deployteq.push_secret`), and \
                 no webhooks (`forcesync connection webhooks register ADDRESS`).",
            ));
        }
        listen(&door, deliveries.as_ref(), inbound.port).await
    };
    tokio::select! {
        () = watched => Ok(()),
        () = looked => Ok(()),
        ended = listened => ended,
    }
}

async fn listen(
    door: &Arc<Door>,
    deliveries: Option<&(String, Arc<Listener>)>,
    port: u16,
) -> Result<(), OpError> {
    let trouble = |error: std::io::Error| {
        OpError::failed(format!("Port {port} of [inbound] can't be listened on: {error}.")).code("inbound")
    };
    let listener =
        tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await.map_err(trouble)?;
    let mut router = Router::new();
    if !door.secret.expose_secret().is_empty() {
        let pushes = Router::new()
            .route("/push/{step}", post(receive))
            .layer(axum::extract::DefaultBodyLimit::max(LARGEST))
            .with_state(Arc::clone(door));
        router = router.merge(pushes);
    }
    if let Some((path, listener)) = deliveries {
        let hints = Router::new()
            .route(path, post(hints::receive))
            .layer(axum::extract::DefaultBodyLimit::max(hints::LARGEST))
            .with_state(Arc::clone(listener));
        router = router.merge(hints);
    }
    axum::serve(listener, router).await.map_err(trouble)
}

async fn receive(
    State(door): State<Arc<Door>>,
    Named(step): Named<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let told = headers.get("x-forcesync-signature").and_then(|told| told.to_str().ok()).unwrap_or_default();
    if !is_signed(&door.secret, told, &body) {
        return (StatusCode::UNAUTHORIZED, "The signature is missing or wrong.\n").into_response();
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "The body is no text.\n").into_response();
    };
    let texts = lines(text);
    match door.push(&step, &texts).await {
        Ok(pushed) => {
            let answer: String = pushed.iter().map(push::json_line).collect();
            (StatusCode::OK, [("content-type", "application/x-ndjson")], answer).into_response()
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{}\n", error.message)).into_response(),
    }
}

/// Whether a signature is the one of this body.
fn is_signed(secret: &SecretString, told: &str, body: &[u8]) -> bool {
    let digits = told.strip_prefix("sha256=").unwrap_or_default().as_bytes();
    let tag: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    !digits.is_empty() && tag.is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

impl Door {
    async fn push(&self, step: &str, texts: &[String]) -> Result<Vec<PushedLine>, OpError> {
        let _turn = self.turn.lock().await;
        let step = push::step(&self.session, step)?;
        let mut pushed = Vec::with_capacity(texts.len());
        for handful in texts.chunks(push::HANDFUL) {
            let first = pushed.len() + 1;
            pushed.extend(push::push(&self.session, &self.engine, &step, first, handful).await?.lines);
        }
        Ok(pushed)
    }
}

async fn watch(door: &Door, folder: &Path) {
    loop {
        for step in door.session.settings().push {
            let own = folder.join(&step.name);
            for file in waiting(&own) {
                if let Err(error) = take(door, &step.name, &own, &file).await {
                    tracing::warn!(file = %file.display(), message = %error.message, "A pushed file waits.");
                }
            }
        }
        door.session.clock().sleep(PERIOD).await;
    }
}

/// The files of a step that nobody writes any more, by name.
fn waiting(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_done = |path: &PathBuf| {
        let age = path.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
        path.extension().is_some_and(|ending| ending == "jsonl") && age.is_some_and(|age| age.as_secs() >= 1)
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_done).collect();
    files.sort();
    files
}

async fn take(door: &Door, step: &str, folder: &Path, file: &Path) -> Result<(), OpError> {
    let trouble =
        |error: std::io::Error| OpError::failed(format!("{} can't be taken in: {error}.", file.display()));
    let texts = lines(&std::fs::read_to_string(file).map_err(trouble)?);
    let pushed = door.push(step, &texts).await?;
    let done = folder.join("done");
    std::fs::create_dir_all(&done).map_err(trouble)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    push::keep_streams(&done, &name, &pushed)?;
    std::fs::rename(file, done.join(format!("{name}.jsonl"))).map_err(trouble)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_signature_opens() {
        let secret = SecretString::from("s3cret");
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
        let hex: Vec<String> =
            hmac::sign(&key, b"body").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = hex.concat();
        assert!(is_signed(&secret, &format!("sha256={hex}"), b"body"));
        assert!(!is_signed(&secret, &format!("sha256={hex}"), b"other"));
        assert!(!is_signed(&secret, "sha256=", b"body"));
        assert!(!is_signed(&secret, &hex, b"body"));
    }
}
