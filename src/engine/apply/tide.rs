//! How many batches are under way at once on a side: as many as it bears (N5). More while answers come as fast as before, half as
//! many when rows meet locks or calls are turned away, one less when answers slow down.

use std::time::Duration;

use crate::domain::port::{RowClass, RowResult};

/// Answers slower than the fastest by this factor mean that the side is full.
const SLOW: f64 = 2.5;
/// A side that is full is still kept busy: while one batch is answered, the next one is there already.
const BUSY: usize = 2;

/// The number of batches under way, and what it follows from.
#[derive(Clone, Copy, Debug)]
pub struct Tide {
    width: usize,
    most: usize,
    /// Good answers since the last change.
    good: usize,
    /// The fastest answer so far, in seconds a row.
    best: Option<f64>,
}

/// What a batch met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nothing in particular.
    Calm,
    /// Rows that were locked by others, or a call that was turned away.
    Resistance,
}

impl Met {
    /// What the results of a batch say.
    pub fn of(results: &[RowResult]) -> Self {
        let turned_away = results.iter().filter(|result| {
            matches!(result, RowResult::Refused(error) if matches!(error.class, RowClass::Again | RowClass::Limit))
        });
        // One locked row in fifty is what any busy org has.
        if turned_away.count() * 50 > results.len() { Self::Resistance } else { Self::Calm }
    }
}

impl Tide {
    /// Starts at a width.
    pub fn new(width: usize, most: usize) -> Self {
        Self { width: width.clamp(1, most.max(1)), most: most.max(1), good: 0, best: None }
    }

    /// How many batches may be under way.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A batch of so many rows was answered.
    pub fn answered(&mut self, rows: usize, took: Duration, met: Met) {
        // The time of a call is shared by its rows; small batches would look slow.
        let each = took.as_secs_f64() / rows.max(50) as f64;
        let slow = self.best.is_some_and(|best| each > best * SLOW + 0.000_5);
        self.best = Some(self.best.map_or(each, |best| best.min(each)));
        match met {
            Met::Resistance => {
                self.width = (self.width / 2).max(1);
                self.good = 0;
            }
            Met::Calm if slow => {
                self.width = self.width.min(BUSY.max(self.width - 1));
                self.good = 0;
                // A side that stays slow is no longer compared with its best days.
                self.best = self.best.map(|best| best * 1.2);
            }
            Met::Calm => {
                self.good += 1;
                if self.good >= self.width && self.width < self.most {
                    self.width += 1;
                    self.good = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm(tide: &mut Tide, times: usize, milliseconds: u64) {
        for _ in 0..times {
            tide.answered(200, Duration::from_millis(milliseconds), Met::Calm);
        }
    }

    #[test]
    fn it_widens_while_answers_come_as_fast_as_before() {
        let mut tide = Tide::new(3, 8);
        calm(&mut tide, 3, 200);
        assert_eq!(tide.width(), 4);
        calm(&mut tide, 100, 210);
        assert_eq!(tide.width(), 8);
    }

    #[test]
    fn locks_halve_it_and_it_recovers() {
        let mut tide = Tide::new(8, 8);
        tide.answered(200, Duration::from_millis(200), Met::Resistance);
        assert_eq!(tide.width(), 4);
        tide.answered(200, Duration::from_millis(200), Met::Resistance);
        tide.answered(200, Duration::from_millis(200), Met::Resistance);
        tide.answered(200, Duration::from_millis(200), Met::Resistance);
        assert_eq!(tide.width(), 1);
        calm(&mut tide, 50, 200);
        assert_eq!(tide.width(), 8);
    }

    #[test]
    fn slow_answers_narrow_it() {
        let mut tide = Tide::new(6, 8);
        calm(&mut tide, 1, 200);
        calm(&mut tide, 3, 900);
        assert_eq!(tide.width(), 3);
    }

    #[test]
    fn slow_answers_leave_two_under_way() {
        let mut tide = Tide::new(6, 8);
        calm(&mut tide, 1, 20);
        calm(&mut tide, 10, 900);
        assert_eq!(tide.width(), 2);
        tide.answered(200, Duration::from_millis(900), Met::Resistance);
        assert_eq!(tide.width(), 1, "locks are another matter");
    }

    #[test]
    fn one_at_a_time_stays_one_at_a_time() {
        let mut tide = Tide::new(1, 1);
        calm(&mut tide, 20, 10);
        assert_eq!(tide.width(), 1);
    }

    #[test]
    fn a_locked_row_among_many_is_no_resistance() {
        let locked = RowResult::Refused(crate::domain::port::RowError {
            code: "UNABLE_TO_LOCK_ROW".into(),
            message: String::new(),
            fields: Vec::new(),
            class: RowClass::Again,
        });
        let mut results = vec![RowResult::Unknown; 99];
        results.push(locked.clone());
        assert_eq!(Met::of(&results), Met::Calm);
        assert_eq!(Met::of(&[locked]), Met::Resistance);
    }
}
