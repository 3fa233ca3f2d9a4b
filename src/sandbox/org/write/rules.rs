//! What the org fills in or forbids by itself when a row is saved: names put together, stages that decide probability,
//! leads that are closed to edits.

use chrono::Datelike;

use super::check::Strictness;
use super::{MASTER_RECORD_TYPE, Writer, gone, set};
use crate::sandbox::org::cell::Cell;
use crate::sandbox::org::moment;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::schema::Object;

fn text<'a>(shape: &Object, cells: &'a [Cell], name: &str) -> Option<&'a str> {
    cells.get(shape.field(name)?)?.as_text()
}

fn is_true(shape: &Object, cells: &[Cell], name: &str) -> bool {
    shape.field(name).and_then(|place| cells.get(place)) == Some(&Cell::Bool(true))
}

fn put(shape: &Object, cells: &mut [Cell], name: &str, cell: Cell) {
    set(cells, shape.field(name), cell);
}

/// Fills the computed fields of a row about to be saved; `before` is what stood there for an update.
pub(super) fn compute(
    writer: &Writer<'_>,
    object: usize,
    cells: &mut [Cell],
    before: Option<&[Cell]>,
    strictness: Strictness,
) -> Result<(), RowError> {
    let Some(shape) = writer.schema.objects.get(object) else { return Err(gone()) };
    match shape.name.as_str() {
        "Contact" | "Lead" | "User" => full_name(shape, cells),
        "Account" if writer.schema.person_accounts => person_kind(writer, shape, cells, before, strictness)?,
        "Opportunity" => opportunity(writer, shape, cells, before),
        "Task" => task(shape, cells),
        "Event" => event(shape, cells),
        "CampaignMember" => {
            let responded = text(shape, cells, "Status") == Some("Responded");
            put(shape, cells, "HasResponded", Cell::Bool(responded));
            let target = text(shape, cells, "LeadId").or(text(shape, cells, "ContactId"));
            if target.is_none() && strictness == Strictness::Full {
                return Err(RowError::new(
                    "REQUIRED_FIELD_MISSING",
                    "A campaign member must be a lead or a contact: [LeadId, ContactId]",
                ));
            }
        }
        _ => {}
    }
    if shape.name == "Contact" {
        let bounced = text(shape, cells, "EmailBouncedReason").is_some();
        put(shape, cells, "IsEmailBounced", Cell::Bool(bounced));
        refuse_own_parent(shape, cells, "ReportsToId", strictness)?;
    }
    if shape.name == "Account" {
        refuse_own_parent(shape, cells, "ParentId", strictness)?;
    }
    Ok(())
}

fn refuse_own_parent(
    shape: &Object,
    cells: &[Cell],
    field: &str,
    strictness: Strictness,
) -> Result<(), RowError> {
    let parent = text(shape, cells, field);
    if strictness == Strictness::Full && parent.is_some() && parent == text(shape, cells, "Id") {
        return Err(RowError::on(
            "CIRCULAR_DEPENDENCY",
            "attempt to create a circular dependency: a record cannot be its own parent",
            field,
        ));
    }
    Ok(())
}

fn full_name(shape: &Object, cells: &mut [Cell]) {
    let name = match (text(shape, cells, "FirstName"), text(shape, cells, "LastName")) {
        (Some(first), Some(last)) => Cell::Text(format!("{first} {last}")),
        (None, Some(only)) | (Some(only), None) => Cell::text(only),
        (None, None) => Cell::Null,
    };
    put(shape, cells, "Name", name);
}

/// Decides whether an account is a person, by record type or by a last name, and keeps the two kinds apart.
fn person_kind(
    writer: &Writer<'_>,
    shape: &Object,
    cells: &mut [Cell],
    before: Option<&[Cell]>,
    strictness: Strictness,
) -> Result<(), RowError> {
    let by_type = text(shape, cells, "RecordTypeId").and_then(|id| record_type_is_person(writer, id));
    let has_last_name = text(shape, cells, "LastName").is_some();
    let person = by_type.unwrap_or(has_last_name);
    if let Some(before) = before
        && is_true(shape, before, "IsPersonAccount") != person
        && strictness == Strictness::Full
    {
        return Err(RowError::new(
            "INVALID_PERSON_ACCOUNT_OPERATION",
            "cannot change the type of an account between business and person account",
        ));
    }
    put(shape, cells, "IsPersonAccount", Cell::Bool(person));
    if person {
        full_name(shape, cells);
    } else if strictness == Strictness::Full && (has_last_name || text(shape, cells, "FirstName").is_some()) {
        return Err(RowError::on(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Account: bad field names on insert/update call: FirstName, LastName",
            "LastName",
        ));
    }
    if text(shape, cells, "RecordTypeId").is_none()
        && let Some(id) = writer.record_type(if person { "PersonAccount" } else { "Business_Account" })
    {
        put(shape, cells, "RecordTypeId", Cell::Text(id));
    }
    Ok(())
}

fn record_type_is_person(writer: &Writer<'_>, id: &str) -> Option<bool> {
    if id == MASTER_RECORD_TYPE {
        return Some(false);
    }
    let (object, place) = writer.state.locate(writer.schema, id)?;
    let shape = writer.schema.objects.get(object)?;
    let row = writer.state.table(object)?.current(place)?;
    Some(row.get(shape.field("IsPersonType")?).is_true())
}

impl Writer<'_> {
    /// The id of the record type with this developer name.
    fn record_type(&self, developer_name: &str) -> Option<String> {
        let (object, shape) = self.schema.get("RecordType")?;
        let (name, id) = (shape.field("DeveloperName")?, shape.field("Id")?);
        let table = self.state.table(object)?;
        (0..table.len())
            .filter_map(|place| table.current(place))
            .find(|row| row.get(name).as_text() == Some(developer_name))
            .and_then(|row| row.get(id).as_text().map(str::to_owned))
    }

    /// Rows that nobody may edit any more.
    pub(super) fn refuse_closed_rows(&self, object: usize, place: u32) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let Some(row) = self.state.table(object).and_then(|table| table.current(place)) else {
            return Err(gone());
        };
        if shape.name == "Lead" && shape.field("IsConverted").is_some_and(|field| row.get(field).is_true()) {
            return Err(RowError::new("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"));
        }
        self.refuse_person_contact(object, place)
    }

    /// The shadow contact of a person account is written through its account alone.
    pub(super) fn refuse_person_contact(&self, object: usize, place: u32) -> Result<(), RowError> {
        let Some(shape) = self.schema.objects.get(object) else { return Err(gone()) };
        let Some(row) = self.state.table(object).and_then(|table| table.current(place)) else {
            return Err(gone());
        };
        if shape.name == "Contact"
            && shape.field("IsPersonAccount").is_some_and(|field| row.get(field).is_true())
        {
            return Err(RowError::new(
                "INVALID_PERSON_ACCOUNT_OPERATION",
                "cannot reference person contact; write to its person account instead",
            ));
        }
        Ok(())
    }
}

/// What a stage means: probability, closed, won, forecast category.
fn stage(name: &str) -> (f64, bool, bool, &'static str, &'static str) {
    match name {
        "Qualification" | "Prospecting" => (10.0, false, false, "Pipeline", "Pipeline"),
        "Needs Analysis" => (20.0, false, false, "Pipeline", "Pipeline"),
        "Value Proposition" => (50.0, false, false, "Pipeline", "Pipeline"),
        "Id. Decision Makers" => (60.0, false, false, "Pipeline", "Pipeline"),
        "Perception Analysis" => (70.0, false, false, "BestCase", "Best Case"),
        "Proposal/Price Quote" => (75.0, false, false, "BestCase", "Best Case"),
        "Negotiation/Review" => (90.0, false, false, "Forecast", "Commit"),
        "Closed Won" => (100.0, true, true, "Closed", "Closed"),
        "Closed Lost" => (0.0, true, false, "Omitted", "Omitted"),
        _ => (10.0, false, false, "Pipeline", "Pipeline"),
    }
}

/// The stages of the org with what they mean, for the rows of `OpportunityStage`.
pub(in crate::sandbox::org) fn stages() -> Vec<(&'static str, f64, bool, bool, &'static str, &'static str)> {
    [
        "Prospecting",
        "Qualification",
        "Needs Analysis",
        "Value Proposition",
        "Id. Decision Makers",
        "Perception Analysis",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ]
    .into_iter()
    .map(|name| {
        let (probability, closed, won, category, category_name) = stage(name);
        (name, probability, closed, won, category, category_name)
    })
    .collect()
}

fn opportunity(writer: &Writer<'_>, shape: &Object, cells: &mut [Cell], before: Option<&[Cell]>) {
    let Some(name) = text(shape, cells, "StageName").map(str::to_owned) else { return };
    let (probability, closed, won, category, category_name) = stage(&name);
    let same = |field: &str| {
        before.is_some_and(|before| {
            shape.field(field).is_some_and(|place| before.get(place) == cells.get(place))
        })
    };
    let stage_moved = before.is_none() || !same("StageName");
    let given =
        shape.field("Probability").and_then(|place| cells.get(place)).is_some_and(|cell| !cell.is_null());
    let keeps = given && (before.is_none() || !same("Probability"));
    if stage_moved {
        if !keeps {
            put(shape, cells, "Probability", Cell::Number(probability));
        }
        put(shape, cells, "ForecastCategoryName", Cell::text(category_name));
        if before.is_some() {
            put(
                shape,
                cells,
                "LastStageChangeDate",
                Cell::Moment(writer.actor.now.div_euclid(1_000) * 1_000),
            );
        }
    }
    put(shape, cells, "ForecastCategory", Cell::text(category));
    put(shape, cells, "IsClosed", Cell::Bool(closed));
    put(shape, cells, "IsWon", Cell::Bool(won));
    let number = |field: &str| match shape.field(field).and_then(|place| cells.get(place)) {
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    };
    let expected = number("Amount")
        .map(|amount| Cell::Number((amount * number("Probability").unwrap_or(0.0)).round() / 100.0));
    put(shape, cells, "ExpectedRevenue", expected.unwrap_or(Cell::Null));
    if let Some(Cell::Date(days)) = shape.field("CloseDate").and_then(|place| cells.get(place)) {
        let date = moment::date_of(*days);
        let quarter = (date.month0() / 3) + 1;
        put(shape, cells, "FiscalYear", Cell::Number(f64::from(date.year())));
        put(shape, cells, "FiscalQuarter", Cell::Number(f64::from(quarter)));
        put(shape, cells, "Fiscal", Cell::Text(format!("{} {quarter}", date.year())));
    }
}

fn task(shape: &Object, cells: &mut [Cell]) {
    let closed = text(shape, cells, "Status") == Some("Completed");
    let high = text(shape, cells, "Priority") == Some("High");
    put(shape, cells, "IsClosed", Cell::Bool(closed));
    put(shape, cells, "IsHighPriority", Cell::Bool(high));
}

fn event(shape: &Object, cells: &mut [Cell]) {
    let start = match shape
        .field("StartDateTime")
        .or(shape.field("ActivityDateTime"))
        .and_then(|place| cells.get(place))
    {
        Some(Cell::Moment(ms)) => *ms,
        _ => return,
    };
    let minutes = match shape.field("DurationInMinutes").and_then(|place| cells.get(place)) {
        Some(Cell::Number(minutes)) => *minutes as i64,
        _ => 60,
    };
    put(shape, cells, "ActivityDateTime", Cell::Moment(start));
    put(shape, cells, "ActivityDate", Cell::Date(start.div_euclid(moment::DAY_MS) as i32));
    let end = match shape.field("EndDateTime").and_then(|place| cells.get(place)) {
        Some(Cell::Moment(end)) => *end,
        _ => start + minutes * 60_000,
    };
    put(shape, cells, "EndDateTime", Cell::Moment(end));
    put(shape, cells, "DurationInMinutes", Cell::Number(((end - start) / 60_000) as f64));
}
