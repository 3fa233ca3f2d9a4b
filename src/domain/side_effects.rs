//! What a run sets off besides its writes (law E17): the one place that says it, for the check, for the question before an initial
//! sync, and for the plan's head.

use serde::{Deserialize, Serialize};

use crate::domain::mapping::{Mapping, SideEffects};
use crate::domain::outcome::RunKind;
use crate::domain::side::Side;

/// Something that a run may set off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideEffect {
    /// The mapping.
    pub mapping: String,
    /// The side on which it happens.
    pub side: Side,
    /// The name of the setting, or `automation` for what no setting holds back.
    pub what: String,
    /// Whether it happens.
    pub state: Firing,
    /// A sentence.
    pub message: String,
}

/// Whether a side effect happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    /// It does.
    Fires,
    /// It is held back.
    Quiet,
    /// The service has no switch for it.
    Uncontrolled,
}

/// What a write sets off on the platform, and whether that can be held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Events {
    /// Rows are handed over in jobs, which have a switch for workflows and rules.
    Switched,
    /// Rows are written one by one or in small batches, which have none, though jobs would have.
    Unswitched,
    /// The service may have rules of its own, and no switch for them.
    #[default]
    Unknown,
    /// There is nothing that could be set off.
    Nothing,
}

impl Events {
    /// Whether the service mails new people so that they confirm their address.
    fn asks_for_confirmation(self) -> bool {
        matches!(self, Self::Switched | Self::Unswitched)
    }
}

impl Mapping {
    /// What a run of that kind may set off by this mapping's writes. An initial sync has settings of its own, which are quiet unless
    /// the admin says otherwise; taking a run back sets off nothing that can be held back.
    pub fn effects(&self, kind: RunKind) -> SideEffects {
        match kind {
            RunKind::Initial => self.initial_side_effects,
            RunKind::Undo => SideEffects::default(),
            RunKind::Instant | RunKind::Automatic | RunKind::Apply | RunKind::Heal | RunKind::Audit => {
                self.side_effects
            }
        }
    }
}

/// Everything that a run of these mappings sets off or holds back, in their order.
pub fn of_run(mappings: &[Mapping], kind: RunKind, events: Events) -> Vec<SideEffect> {
    let mut found = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.enabled) {
        let effects = mapping.effects(kind);
        let mut add = |side: Side, what: &str, state: Firing, message: &str| {
            found.push(SideEffect {
                mapping: mapping.name.clone(),
                side,
                what: what.into(),
                state,
                message: message.into(),
            });
        };
        let on = |fires: bool| if fires { Firing::Fires } else { Firing::Quiet };
        if mapping.direction.allows(Side::Platform) {
            match events {
                Events::Switched => add(
                    Side::Platform,
                    "fire_events",
                    on(effects.fire_events),
                    if effects.fire_events {
                        "workflows and rules of the platform fire on every record that is written"
                    } else {
                        "workflows and rules of the platform stay quiet"
                    },
                ),
                Events::Unswitched => add(
                    Side::Platform,
                    "fire_events",
                    Firing::Uncontrolled,
                    "workflows and rules of the platform may fire; they have a switch only where Transport is “As jobs” \
                     (transport = \"async\")",
                ),
                Events::Unknown => add(
                    Side::Platform,
                    "automation",
                    Firing::Uncontrolled,
                    "what the platform does by itself when a record is written, it does; nothing holds it back",
                ),
                Events::Nothing => {}
            }
            if events.asks_for_confirmation() && mapping.creates_on(Side::Platform) {
                add(
                    Side::Platform,
                    "double_opt_in",
                    on(effects.double_opt_in),
                    if effects.double_opt_in {
                        "everybody who is created on the platform gets the mail that asks for a confirmation"
                    } else {
                        "nobody who is created on the platform gets a mail that asks for a confirmation"
                    },
                );
            }
        }
        if mapping.direction.allows(Side::Org) {
            if ["Lead", "Case"].iter().any(|object| mapping.org_object.eq_ignore_ascii_case(object)) {
                add(
                    Side::Org,
                    "assignment_rules",
                    on(effects.assignment_rules),
                    if effects.assignment_rules {
                        "assignment rules of Salesforce run and may mail new owners"
                    } else {
                        "assignment rules of Salesforce do not run"
                    },
                );
            }
            add(
                Side::Org,
                "allow_duplicates",
                on(effects.allow_duplicates),
                if effects.allow_duplicates {
                    "duplicate rules of Salesforce are passed over"
                } else {
                    "duplicate rules of Salesforce hold: what they refuse becomes an issue"
                },
            );
            add(
                Side::Org,
                "feed_tracking",
                on(effects.feed_tracking),
                if effects.feed_tracking {
                    "changes of tracked fields are told in Chatter feeds"
                } else {
                    "Chatter feeds tell nothing of it"
                },
            );
            add(
                Side::Org,
                "automation",
                Firing::Uncontrolled,
                "flows, triggers and validation rules of Salesforce run on every write; nothing holds them back",
            );
        }
    }
    found
}

/// The same for people: what fires, or can't be held back, by mapping; and that the rest stays quiet.
pub fn sentences(effects: &[SideEffect]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut told: Vec<(&str, Vec<&str>, Firing)> = Vec::new();
    for effect in effects.iter().filter(|effect| effect.state != Firing::Quiet) {
        match told.iter_mut().find(|(message, _, _)| *message == effect.message) {
            Some((_, mappings, _)) => mappings.push(&effect.mapping),
            None => told.push((&effect.message, vec![&effect.mapping], effect.state)),
        }
    }
    // What fires comes before what nobody can hold back.
    told.sort_by_key(|(_, _, state)| *state == Firing::Uncontrolled);
    for (message, mappings, _) in &told {
        lines.push(format!("{}: {message}.", mappings.join(", ")));
    }
    let fires = effects.iter().any(|effect| effect.state == Firing::Fires);
    if !effects.is_empty() {
        lines.push(
            if fires {
                "Everything else that can be held back stays quiet."
            } else {
                "All that can be held back stays quiet."
            }
            .into(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(text: &str) -> Mapping {
        toml::from_str(&format!(
            "name = \"lead\"\norg_object = \"Lead\"\nplatform_object = \"contact\"\n{text}"
        ))
        .unwrap()
    }

    fn firing(mapping: &Mapping, kind: RunKind) -> Vec<String> {
        let effects = of_run(std::slice::from_ref(mapping), kind, Events::Switched);
        effects.into_iter().filter(|effect| effect.state == Firing::Fires).map(|effect| effect.what).collect()
    }

    #[test]
    fn e17_an_initial_sync_is_quiet_whatever_the_other_runs_may_set_off() {
        let loud = mapping("side_effects = { fire_events = true, assignment_rules = true }");
        assert_eq!(firing(&loud, RunKind::Instant), ["fire_events", "assignment_rules"]);
        assert!(firing(&loud, RunKind::Initial).is_empty());
        assert!(firing(&loud, RunKind::Undo).is_empty());
        let meant = mapping("initial_side_effects = { double_opt_in = true }");
        assert_eq!(firing(&meant, RunKind::Initial), ["double_opt_in"]);
        assert!(firing(&meant, RunKind::Automatic).is_empty());
    }

    #[test]
    fn e17_what_fires_is_named_with_its_mapping_and_what_can_not_be_held_back_is_not_hidden() {
        let loud = mapping("side_effects = { allow_duplicates = true }");
        let lines = sentences(&of_run(&[loud], RunKind::Instant, Events::Unswitched));
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert_eq!(lines[0], "lead: duplicate rules of Salesforce are passed over.");
        assert!(lines[1].contains("transport = \"async\""), "{lines:#?}");
        assert!(lines[2].contains("flows, triggers"), "{lines:#?}");
    }

    #[test]
    fn e17_files_set_nothing_off_and_an_unknown_service_may() {
        let mapping = mapping("direction = \"to_platform\"");
        let of = |events| of_run(std::slice::from_ref(&mapping), RunKind::Initial, events);
        assert_eq!(of(Events::Nothing), []);
        let unknown = of(Events::Unknown);
        assert!(
            unknown.iter().all(|effect| effect.state == Firing::Uncontrolled && effect.what == "automation")
        );
        assert_eq!(unknown.len(), 1);
    }
}
