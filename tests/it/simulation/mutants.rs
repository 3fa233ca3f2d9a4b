//! Every law, broken by one line, is found by the same histories that hold when it is kept.

use forcesync::mutant::{Mutant, break_law};

use super::history::History;

/// Seeds that are tried before a mutant is said to live.
const TRIES: u64 = 600;

/// The first seed at which a mutant is caught, and by what.
fn caught(mutant: Mutant, from: u64) -> Option<(u64, String)> {
    // Restored even when the judge itself fails on what the mutant did.
    struct Whole;
    impl Drop for Whole {
        fn drop(&mut self) {
            break_law(None);
        }
    }
    let _whole = Whole;
    break_law(Some(mutant));
    (from..from + TRIES).find_map(|seed| {
        let verdict = History::new(seed).play();
        verdict.wrong.first().map(|wrong| (seed, wrong.clone()))
    })
}

#[test]
fn every_broken_law_is_caught() {
    let from = super::number("FORCESYNC_SEED").unwrap_or(1);
    let mut alive = Vec::new();
    for mutant in Mutant::ALL {
        match caught(mutant, from) {
            Some((seed, by)) => println!("{mutant:?}: seed {seed}: {by}"),
            None => alive.push(mutant),
        }
    }
    assert!(alive.is_empty(), "these mutants live: {alive:?}");
}
