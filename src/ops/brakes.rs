//! Releasing what a brake holds (law E10): a person types the number that they accept, and the run is done again with it.

use crate::domain::command::{Allowances, RunRequest};
use crate::domain::mapping::Direction;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::plan::saved::PlanOrder;
use crate::domain::report::RunRow;
use crate::domain::undo::Extent;
use crate::engine::brake::Braked;

/// What a brake holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was counted.
    pub kind: Braked,
    /// How many were counted when the brake stopped them.
    pub more: u64,
    /// The run that is done again, with nothing released yet.
    pub again: RunRequest,
}

/// What the brake of a run holds, if one stopped it. The run says so in the sentence that it ended with: the command that releases
/// it, with its flag and number.
pub fn held(run: &RunRow) -> Option<Held> {
    if run.result != Some(RunResult::Braked) {
        return None;
    }
    let message = run.message.as_deref()?;
    let number_behind = |words: &str| -> Option<u64> {
        let (_, rest) = message.rsplit_once(words)?;
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let (kind, more) = Braked::ALL.into_iter().find_map(|kind| {
        let (_, flag) = kind.sentence();
        Some((kind, number_behind(&format!("{flag} "))?))
    })?;
    let again = match run.kind {
        RunKind::Undo => {
            let undone = i64::try_from(number_behind("forcesync undo ")?).ok()?;
            RunRequest::undo(undone, Extent::Write, Allowances::default())
        }
        RunKind::Initial | RunKind::Heal => RunRequest::new(run.kind),
        // What kind of run it is stands in the plan.
        RunKind::Apply => {
            let plan = i64::try_from(number_behind("forcesync apply ")?).ok()?;
            RunRequest { plan: Some(PlanOrder::Apply { number: plan }), ..RunRequest::new(RunKind::Apply) }
        }
        // The feeds of an automatic run are those of an instant one, which a person starts.
        RunKind::Instant | RunKind::Automatic | RunKind::Audit => RunRequest::new(RunKind::Instant),
    };
    let direction = if message.contains("--direction to-platform") {
        Some(Direction::ToPlatform)
    } else if message.contains("--direction to-org") {
        Some(Direction::ToOrg)
    } else {
        None
    };
    let mappings = if run.kind == RunKind::Undo { Vec::new() } else { run.mappings.clone() };
    Some(Held { kind, more, again: RunRequest { mappings, direction, ..again } })
}

/// The run that goes on with what a person typed; a sentence where that is no number.
pub fn release(held: &Held, typed: &str) -> Result<RunRequest, String> {
    let digits: String = typed.trim().chars().filter(|letter| !matches!(letter, ',' | ' ' | '_')).collect();
    match digits.parse::<u64>() {
        Ok(number) if number > 0 => {
            Ok(RunRequest { allow: held.kind.allowing(number), ..held.again.clone() })
        }
        Ok(_) | Err(_) => Err(format!("type the number that you accept, such as {}", held.more)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::domain::outcome::Counts;
    use crate::engine::brake::command_again;

    fn braked(request: &RunRequest, kind: Braked) -> RunRow {
        let (what, flag) = kind.sentence();
        RunRow {
            run: 9,
            kind: request.kind,
            started: chrono::DateTime::UNIX_EPOCH,
            finished: None,
            result: Some(RunResult::Braked),
            message: Some(format!(
                "In mapping contact more than 20 {what} within a day; release: `{} {flag} 1204`, or B in the console",
                command_again(request)
            )),
            counts: Counts::default(),
            mappings: request.mappings.clone(),
        }
    }

    #[rstest]
    #[case(RunRequest::new(RunKind::Initial))]
    #[case(RunRequest::new(RunKind::Heal))]
    #[case(RunRequest::undo(7, Extent::Write, Allowances::default()))]
    #[case(RunRequest { plan: Some(PlanOrder::Apply { number: 7 }), ..RunRequest::new(RunKind::Apply) })]
    #[case(RunRequest { mappings: vec!["contact".into()], direction: Some(Direction::ToOrg), ..RunRequest::new(RunKind::Instant) })]
    fn the_same_run_is_done_again_with_the_typed_number_and_nothing_else(#[case] request: RunRequest) {
        for kind in Braked::ALL {
            let held = held(&braked(&request, kind)).unwrap();
            assert_eq!((held.kind, held.more), (kind, 1_204));
            let again = release(&held, " 1,100 ").unwrap();
            assert_eq!(again, RunRequest { allow: kind.allowing(1_100), ..request.clone() });
        }
    }

    #[test]
    fn only_a_number_releases() {
        let held = held(&braked(&RunRequest::new(RunKind::Initial), Braked::Delete)).unwrap();
        for typed in ["", "y", "all", "0", "-3"] {
            assert!(release(&held, typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_run_that_no_brake_stopped_holds_nothing() {
        let mut run = braked(&RunRequest::new(RunKind::Initial), Braked::Delete);
        run.result = Some(RunResult::Failed);
        assert_eq!(held(&run), None);
    }
}
