//! Rows as records.
//!
//! An enrollment is known by its user and its own id, so that it can be read again through its user. An unenrollment is known by user,
//! course and time and holds nothing else: it stays what it is whatever becomes of the enrollment, which forgets the time once its
//! user enrolls again (F33).

use chrono::{DateTime, NaiveDateTime, Utc};

use super::NovoEd;
use super::feed::{DataSet, moment};
use super::offering::Offerings;
use super::rows::{Row, Rows};
use crate::domain::port::PortError;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{FieldKind, ObjectSchema};
use crate::domain::value::Value;

/// What begins the name of a column that the profile does not know.
const FURTHER: &str = "column.";

/// The time in the id of an unenrollment.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// Who left which course, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unenrollment {
    pub(super) user: String,
    pub(super) course: String,
    pub(super) at: DateTime<Utc>,
}

impl Unenrollment {
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.user, self.course, self.at.format(TIME))
    }

    /// What an id says.
    pub(super) fn of(id: &str) -> Option<Self> {
        let (user, rest) = id.split_once('/')?;
        let (course, at) = rest.rsplit_once('/')?;
        let at = NaiveDateTime::parse_from_str(at, TIME).ok()?.and_utc();
        Some(Self { user: user.to_owned(), course: course.to_owned(), at })
    }

    pub(super) fn record(&self, selection: &Selection) -> Record {
        let id = self.id();
        let value = |name: &str| match name.to_ascii_lowercase().as_str() {
            "id" => Some(Value::text(id.as_str())),
            "user_id" => Some(Value::text(self.user.as_str())),
            "catalog_id" => Some(Value::text(self.course.as_str())),
            "unenrolled_at" => Some(Value::Moment(self.at)),
            _ => None,
        };
        let values = selection.names().iter().map(|name| value(name)).collect();
        let id = RecordId::new(id.as_str());
        Record { id, stamp: Some(self.at), author: None, values, became: Vec::new() }
    }
}

/// The user of an enrollment, by its id.
pub(super) fn user_of(id: &str) -> Option<&str> {
    id.split_once('/').map(|(user, _)| user)
}

impl NovoEd {
    /// Rows as records, without those whose course stays out. A row of which nobody can say whose it is is an error: its columns
    /// have other names.
    pub(super) fn records(
        &self,
        object: &str,
        selection: &Selection,
        rows: &Rows,
        offerings: Option<&Offerings>,
    ) -> Result<Vec<Record>, PortError> {
        let profile = self.object(object)?;
        let set = DataSet::of(object);
        let needed: &[&str] = match object {
            "user" => &["user_id", "email"],
            "course" => &["catalog_id"],
            "enrollment" => &["user_id", "catalog_id", "enrollment_id"],
            _ => &["user_id", "catalog_id", "unenrolled_at"],
        };
        if let Some(missing) = needed.iter().find(|name| !rows.has(self.names.column(set.word(), name)))
            && !rows.is_empty()
        {
            return Err(self.missing_column(set, missing, rows));
        }
        let schema = self.schema(profile);
        let mut records = Vec::with_capacity(rows.len());
        let mut nameless = 0_usize;
        for row in rows.iter() {
            let stamp = self.cell(set, row, "updated_at").and_then(|text| moment(text, self.names.zone));
            let course = self.cell(set, row, "catalog_id").filter(|_| set != DataSet::Users);
            if let (Some(course), Some(offerings)) = (course, offerings)
                && !offerings.takes(course, stamp)
            {
                continue;
            }
            match object {
                "unenrollment" => records.extend(self.unenrollment(row).map(|left| left.record(selection))),
                _ => match self.record(object, &schema, selection, row, stamp) {
                    Some(record) => records.push(record),
                    None => nameless += 1,
                },
            }
        }
        if nameless > 0 {
            tracing::warn!(data_set = set.word(), rows = nameless, "Rows without an id were passed over.");
        }
        Ok(records)
    }

    /// What stands in a column of ours, unless it is blank.
    pub(super) fn cell<'a>(&self, set: DataSet, row: Row<'a>, ours: &str) -> Option<&'a str> {
        row.filled(self.names.column(set.word(), ours))
    }

    fn unenrollment(&self, row: Row<'_>) -> Option<Unenrollment> {
        let cell = |ours| self.cell(DataSet::Enrollments, row, ours);
        let at = moment(cell("unenrolled_at")?, self.names.zone)?;
        // Two looks at one time must not differ by a fraction of a second.
        let at = DateTime::from_timestamp(at.timestamp(), 0)?;
        Some(Unenrollment { user: cell("user_id")?.to_owned(), course: cell("catalog_id")?.to_owned(), at })
    }

    fn record(
        &self,
        object: &str,
        schema: &ObjectSchema,
        selection: &Selection,
        row: Row<'_>,
        stamp: Option<DateTime<Utc>>,
    ) -> Option<Record> {
        let set = DataSet::of(object);
        let id = match object {
            "user" => self.cell(set, row, "user_id")?.to_owned(),
            "course" => self.cell(set, row, "catalog_id")?.to_owned(),
            _ => format!("{}/{}", self.cell(set, row, "user_id")?, self.cell(set, row, "enrollment_id")?),
        };
        let value = |name: &str| {
            let name = name.to_ascii_lowercase();
            if name == "id" {
                return Some(Value::text(id.as_str()));
            }
            let column = name.strip_prefix(FURTHER).unwrap_or_else(|| self.names.column(set.word(), &name));
            let kind = schema.field(&name).map(|field| field.kind).unwrap_or_default();
            Some(self.value(kind, row.get(column)?))
        };
        let values = selection.names().iter().map(|name| value(name)).collect();
        Some(Record { id: RecordId::new(id.as_str()), stamp, author: None, values, became: Vec::new() })
    }

    /// What a cell holds; a moment that can't be read is kept as it is.
    fn value(&self, kind: FieldKind, text: &str) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        match kind {
            FieldKind::Moment => {
                moment(text, self.names.zone).map_or_else(|| Value::text(text), Value::Moment)
            }
            _ => Value::text(text),
        }
    }
}
