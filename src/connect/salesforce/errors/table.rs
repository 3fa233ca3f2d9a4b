//! The codes that matter, by what they are about.

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::connect::salesforce) enum Topic {
    /// The session is over.
    Session,
    /// The sign-in is refused.
    SignIn,
    /// The API, the org or a feature is switched off.
    SwitchedOff,
    /// The daily quota, or too many calls at once; the words tell which.
    Quota,
    /// Passing trouble.
    Transient,
    /// The server gave up on the request as it is.
    Heavy,
    /// A page's locator is dead.
    Locator,
    /// The cursor is older than the org remembers.
    Replication,
    /// The request does not fit the org's schema.
    Schema,
    /// The record is gone.
    Gone,
    /// An id that leads nowhere: the record itself, or a reference in its values.
    CrossReference,
    /// The values are refused.
    Data,
    /// A value that has to be unique is taken.
    Duplicate,
    /// The org's own automation refused.
    Automation,
    /// A right is missing.
    Permission,
    /// The record's state forbids it.
    State,
    /// Storage or another amount is used up.
    Storage,
    /// Refused because something beside it was.
    Innocent,
    /// Somebody changed it in between.
    Conflict,
}

const TABLE: &[(Topic, &[&str])] = &[
    (Topic::Session, &["INVALID_SESSION_ID", "INVALID_AUTH_HEADER"]),
    (
        Topic::SignIn,
        &[
            "INVALID_LOGIN",
            "invalid_grant",
            "LOGIN_MUST_USE_SECURITY_TOKEN",
            "LOGIN_DURING_RESTRICTED_DOMAIN",
            "LOGIN_DURING_RESTRICTED_TIME",
            "LOGIN_CHALLENGE_ISSUED",
            "LOGIN_CHALLENGE_PENDING",
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        ],
    ),
    (
        Topic::SwitchedOff,
        &[
            "API_DISABLED_FOR_ORG",
            "API_CURRENTLY_DISABLED",
            "FUNCTIONALITY_NOT_ENABLED",
            "PASSWORD_LOCKOUT",
            "ORG_LOCKED",
            "TRIAL_EXPIRED",
        ],
    ),
    (Topic::Quota, &["REQUEST_LIMIT_EXCEEDED"]),
    (
        Topic::Transient,
        &[
            "SERVER_UNAVAILABLE",
            "ORG_IN_MAINTENANCE",
            "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
            "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE",
            "UNKNOWN_EXCEPTION",
            "INTERNAL_ERROR",
            "UNABLE_TO_LOCK_ROW",
            "REQUEST_RUNNING_TOO_LONG",
            "TOO_MANY_APEX_REQUESTS",
            "TXN_SECURITY_METERING_ERROR",
        ],
    ),
    (Topic::Heavy, &["QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "EXCEEDED_ID_LIMIT", "OPERATION_TOO_LARGE"]),
    (Topic::Locator, &["INVALID_QUERY_LOCATOR", "INVALID_LOCATOR", "INVALID_QUERY_KEY"]),
    (Topic::Replication, &["INVALID_REPLICATION_DATE"]),
    (
        Topic::Schema,
        &[
            "MALFORMED_QUERY",
            "INVALID_FIELD",
            "INVALID_TYPE",
            "INVALID_QUERY_FILTER_OPERATOR",
            "INVALID_DATE_FORMAT",
            "JSON_PARSER_ERROR",
            "XML_PARSER_ERROR",
            "ILLEGAL_QUERY_PARAMETER_VALUE",
            "UNSUPPORTED_API_VERSION",
            "GONE",
            "METHOD_NOT_ALLOWED",
            "UNSUPPORTED_MEDIA_TYPE",
        ],
    ),
    (Topic::Gone, &["NOT_FOUND", "ENTITY_IS_DELETED", "MISSING_RECORD"]),
    (Topic::CrossReference, &["INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"]),
    (Topic::Duplicate, &["DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"]),
    (
        Topic::Data,
        &[
            "DUPLICATES_DETECTED",
            "REQUIRED_FIELD_MISSING",
            "STRING_TOO_LONG",
            "INVALID_EMAIL_ADDRESS",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "FIELD_FILTER_VALIDATION_EXCEPTION",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "FIELD_INTEGRITY_EXCEPTION",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
            "INVALID_CURRENCY_ISO",
            "INVALID_INET_ADDRESS",
            "SELF_REFERENCE_FROM_TRIGGER",
            "CIRCULAR_DEPENDENCY",
        ],
    ),
    (
        Topic::Automation,
        &["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "CUSTOM_APEX_ERROR"],
    ),
    (
        Topic::Permission,
        &[
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "TRANSFER_REQUIRES_READ",
            "INVALID_OWNER",
            "INACTIVE_OWNER_OR_USER",
            "OP_WITH_INVALID_USER_TYPE_EXCEPTION",
        ],
    ),
    (
        Topic::State,
        &[
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "ENTITY_IS_LOCKED",
            "ENTITY_IS_ARCHIVED",
            "DELETE_FAILED",
            "DEPENDENCY_EXISTS",
            "INVALID_PERSON_ACCOUNT_OPERATION",
            "MIXED_DML_OPERATION",
        ],
    ),
    (Topic::Storage, &["STORAGE_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "LICENSE_LIMIT_EXCEEDED"]),
    (Topic::Innocent, &["ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"]),
    (Topic::Conflict, &["ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"]),
];

/// What a code is about; `None` for one that is not in the table.
pub(in crate::connect::salesforce) fn topic(code: &str) -> Option<Topic> {
    TABLE
        .iter()
        .find(|(_, codes)| codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
        .map(|(topic, _)| *topic)
}
