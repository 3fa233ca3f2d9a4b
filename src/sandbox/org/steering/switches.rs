//! The switches of an org: faults, locks, rights, limits, automation, late commits.

use std::sync::{Arc, PoisonError};

use crate::sandbox::org::automation::{Automation, AutomationRule, BoundRule};
use crate::sandbox::org::lateness::{BoundLateness, LateCommits};
use crate::sandbox::org::options::RowFaults;
use crate::sandbox::org::rights::{FieldChange, FieldPermission, ObjectPermission, Rights};
use crate::sandbox::org::schema::Kind;
use crate::sandbox::org::{Approval, Org, locked};

impl Org {
    /// Sets what decides about faults of single rows.
    pub fn set_row_faults(&self, faults: Arc<dyn RowFaults>) {
        self.knobs().faults = Some(faults);
    }

    /// Locks or unlocks the integration user; its sessions end with the lock.
    pub fn set_locked(&self, locked: bool) {
        let mut sessions = self.sessions();
        sessions.locked = locked;
        if locked {
            sessions.expire_all();
        } else {
            sessions.right_password();
        }
    }

    /// Takes the API away from the org, or gives it back.
    pub fn set_api_disabled(&self, disabled: bool) {
        self.sessions().api_disabled = disabled;
    }

    /// Lets the integration user's password expire; sessions opened afterwards are good for nothing.
    pub fn set_password_expired(&self, expired: bool) {
        self.sessions().password_expired = expired;
    }

    /// Ends every session: the next call of each client gets 401.
    pub fn expire_sessions(&self) {
        self.sessions().expire_all();
    }

    /// Says what the person does who signs in in the browser.
    pub fn set_approval(&self, approval: Approval) {
        self.knobs().approval = approval;
    }

    /// Sets the addresses to which the app lets a browser come back.
    pub fn set_callback_urls(&self, urls: Vec<String>) {
        self.knobs().callback_urls = urls;
    }

    /// Sets the scopes that the app offers.
    pub fn set_app_scopes(&self, scopes: Vec<String>) {
        self.knobs().app_scopes = scopes;
    }

    /// Says whether the app wants its secret where it proves itself by a verifier or a refresh token.
    pub fn set_require_secret(&self, required: bool) {
        self.knobs().require_secret = required;
    }

    /// Lets every renewal of a session replace the refresh token; the old one is dead then.
    pub fn set_rotate_refresh_tokens(&self, rotates: bool) {
        self.knobs().rotate_refresh_tokens = rotates;
    }

    /// How many refresh tokens count.
    pub fn refresh_tokens(&self) -> usize {
        self.sessions().refresh_tokens()
    }

    /// Kills every open query locator.
    pub fn expire_locators(&self) {
        self.cursors().clear();
    }

    fn change_rights(&self, change: impl FnOnce(&mut Rights)) {
        {
            let mut rights = self.rights.write().unwrap_or_else(PoisonError::into_inner);
            change(Arc::make_mut(&mut rights));
        }
        let mut knobs = self.knobs();
        // Past the second that a client may have noted, so that its next conditional describe is answered in full.
        knobs.schema_modified =
            (self.clock.now_ms().div_euclid(1_000) * 1_000).max(knobs.schema_modified + 1_000);
    }

    /// Sets what the integration user may do with a field; `false` when there is no such field.
    pub fn set_field_permission(&self, object: &str, field: &str, permission: FieldPermission) -> bool {
        let Some((place, shape)) = self.schema.get(object) else { return false };
        let Some(field) = shape.field(field) else { return false };
        self.change_rights(|rights| rights.set_field(place, field, permission));
        true
    }

    /// Changes a field for the API as an admin would in Setup, in the place of what was changed before; `false` when there is no such
    /// field, or no such kind.
    pub fn change_field(&self, object: &str, field: &str, change: FieldChange) -> bool {
        let Some((place, shape)) = self.schema.get(object) else { return false };
        let Some(field) = shape.field(field) else { return false };
        if change.kind.as_deref().is_some_and(|word| Kind::from_word(word).is_none()) {
            return false;
        }
        self.change_rights(|rights| rights.change_field(place, field, change));
        true
    }

    /// Sets what the integration user may do with an object's rows; `false` when there is no such object.
    pub fn set_object_permission(&self, object: &str, permission: ObjectPermission) -> bool {
        let Some(place) = self.schema.find(object) else { return false };
        self.change_rights(|rights| rights.set_object(place, permission));
        true
    }

    /// Lets people's writes become visible so much later than their stamp says, as a long transaction's do.
    pub fn set_commit_delay(&self, ms: i64) {
        self.knobs().commit_delay_ms = ms;
    }

    /// Sets how long bulk jobs take, in milliseconds of the org's time.
    pub fn set_job_delay(&self, ms: i64) {
        self.jobs().takes_ms = ms;
    }

    /// Lets every job that writes from now on fail after so many rows, as one does that was cut off; `None` lets them through.
    pub fn set_jobs_break_after(&self, rows: Option<usize>) {
        self.jobs().break_after = rows;
    }

    /// Lets every job that is not done fail, with these words; tells how many.
    pub fn fail_jobs(&self, message: &str) -> usize {
        self.jobs().fail(message)
    }

    /// Sets how many rows a page of a query has at most, and a page of a job's results; `None` is what the service usually gives.
    pub fn set_page_rows(&self, query: Option<usize>, job: Option<usize>) {
        self.knobs().page_rows = query;
        self.jobs().page_rows = job;
    }

    /// Rows that jobs carried more than once, by object and key.
    pub fn rows_carried_twice(&self) -> Vec<String> {
        let jobs = self.jobs();
        jobs.carried.iter().filter(|(_, times)| **times > 1).map(|(key, _)| key.clone()).collect()
    }

    /// How many jobs are at work: begun, and not done.
    pub fn jobs_at_work(&self) -> usize {
        self.jobs().at_work()
    }

    /// How many rows jobs carried so far.
    pub fn rows_carried(&self) -> usize {
        self.jobs().carried.len()
    }

    /// Sets how many records go in and out in a second at most; 0 is no limit.
    pub fn set_records_per_second(&self, rows: u64) {
        self.pace.set(rows);
    }

    /// Records that went in or out so far.
    pub fn records_moved(&self) -> u64 {
        self.pace.all()
    }

    /// Switches the duplicate rule for e-mails of contacts and leads.
    pub fn set_duplicate_rule(&self, on: bool) {
        self.knobs().duplicate_rule = on;
    }

    /// Sets how many API calls 24 hours allow.
    pub fn set_daily_limit(&self, limit: u64) {
        self.knobs().daily_limit = limit;
    }

    /// Says that others have made so many calls in the last 24 hours.
    pub fn set_calls_by_others(&self, calls: u64) {
        locked(&self.usage).elsewhere = calls;
    }

    /// Calls counted against the limit in the last 24 hours.
    pub fn api_calls_used(&self) -> u64 {
        self.usage().0
    }

    /// Forgets all counted calls.
    pub fn reset_api_calls(&self) {
        locked(&self.usage).reset();
    }

    /// Puts these automation rules in the place of all there were; what older ones have put off is dropped. Refuses the
    /// whole list, with a sentence, when one does not fit the schema.
    pub fn set_automation(&self, rules: Vec<AutomationRule>) -> Result<(), String> {
        let bound = rules
            .iter()
            .map(|rule| BoundRule::bind(&self.schema, rule, self.users_behind(&rule.by)?))
            .collect::<Result<Vec<_>, String>>()?;
        self.write_state().drop_tasks();
        let mut knobs = self.knobs();
        knobs.automation = Arc::new(Automation { rules: bound });
        knobs.automation_rules = rules;
        Ok(())
    }

    /// The automation rules in force.
    pub fn automation(&self) -> Vec<AutomationRule> {
        self.knobs().automation_rules.clone()
    }

    /// How many writes the automation has put off.
    pub fn automation_pending(&self) -> usize {
        self.read_state().tasks()
    }

    /// Lets writes commit late from now on, in the place of what was said before; open transactions commit when they
    /// would have.
    pub fn set_late_commits(&self, ordered: Vec<LateCommits>) -> Result<(), String> {
        let bound = ordered
            .iter()
            .map(|late| BoundLateness::bind(&self.schema, late, self.users_behind(&late.by)?))
            .collect::<Result<Vec<_>, String>>()?;
        let mut knobs = self.knobs();
        knobs.lateness = bound.into();
        knobs.late_commits = ordered;
        Ok(())
    }

    /// Whose writes commit late.
    pub fn late_commits(&self) -> Vec<LateCommits> {
        self.knobs().late_commits.clone()
    }

    /// How many rows have been written by transactions that have not committed yet.
    pub fn open_rows(&self) -> usize {
        let now = self.clock.now_ms();
        self.read_state().tables.iter().map(|table| table.open_rows(now)).sum()
    }
}
