//! Where a read by a job stands, as the mark of a backlog keeps it: the job, and its pages that are not taken in yet.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::job;
use crate::domain::port::{Mark, PortError};

/// The place in a read by a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The job.
    pub(super) job: String,
    /// How often was asked whether it is done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) asked: u32,
    /// Whether it is done.
    #[serde(default)]
    pub(super) ready: bool,
    /// How many rows it brings, once it is done.
    #[serde(default)]
    pub(super) rows: u64,
    /// Pages that are known and not taken in, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pages: Vec<PagePlace>,
    /// Where links to more pages are asked for.
    #[serde(default, skip_serializing_if = "Links::is_unasked")]
    pub(super) links: Links,
    /// The last record of the page that was read before the job, from which one could go on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stamp: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PagePlace {
    /// Its locator; the first page has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    /// How many of its rows are taken in.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(super) rows: u64,
    /// Whether the page behind it is known already, or there is none.
    #[serde(default)]
    pub(super) linked: bool,
}

/// What is known of the links that let pages be read side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Links {
    /// Not asked for yet.
    #[default]
    Unasked,
    /// More of them are there.
    More(String),
    /// There are none, or they don't fit what the pages say.
    Done,
}

impl Links {
    fn is_unasked(&self) -> bool {
        *self == Self::Unasked
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_nothing(number: &u64) -> bool {
    *number == 0
}

/// The form of the mark: what is in it tells it from the mark of a read by single pages.
#[derive(Serialize, Deserialize)]
struct Wrapped<P> {
    bulk: P,
}

impl Place {
    /// A job that was just begun.
    pub(super) fn begun(job: String, stamp: Option<DateTime<Utc>>, id: Option<String>) -> Self {
        Self { job, stamp, id, ..Self::default() }
    }

    pub(super) fn is_mark(mark: &Mark) -> bool {
        mark.0.starts_with("{\"bulk\":")
    }

    pub(super) fn parse(mark: &Mark) -> Result<Self, PortError> {
        serde_json::from_str::<Wrapped<Self>>(&mark.0)
            .map(|wrapped| wrapped.bulk)
            .map_err(|_unreadable| job::lost())
    }

    pub(super) fn to_mark(&self) -> Option<Mark> {
        serde_json::to_string(&Wrapped { bulk: self }).ok().map(Mark)
    }

    /// The job is done: its first page is known, the others follow from it.
    pub(super) fn done(&mut self, rows: u64) {
        self.ready = true;
        self.rows = rows;
        self.pages = vec![PagePlace::default()];
    }

    /// The page behind a page becomes known from the page's own header. It is the one truth about the order of pages. Tells
    /// whether it was not known before.
    pub(super) fn follow(&mut self, page: Option<&str>, next: Option<&str>) -> bool {
        let found = self.pages.iter_mut().find(|known| known.at.as_deref() == page && !known.linked);
        let Some(known) = found else { return false };
        known.linked = true;
        if let Some(next) = next {
            self.add(next);
        }
        next.is_some()
    }

    /// Adds links that were told for reading side by side. They count only if they go on exactly where the pages say.
    pub(super) fn add_links(&mut self, locators: &[String], more: Option<String>) {
        let tail = self.pages.last().and_then(|page| page.at.clone());
        let fits = locators.iter().position(|locator| Some(locator) == tail.as_ref());
        let Some(from) = fits.filter(|_| self.pages.last().is_some_and(|page| !page.linked)) else {
            self.links = Links::Done;
            return;
        };
        for locator in locators.iter().skip(from + 1) {
            if let Some(last) = self.pages.last_mut() {
                last.linked = true;
            }
            self.add(locator);
        }
        self.links = more.map_or(Links::Done, Links::More);
    }

    fn add(&mut self, locator: &str) {
        if !self.pages.iter().any(|page| page.at.as_deref() == Some(locator)) {
            self.pages.push(PagePlace { at: Some(locator.to_owned()), ..PagePlace::default() });
        }
    }

    /// Rows of a page are taken in; the page is forgotten with its last.
    pub(super) fn taken(&mut self, page: Option<&str>, rows: u64, last: bool) {
        let Some(place) = self.pages.iter().position(|known| known.at.as_deref() == page) else { return };
        if last {
            self.pages.remove(place);
        } else if let Some(known) = self.pages.get_mut(place) {
            known.rows = rows;
        }
    }

    /// Whether every page is taken in.
    pub(super) fn is_over(&self) -> bool {
        self.ready && self.pages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ats(place: &Place) -> Vec<Option<&str>> {
        place.pages.iter().map(|page| page.at.as_deref()).collect()
    }

    fn done() -> Place {
        let mut place = Place::begun("750A".into(), None, None);
        place.done(100);
        place
    }

    #[test]
    fn a_mark_comes_back_as_it_was_written() {
        let mut place = done();
        place.follow(None, Some("b"));
        place.taken(None, 7, false);
        let mark = place.to_mark().unwrap();
        assert!(Place::is_mark(&mark), "{mark:?}");
        assert_eq!(Place::parse(&mark).unwrap(), place);
        assert!(!Place::is_mark(&Mark("{\"next\":\"/services\"}".into())));
    }

    #[test]
    fn pages_follow_one_another_until_one_is_the_last() {
        let mut place = done();
        place.follow(None, Some("b"));
        place.follow(None, Some("b"));
        assert_eq!(ats(&place), [None, Some("b")]);
        place.taken(None, 50, true);
        assert!(!place.is_over());
        place.follow(Some("b"), None);
        place.taken(Some("b"), 50, true);
        assert!(place.is_over());
    }

    #[test]
    fn links_that_fit_are_read_side_by_side() {
        let mut place = done();
        place.follow(None, Some("b"));
        place.add_links(&["b".into(), "c".into(), "d".into()], Some("more".into()));
        assert_eq!(ats(&place), [None, Some("b"), Some("c"), Some("d")]);
        // What the pages say themselves later adds nothing that is known.
        place.follow(Some("b"), Some("c"));
        place.follow(Some("d"), Some("e"));
        assert_eq!(ats(&place).len(), 5);
        place.add_links(&["e".into(), "f".into()], None);
        assert_eq!((ats(&place).len(), &place.links), (6, &Links::Done));
    }

    #[test]
    fn links_that_fit_nothing_are_left_alone() {
        let mut place = done();
        place.follow(None, Some("b"));
        place.add_links(&["x".into(), "y".into()], None);
        assert_eq!((ats(&place), &place.links), (vec![None, Some("b")], &Links::Done));
    }
}
