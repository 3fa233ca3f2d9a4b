//! What people change, and how a value tells which edit it is.

use std::collections::BTreeMap;

use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

/// What a person changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Name,
    Phone,
    Address,
    Status,
}

impl Topic {
    pub const ALL: [Self; 4] = [Self::Name, Self::Phone, Self::Address, Self::Status];

    pub fn fields(self, side: Side) -> &'static [&'static str] {
        match (self, side) {
            (Self::Name, Side::Org) => &["FirstName", "LastName"],
            (Self::Name, Side::Platform) => &["name"],
            (Self::Phone, Side::Org) => &["Phone"],
            (Self::Phone, Side::Platform) => &["phone"],
            (Self::Address, Side::Org) => &["Street", "City"],
            (Self::Address, Side::Platform) => &["street", "city"],
            (Self::Status, Side::Org) => &["Status"],
            (Self::Status, Side::Platform) => &["status"],
        }
    }

    /// The place of its pair in the mappings.
    pub fn place(self) -> usize {
        match self {
            Self::Name => 1,
            Self::Phone => 2,
            Self::Address => 3,
            Self::Status => 4,
        }
    }

    /// What an edit writes into the fields.
    pub fn texts(self, side: Side, number: u64) -> Vec<String> {
        match (self, side) {
            (Self::Name, Side::Org) => vec!["Ann".into(), format!("Lee{number}")],
            (Self::Name, Side::Platform) => vec![format!("Ann Lee{number}")],
            (Self::Phone, _) => vec![format!("+{number}")],
            (Self::Address, _) => vec![format!("Road {number}"), format!("Town {number}")],
            (Self::Status, _) => vec![format!("S{number}")],
        }
    }
}

pub fn address(values: &BTreeMap<String, Value>) -> String {
    let held = values.get("Email").or_else(|| values.get("email"));
    held.map(ToString::to_string).unwrap_or_default().to_lowercase()
}

/// Every value carries the number of its edit in digits.
pub fn edit_in(values: &[Option<&Value>]) -> Option<u64> {
    let text: String = values.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let digits: String =
        text.chars().skip_while(|letter| !letter.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

pub fn held(values: &BTreeMap<String, Value>, side: Side, topic: Topic) -> Option<u64> {
    let found: Vec<Option<&Value>> = topic.fields(side).iter().map(|field| values.get(*field)).collect();
    edit_in(&found)
}
