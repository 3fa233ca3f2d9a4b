//! A side that can only be looked at: whoever makes a plan is given this one, so that nothing can be written by mistake.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::domain::port::layer::{Layer, Layered};
use crate::domain::port::{
    Endpoint, Job, Late, Mark, Page, PortClass, PortError, RowResult, ScanRequest, WriteBatch, Written,
};
use crate::domain::record::RecordId;

/// A side without its writes.
pub(super) struct Looking {
    side: Arc<dyn Endpoint>,
    /// Where our own reads of an object go on.
    marks: Mutex<HashMap<String, Mark>>,
}

impl Looking {
    pub(super) fn at(side: Arc<dyn Endpoint>) -> Arc<dyn Endpoint> {
        Arc::new(Layered(Self { side, marks: Mutex::default() }))
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
impl Layer for Looking {
    fn inner(&self) -> &dyn Endpoint {
        &*self.side
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

    async fn write(&self, _batch: &WriteBatch) -> Result<Written, PortError> {
        Err(refused())
    }

    async fn poll(&self, _job: &Job) -> Result<Option<Vec<RowResult>>, PortError> {
        Err(refused())
    }

    async fn undelete(&self, _object: &str, _ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
        Err(refused())
    }

    async fn carry_out(&self, _job: &Job, _batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        Err(refused())
    }

    async fn conclude(&self, _job: &Job, _late: Late) -> Result<(), PortError> {
        Err(refused())
    }
}
