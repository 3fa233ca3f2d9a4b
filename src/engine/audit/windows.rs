//! Windows of time in which a side holds another number of records than there are links.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::audit::Looked;
use crate::domain::criteria::{Criteria, Expression, Literal, Operator};
use crate::domain::side::Side;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::store::audit;

/// From when (from the beginning, if none) until before when.
pub(super) type Window = (Option<DateTime<Utc>>, DateTime<Utc>);

/// A window with no more links than this is read, not halved: one page costs as much as one count.
const SMALL: u64 = 2_000;

/// A window with more links is halved although the numbers agree: an edit that moved a stamp from one part of it to another
/// changes no sum.
const COARSE: u64 = 20_000;

/// The field by which the org's records are counted in time. Platforms that can count say so by answering
/// [`count`](crate::domain::port::Source::count); none of them has a field of that name.
const STAMP: &str = "SystemModstamp";

impl Session<'_> {
    /// The windows that have to be read; `None` where the side can't count.
    pub(super) async fn count_windows(
        &self,
        side: Side,
        object: &str,
        numbers: &[i64],
        until: DateTime<Utc>,
        looked: &mut Looked,
    ) -> Result<Option<Vec<Window>>, End> {
        let mut to_read = Vec::new();
        let mut open: Vec<Window> = vec![(None, until)];
        while let Some(window) = open.pop() {
            self.context.control.checkpoint().await?;
            let criteria = self.window_criteria(side, object, &window);
            let Some(there) = self.context.endpoints[side].count(object, Some(&criteria)).await? else {
                return Ok(None);
            };
            let mappings = numbers.to_vec();
            let here =
                self.context.store.write(move |db| audit::linked_in(db, side, &mappings, window)).await?;
            if there == here && here > SMALL && here <= COARSE {
                looked.windows_alike += 1;
                looked.counted += there;
                continue;
            }
            let mappings = numbers.to_vec();
            let middle = if here > SMALL {
                self.context.store.write(move |db| audit::middle(db, side, &mappings, window, here)).await?
            } else {
                None
            };
            match middle {
                Some(middle) if window.0.is_none_or(|from| middle > from) && middle < window.1 => {
                    open.push((Some(middle), window.1));
                    open.push((window.0, middle));
                }
                // So many share one stamp that no moment parts them.
                Some(_) | None => {
                    looked.windows_read += 1;
                    to_read.push(window);
                }
            }
        }
        Ok(Some(to_read))
    }

    /// The condition of a window, together with the criteria of the object where all its mappings have some.
    pub(super) fn window_criteria(&self, side: Side, object: &str, window: &Window) -> Criteria {
        let compare = |operator: Operator, moment: &DateTime<Utc>| Expression::Compare {
            field: STAMP.to_owned(),
            operator,
            literal: Literal::Time(moment.to_rfc3339_opts(SecondsFormat::Millis, true)),
        };
        let mut all = Vec::new();
        if let Some(from) = &window.0 {
            all.push(compare(Operator::GreaterOrEqual, from));
        }
        all.push(compare(Operator::Less, &window.1));
        let scopes: Option<Vec<Expression>> = self
            .mappings
            .iter()
            .filter(|mapping| mapping.compiled.spec.object(side) == object)
            .map(|mapping| mapping.compiled.criteria[side].as_ref().map(|criteria| criteria.root.clone()))
            .collect();
        match scopes {
            Some(mut scopes) if scopes.len() == 1 => all.extend(scopes.pop()),
            Some(scopes) if !scopes.is_empty() => all.push(Expression::Any(scopes)),
            Some(_) | None => {}
        }
        Criteria { root: Expression::All(all) }
    }
}
