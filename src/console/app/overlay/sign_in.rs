//! A sign-in by browser: its address, and how far it is.

use chrono::{DateTime, Utc};

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInState {
    /// The address is being made.
    Beginning,
    /// The browser has not come back.
    Waiting(Waiting),
    /// It came back; the org is asked.
    Returned,
    /// It did not work, and why.
    Failed(String),
}

/// A sign-in that waits for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where the person signs in.
    pub address: String,
    /// Where the browser comes back to.
    pub callback: String,
    /// When nobody is waited for any more.
    pub until: DateTime<Utc>,
    /// Whether a browser could be opened; `None` while that is tried.
    pub opened: Option<bool>,
    /// Something came that does not belong to it.
    pub odd: Option<String>,
}

/// A sign-in by browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInSheet {
    /// How far it is.
    pub state: SignInState,
    /// First line shown.
    pub scroll: usize,
}

impl SignInSheet {
    /// One that has just been asked for.
    pub fn new() -> Self {
        Self { state: SignInState::Beginning, scroll: 0 }
    }

    /// Whether something goes on outside that nobody waits for once it is closed.
    pub fn is_going(&self) -> bool {
        !matches!(self.state, SignInState::Failed(_))
    }

    /// What waits for the browser.
    pub fn waiting(&self) -> Option<&Waiting> {
        match &self.state {
            SignInState::Waiting(waiting) => Some(waiting),
            SignInState::Beginning | SignInState::Returned | SignInState::Failed(_) => None,
        }
    }
}

impl Default for SignInSheet {
    fn default() -> Self {
        Self::new()
    }
}
