//! Applying a plan: of what the run decides now, only what stands in the plan in just the same way is done (law E5).

use crate::domain::grouped::grouped;
use crate::domain::outcome::RunResult;
use crate::domain::plan::Line;
use crate::domain::plan::saved::{Deed, LineOutcome, PlanLine, Seen};
use crate::domain::port::RowResult;
use crate::domain::report::Level;
use crate::domain::side::Side;
use crate::engine::apply::Item;
use crate::engine::context::End;
use crate::engine::plan::Part;
use crate::engine::plan::book::seen;
use crate::engine::prepare::fingerprint;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::{mappings, plans};

/// Why a record waits for the next run: the plan that is applied does not speak of it.
pub const NOT_IN_PLAN: &str = "not_in_plan";

/// Why a line of the plan waits for the next run: its records are no longer as the plan saw them.
const MOVED: &str = "moved_since_plan";

/// What became of lines of the plan in one chunk.
#[derive(Default)]
pub(in crate::engine) struct Sifted {
    /// One entry an item: the line of the plan that it does.
    lines: Vec<Option<i64>>,
    refused: Vec<(i64, String)>,
}

impl Session<'_> {
    /// Whether the plan that is to be applied was made for this org and by these settings.
    pub(in crate::engine) async fn check_plan(&self) -> Result<(), End> {
        let Part::Does(plan) = self.plan else { return Ok(()) };
        let head = self.context.store.write(move |db| plans::get(db, plan)).await?;
        let Some(head) = head else {
            return Err(refused(format!(
                "there is no plan {plan}; `forcesync plan list` lists those there are"
            )));
        };
        if head.org != self.context.org_id {
            return Err(refused(format!("plan {} was made for another org; make a new one", head.title())));
        }
        if head.settings != fingerprint(&self.context.mappings) {
            return Err(refused(format!(
                "the mappings were changed since plan {} was made; make a new one",
                head.title()
            )));
        }
        // Whoever applies a plan has seen what its mappings do (law E5).
        let seen: Vec<(String, String)> = self
            .context
            .mappings
            .iter()
            .filter(|written| self.mappings.iter().any(|mapping| mapping.compiled.spec.name == written.name))
            .map(|written| (written.name.clone(), fingerprint(std::slice::from_ref(written))))
            .collect();
        self.context
            .store
            .write(move |db| seen.iter().try_for_each(|(name, written)| mappings::accept(db, name, written)))
            .await?;
        Ok(())
    }

    /// Lets only those pass that do a line of the plan; the others wait for a later run.
    pub(in crate::engine) async fn sift(&self, items: &mut [Item]) -> Result<Sifted, End> {
        let Part::Does(plan) = self.plan else { return Ok(Sifted::default()) };
        let asked: Vec<(usize, Line)> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| does_something(item))
            .map(|(place, item)| (place, item.decision.line.clone()))
            .collect();
        let found = self
            .context
            .store
            .write(move |db| {
                asked
                    .into_iter()
                    .map(|(place, line)| {
                        let mut planned = plans::lines_of(db, plan, &line.mapping, &line.ids)?;
                        let known = !planned.is_empty();
                        if !known {
                            planned.extend(plans::line_about(db, plan, &line.mapping, &line.ids)?);
                        }
                        Ok((place, planned, known))
                    })
                    .collect::<Result<Vec<(usize, Vec<PlanLine>, bool)>, _>>()
            })
            .await?;
        let mut sifted = Sifted { lines: vec![None; items.len()], refused: Vec::new() };
        for (place, planned, known) in found {
            let Some(item) = items.get_mut(place) else { continue };
            let open: Vec<&PlanLine> =
                planned.iter().filter(|line| line.outcome != Some(LineOutcome::Done)).collect();
            let now = seen(item.link.as_ref(), &item.records);
            let same = open.iter().find(|line| {
                known && line.line == item.decision.line && (line.seen == now || broken(Mutant::PlanUnsifted))
            });
            if let Some(line) = same
                && !item.postponed()
            {
                sifted.lines[place] = Some(line.number);
                continue;
            }
            if broken(Mutant::PlanUnsifted) {
                continue;
            }
            for line in &open {
                sifted.refused.push((line.number, why(line, item, &now, known)));
            }
            if !item.postponed() {
                item.postpone(if open.is_empty() { NOT_IN_PLAN } else { MOVED });
            }
        }
        Ok(sifted)
    }

    /// What became of the lines of a chunk, before it is committed.
    pub(in crate::engine) async fn settle_plan(
        &self,
        sifted: Sifted,
        outcomes: Vec<Option<LineOutcome>>,
    ) -> Result<(), End> {
        let Part::Does(plan) = self.plan else { return Ok(()) };
        self.context
            .store
            .write(move |db| {
                for (line, outcome) in sifted.lines.iter().zip(outcomes) {
                    if let (Some(line), Some(outcome)) = (line, outcome) {
                        plans::settle(db, plan, *line, outcome, None)?;
                    }
                }
                for (line, why) in &sifted.refused {
                    plans::settle(db, plan, *line, LineOutcome::Refused, Some(why))?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// Closes the plan: lines that were not met have nothing left to do.
    pub(in crate::engine) async fn close_plan(&mut self) -> Result<(), End> {
        let Part::Does(plan) = self.plan else { return Ok(()) };
        let mask =
            Deed::ALL.iter().filter(|deed| deed.changes_something()).fold(0, |mask, deed| mask | deed.bit());
        let run = self.run;
        let ([done, failed, left], title) = self
            .context
            .store
            .write(move |db| {
                plans::settle_rest(
                    db,
                    plan,
                    mask,
                    "nothing is left to do: it was done meanwhile, or is gone",
                )?;
                plans::applied(db, plan, run)?;
                let title = plans::get(db, plan)?.map_or_else(|| plan.to_string(), |head| head.title());
                Ok((plans::outcomes(db, plan)?, title))
            })
            .await?;
        let level = if left + failed > 0 { Level::Warn } else { Level::Info };
        let said = format!(
            "Plan {title} applied: {} lines were done as planned, {} failed, {} were left because their records changed since.",
            grouped(done),
            grouped(failed),
            grouped(left)
        );
        self.fact(self.say(level, said)).await?;
        if left > 0 {
            self.parked.push(format!(
                "{} of plan {title} were left, because their records are no longer as the plan saw them; \
                 `forcesync plan show {title} --left` lists them",
                if left == 1 { "1 line".into() } else { format!("{} lines", grouped(left)) }
            ));
        }
        Ok(())
    }
}

fn refused(message: String) -> End {
    End { settings: true, ..End::new(RunResult::Failed, message) }
}

/// Whether something would come of an item on a side or in the links.
fn does_something(item: &Item) -> bool {
    let deeds = item.decision.line.deeds(item.link.is_some());
    item.postponed() || deeds.iter().any(|deed| deed.deed.changes_something())
}

/// Why a line is not done.
fn why(line: &PlanLine, item: &Item, now: &Seen, known: bool) -> String {
    if !known {
        return "its records are matched otherwise than when the plan was made".into();
    }
    let moved: Vec<&str> = Side::BOTH
        .into_iter()
        .filter(|side| line.seen.sides[*side] != now.sides[*side])
        .map(Side::place)
        .collect();
    if let [one] = moved.as_slice() {
        return match *one {
            "Salesforce" => "the record in Salesforce changed since the plan was made".into(),
            other => format!("the record on {other} changed since the plan was made"),
        };
    }
    if !moved.is_empty() {
        return "both records changed since the plan was made".into();
    }
    if line.seen.base != now.base {
        return "a run dealt with its records since the plan was made".into();
    }
    if line.line != item.decision.line {
        return "its records are the same, but are decided otherwise than when the plan was made".into();
    }
    "its records moved while it was applied".into()
}

/// What became of an item.
pub(in crate::engine) fn outcome_of(item: &Item) -> Option<LineOutcome> {
    if item.postponed() {
        return None;
    }
    let refused = Side::BOTH.iter().any(|side| matches!(item.results[*side], Some(RowResult::Refused(_))));
    Some(if refused { LineOutcome::Failed } else { LineOutcome::Done })
}
