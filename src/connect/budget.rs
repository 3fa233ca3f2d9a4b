//! The budget of calls of one account: how much is used, by whom, and until when nothing more may be sent.
//!
//! Each connection has one. [`Budget::admit`] stands before every call, [`Budget::seen`], [`Budget::told`] and [`Budget::refused`]
//! behind it. Several workspaces of one account share a small file ([`Ledger`]); without one, the budget lives in memory. What
//! is less urgent stops earlier ([`Priority`]), and all of it before the service has to refuse.

mod file;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

pub use crate::domain::hold::{Hold, Priority};
pub use file::Ledger;

use crate::domain::port::{PortClass, PortError};
use crate::domain::side::Side;
use record::{Blocked, DAY, HOUR, Record, Told};

/// How long it is believed at first that too much is used.
const BELIEVED: Duration = Duration::from_secs(900);
/// How long at most, if asking again says the same.
const BELIEVED_MOST: Duration = Duration::from_secs(3_600);
/// How long a refusal by the day's limit is believed at most: a token may be blocked for hours.
const BLOCKED_MOST: Duration = Duration::from_secs(4 * 3_600);
/// How long "too many requests" is believed at first, where the service does not say how long it lasts.
const TOO_MANY: Duration = Duration::from_secs(60);
/// How long at most.
const TOO_MANY_MOST: Duration = Duration::from_secs(900);
/// How often the file is read and written where the service tells its use itself.
const SHARED_EVERY: TimeDelta = TimeDelta::seconds(1);

/// What an account allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The side whose account it is.
    pub side: Side,
    /// Whose limit it is, in words: `the org`.
    pub owner: &'static str,
    /// Of every limit, the percentage that is left to others.
    pub reserve_percent: u8,
    /// The setting that holds the reserve, for messages.
    pub reserve_setting: &'static str,
    /// Calls in any hour; 0 if nothing is known.
    pub per_hour: u64,
    /// Calls in any day, where the service does not tell it itself; 0 if nothing is known.
    pub per_day: u64,
    /// Sign-ins in any hour; 0 if nothing is known.
    pub logins_per_hour: u64,
}

/// Which limit a service refused by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The day's calls are used up, or the token is blocked for hours.
    Daily,
    /// Too many calls for now.
    TooMany,
}

/// The use of an account, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gauge {
    /// The side.
    pub side: Side,
    /// Which window the figures are of: `day` or `hour`; nothing where no limit is known.
    pub window: Option<&'static str>,
    /// Calls used in it by everybody, as far as known.
    pub used: u64,
    /// Calls allowed in it.
    pub limit: Option<u64>,
    /// Of them, the percentage left to others.
    pub reserve_percent: u8,
    /// Calls left to automatic sync.
    pub left: Option<u64>,
    /// Calls of this workspace in the last 24 hours.
    pub ours: u64,
    /// Calls of other workspaces of this machine in the last 24 hours.
    pub other_workspaces: u64,
    /// What holds automatic sync back now.
    pub hold: Option<Hold>,
}

/// What is not in the file yet.
#[derive(Debug, Default)]
struct State {
    record: Record,
    calls: u64,
    logins: u64,
    /// The block is ours to write: set or lifted by a reply that we saw.
    block_changed: bool,
    told_changed: bool,
    /// Calls that the connection had sent when it was last asked.
    seen: u64,
    shared: Option<DateTime<Utc>>,
    complained: bool,
}

/// The budget of one connection.
#[derive(Debug)]
pub struct Budget {
    rules: Rules,
    ledger: Option<Ledger>,
    priority: Mutex<Priority>,
    state: Mutex<State>,
}

impl Budget {
    /// A budget that is shared where there is a ledger.
    pub fn new(rules: Rules, ledger: Option<Ledger>) -> Self {
        Self { rules, ledger, priority: Mutex::default(), state: Mutex::default() }
    }

    /// Says how urgent the calls from now on are.
    pub fn set_priority(&self, priority: Priority) {
        *lock(&self.priority) = priority;
    }

    /// Lets a call go out, or says what holds it back.
    pub fn admit(&self, now: DateTime<Utc>) -> Result<(), PortError> {
        let priority = *lock(&self.priority);
        match self.hold(priority, now) {
            Some(hold) if priority != Priority::Check => Err(self.error(&hold)),
            Some(_) | None => Ok(()),
        }
    }

    /// What holds calls of this priority back.
    pub fn hold(&self, priority: Priority, now: DateTime<Utc>) -> Option<Hold> {
        let mut state = lock(&self.state);
        self.share(&mut state, now, Share::WhenDue);
        self.verdict(&state.record, priority, now)
    }

    /// The connection has sent so many calls since it was made.
    pub fn seen(&self, calls: u64, now: DateTime<Utc>) {
        let mut state = lock(&self.state);
        let more = calls.saturating_sub(state.seen);
        state.seen = state.seen.max(calls);
        state.calls += more;
        let workspace = self.workspace().to_owned();
        record::count(&mut state.record.calls, &workspace, more, now);
        self.share(&mut state, now, Share::WhenDue);
    }

    /// The service told how much of its day is used, by everybody, in the answer to a call that was sent then. Of calls that are
    /// under way together the answer that counted less may come last; it says nothing new.
    pub fn told(&self, used: u64, limit: u64, sent: DateTime<Utc>, now: DateTime<Utc>) {
        let mut state = lock(&self.state);
        if state.record.told.is_some_and(|before| before.at > sent && before.used > used) {
            return;
        }
        let reached =
            |told: &Told| told.used >= Priority::Automatic.share(told.limit, self.rules.reserve_percent);
        let mut told = Told { used, limit, at: now, strikes: 0 };
        if let Some(before) = state.record.told.filter(|before| reached(before) && reached(&told)) {
            told.strikes = before.strikes + u32::from(now >= before.at + believed(&before));
        }
        let news = state.record.told.is_none_or(|before| reached(&before) != reached(&told));
        state.record.take_told(told);
        state.told_changed = true;
        self.share(&mut state, now, if news { Share::AtOnce } else { Share::WhenDue });
    }

    /// The service refused a call by a limit.
    pub fn refused(&self, refusal: Refusal, code: &str, wait: Option<Duration>, now: DateTime<Utc>) {
        let mut state = lock(&self.state);
        let strikes = match &state.record.blocked {
            Some(before) if now >= before.until => before.strikes + 1,
            Some(before) => before.strikes,
            None => 0,
        };
        let (first, most) = match refusal {
            Refusal::Daily => (BELIEVED, BLOCKED_MOST),
            Refusal::TooMany => (TOO_MANY, TOO_MANY_MOST),
        };
        let wait = wait
            .and_then(|wait| TimeDelta::from_std(wait).ok())
            .unwrap_or_else(|| record::back_off(first, strikes, most));
        let limit = match refusal {
            Refusal::Daily => format!("daily limit of {}", self.rules.owner),
            Refusal::TooMany => format!("rate limit of {}", self.rules.owner),
        };
        let until = now + wait;
        tracing::warn!(code, %until, limit, "API_BLOCKED: the service takes no more calls for now.");
        state.record.blocked = Some(Blocked { at: now, until, code: code.to_owned(), limit, strikes });
        state.block_changed = true;
        self.share(&mut state, now, Share::AtOnce);
    }

    /// The service answered a call as usual that was sent then, so it refuses no longer; a call that went out before the refusal
    /// says nothing about it.
    pub fn answered(&self, sent: DateTime<Utc>, now: DateTime<Utc>) {
        let mut state = lock(&self.state);
        if state.record.blocked.as_ref().is_some_and(|blocked| blocked.at < sent) {
            state.record.blocked = None;
            state.block_changed = true;
            self.share(&mut state, now, Share::AtOnce);
        }
    }

    /// Counts a sign-in, or says that there were too many within the hour.
    pub fn sign_in(&self, now: DateTime<Utc>) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        self.share(&mut state, now, Share::WhenDue);
        let most = self.rules.logins_per_hour;
        // A tenth is left for people who want to sign in as this user.
        if most > 0
            && let Some(until) = record::opens(&state.record.logins, HOUR, most * 9 / 10, now)
        {
            let used = record::used(&state.record.logins, HOUR, now, None);
            return Err(self.error(&Hold {
                side: self.rules.side,
                until,
                code: "LOGIN_RATE".into(),
                limit: format!("limit of sign-ins an hour of {}", self.rules.owner),
                used: Some(used),
                most: Some(most),
            }));
        }
        state.logins += 1;
        let workspace = self.workspace().to_owned();
        record::count(&mut state.record.logins, &workspace, 1, now);
        Ok(())
    }

    /// What the service last told: used, allowed, and when.
    pub fn last_told(&self) -> Option<(u64, u64, DateTime<Utc>)> {
        lock(&self.state).record.told.map(|told| (told.used, told.limit, told.at))
    }

    /// Writes down what the file does not have yet.
    pub fn settle(&self, now: DateTime<Utc>) {
        self.share(&mut lock(&self.state), now, Share::AtOnce);
    }

    /// The use of the account; reads what others left, and leaves no trace.
    pub fn gauge(&self, now: DateTime<Utc>) -> Gauge {
        let state = lock(&self.state);
        let mut record = match &self.ledger {
            Some(ledger) if state.shared.is_none() => ledger.peek().unwrap_or_default(),
            Some(_) | None => state.record.clone(),
        };
        record.prune(now);
        let rules = &self.rules;
        let (window, used, limit) = match record.told.filter(|told| told.limit > 0) {
            Some(told) => (Some("day"), told.used, Some(told.limit)),
            None if rules.per_hour > 0 => {
                (Some("hour"), record::used(&record.calls, HOUR, now, None), Some(rules.per_hour))
            }
            None if rules.per_day > 0 => {
                (Some("day"), record::used(&record.calls, DAY, now, None), Some(rules.per_day))
            }
            None => (None, record::used(&record.calls, DAY, now, None), None),
        };
        let ours = record::used(&record.calls, DAY, now, Some(self.workspace()));
        Gauge {
            side: rules.side,
            window,
            used,
            limit,
            reserve_percent: rules.reserve_percent,
            left: limit
                .map(|limit| Priority::Automatic.share(limit, rules.reserve_percent).saturating_sub(used)),
            ours,
            other_workspaces: record::used(&record.calls, DAY, now, None).saturating_sub(ours),
            hold: self.verdict(&record, Priority::Automatic, now),
        }
    }

    fn workspace(&self) -> &str {
        self.ledger.as_ref().map_or("", |ledger| ledger.workspace.as_str())
    }

    fn verdict(&self, record: &Record, priority: Priority, now: DateTime<Utc>) -> Option<Hold> {
        let rules = &self.rules;
        let hold = |until, code: &str, limit: String, used, most| Hold {
            side: rules.side,
            until,
            code: code.to_owned(),
            limit,
            used,
            most,
        };
        let figures = record.told.filter(|told| told.limit > 0);
        if let Some(blocked) = record.blocked.as_ref().filter(|blocked| now < blocked.until) {
            let (used, most) = figures.map(|told| (told.used, told.limit)).unzip();
            return Some(hold(blocked.until, &blocked.code, blocked.limit.clone(), used, most));
        }
        let share = |limit| priority.share(limit, rules.reserve_percent);
        if let Some(told) = figures.filter(|told| told.used >= share(told.limit)) {
            let until = told.at + believed(&told);
            if now < until {
                let limit = format!("daily limit of {}", rules.owner);
                return Some(hold(until, Hold::RESERVE, limit, Some(told.used), Some(told.limit)));
            }
        }
        [(rules.per_hour, HOUR, "hourly"), (rules.per_day, DAY, "daily")]
            .into_iter()
            .filter(|(most, ..)| *most > 0)
            .filter_map(|(most, span, word)| {
                let until = record::opens(&record.calls, span, share(most), now)?;
                let used = record::used(&record.calls, span, now, None);
                let limit = format!("{word} limit of {}", rules.owner);
                Some(hold(until, Hold::RESERVE, limit, Some(used), Some(most)))
            })
            .max_by_key(|hold| hold.until)
    }

    /// The error for whoever wanted to call.
    fn error(&self, hold: &Hold) -> PortError {
        let until = hold.until.format("%Y-%m-%d %H:%M UTC");
        let message = if hold.is_refusal() {
            format!(
                "No API calls are sent: {} was reached ({}). The rest waits until {until}.",
                sentence_part(hold),
                hold.code
            )
        } else {
            format!(
                "The API calls that we may use are used up: {}; the last {} % are left to others ({}). The rest waits until \
                 {until}. To use more, lower `{}`.",
                sentence_part(hold),
                self.rules.reserve_percent,
                hold.code,
                self.rules.reserve_setting
            )
        };
        PortError::new(PortClass::Limit, hold.code.clone(), message)
    }

    /// Exchanges what is new with the file.
    fn share(&self, state: &mut State, now: DateTime<Utc>, when: Share) {
        state.record.prune(now);
        let Some(ledger) = &self.ledger else { return };
        let counts_itself = self.rules.per_hour > 0 || self.rules.per_day > 0;
        let recent = state.shared.is_some_and(|at| (now - at).abs() < SHARED_EVERY);
        let nothing_new =
            state.calls == 0 && state.logins == 0 && !state.block_changed && !state.told_changed;
        if when == Share::WhenDue && recent && (nothing_new || !counts_itself) {
            return;
        }
        match exchange(ledger, state, now, |record| record.prune(now)) {
            Ok(()) => state.complained = false,
            Err(error) => {
                // The budget goes on in memory; saying so once is enough.
                if !std::mem::replace(&mut state.complained, true) {
                    tracing::warn!(file = %ledger.path.display(), %error, "The API budget can't be shared between workspaces.");
                }
            }
        }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The time of the last exchange is near enough for what came within a second of it, but not to judge what is old.
        if let (Some(ledger), Some(at)) = (&self.ledger, state.shared)
            && state.calls + state.logins > 0
        {
            let _ = exchange(ledger, state, at, |_| {});
        }
    }
}

/// When the file is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    /// If it is time again.
    WhenDue,
    /// In any case.
    AtOnce,
}

fn exchange(
    ledger: &Ledger,
    state: &mut State,
    now: DateTime<Utc>,
    prune: impl FnOnce(&mut Record),
) -> io::Result<()> {
    // A process that was stopped while it held the lock must not stop us too: what is new stays for the next time.
    let Some(mut file) = ledger.lock()? else { return Ok(()) };
    let mut record = file.read()?;
    prune(&mut record);
    let changed = state.calls > 0 || state.logins > 0 || state.block_changed || state.told_changed;
    record::count(&mut record.calls, &ledger.workspace, state.calls, now);
    record::count(&mut record.logins, &ledger.workspace, state.logins, now);
    if let Some(told) = state.record.told {
        record.take_told(told);
    }
    if state.block_changed {
        record.blocked.clone_from(&state.record.blocked);
    }
    if changed {
        file.write(&record)?;
    }
    state.record = record;
    (state.calls, state.logins) = (0, 0);
    (state.block_changed, state.told_changed) = (false, false);
    state.shared = Some(now);
    Ok(())
}

fn believed(told: &Told) -> TimeDelta {
    record::back_off(BELIEVED, told.strikes, BELIEVED_MOST)
}

fn sentence_part(hold: &Hold) -> String {
    format!("the {}", hold.what())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
