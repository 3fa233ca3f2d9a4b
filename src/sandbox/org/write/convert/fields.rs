//! Which field of a lead becomes which field of what it is converted into: the standard map, and for custom fields the
//! map that admins are told to make, by equal names.

use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::schema::{Field, Kind, Object, Schema};

const ACCOUNT: [(&str, &str); 14] = [
    ("Company", "Name"),
    ("Phone", "Phone"),
    ("Fax", "Fax"),
    ("Website", "Website"),
    ("Industry", "Industry"),
    ("AnnualRevenue", "AnnualRevenue"),
    ("NumberOfEmployees", "NumberOfEmployees"),
    ("Rating", "Rating"),
    ("LeadSource", "AccountSource"),
    ("Street", "BillingStreet"),
    ("City", "BillingCity"),
    ("State", "BillingState"),
    ("PostalCode", "BillingPostalCode"),
    ("Country", "BillingCountry"),
];

const CONTACT: [(&str, &str); 19] = [
    ("LastName", "LastName"),
    ("FirstName", "FirstName"),
    ("Salutation", "Salutation"),
    ("Email", "Email"),
    ("Phone", "Phone"),
    ("MobilePhone", "MobilePhone"),
    ("Fax", "Fax"),
    ("Title", "Title"),
    ("Description", "Description"),
    ("LeadSource", "LeadSource"),
    ("Street", "MailingStreet"),
    ("City", "MailingCity"),
    ("State", "MailingState"),
    ("PostalCode", "MailingPostalCode"),
    ("Country", "MailingCountry"),
    ("HasOptedOutOfEmail", "HasOptedOutOfEmail"),
    ("HasOptedOutOfFax", "HasOptedOutOfFax"),
    ("DoNotCall", "DoNotCall"),
    ("EmailBouncedReason", "EmailBouncedReason"),
];

/// Fields of Contact that a person account holds under their own name; the others get `Person` in front.
const OF_PERSON: [&str; 6] = ["LastName", "FirstName", "Salutation", "Phone", "Fax", "Description"];

/// A lead about to be converted.
pub(super) struct LeadView<'a> {
    pub(super) schema: &'a Schema,
    pub(super) shape: &'a Object,
    pub(super) cells: &'a [Cell],
}

impl LeadView<'_> {
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.cells.get(self.shape.field(field)?)?.as_text()
    }

    fn cell(&self, field: &str) -> Option<Cell> {
        self.cells.get(self.shape.field(field)?).cloned()
    }

    fn mapped(&self, target: &Object, map: &[(&str, &str)]) -> Vec<(usize, Cell)> {
        map.iter().filter_map(|(from, to)| Some((target.field(to)?, self.cell(from)?))).collect()
    }

    /// Custom fields that the target has under the same name, or the one that `named` makes of it.
    fn custom<'f>(
        &'f self,
        target: &'f Object,
        named: impl Fn(&str) -> String + 'f,
    ) -> impl Iterator<Item = (usize, Cell)> + 'f {
        self.shape.fields.iter().enumerate().filter(|(_, field)| field.custom).filter_map(
            move |(place, field)| {
                let other = target.field(&named(&field.name))?;
                let fits = target.fields.get(other).is_some_and(|other| takes(other, field));
                fits.then(|| self.cells.get(place).cloned().map(|cell| (other, cell))).flatten()
            },
        )
    }

    /// What an account takes over. Custom fields that a contact also has belong to the contact.
    pub(super) fn for_account(&self, account: &Object, contact: &Object) -> Vec<(usize, Cell)> {
        let mut values = self.mapped(account, &ACCOUNT);
        let own = self.custom(account, str::to_owned).filter(|(place, _)| {
            account.fields.get(*place).is_some_and(|field| contact.field(&field.name).is_none())
        });
        values.extend(own);
        values
    }

    /// What a contact takes over.
    pub(super) fn for_contact(&self, contact: &Object) -> Vec<(usize, Cell)> {
        let mut values = self.mapped(contact, &CONTACT);
        values.extend(self.custom(contact, str::to_owned));
        values
    }

    /// What an opportunity takes over: what neither of the people has a field for.
    pub(super) fn for_opportunity(&self, opportunity: &Object) -> Vec<(usize, Cell)> {
        let mut values = self.mapped(opportunity, &[("LeadSource", "LeadSource")]);
        let taken = |name: &str| {
            ["Account", "Contact"]
                .iter()
                .any(|object| self.schema.get(object).is_some_and(|(_, shape)| shape.field(name).is_some()))
        };
        let own = self
            .custom(opportunity, str::to_owned)
            .filter(|(place, _)| opportunity.fields.get(*place).is_some_and(|field| !taken(&field.name)));
        values.extend(own);
        values
    }

    /// What a person account takes over from a lead without a company.
    pub(super) fn for_person(&self, account: &Object, owner: &str) -> Vec<(usize, Cell)> {
        let mut values: Vec<(usize, Cell)> = CONTACT
            .iter()
            .filter_map(|(from, to)| {
                let name = if OF_PERSON.contains(to) { (*to).to_owned() } else { format!("Person{to}") };
                Some((account.field(&name)?, self.cell(from)?))
            })
            .collect();
        values.extend(self.custom(account, |name| format!("{}pc", name.strip_suffix('c').unwrap_or(name))));
        values.extend(account.system.owner.map(|field| (field, Cell::text(owner))));
        values
    }
}

/// Whether every value of `from` is one of `field` as well.
fn takes(field: &Field, from: &Field) -> bool {
    let texts = from.kind.is_text() && field.kind.is_text() && field.kind != Kind::Email;
    field.createable && (field.kind == from.kind || texts) && field.length >= from.length
}
