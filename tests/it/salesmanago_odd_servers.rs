//! SALESmanago servers that do what nobody has written down: a fake that answers whatever a test wants.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::post;
use forcesync::connect::platform::salesmanago::{Salesmanago, SalesmanagoSecrets, SalesmanagoSettings};
use forcesync::connect::system_clock::SystemClock;
use forcesync::domain::port::{PortClass, RowResult, Sink, Source, WriteKind, Written};
use forcesync::domain::record::RecordId;
use serde_json::{Value, json};

use crate::salesmanago_account::{batch, done, names, row, scan_of};

type Answers = Box<dyn Fn(&str, &Value) -> Value + Send + Sync>;

struct Fake {
    answers: Answers,
    bodies: Mutex<Vec<(String, Value)>>,
}

impl Fake {
    async fn start(
        answers: impl Fn(&str, &Value) -> Value + Send + Sync + 'static,
    ) -> (Arc<Self>, Salesmanago) {
        let fake = Arc::new(Self { answers: Box::new(answers), bodies: Mutex::default() });
        let router = Router::new().route("/api/{*path}", post(Self::answer)).with_state(Arc::clone(&fake));
        (fake, client_of(router).await)
    }

    #[expect(clippy::unused_async, reason = "a handler has to be one")]
    async fn answer(
        State(fake): State<Arc<Self>>,
        Path(path): Path<String>,
        Json(body): Json<Value>,
    ) -> Response {
        let answer = (fake.answers)(&path, &body);
        fake.bodies.lock().unwrap().push((path, body));
        Json(answer).into_response()
    }

    fn bodies(&self, path: &str) -> Vec<Value> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().filter(|(called, _)| called == path).map(|(_, body)| body.clone()).collect()
    }
}

async fn client_of(router: Router) -> Salesmanago {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SalesmanagoSettings {
        endpoint: format!("http://{}", listener.local_addr().unwrap()),
        client_id: "account".into(),
        owner: "me@acme.example".into(),
        requests_per_second: 0.0,
        seed: Some(1),
        ..SalesmanagoSettings::default()
    };
    tokio::spawn(async move { axum::serve(listener, router).await });
    let secrets = SalesmanagoSecrets { api_secret: "secret".into() };
    Salesmanago::connect(settings, &secrets, Arc::new(SystemClock)).unwrap()
}

/// The contacts that a call names by id, with their addresses.
fn by_id(body: &Value) -> Vec<Value> {
    let ids = body["contactId"].as_array().cloned().unwrap_or_default();
    ids.iter()
        .map(|id| json!({"id": id, "email": format!("{}@x.example", id.as_str().unwrap()), "optedOut": true}))
        .collect()
}

#[tokio::test]
async fn pages_that_lack_a_field_are_completed_by_id() {
    let (fake, client) = Fake::start(|path, body| match path {
        "contact/paginatedListById" if body["page"] == 1 => {
            json!({"success": true, "contacts": [{"id": "c-1", "email": "c-1@x.example"}]})
        }
        "contact/paginatedListById" => json!({"success": true, "contacts": []}),
        _ => json!({"success": true, "contacts": by_id(body)}),
    })
    .await;
    let page = client.scan(&scan_of(&["email", "optedOut"])).await.unwrap();
    assert_eq!(page.records[0].values[1], Some(true.into()));
    assert_eq!(fake.bodies("contact/listById").len(), 1);
}

#[tokio::test]
async fn a_server_that_repeats_its_page_is_noticed() {
    let page = || json!({"success": true, "contacts": [{"id": "c-1", "email": "c-1@x.example"}]});
    let (_, client) = Fake::start(move |_, _| page()).await;
    let mut request = scan_of(&["email"]);
    request.mark = client.scan(&request).await.unwrap().next;
    let error = client.scan(&request).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Protocol, "SAME_PAGE"));
}

/// platform-salesmanago.md §5 “Batch upsert (sync)”: that ids stand under addresses is not confirmed.
#[tokio::test]
async fn ids_that_do_not_stand_under_addresses_are_looked_up() {
    let (_, client) = Fake::start(|path, body| match path {
        "contact/batchupsert" => {
            json!({"success": true, "message": null, "contactIds": {"0": "c-1", "1": "c-2"}})
        }
        "contact/list" => json!({"success": true, "contacts": [
            {"contactId": "c-1", "email": "c-1@x.example"}, {"contactId": "c-2", "email": "C-2@x.example"}]}),
        _ => json!({"success": true, "contacts": by_id(body)}),
    })
    .await;
    let rows = ["c-1@x.example", "c-2@x.example"].map(|email| row(None, email, vec![Some(email.into())]));
    let Written::Rows(results) =
        client.write(&batch(WriteKind::Create, &["email"], rows.into())).await.unwrap()
    else {
        panic!("a job");
    };
    assert_eq!(done(&results[0]).0, RecordId::from("c-1"));
    assert_eq!(done(&results[1]).0, RecordId::from("c-2"));
}

#[tokio::test]
async fn a_call_that_is_refused_for_one_missing_contact_brings_the_others() {
    let (_, client) = Fake::start(|_, body| {
        let found = by_id(body);
        if found.iter().any(|contact| contact["id"] == "c-3") {
            json!({"success": false, "message": "Contact not found"})
        } else {
            json!({"success": true, "contacts": found})
        }
    })
    .await;
    let ids: Vec<RecordId> = (0..7).map(|number| RecordId::new(format!("c-{number}"))).collect();
    let read = client.read("contact", &names(&["email"]), &ids).await.unwrap();
    assert_eq!(read.len(), 6);
}

#[tokio::test]
async fn a_web_page_instead_of_an_answer_points_to_the_endpoint() {
    let router = Router::new().fallback(|| async { Html("<!doctype html><title>Welcome</title>") });
    let error = client_of(router).await.test().await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (PortClass::Settings, "NO_INTERFACE"));
    assert!(error.message.contains("Endpoint"), "{error}");
}

#[tokio::test]
async fn a_write_that_is_answered_with_nonsense_leaves_its_rows_unknown() {
    let (_, client) = Fake::start(|_, _| json!(["what?"])).await;
    let rows = ["a@x.example", "b@x.example"].map(|email| row(None, email, vec![Some(email.into())]));
    let Written::Rows(results) =
        client.write(&batch(WriteKind::Create, &["email"], rows.into())).await.unwrap()
    else {
        panic!("a job");
    };
    assert!(results.iter().all(|result| matches!(result, RowResult::Unknown)), "{results:?}");
}

#[tokio::test]
async fn every_call_is_signed_anew_and_names_the_owner() {
    let (fake, client) = Fake::start(|_, _| json!({"success": true, "users": ["me@acme.example"]})).await;
    client.test().await.unwrap();
    client.test().await.unwrap();
    let bodies = fake.bodies("user/listByClient");
    assert_ne!(bodies[0]["apiKey"], bodies[1]["apiKey"]);
    assert_ne!(bodies[0]["sha"], bodies[1]["sha"]);
    assert!(bodies.iter().all(|body| body["owner"] == "me@acme.example" && body["clientId"] == "account"));
    assert!(bodies.iter().all(|body| body["requestTime"].is_i64() && !body.to_string().contains("secret")));
}
