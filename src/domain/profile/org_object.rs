//! Objects and fields that a platform's mappings want in the org and that no org has by itself (N26).

use serde::Deserialize;

/// A custom object to be made, or a standard one that gets fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgObject {
    /// The API name; one that ends in `__c` is made where it is missing.
    pub name: String,
    /// The name people see.
    #[serde(default)]
    pub label: String,
    /// The same for several.
    #[serde(default)]
    pub plural: String,
    /// What its records are called by; for a custom object.
    #[serde(default)]
    pub name_label: String,
    /// Whether the org numbers its records by itself, by this format; else their name is a text.
    #[serde(default)]
    pub auto_number: Option<String>,
    /// Why it is wanted.
    pub why: String,
    /// Its fields.
    #[serde(default, rename = "field")]
    pub fields: Vec<OrgField>,
}

impl OrgObject {
    /// Whether it can be made at all.
    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }
}

/// A custom field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgField {
    /// The API name.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// The type by the word of Salesforce's metadata: `Text`, `Number`, `Currency`, `Date`, `DateTime`, `Checkbox`, `Picklist`,
    /// `LongTextArea`, `Lookup`, `Email`, `Phone`, `Url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Longest text.
    #[serde(default)]
    pub length: Option<u32>,
    /// Digits of a number.
    #[serde(default)]
    pub precision: Option<u32>,
    /// Digits behind the point.
    #[serde(default)]
    pub scale: Option<u32>,
    /// Whether records can be found by it.
    #[serde(default)]
    pub external_id: bool,
    /// Whether no two records may hold the same.
    #[serde(default)]
    pub unique: bool,
    /// The values of a picklist.
    #[serde(default)]
    pub values: Vec<String>,
    /// The object that a lookup leads to.
    #[serde(default)]
    pub refers_to: Option<String>,
    /// What the lookup is called from the other end.
    #[serde(default)]
    pub child_relationship: Option<String>,
}
