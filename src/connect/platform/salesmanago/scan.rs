//! Reading every contact of the owner, page by page.
//!
//! The cheapest way comes first: `paginatedListById` hands out a thousand contacts a call. Where its contacts lack a field that was
//! asked for, their ids are read again in full; where it is not offered at all, the export of the contact list gives the ids.
//! Pages are cut by number, so a contact that is removed for good while the pages are read lets another slip past; the service
//! marks deleted contacts instead of removing them, and the audit finds what slipped past all the same.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Salesmanago;
use super::call::{Answered, Patience};
use super::cursor::{cursor, mark, to_text};
use super::errors::Failure;
use super::fields::Place;
use super::job::request_of;
use super::read::Sorted;
use super::wire::{Contacts, JobAnswer, JobFile};
use crate::connect::http::Idempotency;
use crate::domain::port::{Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::RecordId;

/// How the pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// The page holds all that was asked for.
    Inline,
    /// The page holds the ids; the contacts are read by them.
    Ids,
    /// The ids come from a file that a job exports.
    Export,
}

/// Where a scan goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScanPlace {
    page: u32,
    way: Way,
    /// The first contact of the page before, to notice a server that answers the same page again and again.
    first: Option<String>,
}

#[derive(Serialize)]
struct PageBody {
    page: u32,
    size: usize,
}

impl Salesmanago {
    pub(super) async fn scan_page(&self, request: &ScanRequest) -> Result<Page, PortError> {
        let places = Place::of_all(&request.selection);
        let at = match &request.mark {
            Some(text) => mark::<ScanPlace>(text)?,
            None => ScanPlace { page: 1, way: Way::Inline, first: None },
        };
        let ours = self.service.now();
        let read = match at.way {
            Way::Inline | Way::Ids => match self.inline_page(&at, &places).await {
                Ok(read) => read,
                // Only the first page may change the way; later ones would mix two orders.
                Err(failure) if at.page == 1 && not_offered(&failure) => {
                    self.export_page(&at, &places).await?
                }
                Err(failure) => return Err(failure.into_port()),
            },
            Way::Export => self.export_page(&at, &places).await?,
        };
        if read.first.is_some() && read.first == at.first {
            return Err(PortError::new(
                PortClass::Protocol,
                "SAME_PAGE",
                format!(
                    "SALESmanago answered page {} of its contacts with page {} again.",
                    at.page,
                    at.page - 1
                ),
            ));
        }
        let next = read.first.is_some().then(|| {
            Mark(to_text(&ScanPlace {
                page: at.page.saturating_add(1),
                way: read.way,
                first: read.first.clone(),
            }))
        });
        Ok(Page {
            records: read.sorted.records,
            tombstones: read.sorted.tombstones,
            next,
            cursor: (at.page == 1).then(|| cursor(read.began, ours, self.settings.overlap())),
            ..Page::default()
        })
    }

    async fn inline_page(&self, at: &ScanPlace, places: &[Place]) -> Result<PageRead, Failure> {
        let body = PageBody { page: at.page, size: self.limits.page_rows };
        let answer: Answered<Contacts> = self
            .service
            .call("contact/paginatedListById", &body, Idempotency::Repeatable, Patience::Run)
            .await?;
        let contacts = answer.value.contacts;
        let first = contacts.first().and_then(super::wire::Contact::id).map(|id| id.to_string());
        let wanted: Vec<Place> = places.iter().filter(|place| place.is_returned()).cloned().collect();
        let whole = contacts.iter().all(|contact| contact.deleted.is_true() || contact.carries(&wanted));
        let mut sorted = Sorted::default();
        let way = if at.way == Way::Inline && whole { Way::Inline } else { Way::Ids };
        match way {
            Way::Inline => sorted.add(contacts, places).map_err(Failure::Nothing)?,
            Way::Ids | Way::Export => {
                let ids: Vec<RecordId> = contacts.iter().filter_map(super::wire::Contact::id).collect();
                let ids: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
                sorted = self.sorted(&ids, places).await.map_err(Failure::Nothing)?;
            }
        }
        Ok(PageRead { sorted, way, first, began: answer.began })
    }

    async fn export_page(&self, at: &ScanPlace, places: &[Place]) -> Result<PageRead, PortError> {
        let body = PageBody { page: at.page, size: self.limits.page_rows };
        let answer: Answered<JobAnswer> =
            self.service.ask("contact/paginatedContactList/export", &body).await?;
        let request = request_of(&answer.value)?;
        let file: JobFile = match self.finished_job(&request).await? {
            Some(url) => self.service.file(&url).await?,
            None => {
                return Err(PortError::new(
                    PortClass::Protocol,
                    "NO_FILE",
                    format!(
                        "Job {request} of SALESmanago ended without the list of contacts that it was asked for."
                    ),
                ));
            }
        };
        let ids: Vec<&str> = file.contacts.iter().filter_map(|line| line.id.filled()).collect();
        let first = ids.first().map(|id| (*id).to_owned());
        let sorted = self.sorted(&ids, places).await?;
        Ok(PageRead { sorted, way: Way::Export, first, began: answer.began })
    }

    /// The names of the details that the first contacts have, to choose from in the mapping editor.
    pub async fn discover_details(&self) -> Result<Vec<String>, PortError> {
        let body = json!({ "page": 1, "size": 200.min(self.limits.page_rows) });
        let answer: Answered<Contacts> = self.service.ask("contact/paginatedListById", &body).await?;
        let mut names = std::collections::BTreeSet::new();
        for contact in answer.value.contacts {
            let details = contact.properties.unwrap_or_default();
            names.extend(details.0.into_iter().map(|(name, _)| format!("{}{name}", super::fields::DETAILS)));
        }
        Ok(names.into_iter().collect())
    }
}

/// A page that was read.
struct PageRead {
    sorted: Sorted,
    way: Way,
    first: Option<String>,
    began: Option<chrono::DateTime<chrono::Utc>>,
}

/// Whether the account simply has no such call.
fn not_offered(failure: &Failure) -> bool {
    match failure {
        Failure::Nothing(error) => error.code == "NOT_FOUND",
        Failure::Refused(_) => true,
        Failure::Unknown(_) => false,
    }
}
