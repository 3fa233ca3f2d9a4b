//! Every law, broken by one line, is found by the same histories that hold when it is kept.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use forcesync::mutant::{Mutant, break_law};

use super::history::History;
use super::manner::Manner;

/// Seeds that are tried before a mutant is said to live.
const TRIES: u64 = 400;

/// The first seed at which a mutant is caught, 0 for a scene, and by what.
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
    if let Some(wrong) = super::scene::play_all(&Manner::able()).first() {
        return Some((0, wrong.clone()));
    }
    if mutant == Mutant::PlanUnsifted {
        return (from..from + TRIES)
            .find_map(|seed| Some((seed, super::plans::play(seed).wrong.first()?.clone())));
    }
    (from..from + TRIES).find_map(|seed| {
        let verdict = History::new(seed).play();
        verdict.wrong.first().map(|wrong| (seed, wrong.clone()))
    })
}

#[test]
fn every_broken_law_is_caught() {
    let from = super::number("FORCESYNC_SEED").unwrap_or(1);
    let next = AtomicUsize::new(0);
    let alive = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(mutant) = Mutant::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match caught(*mutant, from) {
                        Some((seed, by)) => println!("{mutant:?}: seed {seed}: {by}"),
                        None => alive.lock().unwrap().push(*mutant),
                    }
                }
            });
        }
    });
    let alive = alive.into_inner().unwrap();
    assert!(alive.is_empty(), "these mutants live: {alive:?}");
}
