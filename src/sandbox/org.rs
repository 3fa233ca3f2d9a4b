//! A Salesforce org in memory, served over real HTTP: sign-in, describe, SOQL, records, collections, composite, change
//! detection and limits, with a recycle bin, users, rights and virtual time. It refuses what the real service refuses,
//! in its codes and words. Nothing of it is shared with the client that it judges.
//!
//! `schema` says what there is, `state` and `table` hold the rows, `write` checks and changes them, `soql` finds them,
//! `rest`, `sign_in` and `http` speak to clients. What steers the org from outside is in this file.

mod automation;
mod cell;
mod http;
mod ids;
mod lateness;
mod moment;
mod options;
mod pace;
mod rest;
mod rights;
mod row_error;
mod schema;
mod sign_in;
mod soap;
mod soql;
mod state;
mod steering;
mod table;
mod usage;
mod world;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use automation::{AutomationRule, Condition, Occasion};
pub use lateness::LateCommits;
pub use options::{OrgOptions, RowFaults};
pub use rights::{FieldChange, FieldPermission, ObjectPermission};
pub use row_error::RowError;
pub use schema::{ExtraSchema, SchemaError};
pub use sign_in::Approval;
pub use steering::Acts;
pub use write::convert::{Conversion, Deal, LeadConversion, LeadSource};
pub use write::merge::Merged;

use crate::sandbox::clock::SandboxClock;
use automation::{Automation, By};
use lateness::BoundLateness;
use rest::{Cursors, Deployments, Jobs};
use rights::Rights;
use schema::Schema;
use sign_in::Sessions;
use state::State;
use usage::Usage;
use write::{Actor, Writer};

/// What can be turned while the org runs.
#[derive(Default)]
struct Knobs {
    daily_limit: u64,
    commit_delay_ms: i64,
    schema_modified: i64,
    base: String,
    faults: Option<Arc<dyn RowFaults>>,
    duplicate_rule: bool,
    automation: Arc<Automation>,
    /// The rules as they were ordered, to be shown.
    automation_rules: Vec<AutomationRule>,
    lateness: Arc<[BoundLateness]>,
    late_commits: Vec<LateCommits>,
    /// Rows on a page of a query, where it is fewer than the service usually gives.
    page_rows: Option<usize>,
    /// What the person at the browser does, and what the app is like.
    approval: Approval,
    callback_urls: Vec<String>,
    app_scopes: Vec<String>,
    require_secret: bool,
    rotate_refresh_tokens: bool,
}

/// Ids that the org was founded with.
#[derive(Default)]
struct Founders {
    org: String,
    integration_user: String,
    person_user: String,
    automation_user: String,
}

/// The org.
pub struct Org {
    options: OrgOptions,
    clock: Arc<SandboxClock>,
    schema: Schema,
    state: RwLock<State>,
    rights: RwLock<Arc<Rights>>,
    full_rights: Arc<Rights>,
    sessions: Mutex<Sessions>,
    cursors: Mutex<Cursors>,
    jobs: Mutex<Jobs>,
    usage: Mutex<Usage>,
    knobs: Mutex<Knobs>,
    pace: pace::Pace,
    deployments: Mutex<Deployments>,
    founders: Founders,
    created: i64,
}

/// Waits for a lock; one that a panicking thread left behind is still good, for every write is a whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Org {
    /// Founds an org: its schema, its users, its record types and stages. It has no customers yet.
    pub fn new(options: OrgOptions, clock: Arc<SandboxClock>) -> Arc<Self> {
        let schema = schema::load(options.person_accounts, &options.extra_schema);
        let mut state = State::new(&schema);
        let now = clock.now_ms();
        let founders = world::found(&schema, &mut state, &options, now);
        let knobs = Knobs {
            daily_limit: options.daily_limit,
            duplicate_rule: options.duplicate_rule,
            schema_modified: now.div_euclid(1_000) * 1_000,
            callback_urls: options.callback_urls.clone(),
            app_scopes: options.app_scopes.clone(),
            require_secret: options.require_secret,
            ..Knobs::default()
        };
        Arc::new(Self {
            schema,
            state: RwLock::new(state),
            rights: RwLock::default(),
            full_rights: Arc::default(),
            sessions: Mutex::default(),
            cursors: Mutex::default(),
            jobs: Mutex::default(),
            pace: pace::Pace::default(),
            usage: Mutex::default(),
            knobs: Mutex::new(knobs),
            deployments: Mutex::default(),
            founders,
            created: now - world::AGE_MS,
            options,
            clock,
        })
    }

    /// Everything under `/services` and `/id`.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        http::router(self)
    }

    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !state.has_due(self.clock.now_ms()) {
            return state;
        }
        drop(state);
        // What the automation should have written by now, it has written before anybody looks.
        drop(self.write_state());
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        self.run_due(&mut state, now);
        state.tables.iter_mut().for_each(|table| table.settle(now));
        state
    }

    /// Does what the automation has put off and is due, each write in its own transaction and with its own stamp.
    fn run_due(&self, state: &mut State, now: i64) {
        while let Some(task) = state.take_due(now) {
            let user = &self.founders.automation_user;
            let actor = self.actor(user, Arc::clone(&self.full_rights), task.due);
            let late_ms = self.late_ms(&[task.object], user);
            let actor = Actor { late_ms, save_duplicates: true, faults: None, is_automation: true, ..actor };
            state.tables.iter_mut().for_each(|table| table.settle(task.due));
            let mut writer = Writer { schema: &self.schema, state, actor: &actor };
            // A row that is gone meanwhile is no concern of the automation any more.
            let _ = write::atomic(&mut writer, |writer| writer.run_task(&task));
            state.commit();
        }
    }

    /// How late a user's write to these objects commits.
    fn late_ms(&self, objects: &[usize], user: &str) -> i64 {
        let knobs = self.knobs();
        let named = lateness::delay_ms(&knobs.lateness, objects, user);
        let general = if user == self.founders.integration_user { 0 } else { knobs.commit_delay_ms };
        named.max(general)
    }

    /// The users behind a word for them.
    fn users_behind(&self, word: &str) -> Result<By, String> {
        match word {
            "anyone" => Ok(By::Anyone),
            "others" => Ok(By::AnyoneBut(self.founders.integration_user.clone())),
            "integration" => Ok(By::User(self.founders.integration_user.clone())),
            "person" => Ok(By::User(self.founders.person_user.clone())),
            id => ids::normalise(id).filter(|id| id.starts_with("005")).map(By::User).ok_or_else(|| {
                format!("{id} is neither anyone, others, integration, person nor the id of a user")
            }),
        }
    }

    fn deployments(&self) -> MutexGuard<'_, Deployments> {
        locked(&self.deployments)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    fn cursors(&self) -> MutexGuard<'_, Cursors> {
        locked(&self.cursors)
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        locked(&self.jobs)
    }

    fn knobs(&self) -> MutexGuard<'_, Knobs> {
        locked(&self.knobs)
    }

    /// When the org was founded, in milliseconds.
    fn created_ms(&self) -> i64 {
        self.created
    }

    fn schema_modified_ms(&self) -> i64 {
        self.knobs().schema_modified
    }

    fn remember_base(&self, base: &str) {
        let mut knobs = self.knobs();
        if knobs.base != base {
            base.clone_into(&mut knobs.base);
        }
    }

    /// The rights of a user: the integration user's can be cut, people have all.
    fn rights_of(&self, user: &str) -> Arc<Rights> {
        if user == self.founders.integration_user {
            Arc::clone(&self.rights.read().unwrap_or_else(PoisonError::into_inner))
        } else {
            Arc::clone(&self.full_rights)
        }
    }

    /// Who writes through the API.
    fn actor(&self, user: &str, rights: Arc<Rights>, now: i64) -> Actor {
        let knobs = self.knobs();
        Actor {
            user: user.to_owned(),
            rights,
            now,
            late_ms: 0,
            save_duplicates: false,
            duplicate_rule: knobs.duplicate_rule,
            faults: knobs.faults.clone(),
            automation: Arc::clone(&knobs.automation),
            is_automation: false,
        }
    }

    fn open_session(&self, user: &str) -> String {
        let org15 = self.founders.org.get(..15).unwrap_or_default().to_owned();
        self.sessions().open(&org15, self.options.seed, user, self.clock.now_ms())
    }

    /// The user behind a name and a password with its security token; wrong ones count towards the lock.
    fn check_password(&self, username: &str, password: &str) -> Result<String, ()> {
        let expected = format!("{}{}", self.options.password, self.options.security_token);
        let mut sessions = self.sessions();
        if !username.eq_ignore_ascii_case(&self.options.username) {
            return Err(());
        }
        if sessions.locked {
            return Err(());
        }
        if password != expected {
            sessions.wrong_password();
            return Err(());
        }
        sessions.right_password();
        Ok(self.founders.integration_user.clone())
    }

    /// Counts a call; gives what is used, what is allowed, and whether the call is.
    fn count_call(&self, now: i64, free: bool) -> (u64, u64, bool) {
        let max = self.knobs().daily_limit;
        let mut usage = locked(&self.usage);
        let used = usage.used(now);
        if used >= max {
            return (used, max, free);
        }
        usage.count(now);
        (used + 1, max, true)
    }

    /// Calls of the last 24 hours and how many are allowed.
    fn usage(&self) -> (u64, u64) {
        let max = self.knobs().daily_limit;
        (locked(&self.usage).used(self.clock.now_ms()), max)
    }
}

#[cfg(test)]
mod tests;
