//! The customers, and the rules by which one is created or changed. E-mail addresses are not unique.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

/// The fields of a customer, under the names of the REST and of the SOAP interface.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("externalid", "externalId"),
    ("title", "title"),
    ("firstname", "firstname"),
    ("middlename", "middlename"),
    ("lastname", "lastname"),
    ("prefix", "prefix"),
    ("suffix", "suffix"),
    ("initials", "initials"),
    ("gender", "gender"),
    ("maritalstatus", "maritalStatus"),
    ("birthday", "birthday"),
    ("birthplace", "birthplace"),
    ("address", "address"),
    ("address2", "address2"),
    ("address3", "address3"),
    ("addressnumber", "addressNumber"),
    ("addressnumbersuffix", "addressNumberSuffix"),
    ("zipcode", "zipCode"),
    ("pobox", "poBox"),
    ("city", "city"),
    ("state", "state"),
    ("country", "country"),
    ("companyname", "companyName"),
    ("department", "department"),
    ("alt_address", "alternateAddress"),
    ("alt_address2", "alternateAddress2"),
    ("alt_address3", "alternateAddress3"),
    ("alt_addressnumber", "alternateAddressNumber"),
    ("alt_addressnumbersuffix", "alternateAddressNumberSuffix"),
    ("alt_zipcode", "alternateZipCode"),
    ("alt_city", "alternateCity"),
    ("alt_state", "alternateState"),
    ("alt_country", "alternateCountry"),
    ("alt_emailaddress", "alternateEmailAddress"),
    ("contactman", "contactMan"),
    ("jobtitle", "jobTitle"),
    ("workphone", "workPhone"),
    ("workextension", "workExtension"),
    ("workmobile", "workMobile"),
    ("homephone", "homePhone"),
    ("mobilephone", "mobilePhone"),
    ("faxnumber", "faxNumber"),
    ("emailaddress", "emailAddress"),
    ("website", "website"),
    ("imageurl", "imageUrl"),
    ("status", "status"),
    ("username", "userName"),
    ("password", "password"),
    ("optin", "optIn"),
    ("smsoptin", "smsOptIn"),
];

/// A customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Customer {
    pub(super) fields: Map<String, Value>,
    pub(super) created: i64,
    pub(super) modified: i64,
}

/// Why a write is refused: the status, and the words.
pub(super) type Refusal = (u16, String);

/// All customers, and where those with an e-mail address or an external id are.
#[derive(Debug, Default)]
pub(super) struct Customers {
    rows: BTreeMap<u64, Customer>,
    by: HashMap<(&'static str, String), Vec<u64>>,
    last: u64,
    pub(super) deleted: usize,
}

/// The fields by which customers can be looked for.
pub(super) const SEARCHED: [&str; 2] = ["emailaddress", "externalid"];

impl Customers {
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Customer)> {
        self.rows.iter().map(|(id, customer)| (*id, customer))
    }

    pub(super) fn get(&self, id: u64) -> Option<&Customer> {
        self.rows.get(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Those that hold a text in a field.
    pub(super) fn with(&self, field: &str, text: &str) -> Vec<u64> {
        let Some(field) = SEARCHED.into_iter().find(|known| *known == field) else { return Vec::new() };
        self.by.get(&(field, text.to_lowercase())).cloned().unwrap_or_default()
    }

    fn index(&mut self, id: u64, is_there: bool) {
        let Some(customer) = self.rows.get(&id) else { return };
        for field in SEARCHED {
            let text = customer.fields.get(field).and_then(Value::as_str).unwrap_or_default().to_lowercase();
            if text.is_empty() {
                continue;
            }
            let ids = self.by.entry((field, text)).or_default();
            ids.retain(|known| *known != id);
            if is_there {
                ids.push(id);
            }
        }
    }

    /// Puts a customer in place without checks.
    pub(super) fn plant(&mut self, id: Option<u64>, fields: Map<String, Value>, stamps: (i64, i64)) -> u64 {
        let id = id.unwrap_or(self.last + 1);
        self.last = self.last.max(id);
        let mut whole = blank();
        whole.extend(fields);
        self.rows.insert(id, Customer { fields: whole, created: stamps.0, modified: stamps.1 });
        self.index(id, true);
        id
    }

    /// Refuses a record that could not be written.
    pub(super) fn accept(body: &Map<String, Value>) -> Result<(), Refusal> {
        check(body)
    }

    /// Creates one. Without an opt-in it has one.
    pub(super) fn create(&mut self, body: &Map<String, Value>, now: i64) -> Result<u64, Refusal> {
        check(body)?;
        let mut fields = cleaned(body);
        if fields.get("optin").is_none_or(Value::is_null) {
            fields.insert("optin".into(), json!("Y"));
        }
        if fields.get("status").is_none_or(Value::is_null) {
            fields.insert("status".into(), json!("PROSPECT"));
        }
        Ok(self.plant(None, fields, (now, now)))
    }

    /// Changes the fields that are sent, and no others.
    pub(super) fn update(&mut self, id: u64, body: &Map<String, Value>, now: i64) -> Result<(), Refusal> {
        check(body)?;
        if !self.rows.contains_key(&id) {
            return Err((404, format!("Customer {id} not found")));
        }
        self.index(id, false);
        if let Some(customer) = self.rows.get_mut(&id) {
            for (name, value) in cleaned(body) {
                if let ("options", Value::Object(more)) = (name.as_str(), &value)
                    && let Some(Value::Object(options)) = customer.fields.get_mut("options")
                {
                    options.extend(more.clone());
                    continue;
                }
                customer.fields.insert(name, value);
            }
            customer.modified = now;
        }
        self.index(id, true);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: u64) -> bool {
        self.index(id, false);
        let gone = self.rows.remove(&id).is_some();
        self.deleted += usize::from(gone);
        gone
    }

    /// As the REST interface answers it; a password is never told.
    pub(super) fn shown(&self, id: u64) -> Option<Value> {
        let mut fields = self.rows.get(&id)?.fields.clone();
        fields.remove("password");
        fields.insert("id".into(), json!(id));
        Some(Value::Object(fields))
    }
}

/// All fields, blank.
fn blank() -> Map<String, Value> {
    let mut fields: Map<String, Value> =
        FIELDS.iter().map(|(name, _)| ((*name).to_owned(), Value::Null)).collect();
    fields.insert("options".into(), json!({}));
    fields
}

/// Blank texts are no values.
fn cleaned(body: &Map<String, Value>) -> Map<String, Value> {
    let value = |value: &Value| match value {
        Value::String(text) if text.is_empty() => Value::Null,
        other => other.clone(),
    };
    body.iter()
        .filter(|(name, _)| *name != "id")
        .map(|(name, held)| match held {
            Value::Object(options) => {
                let options = options.iter().map(|(name, held)| (name.clone(), value(held))).collect();
                (name.clone(), Value::Object(options))
            }
            held => (name.clone(), value(held)),
        })
        .collect()
}

fn check(body: &Map<String, Value>) -> Result<(), Refusal> {
    let wrong = |words: String| Err((422, words));
    for (name, value) in body {
        if name == "id" || (name == "options" && value.is_object()) {
            continue;
        }
        if !FIELDS.iter().any(|(known, _)| known == name) {
            return wrong(format!("Unknown field {name}"));
        }
        let Some(text) = value.as_str().filter(|text| !text.is_empty()) else {
            if value.is_null() || value.is_string() {
                continue;
            }
            return wrong(format!("{name} must be a string"));
        };
        let fits = match name.as_str() {
            "optin" | "smsoptin" => matches!(text, "Y" | "N"),
            "gender" => matches!(text, "MAN" | "WOMAN" | "FAMILY" | "NONBINARY" | "UNKNOWN"),
            "status" | "maritalstatus" => text == text.to_uppercase(),
            "emailaddress" | "alt_emailaddress" => text.contains('@'),
            "birthday" => text.parse::<chrono::NaiveDate>().is_ok(),
            _ => text.chars().count() <= 255,
        };
        if !fits {
            return wrong(format!("{name} has an invalid value"));
        }
    }
    Ok(())
}
