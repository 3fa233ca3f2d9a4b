//! Words of a sign-in by browser.

use chrono::{DateTime, Utc};

/// The title.
pub const TITLE: &str = "Sign in with Salesforce";
/// Before the address is known.
pub const BEGINNING: &str = "Beginning …";
/// Whether a browser can be opened is not known yet.
pub const OPENING: &str = "Opening the browser …";
/// The browser was opened.
pub const OPENED: &str =
    "The browser was opened. Sign in there as the user of the synchronization, and allow the app.";
/// There is no browser.
pub const NO_BROWSER: &str = "There is no browser to open here. Open this address in one, sign in as the user of the synchronization, and \
                              allow the app.";
/// Over the address.
pub const ADDRESS: &str = "Address (y copies it):";
/// It came back.
pub const RETURNED: &str = "The browser came back. Asking Salesforce for the token …";
/// It was closed.
pub const LEFT: &str = "The sign-in was called off; what was kept before stays.";
/// A hint: begin anew.
pub const AGAIN: &str = "try again";
/// A hint: close.
pub const CLOSE: &str = "close";

/// What is waited for.
pub fn waiting(callback: &str, until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let left = (until - now).num_seconds().max(0);
    format!("Waiting for the browser at {callback} … {}:{:02} left", left / 60, left % 60)
}

/// What to do where the browser can't reach this machine.
pub fn elsewhere(callback: &str) -> String {
    format!(
        "A browser on another machine can't reach that address: paste here where it was sent in the end ({callback}?code=…)."
    )
}

/// What to do where the org refuses before it sends the browser back.
pub fn mismatch(callback: &str) -> String {
    format!(
        "If it shows redirect_uri_mismatch, the app has to know {callback} as callback URL, letter for letter."
    )
}
