//! A side that can only be looked at: whoever makes a plan is given this one, so that nothing can be written by mistake.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::cost::{Choice, Workload};
use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Capabilities, Endpoint, FeedRequest, Finder, Job, Late, Mark, Page, PortClass, PortError, RowResult,
    ScanRequest, Sink, Source, Tombstone, WriteBatch, Written,
};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;

/// A side without its writes.
pub(super) struct Looking {
    side: Arc<dyn Endpoint>,
    /// Where our own reads of an object go on.
    marks: Mutex<HashMap<String, Mark>>,
}

impl Looking {
    pub(super) fn at(side: Arc<dyn Endpoint>) -> Self {
        Self { side, marks: Mutex::default() }
    }

    fn is_ours(&self, object: &str, mark: &Mark) -> bool {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).get(object) == Some(mark)
    }
}

fn refused() -> PortError {
    PortError::new(
        PortClass::Protocol,
        "ONLY_LOOKING",
        "A plan writes nothing, and this would have been a write. Do a run first, which looks up what an earlier one left on its \
         way; then plan again.",
    )
}

#[async_trait]
impl Source for Looking {
    fn capabilities(&self, object: &str) -> Capabilities {
        self.side.capabilities(object)
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.side.describe(objects).await
    }

    fn distrust_descriptions(&self) {
        self.side.distrust_descriptions();
    }

    fn foresee(&self, work: &Workload) -> Option<Choice> {
        self.side.foresee(work)
    }

    fn calls_of_the_day(&self) -> Option<(u64, u64)> {
        self.side.calls_of_the_day()
    }

    /// An interrupted read stays where it is, for the run that will go on with it.
    async fn forsake(&self, _mark: &Mark) {}

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        if let Some(mark) = &request.mark
            && !self.is_ours(&request.object, mark)
        {
            // To go on with another's read would use it up.
            return Err(PortError::new(
                PortClass::MarkLost,
                "ONLY_LOOKING",
                "The interrupted read is left to the run that goes on with it; the plan reads anew.",
            ));
        }
        let page = self.side.scan(request).await?;
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        match &page.next {
            Some(next) => marks.insert(request.object.clone(), next.clone()),
            None => marks.remove(&request.object),
        };
        Ok(page)
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.side.changes(requests).await
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.side.read(object, selection, ids).await
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.side.fates(object, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        self.side.count(object, criteria).await
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        self.side.us().await
    }

    async fn settle(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        self.side.settle(object, selection, records).await
    }

    fn lists(&self, object: &str) -> bool {
        self.side.lists(object)
    }

    fn calls(&self) -> u64 {
        self.side.calls()
    }
}

#[async_trait]
impl Sink for Looking {
    async fn write(&self, _batch: &WriteBatch) -> Result<Written, PortError> {
        Err(refused())
    }

    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(refused())
    }

    fn keeps_deleted(&self) -> bool {
        self.side.keeps_deleted()
    }

    async fn undelete(&self, _object: &str, _ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        Err(refused())
    }

    fn rows_of_a_job(&self, batch: &WriteBatch, rows: usize) -> Option<usize> {
        self.side.rows_of_a_job(batch, rows)
    }

    fn calls_to_write(&self, batch: &WriteBatch) -> u64 {
        self.side.calls_to_write(batch)
    }

    async fn conclude(&self, _job: &Job, _late: Late) -> Result<(), PortError> {
        Err(refused())
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.side.find(object, selection, by).await
    }
}
