//! Pairs whose values flow one way alone: the origin is nobody's but its own people's, and what they wrote last has arrived, unless
//! somebody who had seen it wrote over it.

use forcesync::domain::mapping::Direction;
use forcesync::domain::side::{PerSide, Side};

use super::super::topic::Topic;
use super::super::world::State;

impl State {
    /// The side that a topic's values flow to, where they flow one way.
    pub fn target(&self, topic: Topic) -> Option<Side> {
        match (self.manner.direction, topic) {
            (Direction::ToOrg, _) => Some(Side::Org),
            (Direction::ToPlatform, _) | (Direction::Both, Topic::Status) => Some(Side::Platform),
            (Direction::Both, _) => None,
        }
    }
}

pub(super) fn one_way(
    state: &State,
    wrong: &mut Vec<String>,
    email: &str,
    topic: Topic,
    target: Side,
    held: PerSide<Option<u64>>,
) {
    let edits = &state.judge.edits;
    let author = |number: u64| edits[&number].side;
    let (origin, arrived) = (held[target.other()], held[target]);
    if let Some(back) = origin.filter(|number| author(*number) == target) {
        wrong.push(format!("{email} {topic:?}: a one-way pair flowed back: edit {back}"));
    }
    // What an undo took off a side counts as taken back.
    let Some(last) = origin.filter(|number| !state.judge.undone.edits.contains(number)) else { return };
    let mut seen = arrived;
    while let Some(number) = seen.filter(|number| *number != last && author(*number) == target) {
        seen = edits[&number].parent;
    }
    if seen != Some(last) {
        wrong.push(format!(
            "{email} {topic:?}: edit {last} of the origin did not arrive: there stands {arrived:?}"
        ));
    }
}
