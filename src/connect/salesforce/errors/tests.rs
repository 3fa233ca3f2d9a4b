use rstest::rstest;

use super::*;

#[rstest]
#[case("INVALID_SESSION_ID", PortClass::SignIn, RowClass::Again)]
#[case("INVALID_AUTH_HEADER", PortClass::SignIn, RowClass::Again)]
#[case("INVALID_LOGIN", PortClass::SignIn, RowClass::Permission)]
#[case("invalid_grant", PortClass::SignIn, RowClass::Permission)]
#[case("LOGIN_MUST_USE_SECURITY_TOKEN", PortClass::SignIn, RowClass::Permission)]
#[case("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", PortClass::SignIn, RowClass::Permission)]
#[case("PASSWORD_LOCKOUT", PortClass::Blocked, RowClass::Permission)]
#[case("ORG_LOCKED", PortClass::Blocked, RowClass::Permission)]
#[case("API_DISABLED_FOR_ORG", PortClass::Blocked, RowClass::Permission)]
#[case("API_CURRENTLY_DISABLED", PortClass::Blocked, RowClass::Permission)]
#[case("FUNCTIONALITY_NOT_ENABLED", PortClass::Blocked, RowClass::Permission)]
#[case("GONE", PortClass::Settings, RowClass::Data)]
#[case("REQUEST_LIMIT_EXCEEDED", PortClass::Limit, RowClass::Limit)]
#[case("SERVER_UNAVAILABLE", PortClass::Transient, RowClass::Again)]
#[case("ORG_IN_MAINTENANCE", PortClass::Transient, RowClass::Again)]
#[case("UNKNOWN_EXCEPTION", PortClass::Transient, RowClass::Again)]
#[case("UNABLE_TO_LOCK_ROW", PortClass::Transient, RowClass::Again)]
#[case("REQUEST_RUNNING_TOO_LONG", PortClass::Transient, RowClass::Again)]
#[case("TXN_SECURITY_METERING_ERROR", PortClass::Transient, RowClass::Again)]
#[case("QUERY_TIMEOUT", PortClass::Transient, RowClass::Data)]
#[case("QUERY_TOO_COMPLICATED", PortClass::Settings, RowClass::Data)]
#[case("INVALID_QUERY_LOCATOR", PortClass::MarkLost, RowClass::Data)]
#[case("INVALID_REPLICATION_DATE", PortClass::CursorLost, RowClass::Data)]
#[case("MALFORMED_QUERY", PortClass::Settings, RowClass::Data)]
#[case("INVALID_FIELD", PortClass::Settings, RowClass::Data)]
#[case("INVALID_TYPE", PortClass::Settings, RowClass::Data)]
#[case("JSON_PARSER_ERROR", PortClass::Settings, RowClass::Data)]
#[case("NOT_FOUND", PortClass::Settings, RowClass::Gone)]
#[case("ENTITY_IS_DELETED", PortClass::Settings, RowClass::Gone)]
#[case("INVALID_CROSS_REFERENCE_KEY", PortClass::Settings, RowClass::Gone)]
#[case("MALFORMED_ID", PortClass::Settings, RowClass::Data)]
#[case("DUPLICATES_DETECTED", PortClass::Settings, RowClass::Data)]
#[case("DUPLICATE_VALUE", PortClass::Settings, RowClass::Data)]
#[case("REQUIRED_FIELD_MISSING", PortClass::Settings, RowClass::Data)]
#[case("STRING_TOO_LONG", PortClass::Settings, RowClass::Data)]
#[case("FIELD_CUSTOM_VALIDATION_EXCEPTION", PortClass::Settings, RowClass::Data)]
#[case("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", PortClass::Settings, RowClass::Data)]
#[case("INSUFFICIENT_ACCESS_OR_READONLY", PortClass::Blocked, RowClass::Permission)]
#[case("INACTIVE_OWNER_OR_USER", PortClass::Blocked, RowClass::Permission)]
#[case("CANNOT_UPDATE_CONVERTED_LEAD", PortClass::Settings, RowClass::Data)]
#[case("STORAGE_LIMIT_EXCEEDED", PortClass::Limit, RowClass::Limit)]
#[case("ALL_OR_NONE_OPERATION_ROLLED_BACK", PortClass::Transient, RowClass::Again)]
#[case("PROCESSING_HALTED", PortClass::Transient, RowClass::Again)]
#[case("ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", PortClass::Transient, RowClass::Again)]
#[case("SOMETHING_NEW", PortClass::Settings, RowClass::Data)]
fn each_code_has_its_classes(#[case] code: &str, #[case] call: PortClass, #[case] row: RowClass) {
    assert_eq!(port_class(code, "words", 400), call);
    assert_eq!(row_class(code, "words", &[]), row);
}

#[test]
fn too_many_calls_at_once_pass_and_the_day_s_quota_does_not() {
    let concurrent = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    assert_eq!(port_class("REQUEST_LIMIT_EXCEEDED", concurrent, 403), PortClass::Transient);
    assert_eq!(port_class("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), PortClass::Limit);
}

#[test]
fn a_reference_that_leads_nowhere_is_data_when_it_names_its_field() {
    let fields = ["AccountId".to_owned()];
    assert_eq!(row_class("INVALID_CROSS_REFERENCE_KEY", "", &fields), RowClass::Data);
}

#[test]
fn a_trigger_that_met_a_lock_is_tried_again() {
    let words = "Sync: execution of BeforeInsert caused by: System.DmlException: UNABLE_TO_LOCK_ROW";
    assert_eq!(row_class("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words, &[]), RowClass::Again);
}

#[test]
fn codes_compare_without_regard_to_case() {
    assert_eq!(topic("invalid_query_locator"), Some(Topic::Locator));
}

#[test]
fn both_spellings_of_the_code_key_are_read() {
    for key in ["errorCode", "statusCode"] {
        let body = format!(r#"[{{"message":"no\n  ^\nway","{key}":"INVALID_FIELD"}}]"#);
        let fault = Fault::from_body(400, body.as_bytes()).unwrap();
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("INVALID_FIELD", "no way"));
    }
}
