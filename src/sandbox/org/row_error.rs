//! Why a row was refused, in the org's codes and words.

use serde_json::{Value, json};

/// A refusal of one row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct RowError {
    /// The org's code, such as `REQUIRED_FIELD_MISSING`.
    pub code: String,
    /// The org's words.
    pub message: String,
    /// The fields that are to blame.
    pub fields: Vec<String>,
    /// What a duplicate rule found.
    pub duplicates: Option<Value>,
}

impl RowError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), fields: Vec::new(), duplicates: None }
    }

    pub(super) fn on(code: &str, message: impl Into<String>, field: &str) -> Self {
        Self { fields: vec![field.to_owned()], ..Self::new(code, message) }
    }

    /// The HTTP status of a single-record call that failed with this.
    pub(super) fn status(&self) -> u16 {
        match self.code.as_str() {
            "NOT_FOUND" | "ENTITY_IS_DELETED" => 404,
            "INSUFFICIENT_ACCESS_OR_READONLY" | "INSUFFICIENT_ACCESS" => 403,
            _ => 400,
        }
    }

    /// An entry of a top-level error array.
    pub(super) fn as_call_error(&self) -> Value {
        let mut entry = json!({"message": self.message, "errorCode": self.code, "fields": self.fields});
        self.add_duplicates(&mut entry);
        entry
    }

    /// An entry of a row's `errors`.
    pub(super) fn as_row_error(&self) -> Value {
        let mut entry = json!({"statusCode": self.code, "message": self.message, "fields": self.fields});
        self.add_duplicates(&mut entry);
        entry
    }

    fn add_duplicates(&self, entry: &mut Value) {
        if let (Some(found), Some(entry)) = (&self.duplicates, entry.as_object_mut()) {
            entry.insert("duplicateResult".to_owned(), found.clone());
        }
    }
}
