//! Person accounts: an account that is a person has a shadow contact, which follows it field by field.

use super::{Writer, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::schema::{Object, Schema};
use crate::sandbox::org::state::Stamp;

/// Fields that carry another name on the account than on the contact, beyond those that merely lose `Person`.
const SAME_NAME: [&str; 6] = ["FirstName", "LastName", "Salutation", "Name", "OwnerId", "Description"];

/// The field of Contact that `field` of Account is mirrored to.
fn twin(contact: &Object, field: &str) -> Option<usize> {
    if SAME_NAME.contains(&field) {
        return contact.field(field);
    }
    if let Some(stem) = field.strip_suffix("__pc") {
        return contact.field(&format!("{stem}__c"));
    }
    if matches!(field, "Phone" | "Fax") {
        return contact.field(field);
    }
    contact.field(field.strip_prefix("Person")?).filter(|_| field != "PersonContactId")
}

fn mirror(schema: &Schema, account: &Object, cells: &[Cell], shadow: &mut [Cell]) {
    let Some((_, contact)) = schema.get("Contact") else { return };
    for (field, cell) in account.fields.iter().zip(cells) {
        if let Some(place) = twin(contact, &field.name) {
            set(shadow, Some(place), cell.clone());
        }
    }
    for (from, to) in [
        (account.system.modified, contact.system.modified),
        (account.system.modified_by, contact.system.modified_by),
        (account.system.stamp, contact.system.stamp),
    ] {
        if let Some(cell) = from.and_then(|place| cells.get(place)) {
            set(shadow, to, cell.clone());
        }
    }
    let bounced = contact
        .field("EmailBouncedReason")
        .and_then(|place| shadow.get(place))
        .is_some_and(|cell| !cell.is_null());
    set(shadow, contact.field("IsEmailBounced"), Cell::Bool(bounced));
}

/// Account, its object and its shadow's, when the saved row is a person.
fn person<'a>(writer: &Writer<'a>, object: usize, cells: &[Cell]) -> Option<(&'a Object, usize, &'a Object)> {
    let schema = writer.schema;
    let account =
        schema.objects.get(object).filter(|account| schema.person_accounts && account.name == "Account")?;
    (cells.get(account.field("IsPersonAccount")?) == Some(&Cell::Bool(true))).then_some(())?;
    let (place, contact) = schema.get("Contact")?;
    Some((account, place, contact))
}

/// Makes the shadow contact of a new person account.
pub(super) fn after_insert(
    writer: &mut Writer<'_>,
    object: usize,
    place: u32,
    cells: &[Cell],
    stamp: &Stamp,
) {
    let Some((account, contact_object, contact)) = person(writer, object, cells) else { return };
    let Some(next) = writer.state.table(contact_object).map(super::super::table::Table::len) else { return };
    let mut shadow = vec![Cell::Null; contact.fields.len()];
    for (field, slot) in contact.fields.iter().zip(shadow.iter_mut()) {
        if field.kind == crate::sandbox::org::schema::Kind::Boolean {
            *slot = Cell::Bool(false);
        }
    }
    let id = ids::mint(&contact.prefix, next);
    set(&mut shadow, contact.field("Id"), Cell::text(&id));
    set(&mut shadow, contact.field("AccountId"), Cell::Text(ids::mint(&account.prefix, place)));
    set(&mut shadow, contact.field("IsPersonAccount"), Cell::Bool(true));
    for (from, to) in [
        (account.system.created, contact.system.created),
        (account.system.created_by, contact.system.created_by),
    ] {
        if let Some(cell) = from.and_then(|place| cells.get(place)) {
            set(&mut shadow, to, cell.clone());
        }
    }
    mirror(writer.schema, account, cells, &mut shadow);
    let same = Stamp { at: stamp.at, visible_at: stamp.visible_at };
    if writer.state.insert(contact_object, &shadow, &same).is_some() {
        writer.point(object, place, account.field("PersonContactId").unwrap_or(usize::MAX), Cell::Text(id));
    }
}

/// Carries a change of a person account over to its shadow.
pub(super) fn after_update(writer: &mut Writer<'_>, object: usize, cells: &[Cell], stamp: &Stamp) {
    let Some((account, contact_object, contact)) = person(writer, object, cells) else { return };
    let shadow_id =
        account.field("PersonContactId").and_then(|place| cells.get(place)).and_then(Cell::as_text);
    let Some((_, place)) = shadow_id.and_then(|id| writer.state.locate(writer.schema, id)) else { return };
    let Some(row) = writer.state.table(contact_object).and_then(|table| table.current(place)) else { return };
    let mut shadow = row.decode(contact.fields.len());
    mirror(writer.schema, account, cells, &mut shadow);
    let same = Stamp { at: stamp.at, visible_at: stamp.visible_at };
    writer.state.replace(contact_object, place, &shadow, &same, None);
}
