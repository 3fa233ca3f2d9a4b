//! Lends a platform's client a place in the state database for what it has to remember from run to run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::domain::clock::Clock;
use crate::domain::port::{Notes, PortClass, PortError};
use crate::domain::record::RecordId;
use crate::store::{Store, StoreError, notes};

/// The table of notes of one workspace.
pub(super) struct StoreNotes {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Whether what is too old was dropped already.
    pruned: AtomicBool,
}

impl StoreNotes {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, pruned: AtomicBool::new(false) }
    }
}

fn store_error(error: &StoreError) -> PortError {
    PortError::new(PortClass::Transient, "STORE", format!("The state database could not be asked: {error}."))
}

#[async_trait]
impl Notes for StoreNotes {
    async fn take(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Option<String>>, PortError> {
        let (object, ids) = (object.to_owned(), ids.to_vec());
        self.store
            .write(move |db| ids.iter().map(|id| notes::get(db, &object, id.as_str())).collect())
            .await
            .map_err(|error: StoreError| store_error(&error))
    }

    async fn keep(&self, object: &str, kept: Vec<(RecordId, String)>) -> Result<(), PortError> {
        if kept.is_empty() {
            return Ok(());
        }
        let (object, now) = (object.to_owned(), self.clock.now());
        let prunes = object == "contact_moment" && !self.pruned.swap(true, Ordering::Relaxed);
        self.store
            .write(move |db| {
                for (id, body) in &kept {
                    notes::put(db, &object, id.as_str(), body, now)?;
                }
                if prunes {
                    notes::prune(db, &object, now)?;
                }
                Ok(())
            })
            .await
            .map_err(|error| store_error(&error))
    }
}
