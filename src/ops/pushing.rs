//! The platform as a campaign has just seen it: records that were pushed are read with the values that came along.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::criteria::Criteria;
use crate::domain::port::{
    Capabilities, Endpoint, FeedRequest, Finder, Job, Page, PortError, RowResult, ScanRequest, Sink, Source,
    Tombstone, WriteBatch, Written,
};
use crate::domain::push::PushOrder;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::ObjectSchema;
use crate::domain::value::Value;

type Said = Vec<(String, Value)>;

/// An endpoint behind what was pushed.
pub(super) struct Pushing {
    inner: Arc<dyn Endpoint>,
    object: String,
    said: HashMap<RecordId, Said>,
}

impl Pushing {
    pub(super) fn new(inner: Arc<dyn Endpoint>, object: &str, order: &PushOrder) -> Self {
        let said = order.records.iter().map(|record| {
            let values = record.values.iter().map(|(name, value)| (name.clone(), value.clone()));
            (record.id.clone(), values.collect())
        });
        Self { inner, object: object.to_owned(), said: said.collect() }
    }
}

#[async_trait]
impl Source for Pushing {
    fn capabilities(&self, object: &str) -> Capabilities {
        self.inner.capabilities(object)
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.inner.describe(objects).await
    }

    fn distrust_descriptions(&self) {
        self.inner.distrust_descriptions();
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.inner.scan(request).await
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.inner.changes(requests).await
    }

    /// What was not said is as the platform says: a mapping decides about whole records, and must not take silence for a change.
    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let mut records = self.inner.read(object, selection, ids).await?;
        if object.eq_ignore_ascii_case(&self.object) {
            // One that the platform does not show is as much as was said of it.
            for id in ids.iter().filter(|id| self.said.contains_key(id)) {
                if !records.iter().any(|record| record.id == *id) {
                    let values = vec![None; selection.len()];
                    let bare =
                        Record { id: id.clone(), stamp: None, author: None, values, became: Vec::new() };
                    records.push(bare);
                }
            }
            for record in &mut records {
                for (name, value) in self.said.get(&record.id).into_iter().flatten() {
                    if let Some(slot) =
                        selection.position(name).and_then(|place| record.values.get_mut(place))
                    {
                        *slot = Some(value.clone());
                    }
                }
            }
        }
        Ok(records)
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.inner.fates(object, ids).await
    }

    async fn count(&self, object: &str, criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        self.inner.count(object, criteria).await
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        self.inner.us().await
    }

    async fn settle(
        &self,
        object: &str,
        selection: &Selection,
        records: &mut [Record],
    ) -> Result<(), PortError> {
        self.inner.settle(object, selection, records).await
    }

    fn lists(&self, object: &str) -> bool {
        self.inner.lists(object)
    }

    fn calls(&self) -> u64 {
        self.inner.calls()
    }
}

#[async_trait]
impl Sink for Pushing {
    async fn write(&self, batch: &WriteBatch) -> Result<Written, PortError> {
        self.inner.write(batch).await
    }

    async fn poll(&self, job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        self.inner.poll(job).await
    }

    async fn find(&self, object: &str, selection: &Selection, by: &Finder) -> Result<Vec<Record>, PortError> {
        self.inner.find(object, selection, by).await
    }
}
