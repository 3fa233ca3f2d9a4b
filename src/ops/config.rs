//! The settings file: what is wrong with it, and where.

use crate::ops::session::Session;
use crate::workspace::Problem;

/// Everything that is wrong with the settings file as it stands on disk, in the order of its lines.
pub fn validate(session: &Session) -> Vec<Problem> {
    session.problems()
}
