//! One piece of work on its way through a chunk: what was read, what was decided, what came of it.

use crate::domain::plan::{Action, Line, SkipReason};
use crate::domain::port::RowResult;
use crate::domain::record::RecordId;
use crate::domain::side::{PerSide, Side};
use crate::engine::apply::removal;
use crate::engine::decide::{self, Decision, Present};
use crate::engine::session::Prepared;
use crate::engine::undo::Undo;
use crate::store::decisions::Stored;
use crate::store::departures::Departure;
use crate::store::history::Met;
use crate::store::links::Link;
use crate::store::stage::Staged;

/// One piece of work on its way through a chunk.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number in the table of work.
    pub work: i64,
    /// The mapping, as its place in the run.
    pub mapping: usize,
    /// The link, if there is one.
    pub link: Option<Link>,
    /// Its pairs that may not be written now, and why.
    pub waiting: Vec<(i64, &'static str)>,
    /// Whether one of its records was seen as it last was, and was counted as unchanged.
    pub counted: bool,
    /// Whether a pair of it waits for a person, or something was passed over: then both sides have to be read, or a side that was
    /// not would seem to hold its base.
    pub unsettled: bool,
    /// The side that lost its record, if one did.
    pub gone: Option<Departure>,
    /// What people decided about it by hand.
    pub by_hand: Vec<Stored>,
    /// Whether its line was given to it, so that it is never decided anew: what moved is left for a later run.
    pub given: bool,
    /// What was read of either side.
    pub records: PerSide<Option<Staged>>,
    /// How its records were met where they were read again right before writing.
    pub verified: PerSide<Option<Met>>,
    /// The line, and what it does to the bases.
    pub decision: Decision,
    /// What became of its writes.
    pub results: PerSide<Option<RowResult>>,
    /// On which sides the result was not answered but looked up after a broken connection.
    pub looked_up: PerSide<bool>,
    /// The journal entries of its writes.
    pub entries: Vec<i64>,
    /// Why it waits for a later run, if it does.
    pub later: Option<&'static str>,
    /// What an undo wants of it, if it belongs to one.
    pub undo: Option<Undo>,
}

impl Item {
    /// Leaves it for a later run.
    pub fn postpone(&mut self, why: &'static str) {
        self.later = Some(why);
    }

    /// Whether it waits for a later run.
    pub fn postponed(&self) -> bool {
        self.later.is_some()
    }

    /// Whether its records stay as they are, and nothing but their link is kept of it.
    pub fn is_idle(&self) -> bool {
        let line = &self.decision.line;
        line.action == Action::Merge
            && self.gone.is_none()
            && self.undo.is_none()
            && !Side::BOTH.into_iter().any(|side| line.writes_to(side))
    }

    /// Itself with the results that its updates would have; for the mutant that commits before it sends.
    pub fn as_if_sent(&self) -> Self {
        let mut sent = self.clone();
        for side in Side::BOTH {
            if let (Some(id), true) = (&self.decision.line.ids[side], self.decision.line.writes_to(side)) {
                sent.results[side] = Some(RowResult::Done { id: id.clone(), created: false, record: None });
                sent.looked_up[side] = true;
            }
        }
        sent
    }

    /// Whether something of it waits for a person or was passed over, or was decided by hand.
    pub fn needs_both_sides(&self) -> bool {
        self.unsettled || !self.by_hand.is_empty()
    }

    /// Decides it from what is known now.
    pub fn decide(&mut self, mapping: &Prepared) {
        if self.given || self.decide_undo(mapping) {
            return;
        }
        if let (Some(departure), Some(link)) = (&self.gone, &self.link) {
            self.decision = removal::decide(mapping, link, departure, &self.records);
            return;
        }
        let waiting = (self.waiting.as_slice(), self.by_hand.as_slice());
        self.decision = decide(mapping, self.link.as_ref(), &self.decision.line.ids, &self.records, waiting);
        if self.has_left(mapping) {
            self.decision = Decision {
                line: Line {
                    action: Action::Skip { reason: SkipReason::OutOfScope },
                    changes: Vec::new(),
                    parked: Vec::new(),
                    obstacles: Vec::new(),
                    ..self.decision.line.clone()
                },
                steps: Vec::new(),
                blanks: 0,
                opt_outs: 0,
            };
        }
    }

    /// Whether something would come of linked records of which one no longer meets the criteria (law E12). They stay linked with
    /// their bases as they are, so that nothing is lost if the record comes back.
    fn has_left(&self, mapping: &Prepared) -> bool {
        let line = &self.decision.line;
        let idle = line.changes.is_empty() && line.parked.is_empty() && line.obstacles.is_empty();
        let out = |side: Side| {
            let read = self.records[side].as_ref();
            read.is_some_and(|staged| !mapping.compiled.in_scope(side, &staged.record))
        };
        self.link.is_some() && line.action == Action::Merge && !idle && Side::BOTH.into_iter().any(out)
    }
}

fn decide(
    mapping: &Prepared,
    link: Option<&Link>,
    ids: &PerSide<Option<RecordId>>,
    records: &PerSide<Option<Staged>>,
    (waiting, by_hand): (&[(i64, &'static str)], &[Stored]),
) -> Decision {
    if let (Some(org), Some(platform)) = (&ids.org, &ids.platform) {
        let present = PerSide::from_fn(|side| match &records[side] {
            Some(staged) => Present::Read {
                record: &staged.record,
                read_at: staged.read_at,
                grain: mapping.capabilities[side].stamps.grain(),
            },
            None => Present::AsBase,
        });
        let ids = PerSide { org: org.clone(), platform: platform.clone() };
        return decide::linked(&mapping.compiled, &mapping.row.pairs, link, &ids, &present, waiting, by_hand);
    }
    for side in Side::BOTH {
        if let Some(staged) = &records[side] {
            return decide::create(&mapping.compiled, side, &staged.record);
        }
    }
    Decision::nothing(mapping.compiled.spec.name.as_str(), ids.clone())
}
