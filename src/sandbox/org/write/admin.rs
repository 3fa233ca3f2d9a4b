//! What only people or SOAP do in an org: merging, converting leads.

use serde_json::{Map, Value};

use super::{Writer, gone, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::row_error::RowError;

/// What a converted lead became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The account, new or given.
    pub account: String,
    /// The contact that was made.
    pub contact: String,
    /// The opportunity, when one was asked for.
    pub opportunity: Option<String>,
}

impl Writer<'_> {
    /// Merges rows into a master: losers go to the bin naming it, their children change parents.
    pub(in crate::sandbox::org) fn merge(
        &mut self,
        object: usize,
        master: u32,
        losers: &[u32],
    ) -> Result<(), RowError> {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(object) else { return Err(gone()) };
        if !shape.mergeable {
            return Err(RowError::new(
                "INVALID_TYPE",
                format!("entity type cannot be merged: {}", shape.label),
            ));
        }
        self.refuse_gone(object, master)?;
        let master_id = ids::mint(&shape.prefix, master);
        for loser in losers {
            self.refuse_gone(object, *loser)?;
            let loser_id = ids::mint(&shape.prefix, *loser);
            for relationship in &shape.children {
                for child in self.state.matching(
                    schema,
                    relationship.child,
                    relationship.field,
                    &loser_id,
                    self.actor.now,
                ) {
                    self.point(relationship.child, child, relationship.field, Cell::text(&master_id));
                }
            }
            self.bin(object, *loser, Some(&master_id));
        }
        self.change(object, master, Vec::new())
    }

    /// Converts a lead into account, contact and, when named, opportunity.
    pub(in crate::sandbox::org) fn convert_lead(
        &mut self,
        lead: u32,
        account: Option<&str>,
        opportunity: Option<&str>,
    ) -> Result<Conversion, RowError> {
        let schema = self.schema;
        let Some((object, shape)) = schema.get("Lead") else { return Err(gone()) };
        self.refuse_gone(object, lead)?;
        self.refuse_closed_rows(object, lead)?;
        let Some(mut cells) = self
            .state
            .table(object)
            .and_then(|table| table.current(lead))
            .map(|row| row.decode(shape.fields.len()))
        else {
            return Err(gone());
        };
        let body = |pairs: &[(&str, &str)]| -> Map<String, Value> {
            pairs
                .iter()
                .filter_map(|(from, to)| {
                    let text = cells.get(shape.field(from)?)?.as_text()?;
                    Some(((*to).to_owned(), Value::String(text.to_owned())))
                })
                .collect()
        };
        let contact_fields = body(&[
            ("LastName", "LastName"),
            ("FirstName", "FirstName"),
            ("Salutation", "Salutation"),
            ("Email", "Email"),
            ("Phone", "Phone"),
            ("MobilePhone", "MobilePhone"),
            ("Fax", "Fax"),
            ("Title", "Title"),
            ("Street", "MailingStreet"),
            ("City", "MailingCity"),
            ("State", "MailingState"),
            ("PostalCode", "MailingPostalCode"),
            ("Country", "MailingCountry"),
            ("LeadSource", "LeadSource"),
            ("SALESmanago_Id__c", "SALESmanago_Id__c"),
        ]);
        let account_fields = body(&[
            ("Company", "Name"),
            ("Phone", "Phone"),
            ("Website", "Website"),
            ("Industry", "Industry"),
        ]);
        let company = cells
            .get(shape.field("Company").unwrap_or(usize::MAX))
            .and_then(Cell::as_text)
            .unwrap_or_default()
            .to_owned();
        let (accounts, contacts) =
            (schema.find("Account").ok_or_else(gone)?, schema.find("Contact").ok_or_else(gone)?);
        let account_id = match account {
            Some(id) => id.to_owned(),
            None => ids::mint("001", self.insert(accounts, &account_fields)?),
        };
        let mut contact_fields = contact_fields;
        contact_fields.insert("AccountId".to_owned(), Value::String(account_id.clone()));
        let contact_id = ids::mint("003", self.insert(contacts, &contact_fields)?);
        let opportunity_id = match opportunity {
            None => None,
            Some(name) => {
                let close = crate::sandbox::org::moment::moment_text(
                    self.actor.now + 90 * crate::sandbox::org::moment::DAY_MS,
                );
                let name = if name.is_empty() { format!("{company}-") } else { name.to_owned() };
                let fields: Map<String, Value> = [
                    ("Name", name),
                    ("StageName", "Prospecting".to_owned()),
                    ("CloseDate", close.get(..10).unwrap_or_default().to_owned()),
                    ("AccountId", account_id.clone()),
                ]
                .into_iter()
                .map(|(field, text)| (field.to_owned(), Value::String(text)))
                .collect();
                let opportunities = schema.find("Opportunity").ok_or_else(gone)?;
                Some(ids::mint("006", self.insert(opportunities, &fields)?))
            }
        };
        let today = self.actor.now.div_euclid(crate::sandbox::org::moment::DAY_MS) as i32;
        set(&mut cells, shape.field("IsConverted"), Cell::Bool(true));
        set(&mut cells, shape.field("Status"), Cell::text("Closed - Converted"));
        set(&mut cells, shape.field("ConvertedDate"), Cell::Date(today));
        set(&mut cells, shape.field("ConvertedAccountId"), Cell::text(&account_id));
        set(&mut cells, shape.field("ConvertedContactId"), Cell::text(&contact_id));
        set(
            &mut cells,
            shape.field("ConvertedOpportunityId"),
            opportunity_id.clone().map_or(Cell::Null, Cell::Text),
        );
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, lead, &cells, &stamp, None);
        Ok(Conversion { account: account_id, contact: contact_id, opportunity: opportunity_id })
    }
}
