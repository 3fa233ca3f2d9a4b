//! What the objects and field names of mappings stand for.

use super::workflow::{Field, RecordType};
use crate::domain::schema::FieldKind;

/// What is seen of a record: all of it, or the account, the person and the deal in it, each an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Lead,
    Account,
    Contact,
    Opportunity,
    LeadActivity,
    AccountActivity,
}

impl View {
    /// By the name of the object; the profile has no others.
    pub(super) fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "account" => Self::Account,
            "contact" => Self::Contact,
            "opportunity" => Self::Opportunity,
            "activity" => Self::LeadActivity,
            "account_activity" => Self::AccountActivity,
            _ => Self::Lead,
        }
    }

    /// Whether it shows activities rather than records.
    pub(super) fn is_activity(self) -> bool {
        match self {
            Self::LeadActivity | Self::AccountActivity => true,
            Self::Lead | Self::Account | Self::Contact | Self::Opportunity => false,
        }
    }

    /// Whether it shows the whole record, so that making or deleting it means the record.
    pub(super) fn is_whole(self) -> bool {
        match self {
            Self::Lead | Self::Account => true,
            Self::Contact | Self::Opportunity | Self::LeadActivity | Self::AccountActivity => false,
        }
    }
}

/// A part of the place where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Street,
    City,
    State,
    Zip,
    Country,
    Full,
    Latitude,
    Longitude,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot<'a> {
    Id,
    External,
    Stage,
    StageGroup,
    OwnerExternal,
    OwnerEmail,
    Place(Part),
    OnMap,
    CloseDate,
    /// A member of the record itself.
    Member(&'static str, FieldKind),
    /// A field of the workflow.
    Field(&'a Field),
}

/// What a name of a mapping stands for in a type; nothing where the type does not have it.
pub(super) fn slot<'a>(kind: &'a RecordType, name: &str) -> Option<Slot<'a>> {
    if let Some(own) = strip(name) {
        return kind.custom(own).map(Slot::Field);
    }
    let lower = name.to_ascii_lowercase();
    Some(match lower.as_str() {
        "id" | "accountid" => Slot::Id,
        "externalid" => Slot::External,
        "stage" => Slot::Stage,
        "stagegroup" => Slot::StageGroup,
        "ownerexternalid" => Slot::OwnerExternal,
        "owneremail" => Slot::OwnerEmail,
        "address.street" => Slot::Place(Part::Street),
        "address.city" => Slot::Place(Part::City),
        "address.state" => Slot::Place(Part::State),
        "address.zip" => Slot::Place(Part::Zip),
        "address.country" => Slot::Place(Part::Country),
        "address.full" => Slot::Place(Part::Full),
        "lat" => Slot::Place(Part::Latitude),
        "lng" => Slot::Place(Part::Longitude),
        "onmap" => Slot::OnMap,
        "closedate" => Slot::CloseDate,
        "name" => Slot::Member("name", FieldKind::Text),
        "source" => Slot::Member("source", FieldKind::Text),
        "createdat" => Slot::Member("createdAt", FieldKind::Moment),
        "updatedat" => Slot::Member("updatedAt", FieldKind::Moment),
        "stageupdatedat" => Slot::Member("stageUpdatedAt", FieldKind::Moment),
        "lastactivitytime" => Slot::Member("lastActivityTime", FieldKind::Moment),
        "nextactivitytime" => Slot::Member("nextActivityTime", FieldKind::Moment),
        "visitscount" => Slot::Member("visitsCount", FieldKind::Number),
        "territoryid" => Slot::Member("territoryId", FieldKind::Id),
        "createdbyid" => Slot::Member("createdById", FieldKind::Id),
        "updatedbyid" => Slot::Member("updatedById", FieldKind::Id),
        role => return kind.of_role(role).map(Slot::Field),
    })
}

/// The tenant's own name behind `fields.`.
pub(super) fn strip(name: &str) -> Option<&str> {
    let (head, rest) = name.split_at_checked(7)?;
    head.eq_ignore_ascii_case("fields.").then_some(rest)
}

impl Slot<'_> {
    /// Whether the rows of the feed lack it, so that the record has to be read by itself.
    pub(super) fn needs_whole(&self) -> bool {
        match self {
            Self::Place(Part::Street | Part::City | Part::State | Part::Country) => true,
            Self::Field(field) => matches!(field.kind.as_str(), "multichoice" | "attachment"),
            Self::Place(Part::Zip | Part::Full | Part::Latitude | Part::Longitude)
            | Self::Id
            | Self::External
            | Self::Stage
            | Self::StageGroup
            | Self::OwnerExternal
            | Self::OwnerEmail
            | Self::OnMap
            | Self::CloseDate
            | Self::Member(..) => false,
        }
    }
}

/// What a field of the workflow holds.
pub(super) fn kind_of(field: &Field) -> FieldKind {
    match field.kind.as_str() {
        "email" => FieldKind::Email,
        "phone" => FieldKind::Phone,
        "singlechoice" => FieldKind::Picklist,
        "multichoice" => FieldKind::Set,
        "date" => FieldKind::Date,
        "number" | "currency" => FieldKind::Number,
        "datetime" => FieldKind::Moment,
        "multiline" => FieldKind::LongText,
        "attachment" => FieldKind::Other,
        _ => FieldKind::Text,
    }
}
