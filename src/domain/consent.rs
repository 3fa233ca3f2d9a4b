//! Consent: yes, no or unknown, decided in one place (law E3).
//!
//! Unknown never overwrites; without a base, after two edits, or in doubt an opt-out wins; an opt-in crosses only when its
//! own side was seen opted out, is now in, and the other side stood still.

use serde::{Deserialize, Serialize};

use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::mutant::{Mutant, broken};

/// What a side knows about a person's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Explicitly given.
    Yes,
    /// Explicitly refused or withdrawn.
    No,
    /// Nobody has said.
    Unknown,
}

/// How a field says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentForm {
    /// True means opted out; false means that nobody has said, unless it was seen true before (Salesforce `HasOptedOut…`).
    OptOutFlag,
    /// True means opted out, false means opted in (SALESmanago `optedOut`).
    OptOut,
    /// `Y` or true means opted in, `N` or false opted out, blank unknown; any other value is an error (F98).
    OptIn,
}

/// A value that says neither yes nor no nor nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no consent value: only Y, N, true, false and blank are understood")]
pub struct NoConsentValue(pub String);

impl ConsentForm {
    /// Reads a field. `base` is what this side was last seen to hold; only an opt-out flag needs it.
    pub fn read(self, value: &Value, base: Option<Consent>) -> Result<Consent, NoConsentValue> {
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Null => None,
            Value::Text(text) => match text.trim() {
                "" => None,
                yes if yes.eq_ignore_ascii_case("y") || yes.eq_ignore_ascii_case("true") => Some(true),
                no if no.eq_ignore_ascii_case("n") || no.eq_ignore_ascii_case("false") => Some(false),
                other => return Err(NoConsentValue(other.to_owned())),
            },
            other => return Err(NoConsentValue(other.to_string())),
        };
        Ok(match (self, flag) {
            (_, None) => Consent::Unknown,
            (Self::OptOutFlag | Self::OptOut, Some(true)) | (Self::OptIn, Some(false)) => Consent::No,
            (Self::OptOut, Some(false)) | (Self::OptIn, Some(true)) => Consent::Yes,
            (Self::OptOutFlag, Some(false)) => match base {
                Some(Consent::No | Consent::Yes) => Consent::Yes,
                Some(Consent::Unknown) | None => Consent::Unknown,
            },
        })
    }

    /// The value that says `yes` (or no) in this form.
    pub fn write(self, opted_in: bool) -> Value {
        match self {
            Self::OptOutFlag | Self::OptOut => Value::Bool(!opted_in),
            Self::OptIn => Value::Bool(opted_in),
        }
    }
}

/// What must be sent so that no opt-out is lost: per side, the consent it has to receive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentDecision {
    /// Sent to this side, if anything.
    pub send: PerSide<Option<Consent>>,
    /// Whether an opt-out overruled something else.
    pub opt_out_won: bool,
}

/// Decides a consent pair from what both sides say now and what they last said.
pub fn decide(now: PerSide<Consent>, base: Option<PerSide<Consent>>) -> ConsentDecision {
    let mut decision = ConsentDecision::default();
    for side in Side::BOTH {
        let other = side.other();
        let changed = base.is_none_or(|base| base[side] != now[side]);
        let other_changed = base.is_none_or(|base| base[other] != now[other]);
        match now[side] {
            Consent::No if changed && now[other] != Consent::No => {
                decision.send[other] = Some(Consent::No);
                decision.opt_out_won = other_changed;
            }
            Consent::Yes => {
                let was_out = base.is_some_and(|base| base[side] == Consent::No);
                let released = (was_out && !other_changed) || broken(Mutant::ReleaseLoosened);
                if released && now[other] == Consent::No {
                    decision.send[other] = Some(Consent::Yes);
                }
            }
            Consent::No | Consent::Unknown => {}
        }
    }
    decision
}

/// Whether an undo may say again what a side said before: it may opt somebody out, and nothing else.
pub fn may_undo(now: Consent, before: Consent) -> bool {
    before == Consent::No && now != Consent::No
}

/// What a created record starts with: unknown is sent as no.
pub fn on_create(source: Consent) -> Consent {
    match source {
        Consent::Yes => Consent::Yes,
        Consent::Unknown if broken(Mutant::UnknownIsYes) => Consent::Yes,
        Consent::No | Consent::Unknown => Consent::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Consent; 3] = [Consent::Yes, Consent::No, Consent::Unknown];

    fn pair(org: Consent, platform: Consent) -> PerSide<Consent> {
        PerSide { org, platform }
    }

    #[test]
    fn without_a_base_an_opt_out_reaches_the_other_side_and_nothing_else_does() {
        for org in ALL {
            for platform in ALL {
                let decision = decide(pair(org, platform), None);
                let expected = |mine: Consent, theirs: Consent| {
                    (theirs == Consent::No && mine != Consent::No).then_some(Consent::No)
                };
                assert_eq!(decision.send.org, expected(org, platform), "{org:?} {platform:?}");
                assert_eq!(decision.send.platform, expected(platform, org), "{org:?} {platform:?}");
            }
        }
    }

    #[test]
    fn no_decision_ever_lifts_an_opt_out_that_its_side_newly_made() {
        for base_org in ALL {
            for base_platform in ALL {
                for org in ALL {
                    for platform in ALL {
                        let decision = decide(pair(org, platform), Some(pair(base_org, base_platform)));
                        if org == Consent::No && base_org != Consent::No {
                            assert_ne!(decision.send.org, Some(Consent::Yes));
                        }
                        if platform == Consent::No && base_platform != Consent::No {
                            assert_ne!(decision.send.platform, Some(Consent::Yes));
                        }
                        assert_ne!(decision.send.org, Some(Consent::Unknown));
                        assert_ne!(decision.send.platform, Some(Consent::Unknown));
                    }
                }
            }
        }
    }

    #[test]
    fn an_opt_in_crosses_when_its_side_was_out_and_the_other_stood_still() {
        let decision = decide(pair(Consent::Yes, Consent::No), Some(pair(Consent::No, Consent::No)));
        assert_eq!(decision.send.platform, Some(Consent::Yes));
        let doubtful = decide(pair(Consent::Yes, Consent::No), Some(pair(Consent::Unknown, Consent::No)));
        assert_eq!(doubtful.send.platform, None);
        let both = decide(pair(Consent::Yes, Consent::No), Some(pair(Consent::No, Consent::Yes)));
        assert_eq!(both.send.platform, None);
        assert_eq!(both.send.org, Some(Consent::No));
    }

    #[test]
    fn a_salesforce_flag_that_is_false_is_unknown_until_it_was_seen_true() {
        let form = ConsentForm::OptOutFlag;
        assert_eq!(form.read(&Value::Bool(false), None), Ok(Consent::Unknown));
        assert_eq!(form.read(&Value::Bool(false), Some(Consent::Unknown)), Ok(Consent::Unknown));
        assert_eq!(form.read(&Value::Bool(false), Some(Consent::No)), Ok(Consent::Yes));
        assert_eq!(form.read(&Value::Bool(true), None), Ok(Consent::No));
    }

    #[test]
    fn only_explicit_values_count_as_yes() {
        let form = ConsentForm::OptIn;
        assert_eq!(form.read(&"Y".into(), None), Ok(Consent::Yes));
        assert_eq!(form.read(&"".into(), None), Ok(Consent::Unknown));
        assert_eq!(form.read(&"maybe".into(), None), Err(NoConsentValue("maybe".into())));
    }
}
