//! What people, tests and the sandbox's own commands do to an org past its API.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::rest::Api;
use super::row_error::RowError;
use super::table::Reach;
use super::write::{Actor, Writer, atomic};
use super::{Org, ids, world};
pub use acts::Acts;

mod acts;
mod switches;

pub(super) fn unknown_object(name: &str) -> RowError {
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

    /// The ids that the next rows of an object will get, after so many others.
    pub fn ids_to_come(&self, object: &str, after: usize, count: usize) -> Vec<String> {
        let Some((place, shape)) = self.schema.get(object) else { return Vec::new() };
        let first = self.read_state().table(place).map_or(0, super::table::Table::len) as usize + after;
        (first..first + count).map(|row| ids::mint(&shape.prefix, row as u32)).collect()
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
        let actor = Actor { late_ms: 0, ..self.person(&self.founders.person_user, &[], None) };
        let mut state = self.write_state();
        let mut writer = Writer { schema: &self.schema, state: &mut state, actor: &actor };
        rows.into_iter()
            .filter_map(|fields| world::plant(&mut writer, place, fields))
            .map(|row| ids::mint(&shape.prefix, row))
            .collect()
    }

    fn person(&self, user: &str, objects: &[usize], at: Option<i64>) -> Actor {
        let now = at.map_or_else(|| self.clock.now_ms(), |at| at.div_euclid(1_000) * 1_000);
        let actor = self.actor(user, Arc::clone(&self.full_rights), now);
        // Faults are for the API; a person's save either works or shows its own message.
        Actor { late_ms: self.late_ms(objects, user), faults: None, save_duplicates: true, ..actor }
    }

    /// Lets a person write, in one transaction. `objects` are those that it touches, `at` is the stamp, now if left out.
    pub(super) fn as_person<T>(
        &self,
        user: &str,
        objects: &[usize],
        at: Option<i64>,
        write: impl FnOnce(&mut Writer<'_>) -> Result<T, RowError>,
    ) -> Result<T, RowError> {
        let actor = self.person(user, objects, at);
        let mut state = self.write_state();
        let mut writer = Writer { schema: &self.schema, state: &mut state, actor: &actor };
        let result = atomic(&mut writer, write);
        state.commit();
        result
    }

    pub(super) fn locate(&self, object: &str, id: &str) -> Result<(usize, u32), RowError> {
        let wanted = self.schema.find(object).ok_or_else(|| unknown_object(object))?;
        let found = ids::normalise(id).and_then(|id| self.read_state().locate(&self.schema, &id));
        found
            .filter(|found| found.0 == wanted)
            .ok_or_else(|| RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
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
