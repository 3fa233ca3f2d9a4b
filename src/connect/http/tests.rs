use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// A clock that never waits but remembers for how long it was asked to.
#[derive(Default)]
struct LeapClock(Mutex<TimeDelta>);

#[async_trait]
impl Clock for LeapClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(duration).unwrap();
    }
}

fn http_with(options: &HttpOptions) -> Http {
    Http::new(options, Arc::new(LeapClock::default())).unwrap()
}

fn http() -> Http {
    http_with(&HttpOptions { jitter_seed: Some(1), ..HttpOptions::default() })
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A server that reads the request and hangs up, with or without half a reply.
async fn serve_broken(half_a_reply: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            if half_a_reply {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
            }
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn plain_http_is_refused_outside_loopback_and_nothing_is_counted() {
    let http = http();
    let error = http.send(&Call::get("try", "http://example.com/x?token=1")).await.unwrap_err();
    assert_eq!(error, HttpError::PlainHttp { host: "example.com".into() });
    assert_eq!(http.calls(), 0);
}

#[tokio::test]
async fn a_refused_connection_was_surely_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = http().send(&Call::get("try", url)).await.unwrap_err();
    assert!(matches!(&error, HttpError::NotSent { cause: NotSent::ConnectionRefused, .. }), "{error:?}");
    assert!(error.surely_not_sent());
}

#[tokio::test]
async fn a_connection_cut_after_sending_leaves_the_outcome_unknown() {
    for half in [false, true] {
        let http = http();
        let url = serve_broken(half).await;
        let error = http.send(&Call::post("try", url)).await.unwrap_err();
        assert!(matches!(&error, HttpError::Broken { .. }), "{error:?}");
        assert!(!error.surely_not_sent());
        assert_eq!(http.calls(), 1);
    }
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_repeated_and_a_repeatable_one_is() {
    let url = serve_broken(false).await;
    let once = http();
    drop(once.send_retrying(&Call::post("try", &url), &RetryPolicy::PATIENT, |_| Verdict::Take).await);
    assert_eq!(once.calls(), 1);
    let repeatable = http();
    let call = Call::post("try", &url).repeatable();
    drop(repeatable.send_retrying(&call, &RetryPolicy::PATIENT, |_| Verdict::Take).await);
    assert_eq!(repeatable.calls(), 5);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_until_it_answers() {
    let seen = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&seen);
    let answer = get(move || async move {
        if counter.fetch_add(1, Ordering::SeqCst) < 2 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }
    });
    let url = serve(Router::new().route("/", answer)).await;
    let http = http();
    let judge = |reply: &Reply| if reply.status == 503 { Verdict::Again } else { Verdict::Take };
    let reply = http.send_retrying(&Call::get("try", url), &RetryPolicy::PATIENT, judge).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(seen.load(Ordering::SeqCst), 3);
    assert!(reply.date().is_some());
}

#[tokio::test]
async fn secrets_reach_the_server_and_never_a_debug_text() {
    let router = Router::new().route("/", post(|body: String| async move { body }));
    let url = serve(router).await;
    let call = Call::post("try", format!("{url}/?key=hidden"))
        .bearer(&SecretString::from("tok-en"))
        .form_field("grant_type", "password")
        .secret_form_field("password", SecretString::from("s3cret & more"));
    let shown = format!("{call:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("tok-en") && !shown.contains("hidden"), "{shown}");
    let reply = http().send(&call).await.unwrap();
    assert_eq!(reply.text_start(200), "grant_type=password&password=s3cret+%26+more");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let router = Router::new()
        .route("/", get(|| async { axum::response::Redirect::temporary("http://127.0.0.2:9/") }));
    let reply = http().send(&Call::get("try", serve(router).await)).await.unwrap();
    assert_eq!(reply.status, 307);
}

#[tokio::test]
async fn a_host_name_can_be_pinned_to_an_address() {
    let url = serve(Router::new().route("/", get(|| async { "here" }))).await;
    let address: std::net::SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let options =
        HttpOptions { resolve: vec![("acme.my.salesforce.test".into(), address)], ..HttpOptions::default() };
    let target = format!("http://acme.my.salesforce.test:{}/", address.port());
    let reply = http_with(&options).send(&Call::get("try", target)).await.unwrap();
    assert_eq!(reply.text_start(10), "here");
}

#[tokio::test]
async fn a_pace_spaces_calls_evenly() {
    let clock = Arc::new(LeapClock::default());
    let pace = Pace::per_second(10.0, Arc::<LeapClock>::clone(&clock));
    for _ in 0..11 {
        pace.turn().await;
    }
    assert_eq!((clock.now() - DateTime::UNIX_EPOCH).num_milliseconds(), 1000);
}

#[test]
fn pauses_double_and_jitter_takes_away_at_most_half() {
    let policy = RetryPolicy { tries: 9, first: Duration::from_secs(1), most: Duration::from_secs(5) };
    assert_eq!(policy.pause(1, 0.0), Duration::from_secs(1));
    assert_eq!(policy.pause(3, 0.0), Duration::from_secs(4));
    assert_eq!(policy.pause(9, 0.0), Duration::from_secs(5));
    assert_eq!(policy.pause(1, 1.0), Duration::from_millis(500));
}

#[test]
fn a_ca_file_without_certificates_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "nothing").unwrap();
    let options = HttpOptions { ca_file: Some(file.path().to_owned()), ..HttpOptions::default() };
    let error = Http::new(&options, Arc::new(LeapClock::default())).unwrap_err();
    assert!(matches!(&error, HttpError::CaFile { .. }), "{error}");
}

#[test]
fn everything_but_unreserved_characters_is_escaped() {
    assert_eq!(percent_encode("a b+ü/~"), "a%20b%2B%C3%BC%2F~");
}
