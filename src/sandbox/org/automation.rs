//! What admins automate: "when an object is saved by somebody and a field has a value, set other fields". Rules are
//! data, given as JSON by steering and bound to the schema here; `write::flow` runs them.
//!
//! ```json
//! {"name": "Tidy titles", "object": "Contact", "on": "save", "by": "anyone", "if": {"field": "LeadSource", "is": "Web"},
//!  "set": {"Title": {"title_case": "Title"}, "Department": "Online"}, "after": 30}
//! ```
//!
//! Without `after` a rule runs inside the save, as a flow does before it: the saver's name and stamp stand on the row.
//! With it the write comes so many seconds later, by the automation's own user and with a stamp of its own. A rule sees
//! what those before it have set; all that it sets itself follows from what was there before.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::cell::{Cell, CellRef};
use super::moment;
use super::row_error::RowError;
use super::schema::{Field, Object, Schema};
use super::state::same_text;
use super::write::check::{Strictness, coerce};

/// One rule as it is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutomationRule {
    /// What the org calls it when it fails.
    #[serde(default = "unnamed")]
    pub name: String,
    /// The object whose rows it watches.
    pub object: String,
    /// Which saves set it off.
    #[serde(default)]
    pub on: Occasion,
    /// Whose saves set it off: `anyone`, `others` (anybody but the integration user), `integration`, `person`, or the id
    /// of a user.
    #[serde(default = "anyone")]
    pub by: String,
    /// What the saved row must be like.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// What becomes of which field: a value, or `{"upper": "Field"}`, `{"lower": "Field"}`, `{"title_case": "Field"}`,
    /// `{"copy": "Field"}`, `{"append": "text"}`, `{"constant": value}`.
    pub set: Map<String, Value>,
    /// Seconds between the save and the rule's own write; inside the save if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
}

fn unnamed() -> String {
    "Automation".to_owned()
}

fn anyone() -> String {
    "anyone".to_owned()
}

/// The saves that set a rule off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// New rows.
    Create,
    /// Changes.
    Update,
    /// Both.
    #[default]
    Save,
}

/// What a row must be like: the field has the value, or, for `null`, none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// Its value; case does not count.
    #[serde(default)]
    pub is: Value,
}

/// What is being done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    Create,
    Update,
}

/// Whose saves count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    Anyone,
    User(String),
    AnyoneBut(String),
}

impl By {
    pub(super) fn covers(&self, user: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::User(wanted) => wanted == user,
            Self::AnyoneBut(spared) => spared != user,
        }
    }
}

/// What a field is set to.
#[derive(Debug, Clone)]
enum Expression {
    Constant(Cell),
    Upper(usize),
    Lower(usize),
    TitleCase(usize),
    Copy(usize),
    Append(String),
}

/// A rule bound to the schema.
#[derive(Debug, Clone)]
pub(super) struct BoundRule {
    name: String,
    object: usize,
    on: Occasion,
    by: By,
    condition: Option<(usize, Cell)>,
    set: Vec<(usize, Expression)>,
    /// Milliseconds between the save and the rule's own write.
    pub(super) after_ms: Option<i64>,
}

/// All rules of an org.
#[derive(Debug, Default)]
pub(super) struct Automation {
    pub(super) rules: Vec<BoundRule>,
}

/// A write that a rule will do later.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) due: i64,
    pub(super) object: usize,
    pub(super) place: u32,
    pub(super) rule: BoundRule,
}

fn no_field(shape: &Object, name: &str) -> String {
    format!("{} has no field {name}", shape.name)
}

impl BoundRule {
    /// Binds a rule, or says why it cannot be.
    pub(super) fn bind(schema: &Schema, rule: &AutomationRule, by: By) -> Result<Self, String> {
        let (object, shape) =
            schema.get(&rule.object).ok_or_else(|| format!("There is no object {}", rule.object))?;
        let field = |name: &str| {
            let place = shape.field(name).ok_or_else(|| no_field(shape, name))?;
            shape.fields.get(place).map(|field| (place, field)).ok_or_else(|| no_field(shape, name))
        };
        let condition = match &rule.condition {
            None => None,
            Some(condition) => {
                let (place, column) = field(&condition.field)?;
                let value = coerce(column, &condition.is, Strictness::Lenient);
                Some((place, value.map_err(|error| error.message)?))
            }
        };
        let mut set = Vec::new();
        for (name, value) in &rule.set {
            let (place, column) = field(name)?;
            if !column.updateable {
                return Err(format!("{}.{name} is read-only", shape.name));
            }
            set.push((place, Expression::bind(shape, column, value)?));
        }
        let after_ms = rule.after.map(|seconds| (seconds.clamp(0.0, 1e9) * 1_000.0).round() as i64);
        let (name, on) = (rule.name.clone(), rule.on);
        Ok(Self { name, object, on, by, condition, set, after_ms })
    }

    /// Whether a save by a user sets the rule off.
    pub(super) fn fires(&self, object: usize, trigger: Trigger, user: &str, cells: &[Cell]) -> bool {
        let occasion = match self.on {
            Occasion::Save => true,
            Occasion::Create => trigger == Trigger::Create,
            Occasion::Update => trigger == Trigger::Update,
        };
        self.object == object && occasion && self.by.covers(user) && self.holds(cells)
    }

    /// Whether a row is as the rule wants it.
    pub(super) fn holds(&self, cells: &[Cell]) -> bool {
        self.condition.as_ref().is_none_or(|(field, wanted)| match (cells.get(*field), wanted) {
            (Some(Cell::Text(held)), Cell::Text(wanted)) => same_text(held, wanted),
            (held, wanted) => held.unwrap_or(&Cell::Null) == wanted,
        })
    }

    /// The values that the rule gives a row, as far as they are new to it.
    pub(super) fn values(&self, shape: &Object, cells: &[Cell]) -> Result<Vec<(usize, Cell)>, RowError> {
        let mut values = Vec::new();
        for (place, expression) in &self.set {
            let Some(column) = shape.fields.get(*place) else { continue };
            let value = expression.value(column, cells.get(*place).unwrap_or(&Cell::Null), cells);
            let value = value.map_err(|error| self.failure(&error))?;
            if cells.get(*place) != Some(&value) {
                values.push((*place, value));
            }
        }
        Ok(values)
    }

    fn failure(&self, error: &RowError) -> RowError {
        RowError::new(
            "CANNOT_EXECUTE_FLOW_TRIGGER",
            format!(
                "We can't save this record because the “{}” process failed. Give your Salesforce admin these details. This error occurred when the flow tried to update records: {error}. You can look up ExceptionCode values in the SOAP API Developer Guide.",
                self.name
            ),
        )
    }
}

impl Expression {
    fn bind(shape: &Object, target: &Field, value: &Value) -> Result<Self, String> {
        let constant = |value: &Value| {
            coerce(target, value, Strictness::Full).map(Self::Constant).map_err(|error| error.message)
        };
        let Value::Object(spelled) = value else { return constant(value) };
        let mut entries = spelled.iter();
        let (Some((word, operand)), None) = (entries.next(), entries.next()) else {
            return Err(format!("{} needs exactly one expression", target.name));
        };
        let field = || {
            let name = operand.as_str().unwrap_or_default();
            shape.field(name).ok_or_else(|| no_field(shape, name))
        };
        match word.as_str() {
            "constant" => constant(operand),
            "upper" => field().map(Self::Upper),
            "lower" => field().map(Self::Lower),
            "title_case" => field().map(Self::TitleCase),
            "copy" => field().map(Self::Copy),
            "append" => {
                let text = operand.as_str().ok_or_else(|| "append needs a text".to_owned())?;
                Ok(Self::Append(text.to_owned()))
            }
            other => Err(format!(
                "{other} is no expression; use constant, upper, lower, title_case, copy or append"
            )),
        }
    }

    fn value(&self, target: &Field, own: &Cell, cells: &[Cell]) -> Result<Cell, RowError> {
        let source = |field: &usize| cells.get(*field).unwrap_or(&Cell::Null);
        let spelled = |field: &usize, spell: fn(&str) -> String| match source(field).as_text() {
            Some(text) => coerce(target, &Value::String(spell(text)), Strictness::Full),
            None => coerce(target, &plain(source(field)), Strictness::Full),
        };
        match self {
            Self::Constant(cell) => Ok(cell.clone()),
            Self::Upper(field) => spelled(field, str::to_uppercase),
            Self::Lower(field) => spelled(field, str::to_lowercase),
            Self::TitleCase(field) => spelled(field, title_case),
            Self::Copy(field) => coerce(target, &plain(source(field)), Strictness::Full),
            Self::Append(text) => {
                let held = own.as_text().unwrap_or_default();
                // Else every save would make the value longer.
                if held.ends_with(text.trim_end()) {
                    return Ok(own.clone());
                }
                coerce(target, &Value::String(format!("{held}{text}")), Strictness::Full)
            }
        }
    }
}

fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside_word = false;
    for letter in text.chars() {
        if inside_word {
            out.extend(letter.to_lowercase());
        } else {
            out.extend(letter.to_uppercase());
        }
        inside_word = letter.is_alphanumeric() || letter == '\'';
    }
    out
}

/// A value as the API would show it, ready to be put into another field.
fn plain(cell: &Cell) -> Value {
    match cell.borrow() {
        CellRef::Null => Value::Null,
        CellRef::Bool(flag) => json!(flag),
        CellRef::Number(number) => json!(number),
        CellRef::Text(text) => json!(text),
        CellRef::Date(days) => json!(moment::date_of(days).to_string()),
        CellRef::Moment(ms) => json!(moment::moment_text(ms)),
        CellRef::Time(ms) => {
            let mut out = Vec::new();
            moment::write_clock(&mut out, ms);
            json!(format!("{}Z", String::from_utf8_lossy(&out)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_case_raises_first_letters_and_lowers_the_rest() {
        assert_eq!(title_case("HEAD of ROW-ING o'neil's"), "Head Of Row-Ing O'neil's");
    }
}
