//! What people do to records past the API: make, change, delete, bring back, merge, convert, and many at once.

use serde_json::{Map, Value};

use super::unknown_object;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::write::convert::{Conversion, Deal, LeadConversion};
use crate::sandbox::org::write::merge::Merged;
use crate::sandbox::org::{Org, ids};

/// Whose act it is, and when.
#[derive(Debug, Clone, Copy)]
pub struct Acts<'a> {
    /// The user that the stamps will name.
    pub user: &'a str,
    /// The moment of the stamps, in milliseconds; now if left out. Rows written with the same moment share a stamp.
    pub at: Option<i64>,
}

impl<'a> Acts<'a> {
    /// Now, as this user.
    pub fn of(user: &'a str) -> Self {
        Self { user, at: None }
    }
}

impl Org {
    /// A person makes a record; gives its id.
    pub fn admin_insert(
        &self,
        object: &str,
        fields: &Map<String, Value>,
        as_user: &str,
    ) -> Result<String, RowError> {
        self.insert_as(Acts::of(as_user), object, fields)
    }

    /// [`admin_insert`](Self::admin_insert) at a moment.
    pub fn insert_as(
        &self,
        acts: Acts<'_>,
        object: &str,
        fields: &Map<String, Value>,
    ) -> Result<String, RowError> {
        let (place, shape) = self.schema.get(object).ok_or_else(|| unknown_object(object))?;
        self.as_person(acts.user, &[place], acts.at, |writer| writer.insert(place, fields))
            .map(|row| ids::mint(&shape.prefix, row))
    }

    /// A person makes many records in one transaction, with one stamp; gives the ids of the first and the last.
    pub fn insert_many_as(
        &self,
        acts: Acts<'_>,
        object: &str,
        rows: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Result<(String, String), RowError> {
        let (place, shape) = self.schema.get(object).ok_or_else(|| unknown_object(object))?;
        let (first, last) = self.as_person(acts.user, &[place], acts.at, |writer| {
            let mut span = None;
            for fields in rows {
                let row = writer.insert(place, &fields)?;
                span = Some((span.map_or(row, |(first, _)| first), row));
            }
            span.ok_or_else(|| RowError::new("MISSING_ARGUMENT", "There is no record to insert"))
        })?;
        Ok((ids::mint(&shape.prefix, first), ids::mint(&shape.prefix, last)))
    }

    /// Gives the first so many live rows of an object one `SystemModstamp`, as an automated process does: nobody has
    /// modified them. Gives how many there were.
    pub fn touch_many_as(&self, acts: Acts<'_>, object: &str, count: usize) -> Result<usize, RowError> {
        let place = self.schema.find(object).ok_or_else(|| unknown_object(object))?;
        self.as_person(acts.user, &[place], acts.at, |writer| Ok(writer.touch_many(place, count)))
    }

    /// A person changes a record.
    pub fn admin_update(
        &self,
        object: &str,
        id: &str,
        fields: &Map<String, Value>,
        as_user: &str,
    ) -> Result<String, RowError> {
        self.update_as(Acts::of(as_user), object, id, fields)
    }

    /// [`admin_update`](Self::admin_update) at a moment.
    pub fn update_as(
        &self,
        acts: Acts<'_>,
        object: &str,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(acts.user, &[place], acts.at, |writer| writer.update(place, row, fields))
            .map(|()| id.to_owned())
    }

    /// A person deletes a record.
    pub fn admin_delete(&self, object: &str, id: &str, as_user: &str) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, &[place], None, |writer| writer.delete(place, row)).map(|()| id.to_owned())
    }

    /// A person takes a record out of the recycle bin.
    pub fn admin_undelete(&self, object: &str, id: &str, as_user: &str) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, &[place], None, |writer| writer.undelete(place, row)).map(|()| id.to_owned())
    }

    /// A person deletes a record from the recycle bin, for good.
    pub fn admin_purge(&self, object: &str, id: &str, as_user: &str) -> Result<String, RowError> {
        let (place, row) = self.locate(object, id)?;
        self.as_person(as_user, &[place], None, |writer| writer.purge(place, row)).map(|()| id.to_owned())
    }

    /// A person merges one or two records into a master, which keeps its own values.
    pub fn admin_merge(
        &self,
        object: &str,
        master: &str,
        losers: &[&str],
        as_user: &str,
    ) -> Result<Merged, RowError> {
        self.admin_merge_with(object, master, losers, &Map::new(), as_user)
    }

    /// [`admin_merge`](Self::admin_merge), with values that the master takes.
    pub fn admin_merge_with(
        &self,
        object: &str,
        master: &str,
        losers: &[&str],
        fields: &Map<String, Value>,
        as_user: &str,
    ) -> Result<Merged, RowError> {
        let (place, row) = self.locate(object, master)?;
        let losers = losers
            .iter()
            .map(|id| self.locate(object, id).map(|found| found.1))
            .collect::<Result<Vec<_>, _>>()?;
        self.as_person(as_user, &[place], None, |writer| writer.merge(place, row, &losers, fields))
    }

    /// A person converts a lead, into an account that is given or new, with an opportunity when one is named.
    pub fn admin_convert_lead(
        &self,
        lead: &str,
        account: Option<&str>,
        opportunity: Option<&str>,
        as_user: &str,
    ) -> Result<Conversion, RowError> {
        let deal = match opportunity {
            None => Deal::None,
            Some("") => Deal::New,
            Some(name) => Deal::Named(name.to_owned()),
        };
        let wish = LeadConversion { account: account.map(str::to_owned), deal, ..LeadConversion::default() };
        self.admin_convert(lead, &wish, as_user)
    }

    /// A person converts a lead.
    pub fn admin_convert(
        &self,
        lead: &str,
        wish: &LeadConversion,
        as_user: &str,
    ) -> Result<Conversion, RowError> {
        let (_, row) = self.locate("Lead", lead)?;
        // All of it is one transaction, which is as late as its slowest part.
        let objects: Vec<usize> = ["Lead", "Account", "Contact", "Opportunity"]
            .iter()
            .filter_map(|name| self.schema.find(name))
            .collect();
        self.as_person(as_user, &objects, None, |writer| writer.convert_lead(row, wish))
    }
}
