//! What the choices of a mapping mean, in words.

use crate::domain::mapping::{Conversion, DeletePolicy, Direction, Drift, FirstMeeting, Policy};

impl Direction {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Both => "both ways",
            Self::ToPlatform => "Salesforce to platform",
            Self::ToOrg => "platform to Salesforce",
        }
    }
}

impl Policy {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SalesforceWins => "Salesforce wins",
            Self::PlatformWins => "platform wins",
            Self::NewestWins => "newest wins",
            Self::KeepNonBlank => "filled wins over blank",
            Self::Ask => "ask a person",
        }
    }
}

impl FirstMeeting {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SalesforceWins => "Salesforce wins",
            Self::PlatformWins => "platform wins",
            Self::FillBlanksOnly => "only blanks are filled",
            Self::Ask => "ask a person",
        }
    }
}

impl DeletePolicy {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ignore => "the other record stays",
            Self::Deactivate => "the other record is deactivated",
            Self::Propagate => "the other record is deleted too",
        }
    }
}

impl Conversion {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::HandOver => "the contact takes the record over",
            Self::TwoRecords => "lead and contact have one each",
        }
    }
}

impl Drift {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Leave => "it is left until the source changes",
            Self::Enforce => "the source's value is written again",
        }
    }
}
