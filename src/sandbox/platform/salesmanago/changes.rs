//! The change feeds: who was created or modified in a window of time. Deleted contacts are in none of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Salesmanago;
use super::call::Call;
use super::contact::ContactId;
use super::contacts::{Contacts, Stamp};
use super::lenient::{Moment, Text};
use super::reply::{self, Refusal};

/// The longest window under `strict_window`: 30 days.
const LONGEST_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// The largest page.
const LARGEST_PAGE: usize = 1000;

/// A window of time, and for paged calls a page of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Window {
    from: Option<Moment>,
    to: Option<Moment>,
    page: Option<Text>,
    size: Option<Text>,
}

impl Window {
    fn bounds(&self, service: &Salesmanago) -> Result<(i64, i64), Refusal> {
        let (Some(Moment(from)), Some(Moment(to))) = (self.from, self.to) else {
            return Err(Refusal::said("From and to cannot be empty"));
        };
        if from > to {
            return Err(Refusal::said("From cannot be later than to"));
        }
        if service.options.strict_window && to - from > LONGEST_WINDOW_MS {
            return Err(Refusal::said("The period between from and to cannot be longer than 30 days"));
        }
        let delay = service.feed_delay_ms.load(Ordering::Relaxed);
        let to = if delay > 0 { to.min(service.clock.now_ms() - delay) } else { to };
        Ok((from, to))
    }
}

/// Reads page and size; pages count from 1.
pub fn page_and_size(page: Option<&Text>, size: Option<&Text>) -> Result<(usize, usize), Refusal> {
    let number = |text: Option<&Text>, when_absent: usize| {
        text.map_or(Some(when_absent), |text| text.as_str().trim().parse().ok())
    };
    let page = number(page, 1).filter(|page| *page >= 1);
    let size = number(size, LARGEST_PAGE).filter(|size| (1..=LARGEST_PAGE).contains(size));
    let page = page.ok_or_else(|| Refusal::said("Page must be a number, the first is 1"))?;
    let size =
        size.ok_or_else(|| Refusal::said(format!("Size must be a number from 1 to {LARGEST_PAGE}")))?;
    Ok((page, size))
}

/// The positions of one page, and whether another follows.
pub fn cut(positions: &[u32], page: usize, size: usize) -> (&[u32], bool) {
    let start = (page - 1).saturating_mul(size).min(positions.len());
    let end = start.saturating_add(size).min(positions.len());
    (positions.get(start..end).unwrap_or_default(), end < positions.len())
}

#[derive(Serialize)]
struct Mention<'a> {
    id: ContactId,
    email: &'a str,
}

fn mentions<'a>(contacts: &'a Contacts, positions: &[u32]) -> Vec<Mention<'a>> {
    let found = positions.iter().filter_map(|position| contacts.get(*position));
    found.map(|contact| Mention { id: contact.id, email: &contact.email }).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    created_contacts: Vec<Mention<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modified<'a> {
    modified_contacts: Vec<Mention<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
}

/// `contact/createdContacts`.
pub async fn created(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Window>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let (from, to) = call.body.bounds(&service)?;
    let contacts = service.held();
    let positions = contacts.window(Stamp::Created, owner, from, to);
    Ok(reply::success(&Created { created_contacts: mentions(&contacts, &positions) }))
}

/// `contact/modifiedContacts`.
pub async fn modified(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Window>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let (from, to) = call.body.bounds(&service)?;
    let contacts = service.held();
    let positions = contacts.window(Stamp::Modified, owner, from, to);
    Ok(reply::success(&Modified { modified_contacts: mentions(&contacts, &positions), has_more: None }))
}

/// `contact/paginatedModifiedContacts`. Pages are cut from what the window holds at the time of each call, so a
/// contact that is changed between two pages moves to the end, and another one slips through: as with any such feed.
pub async fn modified_pages(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Window>,
) -> Result<Response, Refusal> {
    let owner = call.owner_or_user(&service)?;
    let (from, to) = call.body.bounds(&service)?;
    let (page, size) = page_and_size(call.body.page.as_ref(), call.body.size.as_ref())?;
    let contacts = service.held();
    let positions = contacts.window(Stamp::Modified, owner, from, to);
    let (positions, has_more) = cut(&positions, page, size);
    let modified_contacts = mentions(&contacts, positions);
    Ok(reply::success(&Modified { modified_contacts, has_more: Some(has_more) }))
}

/// `contact/recentActivity`: nobody visits a sandbox, so it is well-formed and empty.
pub async fn recent_activity(
    State(service): State<Arc<Salesmanago>>,
    call: Call<Window>,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Activity {
        from: i64,
        to: i64,
        monitored_contacts: usize,
        total_contacts: usize,
        recent_activities: [(); 0],
    }
    let (from, to) = call.body.bounds(&service)?;
    let total_contacts = service.held().live();
    Ok(reply::success(&Activity { from, to, monitored_contacts: 0, total_contacts, recent_activities: [] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_from_one_and_the_last_says_so() {
        let positions = [1, 2, 3, 4, 5];
        assert_eq!(cut(&positions, 1, 2), (&[1, 2][..], true));
        assert_eq!(cut(&positions, 3, 2), (&[5][..], false));
        assert_eq!(cut(&positions, 9, 2), (&[][..], false));
        assert!(page_and_size(Some(&Text("0".into())), None).is_err());
        assert!(page_and_size(None, Some(&Text("1001".into()))).is_err());
    }
}
