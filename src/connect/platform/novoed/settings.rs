//! What the settings say of the interface: paths, columns and words that nobody could confirm, and what stays out.

use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use crate::domain::port::{PortClass, PortError};
use crate::domain::profile::Told;

/// How the key is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignIn {
    /// With every call.
    Basic,
    /// Once, for a token.
    Token,
}

/// What nobody could confirm, as the settings say.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) sign_in: SignIn,
    pub(super) admin_email: Option<String>,
    pub(super) connected_on: Option<DateTime<Utc>>,
    pub(super) past_offerings: bool,
    pub(super) past_since: Option<DateTime<Utc>>,
    pub(super) production_only: bool,
    pub(super) session_check: bool,
    pub(super) zone: FixedOffset,
    /// Our `data set.column` → the column's own name, both in lower case.
    pub(super) columns: HashMap<String, String>,
    pub(super) data_since: DateTime<Utc>,
    pub(super) slice_hours: i64,
    pub(super) data_path: String,
    pub(super) user_path: String,
    pub(super) users_path: String,
    pub(super) enrollments_path: String,
    pub(super) session_path: String,
    pub(super) token_path: String,
    pub(super) message_pointer: String,
    pub(super) state_column: String,
    pub(super) closed_words: Vec<String>,
    pub(super) ends_column: String,
    pub(super) production_column: String,
    pub(super) production_words: Vec<String>,
}

impl Names {
    pub(super) fn read(told: &Told<'_>) -> Result<Self, PortError> {
        let zone = told.text("time_zone");
        let zone = zone.parse::<FixedOffset>().map_err(|_no_offset| {
            wrong(format!(
                "In the NovoEd connection, time_zone “{zone}” is no offset; write one such as +00:00 or -05:00."
            ))
        })?;
        let day = |name: &str| told.some_text(name).map(|text| day_of(name, &text)).transpose();
        let lower = |name: &str| told.texts(name).iter().map(|word| word.trim().to_lowercase()).collect();
        Ok(Self {
            sign_in: if told.text("sign_in") == "token" { SignIn::Token } else { SignIn::Basic },
            admin_email: told.some_text("admin_email"),
            connected_on: day("connected_on")?,
            past_offerings: told.flag("past_offerings"),
            past_since: day("past_since")?,
            production_only: told.flag("production_only"),
            session_check: told.flag("session_check"),
            zone,
            columns: columns_of(&told.texts("columns"))?,
            data_since: day("data_since")?.unwrap_or_default(),
            slice_hours: i64::try_from(told.whole("slice_hours")).unwrap_or(0),
            data_path: told.text("data_path"),
            user_path: told.text("user_path"),
            users_path: told.text("users_path"),
            enrollments_path: told.text("enrollments_path"),
            session_path: told.text("session_path"),
            token_path: told.text("token_path"),
            message_pointer: told.text("message_pointer"),
            state_column: told.text("state_column").to_lowercase(),
            closed_words: lower("closed_words"),
            ends_column: told.text("ends_column").to_lowercase(),
            production_column: told.text("production_column").to_lowercase(),
            production_words: lower("production_words"),
        })
    }

    /// What a data set calls a column of ours.
    pub(super) fn column<'a>(&'a self, set: &str, ours: &'a str) -> &'a str {
        if self.columns.is_empty() {
            return ours;
        }
        self.columns.get(&format!("{set}.{ours}")).map_or(ours, String::as_str)
    }
}

/// `users.email=mail` and the like.
fn columns_of(said: &[String]) -> Result<HashMap<String, String>, PortError> {
    said.iter()
        .map(|text| {
            let (ours, theirs) = text.split_once('=').unwrap_or_default();
            let (ours, theirs) = (ours.trim().to_lowercase(), theirs.trim().to_lowercase());
            let set = ours.split_once('.').map(|(set, _)| set);
            let known = matches!(set, Some("users" | "courses" | "enrollments"));
            if known && !theirs.is_empty() {
                return Ok((ours, theirs));
            }
            Err(wrong(format!(
                "In the NovoEd connection, columns has “{text}”; write one such as users.email=mail (users, courses or enrollments)."
            )))
        })
        .collect()
}

/// A day, or a moment.
fn day_of(name: &str, text: &str) -> Result<DateTime<Utc>, PortError> {
    let day = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|moment| moment.and_utc());
    let moment = DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc)).ok();
    moment.or_else(day).ok_or_else(|| {
        wrong(format!(
            "In the NovoEd connection, {name} “{text}” is neither a day nor a moment; write one such as 2026-11-22."
        ))
    })
}

fn wrong(message: String) -> PortError {
    PortError::new(PortClass::Settings, "SETTING_WRONG", message)
}
