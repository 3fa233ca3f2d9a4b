//! The entities and their fields: names, types, what must be there, and who may write it.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Flag,
    Number,
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The id of a row of another entity.
    Refers(&'static str),
    /// The ids of rows of another entity.
    ReferAll(&'static str),
    /// A nested object of texts and numbers.
    Object(&'static [&'static str]),
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// An entity.
pub(super) struct Entity {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    /// The field that `_displayName_` shows.
    pub(super) shown: &'static str,
    /// A field that no two rows may share.
    pub(super) unique: Option<&'static str>,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const ADDRESS: Kind =
    Kind::Object(&["street1", "street2", "city", "region", "postalCode", "countryAlpha2Code", "addressType"]);
const MONEY: Kind = Kind::Object(&["amount", "currency"]);

/// An enrolment goes through these.
pub(super) const STATUSES: &[&str] =
    &["TENTATIVE", "APPROVED", "CONFIRMED", "IN_PROGRESS", "CANCELLED", "MISSED", "FAILED", "PASSED"];

const CONTACT: &[Field] = &[
    required("firstName", Kind::Text),
    required("lastName", Kind::Text),
    required("email", Kind::Text),
    field("externalId", Kind::Text),
    field("enabled", Kind::Flag),
    field("emailVerified", Kind::Flag),
    field("title", Kind::Text),
    field("department", Kind::Text),
    field("officePhone", Kind::Text),
    field("mobilePhone", Kind::Text),
    field("homePhone", Kind::Text),
    field("otherPhone", Kind::Text),
    field("fax", Kind::Text),
    field("otherEmail", Kind::Text),
    field("address", ADDRESS),
    field("birthDate", Kind::Text),
    field("locale", Kind::Text),
    field("notes", Kind::Text),
    field("taxId", Kind::Text),
    field("url", Kind::Text),
    field("organizationId", Kind::Refers("organization")),
    field("userGroupIds", Kind::ReferAll("user_group")),
    field("lastSuccessfulLogin", Kind::Date),
    field("customField01", Kind::Text),
    field("customField02", Kind::Text),
    field("customField03", Kind::Text),
    field("customField04", Kind::Text),
    field("customField05", Kind::Text),
    field("customField06", Kind::Text),
    field("customField07", Kind::Text),
    field("customField08", Kind::Text),
    field("customField09", Kind::Text),
    field("customField10", Kind::Text),
    // Something that this site has and others may not.
    field("favouriteBadge", Kind::Word(&["GOLD", "SILVER", "BRONZE"])),
];

const ORGANIZATION: &[Field] = &[
    required("name", Kind::Text),
    field("phone", Kind::Text),
    field("fax", Kind::Text),
    field("url", Kind::Text),
    field("logo", Kind::Text),
    field("taxId", Kind::Text),
    field("notes", Kind::Text),
    field("address", ADDRESS),
    field("customField01", Kind::Text),
    field("customField02", Kind::Text),
];

const GROUP: &[Field] = &[required("name", Kind::Text), field("description", Kind::Text)];

const COURSE: &[Field] = &[
    required("name", Kind::Text),
    field("summary", Kind::Text),
    field("description", Kind::Text),
    field("urlName", Kind::Text),
    field("status", Kind::Word(&["ENABLED", "ACTIVE_COMPONENT", "DISABLED"])),
    field("visibility", Kind::Word(&["PUBLIC", "HIDDEN", "MEMBER", "DEPRECATED", "CUSTOM"])),
    field("duration", Kind::Object(&["days", "minutesPerDay"])),
    field("expiryDays", Kind::Number),
    field("price", MONEY),
    field("language", Kind::Text),
    field("salesforceProductId", Kind::Text),
];

const ENROLMENT: &[Field] = &[
    required("contactId", Kind::Refers("contact")),
    required("componentId", Kind::Refers("learning_component")),
    field("status", Kind::Word(STATUSES)),
    field("expiryDate", Kind::Date),
];

const ORDER: &[Field] = &[
    required("contactId", Kind::Refers("contact")),
    field("organizationId", Kind::Refers("organization")),
    field("status", Kind::Word(&["OPEN", "COMPLETED", "CANCELLED"])),
    field("total", MONEY),
    field("orderDate", Kind::Date),
];

const PAYMENT: &[Field] = &[
    required("orderId", Kind::Refers("order")),
    field("status", Kind::Word(&["PENDING", "PAID", "REFUNDED"])),
    field("amount", MONEY),
    field("paymentType", Kind::Text),
    field("paymentDate", Kind::Date),
];

/// The entities of the emulated site; the service has 128.
pub(super) const ENTITIES: &[Entity] = &[
    Entity { name: "contact", fields: CONTACT, shown: "email", unique: Some("email") },
    Entity { name: "organization", fields: ORGANIZATION, shown: "name", unique: None },
    Entity { name: "user_group", fields: GROUP, shown: "name", unique: Some("name") },
    Entity { name: "learning_component", fields: COURSE, shown: "name", unique: None },
    Entity { name: "enrolment", fields: ENROLMENT, shown: "status", unique: None },
    Entity { name: "order", fields: ORDER, shown: "status", unique: None },
    Entity { name: "payment", fields: PAYMENT, shown: "status", unique: None },
];

/// Their names.
pub(super) const NAMES: [&str; 7] =
    ["contact", "organization", "user_group", "learning_component", "enrolment", "order", "payment"];

/// An entity by its name.
pub(super) fn entity(name: &str) -> Option<(usize, &'static Entity)> {
    ENTITIES.iter().enumerate().find(|(_, entity)| entity.name.eq_ignore_ascii_case(name))
}
