//! Answers the browser that comes back from the sign-in: a listener on this machine alone, for as long as one sign-in lives.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::clock::Clock;
use crate::ops::error::OpError;

/// How long the last answers may take to go out.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the person reads in the browser.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) title: &'static str,
    pub(super) sentence: String,
}

/// A browser that came back.
pub(super) struct Visit {
    /// The query of the address to which it came.
    pub(super) query: String,
    /// Where it is told what came of it.
    pub(super) answer: oneshot::Sender<Page>,
}

/// Listens until dropped.
pub(super) struct Listener {
    /// Who comes.
    pub(super) visits: mpsc::Receiver<Visit>,
    servers: JoinSet<()>,
    stop: CancellationToken,
}

impl Listener {
    /// Takes the port on both of this machine's own addresses: a browser may try either for `localhost`.
    pub(super) async fn open(port: u16) -> Result<Self, OpError> {
        let own = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let mut listeners = vec![own.map_err(|error| trouble(port, &error))?];
        match TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), port)).await {
            Ok(listener) => listeners.push(listener),
            // Whoever listens there would get what is meant for us.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(trouble(port, &error)),
            Err(_no_such_address_here) => {}
        }
        let (sender, visits) = mpsc::channel(8);
        let router = Router::new().route("/callback", any(visited)).with_state(sender);
        let (mut servers, stop) = (JoinSet::new(), CancellationToken::new());
        for listener in listeners {
            let (router, stop) = (router.clone(), stop.clone());
            servers.spawn(async move {
                let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
                if let Err(error) = served.await {
                    tracing::warn!(%error, "The browser can't be listened for any more.");
                }
            });
        }
        Ok(Self { visits, servers, stop })
    }

    /// Lets the last answers go out, and gives the port back.
    pub(super) async fn close(mut self, clock: &dyn Clock) {
        self.visits.close();
        self.stop.cancel();
        tokio::select! {
            () = async { while self.servers.join_next().await.is_some() {} } => {}
            () = clock.sleep(PATIENCE) => {}
        }
    }
}

fn trouble(port: u16, error: &std::io::Error) -> OpError {
    let way_out = "Choose another port (`callback_port` under [salesforce], “Callback port” in the form) and register \
                   http://localhost:PORT/callback with it in the app.";
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return OpError::failed(format!(
            "Port {port} of this machine is taken, by another sign-in that still waits or by another program, so the browser could not \
             come back. End that one. {way_out}"
        ))
        .code("port_in_use");
    }
    OpError::failed(format!("Port {port} of this machine can't be listened on: {error}. {way_out}"))
        .code("port_in_use")
}

async fn visited(
    State(sender): State<mpsc::Sender<Visit>>,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    if method != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let (answer, answered) = oneshot::channel();
    let visit = Visit { query: query.unwrap_or_default(), answer };
    let over = Page {
        title: "Nobody waits here any more",
        sentence:
            "This sign-in is over. Close this page; if you still want to sign in, begin anew in forcesync."
                .into(),
    };
    let page = match sender.send(visit).await {
        Ok(()) => answered.await.unwrap_or(over),
        Err(_closed) => over,
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ];
    (headers, Html(html(&page))).into_response()
}

/// What comes from elsewhere is text in it, never markup.
fn html(page: &Page) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>forcesync</title>\n\
         <style>body{{font:1.1em system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em}}</style></head>\n\
         <body><h1>{}</h1><p>{}</p></body></html>\n",
        escaped(page.title),
        escaped(&page.sentence)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_no_markup() {
        let page = Page { title: "No", sentence: "<script>alert(\"1\")</script> & more".into() };
        let text = html(&page);
        assert!(!text.contains("<script>"), "{text}");
        assert!(text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"), "{text}");
    }
}
