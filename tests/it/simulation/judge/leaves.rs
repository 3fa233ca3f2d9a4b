//! Edits that lost: each must have been concurrent with the winner and lose by the policy as the judge computes it.

use std::collections::BTreeSet;

use forcesync::domain::mapping::Policy;
use forcesync::domain::side::Side;

use super::super::topic::Topic;
use super::super::world::State;
use super::Edit;

/// The winner must be an edit that nobody built upon, and every other such edit of the same records must have lost by policy to
/// the winner or to something the winner was built upon.
pub(super) fn leaves(state: &State, wrong: &mut Vec<String>, email: &str, topic: Topic, last: u64) {
    let edits = &state.judge.edits;
    let chain = |number: u64| {
        let mut chain = vec![number];
        while let Some(parent) =
            chain.last().and_then(|number| edits.get(number)).and_then(|edit| edit.parent)
        {
            chain.push(parent);
        }
        chain
    };
    let winners = chain(last);
    let parents: BTreeSet<u64> = edits.values().filter_map(|edit| edit.parent).collect();
    for (number, edit) in edits {
        // Taken back, or thrown away by a person with the record that it was made in.
        let given_up =
            state.judge.undone.edits.contains(number) || state.is_thrown_away(edit.side, &edit.record);
        if *number == last || edit.topic != topic || parents.contains(number) || given_up {
            continue;
        }
        let losers = chain(*number);
        // Edits with a common root belong to the same pair of records.
        if losers.last() != winners.last() {
            continue;
        }
        // The part of either chain that the other never saw.
        let lost: Vec<u64> = losers.iter().copied().filter(|one| !winners.contains(one)).collect();
        let won: Vec<u64> = winners.iter().copied().filter(|one| !losers.contains(one)).collect();
        let fairly = lost.iter().all(|loser| {
            won.iter().any(|winner| lost_fairly(state, email, topic, &edits[loser], &edits[winner]))
                || lost.iter().any(|other| {
                    other > loser
                        && won
                            .iter()
                            .any(|winner| lost_fairly(state, email, topic, &edits[other], &edits[winner]))
                })
        });
        if !fairly {
            wrong.push(format!(
                "{email} {topic:?}: edit {number} of the {} was lost to edit {last} of the {}",
                edit.side, edits[&last].side
            ));
        }
    }
}

fn lost_fairly(state: &State, email: &str, topic: Topic, loser: &Edit, winner: &Edit) -> bool {
    // Contact and platform record met for the first time when the lead was converted.
    let met_anew = state.judge.converted.contains(email) || state.judge.messy.contains(email);
    if met_anew && loser.side == Side::Platform && winner.side == Side::Org {
        return true;
    }
    match state.judge.policy.get(&topic).copied().unwrap_or_default() {
        Policy::SalesforceWins | Policy::KeepNonBlank => {
            loser.side == Side::Platform && winner.side == Side::Org
        }
        Policy::PlatformWins => loser.side == Side::Org && winner.side == Side::Platform,
        // Where it can't be told which is later, the org's wins.
        Policy::NewestWins => loser.side != winner.side && (winner.side == Side::Org || winner.at > loser.at),
        Policy::Ask => false,
    }
}
