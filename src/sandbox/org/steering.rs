//! What people, tests and the sandbox's own commands do to an org past its API.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};

use super::options::RowFaults;
use super::rest::Api;
use super::rights::{FieldPermission, ObjectPermission, Rights};
use super::row_error::RowError;
use super::table::Reach;
use super::write::admin::Conversion;
use super::write::{Actor, Writer};
use super::{Org, ids, locked, world};

fn unknown_object(name: &str) -> RowError {
    RowError::new("INVALID_TYPE", format!("sObject type '{name}' is not supported."))
}

impl Org {
    /// The org's id, 18 characters.
    pub fn org_id(&self) -> String {
        self.founders.org.clone()
    }

    /// The user that signs in through the API.
    pub fn integration_user_id(&self) -> String {
        self.founders.integration_user.clone()
    }

    /// A person who works in the org.
    pub fn person_user_id(&self) -> String {
        self.founders.person_user.clone()
    }

    /// Opens a session of the integration user and gives its token.
    pub fn access_token(&self) -> String {
        self.open_session(&self.founders.integration_user)
    }

    /// A refresh token of the integration user.
    pub fn refresh_token(&self) -> String {
        let seed = self.options.seed;
        self.sessions().refresh_token(seed, &self.founders.integration_user)
    }

    /// The options that the org was founded with.
    pub fn options(&self) -> &super::OrgOptions {
        &self.options
    }

    /// The id that the next row of an object will get.
    pub fn next_id(&self, object: &str) -> Option<String> {
        let (place, shape) = self.schema.get(object)?;
        Some(ids::mint(&shape.prefix, self.read_state().table(place)?.len()))
    }

    /// Puts a row in place without checks, flaws included; audit fields are taken as given. Gives the id, empty for an
    /// object that does not exist.
    pub fn seed_row(&self, object: &str, fields: &Map<String, Value>) -> String {
        self.seed_rows(object, std::iter::once(fields)).pop().unwrap_or_default()
    }

    /// [`seed_row`](Self::seed_row) for many rows at once.
    pub fn seed_rows<'f>(
        &self,
        object: &str,
        rows: impl IntoIterator<Item = &'f Map<String, Value>>,
    ) -> Vec<String> {
        let Some((place, shape)) = self.schema.get(object) else { return Vec::new() };
        let actor = self.person(&self.founders.person_user, 0);
        let mut state = self.write_state();
        let mut writer = Writer { schema: &self.schema, state: &mut state, actor: &actor };
        rows.into_iter()
            .filter_map(|fields| world::plant(&mut writer, place, fields))
            .map(|row| ids::mint(&shape.prefix, row))
            .collect()
    }

    fn person(&self, user: &str, late_ms: i64) -> Actor {
        let actor = self.actor(user, Arc::clone(&self.full_rights), self.clock.now_ms());
        // Faults are for the API; a person's save either works or shows its own message.
        Actor { late_ms, faults: None, save_duplicates: true, ..actor }
    }

    fn as_person<T>(
        &self,
        user: &str,
        write: impl FnOnce(&mut Writer<'_>) -> Result<T, RowError>,
    ) -> Result<T, RowError> {
        let late_ms = self.knobs().commit_delay_ms;
        let actor = self.person(user, late_ms);
        let mut state = self.write_state();
        let mut writer = Writer { schema: &self.schema, state: &mut state, actor: &actor };
        let mark = writer.state.begin();
        let result = write(&mut writer);
        if result.is_err() {
            writer.state.roll_back(&self.schema, mark);
        }
        state.commit();
        result
    }

    fn locate(&self, object: &str, id: &str) -> Result<(usize, u32), RowError> {
        let wanted = self.schema.find(object).ok_or_else(|| unknown_object(object))?;
        let found = ids::normalise(id).and_then(|id| self.read_state().locate(&self.schema, &id));
        found
            .filter(|found| found.0 == wanted)
            .ok_or_else(|| RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
    }

    /// A person makes a record; gives its id.
    pub fn admin_insert(
        &self,
        object: &str,
        fields: &Map<String, Value>,
        as_user: &str,
    ) -> Result<String, RowError> {
        let (place, shape) = self.schema.get(object).ok_or_else(|| unknown_object(object))?;
        self.as_person(as_user, |writer| writer.insert(place, fields))
            .map(|row| ids::mint(&shape.prefix, row))
    }

    /// A person changes a record.
    pub fn admin_update(
        &self,
        object: &str,
        id: &str,
        fields: &Map<String, Value>,
        as_user: &str,
    ) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, |writer| writer.update(place, row, fields)).map(|()| id.to_owned())
    }

    /// A person deletes a record.
    pub fn admin_delete(&self, object: &str, id: &str, as_user: &str) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, |writer| writer.delete(place, row)).map(|()| id.to_owned())
    }

    /// A person takes a record out of the recycle bin.
    pub fn admin_undelete(&self, object: &str, id: &str, as_user: &str) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, |writer| writer.undelete(place, row)).map(|()| id.to_owned())
    }

    /// A person merges records into a master.
    pub fn admin_merge(
        &self,
        object: &str,
        master: &str,
        losers: &[&str],
        as_user: &str,
    ) -> Result<(), RowError> {
        let (place, row) = self.locate(object, master)?;
        let losers = losers
            .iter()
            .map(|id| self.locate(object, id).map(|found| found.1))
            .collect::<Result<Vec<_>, _>>()?;
        self.as_person(as_user, |writer| writer.merge(place, row, &losers))
    }

    /// A person converts a lead, into an account that is given or new, with an opportunity when one is named.
    pub fn admin_convert_lead(
        &self,
        lead: &str,
        account: Option<&str>,
        opportunity: Option<&str>,
        as_user: &str,
    ) -> Result<Conversion, RowError> {
        let (_, row) = self.locate("Lead", lead)?;
        self.as_person(as_user, |writer| writer.convert_lead(row, account, opportunity))
    }

    fn api(&self, user: &str) -> Api<'_> {
        Api {
            org: self,
            user: user.to_owned(),
            version: "67.0".to_owned(),
            base: self.knobs().base.clone(),
            rights: Arc::clone(&self.full_rights),
            held: None,
            now: self.clock.now_ms(),
        }
    }

    fn row_map(api: &Api<'_>, object: usize, place: u32) -> Option<Map<String, Value>> {
        match api.row_json(object, place) {
            Some(Value::Object(mut row)) => {
                row.remove("attributes");
                Some(row)
            }
            Some(_) | None => None,
        }
    }

    /// A user's row.
    pub(super) fn user_row(&self, id: &str) -> Option<Map<String, Value>> {
        let (object, place) = self.locate("User", id).ok()?;
        Self::row_map(&self.api(id), object, place)
    }

    /// One live row as the API would show it, without `attributes`.
    pub fn row(&self, object: &str, id: &str) -> Option<Map<String, Value>> {
        let (object, place) = self.locate(object, id).ok()?;
        Self::row_map(&self.api(""), object, place)
    }

    /// All live rows of an object as the API would show them, without `attributes`.
    pub fn rows(&self, object: &str) -> Vec<Map<String, Value>> {
        let Some(place) = self.schema.find(object) else { return Vec::new() };
        let count = self.read_state().table(place).map_or(0, super::table::Table::len);
        let api = self.api("");
        (0..count).filter_map(|row| Self::row_map(&api, place, row)).collect()
    }

    /// Ids of the live rows of an object that a reader sees now.
    pub fn ids(&self, object: &str) -> Vec<String> {
        let Some((place, shape)) = self.schema.get(object) else { return Vec::new() };
        let (state, now) = (self.read_state(), self.clock.now_ms());
        let Some(table) = state.table(place) else { return Vec::new() };
        (0..table.len())
            .filter(|row| table.visible(*row, now, Reach::Live).is_some())
            .map(|row| ids::mint(&shape.prefix, row))
            .collect()
    }

    /// Number of live rows of an object.
    pub fn count(&self, object: &str) -> usize {
        let Some(place) = self.schema.find(object) else { return 0 };
        self.read_state().table(place).map_or(0, super::table::Table::live)
    }

    /// Names of all objects.
    pub fn objects(&self) -> Vec<String> {
        self.schema.objects.iter().map(|object| object.name.clone()).collect()
    }

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

    /// The SOQL `condition` counted over all live rows of an object, or why it cannot be.
    pub fn count_where(&self, object: &str, condition: &str) -> Result<usize, String> {
        let soql = format!("SELECT Id FROM {object} WHERE {condition}");
        let query = super::soql::parser::parse(&soql).map_err(|error| error.message)?;
        self.api("").read_for(&soql, |world| {
            let bound = super::soql::bind::bind(world, &query).map_err(|error| error.message)?;
            Ok(super::soql::execute::places(world, &bound, Reach::Live).len())
        })
    }
}
