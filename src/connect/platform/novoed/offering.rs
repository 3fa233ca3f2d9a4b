//! Which courses stay out, and with them what hangs on them: past offerings unless they are asked for (F42), and those that are not
//! in production mode where somebody wants only these (F40). A course that the list does not know is taken along.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::NovoEd;
use super::feed::{DataSet, moment};
use super::rows::{Row, Rows};
use super::service::Patience;
use super::settings::Names;
use crate::domain::port::{PortClass, PortError};

/// So long a list of the courses is trusted.
const TRUSTED_MINUTES: i64 = 10;

/// A course as far as taking part is concerned.
#[derive(Clone, Debug)]
pub(super) struct Offering {
    /// Over before the connection was made.
    pub(super) past: bool,
    /// Whether it is in production mode; nothing where nobody can tell.
    pub(super) production: Option<bool>,
    /// The name people see.
    pub(super) title: String,
}

/// All courses, by catalog id.
#[derive(Debug, Default)]
pub(super) struct Offerings {
    known: HashMap<String, Offering>,
    past_offerings: bool,
    past_since: Option<DateTime<Utc>>,
    production_only: bool,
}

impl Offerings {
    /// Whether a course takes part, or a row of it that was last changed then.
    pub(super) fn takes(&self, catalog_id: &str, changed: Option<DateTime<Utc>>) -> bool {
        let Some(offering) = self.known.get(catalog_id) else { return true };
        let too_old = || self.past_since.zip(changed).is_some_and(|(since, changed)| changed < since);
        let past = offering.past && (!self.past_offerings || too_old());
        let testing = self.production_only && offering.production == Some(false);
        !past && !testing
    }

    pub(super) fn knows(&self, catalog_id: &str) -> bool {
        self.known.contains_key(catalog_id)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn past(&self) -> usize {
        self.known.values().filter(|offering| offering.past).count()
    }

    /// The titles of the courses that are not in production mode.
    pub(super) fn testing(&self) -> Vec<&str> {
        let testing = self.known.values().filter(|offering| offering.production == Some(false));
        let mut titles: Vec<&str> = testing.map(|offering| offering.title.as_str()).collect();
        titles.sort_unstable();
        titles
    }

    /// Whether anybody can tell which courses are in production mode.
    pub(super) fn tells_production(&self) -> bool {
        self.known.values().any(|offering| offering.production.is_some())
    }

    /// What stays out, for the log of a run.
    pub(super) fn told(&self) -> Option<String> {
        let out = self.known.keys().filter(|id| !self.takes(id, None)).count();
        (out > 0).then(|| {
            format!(
                "Of {} courses {out} stay out with their enrollments: past offerings, or not in production mode.",
                self.known.len()
            )
        })
    }
}

impl Names {
    /// Whether any course may stay out.
    fn leaves_out(&self) -> bool {
        let past = self.connected_on.is_some() && (!self.past_offerings || self.past_since.is_some());
        past || self.production_only
    }

    /// What a row of the courses says.
    fn offering(&self, row: Row<'_>) -> Offering {
        let words = |column: &str, words: &[String]| {
            row.filled(column).map(|text| words.contains(&text.to_lowercase()))
        };
        let ends = row.filled(&self.ends_column).and_then(|text| moment(text, self.zone));
        let updated = row.filled(self.column("courses", "updated_at"));
        // A course that tells no end was closed when it was last changed.
        let ended = ends.or_else(|| {
            let closed = words(&self.state_column, &self.closed_words) == Some(true);
            updated.filter(|_| closed).and_then(|text| moment(text, self.zone))
        });
        Offering {
            past: ended.zip(self.connected_on).is_some_and(|(ended, connected)| ended < connected),
            production: words(&self.production_column, &self.production_words),
            title: row.get(self.column("courses", "title")).unwrap_or_default().to_owned(),
        }
    }
}

impl NovoEd {
    /// The courses that decide about these rows; nothing where nothing hangs on a course.
    pub(super) async fn offerings_for(
        &self,
        object: &str,
        rows: &Rows,
    ) -> Result<Option<Arc<Offerings>>, PortError> {
        let unknown = |offerings: &Offerings| {
            let column = self.names.column(DataSet::of(object).word(), "catalog_id");
            rows.iter().filter_map(|row| row.filled(column)).any(|id| !offerings.knows(id))
        };
        match DataSet::of(object) {
            DataSet::Users => return Ok(None),
            _ if !self.names.leaves_out() => return Ok(None),
            DataSet::Courses | DataSet::Enrollments if rows.is_empty() => return Ok(None),
            // Rows of the courses speak for themselves, and are newer than any list.
            DataSet::Courses => {
                let mut offerings = self.no_offerings();
                self.learn(&mut offerings, rows)?;
                return Ok(Some(Arc::new(offerings)));
            }
            DataSet::Enrollments => {}
        }
        let now = self.service.now();
        let held = self.offerings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, offerings)) = held {
            let age = now - read;
            // A course of a moment ago is worth another look, though not with every page.
            let fresh = age < TimeDelta::seconds(30) || !unknown(&offerings);
            if age < TimeDelta::minutes(TRUSTED_MINUTES) && fresh {
                return Ok(Some(offerings));
            }
        }
        self.read_offerings(Patience::Run).await.map(|(offerings, _)| Some(offerings))
    }

    /// Reads the list of the courses.
    pub(super) async fn read_offerings(
        &self,
        patience: Patience,
    ) -> Result<(Arc<Offerings>, Option<DateTime<Utc>>), PortError> {
        let mut offerings = self.no_offerings();
        let mut learned = Ok(());
        let began = self
            .everything(DataSet::Courses, patience, |rows| {
                if learned.is_ok() {
                    learned = self.learn(&mut offerings, rows);
                }
            })
            .await?;
        learned?;
        let offerings = Arc::new(offerings);
        let mut kept = self.offerings.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((self.service.now(), Arc::clone(&offerings)));
        Ok((offerings, began))
    }

    fn no_offerings(&self) -> Offerings {
        Offerings {
            known: HashMap::new(),
            past_offerings: self.names.past_offerings,
            past_since: self.names.past_since,
            production_only: self.names.production_only,
        }
    }

    /// Takes in rows of the courses, the newest first.
    fn learn(&self, offerings: &mut Offerings, rows: &Rows) -> Result<(), PortError> {
        let column = self.names.column("courses", "catalog_id");
        if !rows.is_empty() && !rows.has(column) {
            return Err(self.missing_column(DataSet::Courses, "catalog_id", rows));
        }
        let production = &self.names.production_column;
        if !rows.is_empty() && self.names.production_only && !rows.has(production) {
            return Err(PortError::new(
                PortClass::Settings,
                "COLUMN_MISSING",
                format!(
                    "The courses of NovoEd have no column “{production}”, so nobody can tell which are in production mode; they have {}. Name \
                     the right one in production_column, or switch production_only off.",
                    rows.columns().join(", ")
                ),
            ));
        }
        for row in rows.iter() {
            if let Some(id) = row.filled(column) {
                offerings.known.entry(id.to_owned()).or_insert_with(|| self.names.offering(row));
            }
        }
        Ok(())
    }
}
