//! The platform as a campaign has just seen it: records that were pushed are read with the values that came along.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::port::layer::{Layer, Layered};
use crate::domain::port::{Endpoint, PortError};
use crate::domain::push::PushOrder;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::value::Value;

type Said = Vec<(String, Value)>;

/// An endpoint behind what was pushed.
pub(super) struct Pushing {
    inner: Arc<dyn Endpoint>,
    object: String,
    said: HashMap<RecordId, Said>,
}

impl Pushing {
    pub(super) fn over(inner: Arc<dyn Endpoint>, object: &str, order: &PushOrder) -> Arc<dyn Endpoint> {
        let said = order.records.iter().map(|record| {
            let values = record.values.iter().map(|(name, value)| (name.clone(), value.clone()));
            (record.id.clone(), values.collect())
        });
        Arc::new(Layered(Self { inner, object: object.to_owned(), said: said.collect() }))
    }
}

#[async_trait]
impl Layer for Pushing {
    fn inner(&self) -> &dyn Endpoint {
        &*self.inner
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
}
