//! `forcesync connection sign-in`: signs in to Salesforce in the browser.

use std::io::BufRead;

use serde::Serialize;
use tokio::sync::{mpsc, watch};

use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::ops::browser_sign_in::{self, Stage};
use crate::ops::error::{OpClass, OpError};
use crate::ops::secrets::SecretPlace;
use crate::ops::session::Access;

/// `{"event":"sign_in",…}`
#[derive(Serialize)]
struct Begun<'a> {
    event: &'static str,
    address: &'a str,
    callback: &'a str,
    opened: bool,
    until: chrono::DateTime<chrono::Utc>,
}

/// `{"event":"signed_in",…}`
#[derive(Serialize)]
struct Ended<'a> {
    event: &'static str,
    user: &'a str,
    org_id: &'a str,
    org: &'a str,
    sandbox: bool,
    refresh_token: SecretPlace,
}

pub(super) async fn run(no_browser: bool, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    prompt::unlock(&session, context).await?;
    let output = &context.output;
    let attempt = browser_sign_in::begin(&session, &session.settings(), &[]).await?;
    let interrupts = Interrupts::listen()?;
    let opened = !no_browser && browser_sign_in::show(&attempt.address).await;
    let (address, callback, until) = (&attempt.address, &attempt.callback, attempt.until);
    output.object(&Begun { event: "sign_in", address, callback, opened, until });
    output.text(if opened {
        "The browser was opened. If it does not show up, sign in here as the user of the synchronization:"
    } else {
        "Sign in here as the user of the synchronization:"
    });
    output.text(format_args!("\n{}\n", safe(address)));
    output.text(format_args!(
        "Waiting until {} UTC for the browser to come back to {}; Ctrl-C gives up.",
        until.format("%H:%M"),
        safe(callback)
    ));
    let (sender, pasted) = mpsc::unbounded_channel();
    if output.can_ask() {
        output.text(
            "If the browser runs on another machine, it can't reach that address: paste here where it was sent.",
        );
        listen_to_stdin(sender);
    }
    let (told, mut heard) = watch::channel(Stage::Waiting);
    let finished = attempt.finish(pasted, &told);
    tokio::pin!(finished);
    let signed_in = loop {
        tokio::select! {
            done = &mut finished => break done?,
            () = interrupts.reached(1) => {
                return Err(OpError::new(OpClass::Cancelled, "Nobody is signed in; what was kept before stays."));
            }
            Ok(()) = heard.changed() => {
                let stage = heard.borrow_and_update().clone();
                if let Stage::Odd(sentence) = stage {
                    output.note(safe(&sentence));
                }
            }
        }
    };
    output.object(&Ended {
        event: "signed_in",
        user: &signed_in.user,
        org_id: &signed_in.org_id,
        org: &signed_in.org,
        sandbox: signed_in.sandbox,
        refresh_token: signed_in.place,
    });
    output.text(safe(&signed_in.sentence()));
    output.text(format_args!(
        "The refresh token is {} now; `forcesync check` tells what the user may do.",
        signed_in.place.phrase()
    ));
    Ok(0)
}

/// Hands on what a person pastes. A thread of its own: nothing can call it back from a line that never comes.
fn listen_to_stdin(sender: mpsc::UnboundedSender<String>) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line {
                Ok(line) if line.trim().is_empty() => {}
                Ok(line) => {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
                Err(_closed) => return,
            }
        }
    });
}
