//! Words of who enters and leaves by other criteria.

use crate::console::view::text::numbers::{count, things};
use crate::domain::scope::{Movers, Way};

/// The title.
pub const TITLE: &str = "Who enters and who leaves";
/// While both sides are read.
pub const LOOKING: &str = "Reading the records that the criteria are about …";
/// Nobody moves.
pub const NOBODY: &str = "Nobody enters or leaves.";
/// No criteria.
pub const ALL: &str = "all records";
/// The criteria on the screen are those of the file.
pub const SAME: &str = "The criteria are as they are saved: nobody moves. c edits them.";
/// An answer of the question before saving.
pub const ANSWER: &str = "Who enters and leaves";
/// At the end.
pub const NOT_SAVED: &str = "Nothing is saved yet: ctrl+s saves the mappings.";

/// `12 enter, 3 of them linked`
pub fn movers(way: Way, movers: &Movers) -> String {
    let verb = match (way, movers.count()) {
        (Way::Enters, 1) => "record enters",
        (Way::Enters, _) => "records enter",
        (Way::Leaves, 1) => "record leaves",
        (Way::Leaves, _) => "records leave",
    };
    format!("{} {verb}, {} linked", count(movers.count()), count(movers.linked))
}

/// Those that are not listed.
pub fn more(number: u64) -> String {
    format!("… and {} more", count(number))
}

/// Those that move not.
pub fn stays(number: u64) -> String {
    format!("{} take part as before.", things(number, "record", "records"))
}

/// There are more than anybody waits for.
pub fn not_whole(read: u64) -> String {
    format!("Only the first {} were looked at; there are more.", things(read, "record", "records"))
}
