//! Sessions: who is signed in by which token, for how long, and when the user is locked out. `oauth` and
//! `identity` are ways in and what they tell, `authorize` is where a browser signs in; SOAP's `login` is in `soap`.

mod authorize;
mod identity;
mod oauth;

use std::collections::HashMap;

use super::OrgOptions;

pub use authorize::Approval;
pub(super) use authorize::authorize;
pub(super) use identity::{identity, user_info};
pub(super) use oauth::oauth;

/// A session ends after so long without a call.
pub(super) const IDLE_MS: i64 = 2 * 3_600_000;
/// A code that the browser brings counts for so long.
const CODE_MS: i64 = 15 * 60_000;
/// Approvals of one user for one app that count; the next one ends the oldest.
const APPROVALS: usize = 5;
/// Wrong passwords until the user is locked.
const TRIES: u32 = 10;

/// One signed-in client.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) started: i64,
    pub(super) used: i64,
    /// Good for setting a new password only.
    pub(super) expired_password: bool,
}

/// Whether an org has users behind this address: the two hosts that sign in for all orgs know either production's or sandboxes'.
pub(super) fn serves(options: &OrgOptions, base: &str) -> bool {
    let host = base.rsplit('/').next().unwrap_or(base);
    match host.split(':').next().unwrap_or(host) {
        "login.salesforce.com" => !options.is_sandbox,
        "test.salesforce.com" => options.is_sandbox,
        _ => true,
    }
}

/// What a code stands for that the browser brings.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) user: String,
    pub(super) redirect: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) issued: i64,
}

/// All sessions and the state of the integration user's sign-in.
#[derive(Default)]
pub(super) struct Sessions {
    open: HashMap<String, Session>,
    refresh_tokens: HashMap<String, String>,
    /// Refresh tokens that people gave in the browser, the oldest first.
    approved: Vec<String>,
    codes: HashMap<String, Code>,
    minted: u64,
    wrong_tries: u32,
    pub(super) locked: bool,
    pub(super) api_disabled: bool,
    pub(super) password_expired: bool,
}

/// Letters that follow from a seed and a count: tokens need not be secret here, but two must never be the same.
fn letters(seed: u64, count: u64, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    let mut text = String::with_capacity(length);
    let mut round = 0_u64;
    while text.len() < length {
        let input = [seed.to_le_bytes(), count.to_le_bytes(), round.to_le_bytes()].concat();
        let hash = ring::digest::digest(&ring::digest::SHA256, &input);
        text.extend(
            hash.as_ref()
                .iter()
                .filter_map(|byte| LETTERS.get(usize::from(byte % 64)))
                .map(|byte| char::from(*byte)),
        );
        round += 1;
    }
    text.truncate(length);
    text
}

impl Sessions {
    /// Opens a session and gives its token.
    pub(super) fn open(&mut self, org15: &str, seed: u64, user: &str, now: i64) -> String {
        self.minted += 1;
        let token = format!("{org15}!AQ{}", letters(seed, self.minted, 94));
        let session = Session {
            user: user.to_owned(),
            started: now,
            used: now,
            expired_password: self.password_expired,
        };
        self.open.insert(token.clone(), session);
        token
    }

    /// A refresh token of a user.
    pub(super) fn refresh_token(&mut self, seed: u64, user: &str) -> String {
        self.minted += 1;
        let token = format!("5Aep861{}", letters(seed, self.minted, 80));
        self.refresh_tokens.insert(token.clone(), user.to_owned());
        token
    }

    /// A code of somebody who has just signed in in the browser.
    pub(super) fn code(&mut self, seed: u64, code: Code) -> String {
        self.minted += 1;
        let text = format!("aPrx{}==", letters(seed, self.minted, 70));
        self.codes.insert(text.clone(), code);
        text
    }

    /// What a code stands for; it counts once, and not for long.
    pub(super) fn take_code(&mut self, text: &str, now: i64) -> Option<Code> {
        self.codes.remove(text).filter(|code| now - code.issued <= CODE_MS)
    }

    /// Remembers that a refresh token was given in the browser, and ends the oldest one where there are too many.
    pub(super) fn approve(&mut self, token: &str) {
        self.approved.push(token.to_owned());
        while self.approved.len() > APPROVALS {
            let oldest = self.approved.remove(0);
            self.refresh_tokens.remove(&oldest);
        }
    }

    /// A new refresh token in the place of one that is dead from now on.
    pub(super) fn rotate(&mut self, seed: u64, old: &str) -> Option<String> {
        let user = self.refresh_tokens.remove(old)?;
        let new = self.refresh_token(seed, &user);
        if let Some(place) = self.approved.iter_mut().find(|known| *known == old) {
            place.clone_from(&new);
        }
        Some(new)
    }

    /// How many refresh tokens count.
    pub(super) fn refresh_tokens(&self) -> usize {
        self.refresh_tokens.len()
    }

    pub(super) fn user_of_refresh(&self, token: &str) -> Option<String> {
        self.refresh_tokens.get(token).cloned()
    }

    /// The session of a token, if alive; the time of use is set anew.
    pub(super) fn enter(&mut self, token: &str, now: i64) -> Option<Session> {
        let session = self.open.get_mut(token).filter(|session| now - session.used <= IDLE_MS)?;
        session.used = now;
        Some(session.clone())
    }

    /// The session of a token, without using it.
    pub(super) fn look(&self, token: &str, now: i64) -> Option<&Session> {
        self.open.get(token).filter(|session| now - session.used <= IDLE_MS)
    }

    /// Ends what a token stands for; `false` when it stands for nothing.
    pub(super) fn revoke(&mut self, token: &str) -> bool {
        self.open.remove(token).is_some() || self.refresh_tokens.remove(token).is_some()
    }

    /// Ends all sessions.
    pub(super) fn expire_all(&mut self) {
        self.open.clear();
    }

    pub(super) fn wrong_password(&mut self) {
        self.wrong_tries += 1;
        self.locked |= self.wrong_tries >= TRIES;
    }

    pub(super) fn right_password(&mut self) {
        self.wrong_tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_two_hours_after_its_last_use() {
        let mut sessions = Sessions::default();
        let token = sessions.open("00DFs0000000001", 1, "005", 0);
        assert!(sessions.enter(&token, IDLE_MS).is_some());
        assert!(sessions.enter(&token, IDLE_MS * 2).is_some());
        assert!(sessions.enter(&token, IDLE_MS * 3 + 1).is_none());
    }

    #[test]
    fn sandbox_users_are_unknown_at_the_production_host_and_the_other_way_round() {
        let org = |is_sandbox| OrgOptions { is_sandbox, ..OrgOptions::default() };
        assert!(serves(&org(false), "https://login.salesforce.com:8443"));
        assert!(!serves(&org(true), "https://login.salesforce.com"));
        assert!(!serves(&org(false), "https://test.salesforce.com"));
        assert!(serves(&org(true), "https://test.salesforce.com"));
        assert!(serves(&org(true), "http://127.0.0.1:1") && serves(&org(false), "http://127.0.0.1:1"));
    }

    #[test]
    fn ten_wrong_passwords_lock_the_user() {
        let mut sessions = Sessions::default();
        (0..9).for_each(|_| sessions.wrong_password());
        assert!(!sessions.locked);
        sessions.wrong_password();
        assert!(sessions.locked);
    }
}
