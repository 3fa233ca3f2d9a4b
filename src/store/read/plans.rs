//! Saved plans, for screens and commands.

use crate::domain::plan::saved::{PlanHead, PlanLine, PlanQuery};
use crate::store::plans::Place;
use crate::store::read::Reader;
use crate::store::{StoreError, plans};

impl Reader {
    /// All plans, newest first.
    pub fn plans(&self) -> Result<Vec<PlanHead>, StoreError> {
        self.with(plans::all)
    }

    /// The plan of that number or name.
    pub fn plan(&self, named: &str) -> Result<Option<PlanHead>, StoreError> {
        self.with(|db| match named.parse::<i64>() {
            Ok(number) => plans::get(db, number),
            Err(_) => plans::by_name(db, named),
        })
    }

    /// Lines of a plan that a question asks for, page by page behind a number.
    pub fn plan_lines(
        &self,
        plan: i64,
        query: &PlanQuery,
        after: i64,
        limit: usize,
    ) -> Result<Vec<PlanLine>, StoreError> {
        self.with(|db| plans::lines(db, plan, query, after, limit))
    }

    /// Lines of a plan in the order of mapping and ids, page by page behind a place.
    pub fn plan_in_order(&self, plan: i64, place: &Place, limit: usize) -> Result<Vec<PlanLine>, StoreError> {
        self.with(|db| plans::in_order(db, plan, place, limit))
    }

    /// Lines of an applied plan by what became of them: done, failed, refused.
    pub fn plan_outcomes(&self, plan: i64) -> Result<[u64; 3], StoreError> {
        self.with(|db| plans::outcomes(db, plan))
    }
}
