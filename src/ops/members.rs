//! How many records meet the criteria of a mapping: asked where the side can tell, read and tested here where it can't.

use std::collections::HashSet;
use std::fmt;

use crate::domain::criteria::Criteria;
use crate::domain::grouped::grouped;
use crate::domain::port::{ScanRequest, Source};
use crate::domain::record::{RecordId, Selection};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{connections, secrets};

/// Records that are read at most to be tested here.
pub const MOST_READ: u64 = 2_000;
/// Pages that are read at most; a side of small pages must not be asked a hundred times for a number.
const MOST_PAGES: usize = 20;

/// The members of a condition on one object of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Members {
    /// How many meet it.
    pub members: u64,
    /// How many records there are, where the side can tell.
    pub of: Option<u64>,
    /// How that is known.
    #[serde(flatten)]
    pub counted: Counted,
}

/// How a number is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "counted", rename_all = "snake_case")]
pub enum Counted {
    /// The side counted.
    There,
    /// Every record that could meet it was read and tested here.
    Here,
    /// Only so many were read and tested here; there are more.
    SomeOf {
        /// How many were read.
        read: u64,
    },
}

impl fmt::Display for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = grouped(self.members);
        match (self.counted, self.of) {
            (Counted::There, Some(all)) => write!(formatter, "{members} of {}", grouped(all)),
            (Counted::There, None) => write!(formatter, "{members}"),
            (Counted::Here, Some(all)) => write!(formatter, "{members} of {}, tested here", grouped(all)),
            (Counted::Here, None) => write!(formatter, "{members}, tested here"),
            (Counted::SomeOf { read }, _) => {
                write!(
                    formatter,
                    "{members} of the first {}, tested here; the rest was not read",
                    grouped(read)
                )
            }
        }
    }
}

/// Counts the records of an object that meet a condition; `None` counts all of them. Reads at most [`MOST_READ`] records.
pub async fn count(
    session: &Session,
    side: Side,
    object: &str,
    criteria: Option<&str>,
) -> Result<Members, OpError> {
    let criteria: Option<Criteria> = criteria
        .map(Criteria::parse)
        .transpose()
        .map_err(|error| OpError::settings(format!("Nothing was counted: {error}.")).code("criteria"))?;
    let criteria = criteria.map(|criteria| criteria.at(session.clock().now()));
    let settings = session.settings();
    let known = secrets::read(session, &settings, side, &[]).await?;
    let around = session.surroundings();
    let source = connections::endpoint(&settings, side, &known, &around)?;
    counted(source.as_ref(), object, criteria.as_ref()).await
}

async fn counted<S: Source + ?Sized>(
    source: &S,
    object: &str,
    criteria: Option<&Criteria>,
) -> Result<Members, OpError> {
    let of = source.count(object, None).await?;
    if let (None, Some(all)) = (criteria, of) {
        return Ok(Members { members: all, of, counted: Counted::There });
    }
    if criteria.is_some()
        && let Some(members) = source.count(object, criteria).await?
    {
        return Ok(Members { members, of, counted: Counted::There });
    }
    let selection = Selection::new(criteria.map(Criteria::fields).unwrap_or_default());
    let mut request = ScanRequest {
        object: object.to_owned(),
        selection: selection.clone(),
        criteria: criteria.cloned(),
        mark: None,
    };
    let mut seen: HashSet<RecordId> = HashSet::new();
    let mut members = 0;
    let mut complete = false;
    for _ in 0..MOST_PAGES {
        let page = source.scan(&request).await?;
        let room = MOST_READ.saturating_sub(seen.len() as u64) as usize;
        let cut = page.records.len() > room;
        for record in page.records.iter().take(room) {
            // A record may come twice.
            if seen.insert(record.id.clone())
                && criteria.is_none_or(|criteria| criteria.admit(&selection, record))
            {
                members += 1;
            }
        }
        request.mark = page.next;
        complete = request.mark.is_none() && !cut;
        if request.mark.is_none() || cut || seen.len() as u64 >= MOST_READ {
            break;
        }
    }
    if let Some(mark) = &request.mark {
        source.forsake(mark).await;
    }
    let counted = if complete && source.lists(object) {
        Counted::Here
    } else {
        Counted::SomeOf { read: seen.len() as u64 }
    };
    Ok(Members { members, of, counted })
}
