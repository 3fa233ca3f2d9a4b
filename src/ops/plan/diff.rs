//! Two plans side by side: lines that only one has, and lines that say something else.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::domain::plan::saved::{PlanDifference, PlanLine};
use crate::ops::error::OpError;
use crate::ops::plan::PAGE;
use crate::ops::read::read;
use crate::ops::session::Session;
use crate::store::plans::Place;

/// A plan's lines in the order of mapping and ids, a page at a time.
struct Walk {
    plan: i64,
    place: Place,
    page: VecDeque<PlanLine>,
    ended: bool,
}

impl Walk {
    fn new(plan: i64) -> Self {
        Self { plan, place: Place::default(), page: VecDeque::new(), ended: false }
    }

    async fn fill(&mut self, session: &Session) -> Result<(), OpError> {
        if !self.page.is_empty() || self.ended {
            return Ok(());
        }
        let (plan, place) = (self.plan, self.place.clone());
        self.page = read(session, move |reader| reader.plan_in_order(plan, &place, PAGE)).await?.into();
        match self.page.back() {
            Some(last) => self.place = Place::behind(last),
            None => self.ended = true,
        }
        Ok(())
    }
}

fn key(line: &PlanLine) -> (&str, &str, &str) {
    (
        line.line.mapping.as_str(),
        line.line.ids.org.as_ref().map_or("", |id| id.as_str()),
        line.line.ids.platform.as_ref().map_or("", |id| id.as_str()),
    )
}

/// Tells every difference, in the order of mapping and ids, and how many there are.
pub async fn differences(
    session: &Session,
    (before, after): (i64, i64),
    mut each: impl FnMut(&PlanDifference),
) -> Result<u64, OpError> {
    let (mut left, mut right) = (Walk::new(before), Walk::new(after));
    let mut count = 0;
    loop {
        left.fill(session).await?;
        right.fill(session).await?;
        let order = match (left.page.front(), right.page.front()) {
            (None, None) => return Ok(count),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => key(before).cmp(&key(after)),
        };
        let difference = match order {
            Ordering::Less => PlanDifference { before: left.page.pop_front(), after: None },
            Ordering::Greater => PlanDifference { before: None, after: right.page.pop_front() },
            Ordering::Equal => {
                let both = PlanDifference { before: left.page.pop_front(), after: right.page.pop_front() };
                let same = match (&both.before, &both.after) {
                    (Some(before), Some(after)) => before.line == after.line && before.linked == after.linked,
                    (_, _) => false,
                };
                if same {
                    continue;
                }
                both
            }
        };
        count += 1;
        each(&difference);
    }
}
