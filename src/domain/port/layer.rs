//! What stands before an endpoint and changes some of its answers. A [`Layer`] says which; everything else goes through, so that no
//! method of the ports is forgotten when there is another one.

use async_trait::async_trait;

use super::{
    Capabilities, Endpoint, FeedRequest, Finder, Job, Late, Mark, Page, PortError, RowResult, ScanRequest,
    Sink, Source, Tombstone, WriteBatch, Written,
};
use crate::domain::cost::{Choice, Workload};
use crate::domain::criteria::Criteria;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;

/// What a layer may change, as in [`Source`] and [`Sink`]; what it leaves out is answered by the endpoint behind it.
#[async_trait]
pub trait Layer: Send + Sync {
    /// The endpoint behind it.
    fn inner(&self) -> &dyn Endpoint;

    /// Before [`Source::describe`].
    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.inner().describe(objects).await
    }

    /// Before [`Source::forsake`].
    async fn forsake(&self, mark: &Mark) {
        self.inner().forsake(mark).await;
    }

    /// Before [`Source::scan`].
    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.inner().scan(request).await
    }

    /// Before [`Source::read`].
    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.inner().read(object, selection, ids).await
    }

    /// Before [`Source::read_early`].
    async fn read_early(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.read(object, selection, ids).await
    }

    /// Before [`Source::settle`].
    async fn settle(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        self.inner().settle(object, selection, records).await
    }

    /// Before [`Sink::write`].
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.inner().write(batch).await
    }

    /// Before [`Sink::poll`].
    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        self.inner().poll(job).await
    }

    /// Before [`Sink::undelete`].
    async fn undelete(&self, object: &str, ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        self.inner().undelete(object, ids).await
    }

    /// Before [`Sink::carry_out`].
    async fn carry_out(&self, job: &Job, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        self.inner().carry_out(job, batch).await
    }

    /// Before [`Sink::conclude`].
    async fn conclude(&self, job: &Job, late: Late) -> Result<(), PortError> {
        self.inner().conclude(job, late).await
    }

    /// Before [`Sink::find`].
    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.inner().find(object, selection, by).await
    }

    /// Before [`Sink::find_early`].
    async fn find_early(
        &self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        self.find(object, selection, by).await
    }
}

/// An endpoint behind a layer.
pub struct Layered<L>(pub L);

#[async_trait]
impl<L: Layer> Source for Layered<L> {
    fn capabilities(&self, object: &str) -> Capabilities {
        self.0.inner().capabilities(object)
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.0.describe(objects).await
    }

    fn distrust_descriptions(&self) {
        self.0.inner().distrust_descriptions();
    }

    fn foresee(&self, work: &Workload) -> Option<Choice> {
        self.0.inner().foresee(work)
    }

    fn calls_of_the_day(&self) -> Option<(u64, u64)> {
        self.0.inner().calls_of_the_day()
    }

    async fn forsake(&self, mark: &Mark) {
        self.0.forsake(mark).await;
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.0.scan(request).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.0.inner().changes(requests).await
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.0.read(object, selection, ids).await
    }

    async fn read_early(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        self.0.read_early(object, selection, ids).await
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.0.inner().fates(object, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        self.0.inner().count(object, criteria).await
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        self.0.inner().us().await
    }

    async fn settle(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        self.0.settle(object, selection, records).await
    }

    fn lists(&self, object: &str) -> bool {
        self.0.inner().lists(object)
    }

    fn calls(&self) -> u64 {
        self.0.inner().calls()
    }
}

#[async_trait]
impl<L: Layer> Sink for Layered<L> {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.0.write(batch).await
    }

    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        self.0.poll(job).await
    }

    fn keeps_deleted(&self) -> bool {
        self.0.inner().keeps_deleted()
    }

    async fn undelete(&self, object: &str, ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        self.0.undelete(object, ids).await
    }

    fn rows_of_a_job(&self, batch: &WriteBatch, rows: usize) -> Option<usize> {
        self.0.inner().rows_of_a_job(batch, rows)
    }

    fn calls_to_write(&self, batch: &WriteBatch) -> u64 {
        self.0.inner().calls_to_write(batch)
    }

    async fn carry_out(&self, job: &Job, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        self.0.carry_out(job, batch).await
    }

    async fn conclude(&self, job: &Job, late: Late) -> Result<(), PortError> {
        self.0.conclude(job, late).await
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.0.find(object, selection, by).await
    }

    async fn find_early(
        &self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        self.0.find_early(object, selection, by).await
    }
}
