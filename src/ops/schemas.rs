//! Descriptions of objects, remembered for a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::schema::ObjectSchema;
use crate::domain::side::Side;

/// Descriptions by side and name; names compare without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Mutex<HashMap<(Side, String), Arc<ObjectSchema>>>);

impl Schemas {
    pub(crate) fn get(&self, side: Side, object: &str) -> Option<Arc<ObjectSchema>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(side, object.to_ascii_lowercase())).cloned()
    }

    pub(crate) fn put(&self, side: Side, schemas: Vec<ObjectSchema>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(
            schemas.into_iter().map(|schema| ((side, schema.name.to_ascii_lowercase()), Arc::new(schema))),
        );
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
