//! What a side says about its objects and fields.

use serde::{Deserialize, Serialize};

/// One object of one side: its fields and what may be done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectSchema {
    /// The API name, such as `Contact`.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// Whether this user may create records.
    pub createable: bool,
    /// Whether this user may change records.
    pub updateable: bool,
    /// Whether this user may read records.
    pub readable: bool,
    /// Its fields, as the side orders them.
    pub fields: Vec<FieldSchema>,
}

impl ObjectSchema {
    /// The field of that API name; Salesforce compares names without regard to case.
    pub fn field(&self, name: &str) -> Option<&FieldSchema> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// One object in the list of those that a mapping may be made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEntry {
    /// The API name.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// Whether somebody made it for this account.
    pub custom: bool,
    /// The condition by which its records are told from others of the same object, such as people among accounts.
    pub criteria: Option<String>,
    /// Why it can't be chosen, and the way out.
    pub why: Option<String>,
}

/// One field of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldSchema {
    /// The API name. A path through a reference (`Account.Name`) is a name too.
    pub name: String,
    /// The name people see.
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Longest text in characters, where the side limits it.
    pub length: Option<u32>,
    /// Digits behind the point, for numbers.
    pub scale: Option<u8>,
    /// Whether a record can't be created without it.
    pub required: bool,
    /// Whether it may be set on create.
    pub createable: bool,
    /// Whether it may be changed.
    pub updateable: bool,
    /// Whether the side keeps it unique.
    pub unique: bool,
    /// Whether it can be the key of an upsert.
    pub external_id: bool,
    /// The values of a picklist, by API name.
    pub picklist: Vec<String>,
    /// Whether other values than those of the picklist are refused.
    pub restricted: bool,
    /// The objects that a reference may point to.
    pub references: Vec<String>,
    /// The name by which a reference is followed in a path, such as `Account` for `AccountId`.
    pub relationship: Option<String>,
}

impl FieldSchema {
    /// Whether it can receive values at all.
    pub fn writable(&self) -> bool {
        self.createable || self.updateable
    }
}

/// What kind of value a field holds; it decides the canonical form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A record id of this side.
    Id,
    /// One line of text.
    #[default]
    Text,
    /// Several lines of text.
    LongText,
    /// An e-mail address, compared without regard to case.
    Email,
    /// A phone number, compared by its digits.
    Phone,
    /// A web address.
    Url,
    /// A tick box.
    Bool,
    /// A number.
    Number,
    /// A day.
    Date,
    /// A moment, compared to the second.
    Moment,
    /// One value of a list.
    Picklist,
    /// Several values of a list, in no order.
    Set,
    /// The id of another record.
    Reference,
    /// Something a mapping can't use (binary, compound).
    Other,
}

impl FieldKind {
    /// The word shown in the mapping editor.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text => "text",
            Self::LongText => "long text",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Bool => "yes/no",
            Self::Number => "number",
            Self::Date => "date",
            Self::Moment => "date and time",
            Self::Picklist => "picklist",
            Self::Set => "multi-select",
            Self::Reference => "reference",
            Self::Other => "other",
        }
    }
}
