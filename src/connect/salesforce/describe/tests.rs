use super::*;
use crate::domain::schema::FieldKind;

fn recorded(name: &str) -> Option<ObjectSchema> {
    let body =
        std::fs::read(format!("{}/../shared/recordings/describe-{name}.json", env!("CARGO_MANIFEST_DIR")))
            .ok()?;
    Some(parse_describe(&body).unwrap().0)
}

#[test]
fn the_real_contact_is_understood() {
    let Some(contact) = recorded("Contact") else { return };
    let field = |name: &str| contact.field(name).unwrap();
    assert!(field("LastName").required && !field("FirstName").required);
    assert_eq!(field("LastName").length, Some(80));
    assert_eq!(field("Email").kind, FieldKind::Email);
    assert!(field("Email").external_id);
    assert_eq!(field("MailingAddress").kind, FieldKind::Other);
    assert_eq!(field("MailingStreet").kind, FieldKind::LongText);
    assert_eq!(field("SystemModstamp").kind, FieldKind::Moment);
    assert!(!field("Name").writable());
    assert_eq!(field("AccountId").relationship.as_deref(), Some("Account"));
    assert_eq!(field("AccountId").references, ["Account"]);
}

#[test]
fn parents_are_followed_and_listed() {
    let (Some(contact), Some(account)) = (recorded("Contact"), recorded("Account")) else { return };
    let schemas = Schemas::new(Duration::from_secs(60));
    let cached = |schema: ObjectSchema| CachedSchema {
        schema,
        replicateable: true,
        last_modified: String::new(),
        validated_at: DateTime::UNIX_EPOCH,
    };
    schemas.import(vec![cached(contact.clone()), cached(account)]);
    let catalog = schemas.catalog();
    let found = catalog.resolve("contact", "account.industry").unwrap();
    assert_eq!((found.path.as_str(), found.kind), ("Account.Industry", FieldKind::Picklist));
    assert_eq!(catalog.resolve("Contact", "Account.Parent.Name").unwrap().path, "Account.Parent.Name");
    assert_eq!(catalog.resolve("Contact", "Nowhere.Name"), None);
    let full = with_parent_fields(&catalog, &contact);
    let name = full.field("Account.Name").unwrap();
    assert!(!name.required && !name.writable());
    assert_eq!(name.label, "Account › Account Name");
    let mut unknown = BTreeSet::new();
    catalog.unknown_parents("Contact", "Owner.Name", &mut unknown);
    assert!(unknown.contains("User"));
}

#[test]
fn a_kept_describe_comes_back_and_can_be_distrusted() {
    let schemas = Schemas::new(Duration::from_secs(60));
    let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
    let kept = CachedSchema {
        schema: ObjectSchema { name: "Lead".into(), ..ObjectSchema::default() },
        replicateable: true,
        last_modified: "Thu".into(),
        validated_at: now,
    };
    schemas.import(vec![kept.clone()]);
    assert_eq!(schemas.export(), [kept]);
    assert!(schemas.stale(&["lead".into()], now).is_empty());
    schemas.distrust();
    assert_eq!(schemas.stale(&["lead".into()], now), ["lead"]);
}
