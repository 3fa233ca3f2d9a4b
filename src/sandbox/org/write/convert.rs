//! Converting leads: account, contact and, unless it is declined, opportunity come out of a lead, which is closed to
//! edits from then on.

mod fields;

use super::{Operation, Writer, gone, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::ids;
use crate::sandbox::org::moment;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::schema::Object;
use crate::sandbox::org::table::Reach;
use fields::LeadView;

use super::check::Strictness;

/// What a converted lead became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The account, new or given.
    pub account: String,
    /// The contact, new or given.
    pub contact: String,
    /// The opportunity, unless there is none.
    pub opportunity: Option<String>,
}

/// What is to be done about an opportunity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Deal {
    /// None.
    #[default]
    None,
    /// A new one, named after the company.
    New,
    /// A new one of this name.
    Named(String),
    /// This one, which exists.
    Existing(String),
}

/// What happens to the lead source of a contact that exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LeadSource {
    /// It stays, unless there is none.
    #[default]
    Keep,
    /// The lead's replaces it.
    Overwrite,
}

/// How a lead is to be converted.
#[derive(Debug, Clone, Default)]
pub struct LeadConversion {
    /// The account to go into; a new one if left out.
    pub account: Option<String>,
    /// The contact to go into; a new one if left out.
    pub contact: Option<String>,
    /// The opportunity.
    pub deal: Deal,
    /// A status that means converted; the first there is if left out.
    pub status: Option<String>,
    /// Who owns what is made; the lead's owner if left out.
    pub owner: Option<String>,
    /// Whether the lead's source goes over that of a given contact.
    pub lead_source: LeadSource,
}

fn bad_reference() -> RowError {
    RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

impl Writer<'_> {
    /// Converts a lead.
    pub(in crate::sandbox::org) fn convert_lead(
        &mut self,
        lead: u32,
        wish: &LeadConversion,
    ) -> Result<Conversion, RowError> {
        let schema = self.schema;
        let (object, shape) = schema.get("Lead").ok_or_else(gone)?;
        self.guard(object, Operation::Update)?;
        self.refuse_gone(object, lead)?;
        self.refuse_closed_rows(object, lead)?;
        let status = self.converted_status(wish.status.as_deref())?;
        let row = self.state.table(object).and_then(|table| table.current(lead)).ok_or_else(gone)?;
        let mut cells = row.decode(shape.fields.len());
        let view = LeadView { schema, shape, cells: &cells };
        let owner = self.owner_of_conversion(&view, wish.owner.as_deref())?;
        let (account, contact) = self.people_of_conversion(&view, wish, &owner)?;
        let opportunity = self.opportunity_of_conversion(&view, &wish.deal, &account, &owner)?;
        self.move_activities(object, lead, &contact);
        let today = self.actor.now.div_euclid(moment::DAY_MS) as i32;
        for (field, cell) in [
            ("IsConverted", Cell::Bool(true)),
            ("IsUnreadByOwner", Cell::Bool(false)),
            ("Status", Cell::Text(status)),
            ("ConvertedDate", Cell::Date(today)),
            ("ConvertedAccountId", Cell::text(&account)),
            ("ConvertedContactId", Cell::text(&contact)),
            ("ConvertedOpportunityId", opportunity.clone().map_or(Cell::Null, Cell::Text)),
        ] {
            set(&mut cells, shape.field(field), cell);
        }
        let stamp = self.touch(shape, &mut cells);
        self.state.replace(object, lead, &cells, &stamp, None);
        Ok(Conversion { account, contact, opportunity })
    }

    /// The status that is meant; only statuses that mean converted will do.
    fn converted_status(&self, wanted: Option<&str>) -> Result<String, RowError> {
        let (object, shape) = self.schema.get("LeadStatus").ok_or_else(gone)?;
        let (Some(label), Some(flag)) = (shape.field("MasterLabel"), shape.field("IsConverted")) else {
            return Err(gone());
        };
        let table = self.state.table(object).ok_or_else(gone)?;
        let rows = (0..table.len()).filter_map(|place| table.visible(place, self.actor.now, Reach::Live));
        rows.filter(|row| row.get(flag).is_true())
            .filter_map(|row| row.get(label).as_text())
            .find(|label| wanted.is_none_or(|wanted| wanted == *label))
            .map(str::to_owned)
            .ok_or_else(|| {
                let shown = wanted.filter(|wanted| !wanted.is_empty()).unwrap_or("null");
                RowError::on("INVALID_STATUS", format!("invalid convertedStatus: {shown}"), "Status")
            })
    }

    fn owner_of_conversion(&self, lead: &LeadView<'_>, wanted: Option<&str>) -> Result<String, RowError> {
        let owner = match wanted {
            Some(id) => ids::normalise(id).ok_or_else(bad_reference)?,
            None => lead.text("OwnerId").unwrap_or_default().to_owned(),
        };
        let users = self.schema.find("User");
        match self.state.locate(self.schema, &owner) {
            Some((object, _)) if Some(object) == users => Ok(owner),
            Some(_) => Err(RowError::new(
                "UNKNOWN_EXCEPTION",
                "Converted objects can only be owned by users.  If the lead is not owned by a user, you must specify a user for the Owner field.",
            )),
            None => Err(bad_reference()),
        }
    }

    /// Object and place of a live row that a conversion goes into.
    fn target(&self, object: &str, id: &str) -> Result<(usize, u32), RowError> {
        let wanted = self.schema.find(object).ok_or_else(gone)?;
        let found = ids::normalise(id).and_then(|id| self.state.locate(self.schema, &id));
        let (object, place) = found.filter(|found| found.0 == wanted).ok_or_else(bad_reference)?;
        self.refuse_gone(object, place)?;
        Ok((object, place))
    }

    /// The ids of account and contact, made or filled.
    fn people_of_conversion(
        &mut self,
        lead: &LeadView<'_>,
        wish: &LeadConversion,
        owner: &str,
    ) -> Result<(String, String), RowError> {
        let schema = self.schema;
        let (accounts, account_shape) = schema.get("Account").ok_or_else(gone)?;
        let (contacts, contact_shape) = schema.get("Contact").ok_or_else(gone)?;
        if wish.contact.is_some() && wish.account.is_none() {
            return Err(RowError::on(
                "REQUIRED_FIELD_MISSING",
                "missing required field: [accountId]",
                "accountId",
            ));
        }
        let account = match &wish.account {
            Some(id) => {
                let (_, place) = self.target("Account", id)?;
                let values = lead.for_account(account_shape, contact_shape);
                self.fill_blanks(accounts, place, values, LeadSource::Keep)?;
                place
            }
            None if lead.text("Company").is_none() && schema.person_accounts => {
                let values = lead.for_person(account_shape, owner);
                self.guard(accounts, Operation::Insert)?;
                let place = self.create(accounts, values, Strictness::Full)?;
                let account_id = ids::mint(&account_shape.prefix, place);
                let contact = self.person_contact(account_shape, accounts, place).ok_or_else(gone)?;
                return Ok((account_id, contact));
            }
            None => {
                let mut values = lead.for_account(account_shape, contact_shape);
                values.extend(account_shape.system.owner.map(|field| (field, Cell::text(owner))));
                self.guard(accounts, Operation::Insert)?;
                self.create(accounts, values, Strictness::Full)?
            }
        };
        let account_id = ids::mint(&account_shape.prefix, account);
        if let Some(contact) = self.person_contact(account_shape, accounts, account) {
            return Ok((account_id, contact));
        }
        let mut values = lead.for_contact(contact_shape);
        let parent = contact_shape.field("AccountId").ok_or_else(gone)?;
        let place = if let Some(id) = &wish.contact {
            let (_, place) = self.target("Contact", id)?;
            let held = self.state.table(contacts).and_then(|table| table.current(place));
            let other = held.and_then(|row| row.get(parent).as_text()).filter(|held| *held != account_id);
            if other.is_some() {
                return Err(bad_reference());
            }
            values.push((parent, Cell::text(&account_id)));
            self.fill_blanks(contacts, place, values, wish.lead_source)?;
            place
        } else {
            values.push((parent, Cell::text(&account_id)));
            values.extend(contact_shape.system.owner.map(|field| (field, Cell::text(owner))));
            self.guard(contacts, Operation::Insert)?;
            self.create(contacts, values, Strictness::Full)?
        };
        Ok((account_id, ids::mint(&contact_shape.prefix, place)))
    }

    fn person_contact(&self, shape: &Object, accounts: usize, place: u32) -> Option<String> {
        let row = self.state.table(accounts)?.current(place)?;
        row.get(shape.field("PersonContactId")?).as_text().map(str::to_owned)
    }

    /// Gives a row that exists the values for which it has none.
    fn fill_blanks(
        &mut self,
        object: usize,
        place: u32,
        mut values: Vec<(usize, Cell)>,
        lead_source: LeadSource,
    ) -> Result<(), RowError> {
        self.guard(object, Operation::Update)?;
        let shape = self.schema.objects.get(object).ok_or_else(gone)?;
        let row = self.state.table(object).and_then(|table| table.current(place)).ok_or_else(gone)?;
        let source = shape.field("LeadSource").filter(|_| lead_source == LeadSource::Overwrite);
        values
            .retain(|(field, cell)| !cell.is_null() && (row.get(*field).is_null() || source == Some(*field)));
        if values.is_empty() {
            return Ok(());
        }
        self.change(object, place, values)
    }

    fn opportunity_of_conversion(
        &mut self,
        lead: &LeadView<'_>,
        deal: &Deal,
        account: &str,
        owner: &str,
    ) -> Result<Option<String>, RowError> {
        let (object, shape) = self.schema.get("Opportunity").ok_or_else(gone)?;
        let name = match deal {
            Deal::None => return Ok(None),
            Deal::Existing(id) => {
                let (_, place) = self.target("Opportunity", id)?;
                return Ok(Some(ids::mint(&shape.prefix, place)));
            }
            Deal::Named(name) => name.clone(),
            Deal::New => format!("{}-", lead.text("Company").or(lead.text("Name")).unwrap_or_default()),
        };
        self.guard(object, Operation::Insert)?;
        let today = self.actor.now.div_euclid(moment::DAY_MS) as i32;
        let mut values = lead.for_opportunity(shape);
        for (field, cell) in [
            ("Name", Cell::Text(name.chars().take(120).collect())),
            ("StageName", Cell::text("Prospecting")),
            ("CloseDate", Cell::Date(moment::end_of_quarter(today))),
            ("AccountId", Cell::text(account)),
            ("OwnerId", Cell::text(owner)),
        ] {
            values.extend(shape.field(field).map(|field| (field, cell)));
        }
        let place = self.create(object, values, Strictness::Full)?;
        Ok(Some(ids::mint(&shape.prefix, place)))
    }

    /// What was done with the lead is history of the contact now; a campaign's member keeps its lead and gains a contact.
    fn move_activities(&mut self, leads: usize, lead: u32, contact: &str) {
        let schema = self.schema;
        let Some(shape) = schema.objects.get(leads) else { return };
        let id = ids::mint(&shape.prefix, lead);
        for relationship in &shape.children {
            let Some(child) = schema.objects.get(relationship.child) else { continue };
            let field = match child.name.as_str() {
                "Task" | "Event" => Some(relationship.field),
                "CampaignMember" => child.field("ContactId"),
                _ => None,
            };
            let Some(field) = field else { continue };
            let now = self.actor.now;
            for place in self.state.matching(schema, relationship.child, relationship.field, &id, now) {
                self.hand_over(relationship.child, place, field, contact);
            }
        }
    }
}
