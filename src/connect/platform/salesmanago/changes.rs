//! Reading what changed since a cursor.
//!
//! The service pages its changes by number over a set that moves while it is read, so windows of time are cut until one page holds
//! a window (law E4). The last window ends a day after now by our clock: so far ahead that what was edited a second ago is inside,
//! whatever the two clocks say. Where a single second holds more than a page, its pages are read from the last to the first: a
//! contact that is edited meanwhile leaves the second and lets the others move towards the first page, onto pages yet to be read.

use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::cursor::{cursor, mark, since, to_text};
use super::fields::Place;
use super::read::Sorted;
use super::wire::{Mention, Mentions};
use crate::domain::port::{FeedRequest, Mark, Page, PortError};

/// The shortest window; stamps are compared to the second.
const SECOND: i64 = 1000;
const DAY: i64 = 86_400_000;

/// Where a feed goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FeedPlace {
    /// The start of what is left.
    from: i64,
    /// The end of everything.
    end: i64,
    /// How long the next window is.
    width: i64,
    /// Inside one crowded second: the page to read next, counting down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
}

#[derive(Serialize)]
struct WindowBody {
    from: i64,
    to: i64,
    page: u32,
    size: usize,
}

/// What one page of a window says.
struct Listed {
    ids: Vec<String>,
    more: bool,
    began: Option<chrono::DateTime<chrono::Utc>>,
}

impl FeedPlace {
    fn to(&self) -> i64 {
        self.end.min(self.from.saturating_add(self.width.max(SECOND)))
    }

    /// What is left after the window; it begins where the window ended, as both ends belong to it.
    fn after(&self, width: i64) -> Option<Self> {
        let to = self.to();
        (to < self.end).then_some(Self { from: to, end: self.end, width, page: None })
    }
}

impl Salesmanago {
    pub(super) async fn changed(&self, request: &FeedRequest) -> Result<Page, PortError> {
        let places = Place::of_all(&request.selection);
        let longest = i64::from(self.settings.max_window_days) * DAY;
        let ours = self.service.now();
        let mut place = if let Some(text) = &request.mark {
            mark::<FeedPlace>(text)?
        } else {
            let from = since(&request.cursor)?;
            FeedPlace { from, end: self.end(from, longest), width: longest, page: None }
        };
        let start = place;
        let mut began = None;
        let (ids, next) = loop {
            let (listed, next) = self.window(&mut place, longest).await?;
            if began.is_none() {
                began = listed.began;
                // Half a day between the clocks is no skew any more: one of them is wrong. What counts is the server's.
                let theirs = began.map(|began| began.timestamp_millis().saturating_add(ahead(longest)));
                if let Some(theirs) = theirs
                    && theirs - ahead(longest) / 2 > start.end
                {
                    place = FeedPlace { end: theirs, ..start };
                    continue;
                }
            }
            match next {
                // Windows in which nothing happened are passed without bothering the engine.
                Some(next) if listed.ids.is_empty() => place = next,
                next => break (listed.ids, next),
            }
        };
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let sorted = if ids.is_empty() { Sorted::default() } else { self.sorted(&ids, &places).await? };
        Ok(Page {
            records: sorted.records,
            tombstones: sorted.tombstones,
            next: next.map(|next| Mark(to_text(&next))),
            cursor: request.mark.is_none().then(|| cursor(began, ours, self.settings.overlap())),
            ..Page::default()
        })
    }

    /// The end of a read from a moment: far enough ahead for any two clocks, but near enough for one window to reach from a recent
    /// cursor to it.
    fn end(&self, from: i64, longest: i64) -> i64 {
        self.service.now().timestamp_millis().max(from).saturating_add(ahead(longest))
    }

    /// Reads one page: a whole window, or a page of a crowded second.
    async fn window(
        &self,
        place: &mut FeedPlace,
        longest: i64,
    ) -> Result<(Listed, Option<FeedPlace>), PortError> {
        if let Some(page) = place.page {
            let listed = self.mentions(place, page).await?;
            let next = match page {
                0 | 1 => place.after(place.width),
                _ => Some(FeedPlace { page: Some(page - 1), ..*place }),
            };
            return Ok((listed, next));
        }
        let mut began = None;
        loop {
            let mut listed = self.mentions(place, 1).await?;
            listed.began = *began.get_or_insert(listed.began);
            let width = place.to() - place.from;
            if !listed.more {
                // Sparse windows grow again, so that one busy hour does not slow down the months after it.
                let sparse = listed.ids.len() < self.limits.page_rows / 4;
                let wider = if sparse { place.width.saturating_mul(2).min(longest) } else { place.width };
                let next = place.after(wider);
                return Ok((listed, next));
            }
            if width > SECOND {
                place.width = (width / 2).max(SECOND);
                continue;
            }
            let last = self.last_page(place).await?;
            let crowded = FeedPlace { page: Some(last), ..*place };
            listed.ids.clear();
            return Ok((listed, Some(crowded)));
        }
    }

    /// The last page of a window of which the first says that there are more.
    async fn last_page(&self, place: &FeedPlace) -> Result<u32, PortError> {
        let (mut full, mut end) = (1_u32, 2_u32);
        while self.mentions(place, end).await?.more {
            full = end;
            end = end.saturating_mul(2);
            if end == u32::MAX {
                break;
            }
        }
        while end - full > 1 {
            let middle = full + (end - full) / 2;
            if self.mentions(place, middle).await?.more { full = middle } else { end = middle }
        }
        Ok(end)
    }

    async fn mentions(&self, place: &FeedPlace, page: u32) -> Result<Listed, PortError> {
        let body = WindowBody { from: place.from, to: place.to(), page, size: self.limits.page_rows };
        let answer = self.service.ask::<Mentions>("contact/paginatedModifiedContacts", &body).await?;
        let mentions = answer.value;
        let more = mentions.has_more.unwrap_or(mentions.modified_contacts.len() >= self.limits.page_rows);
        Ok(Listed { ids: ids_of(mentions.modified_contacts), more, began: answer.began })
    }

    /// The ids of the contacts that were created since a moment.
    pub(super) async fn created_ids(&self, since: i64) -> Result<Vec<String>, PortError> {
        let longest = i64::from(self.settings.max_window_days) * DAY;
        let end = self.end(since, longest);
        let mut place = Some(FeedPlace { from: since, end, width: longest, page: None });
        let mut ids = Vec::new();
        while let Some(window) = place {
            let body = serde_json::json!({ "from": window.from, "to": window.to() });
            let answer = self.service.ask::<Mentions>("contact/createdContacts", &body).await?;
            ids.extend(ids_of(answer.value.modified_contacts));
            place = window.after(longest);
        }
        Ok(ids)
    }
}

/// How far ahead of now the last window ends.
fn ahead(longest: i64) -> i64 {
    DAY.min(longest / 2)
}

fn ids_of(mentions: Vec<Mention>) -> Vec<String> {
    mentions
        .into_iter()
        .filter_map(|mention| mention.contact_id.filled().or(mention.id.filled()).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// platform-salesmanago.md §7: both ends belong to a window.
    #[test]
    fn windows_join_without_a_gap_and_end_at_the_end() {
        let mut place = FeedPlace { from: 0, end: 10 * DAY, width: 3 * DAY, page: None };
        let mut ends = vec![place.to()];
        while let Some(next) = place.after(3 * DAY) {
            assert_eq!(next.from, place.to());
            ends.push(next.to());
            place = next;
        }
        assert_eq!(ends, [3 * DAY, 6 * DAY, 9 * DAY, 10 * DAY]);
    }

    #[test]
    fn a_window_never_shrinks_below_a_second() {
        let place = FeedPlace { from: 0, end: DAY, width: 0, page: None };
        assert_eq!(place.to(), SECOND);
    }
}
