//! The words of the settings file for the choices of a sheet, and back.

use crate::domain::consent::ConsentForm;
use crate::domain::mapping::{Direction, FirstMeeting, Policy};
use crate::domain::transform::Transform;

pub(super) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Both => "both",
        Direction::ToPlatform => "to_platform",
        Direction::ToOrg => "to_org",
    }
}

pub(super) fn direction_of(word: &str) -> Direction {
    match word {
        "to_platform" => Direction::ToPlatform,
        "to_org" => Direction::ToOrg,
        _ => Direction::Both,
    }
}

pub(super) fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::SalesforceWins => "salesforce_wins",
        Policy::PlatformWins => "platform_wins",
        Policy::NewestWins => "newest_wins",
        Policy::KeepNonBlank => "keep_non_blank",
        Policy::Ask => "ask",
    }
}

pub(super) fn policy_of(word: &str) -> Policy {
    match word {
        "platform_wins" => Policy::PlatformWins,
        "newest_wins" => Policy::NewestWins,
        "keep_non_blank" => Policy::KeepNonBlank,
        "ask" => Policy::Ask,
        _ => Policy::SalesforceWins,
    }
}

pub(super) fn first_meeting_word(first: FirstMeeting) -> &'static str {
    match first {
        FirstMeeting::SalesforceWins => "salesforce_wins",
        FirstMeeting::PlatformWins => "platform_wins",
        FirstMeeting::FillBlanksOnly => "fill_blanks_only",
        FirstMeeting::Ask => "ask",
    }
}

pub(super) fn transform_word(transform: &Transform) -> &'static str {
    match transform {
        Transform::Copy => "copy",
        Transform::FullName => "full_name",
        Transform::Consent { .. } => "consent",
        Transform::Table(_) => "table",
        Transform::Constant(_) => "constant",
        Transform::Reference(_) => "reference",
        Transform::Rules(_) => "rules",
    }
}

pub(super) fn consent_word(form: ConsentForm) -> &'static str {
    match form {
        ConsentForm::OptOutFlag => "opt_out_flag",
        ConsentForm::OptOut => "opt_out",
        ConsentForm::OptIn => "opt_in",
    }
}
