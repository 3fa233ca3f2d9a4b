//! A question with two or more answers. It names what and how many; the focus starts on the answer that changes nothing.

use crossterm::event::KeyCode;

use crate::console::app::key::Key;
use crate::domain::command::{Command, RunRequest};
use crate::domain::report::ConflictRow;
use crate::ops::conflicts::Wish;

/// What an answer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    Nothing,
    /// Removes a pair of a mapping.
    RemovePair {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
    },
    /// Removes a mapping.
    RemoveMapping(String),
    /// Removes a line of a translation table.
    RemoveTranslation {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
        /// The org's value.
        entry: String,
    },
    /// Begins a run.
    Start(RunRequest),
    /// Shows what a run would do.
    Plan(RunRequest),
    /// Applies the plan of that number.
    Apply(i64),
    /// Asks the engine.
    Ask(Command),
    /// Saves the mappings.
    SaveMappings,
    /// Saves the mappings, then asks for the run that brings all records to them.
    SaveMappingsAndSync,
    /// Shows who enters and leaves by the edited criteria.
    LookAtScope,
    /// Makes what the mappings want in the org.
    MakeObjects,
    /// Decides conflicts.
    Resolve {
        /// Which.
        rows: Vec<ConflictRow>,
        /// For what.
        wish: Wish,
    },
    /// Throws the edits of a tab away.
    DiscardTab,
    /// Saves and quits.
    SaveAndQuit,
    /// Throws all edits away and quits.
    DiscardAndQuit,
    /// Quits when the run has ended.
    QuitAfterRun,
    /// Ends the run after the batch in hand and quits.
    QuitAfterBatch,
    /// Quits at once.
    QuitAbort,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What stands on the button.
    pub label: String,
    /// The letter that presses it.
    pub letter: char,
    /// What it does.
    pub consequence: Consequence,
}

impl Choice {
    /// An answer.
    pub fn new(label: impl Into<String>, letter: char, consequence: Consequence) -> Self {
        Self { label: label.into(), letter, consequence }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub title: String,
    /// What would happen, line by line.
    pub lines: Vec<String>,
    /// The answers.
    pub choices: Vec<Choice>,
    /// The answer that Enter presses.
    pub focused: usize,
    /// First line shown, where there are more than fit.
    pub scroll: usize,
}

impl Question {
    /// A question; the focus is on the first answer that changes nothing.
    pub fn new(title: impl Into<String>, lines: Vec<String>, choices: Vec<Choice>) -> Self {
        let focused =
            choices.iter().position(|choice| choice.consequence == Consequence::Nothing).unwrap_or(0);
        Self { title: title.into(), lines, choices, focused, scroll: 0 }
    }

    /// Yes or no.
    pub fn yes_no(
        title: impl Into<String>,
        lines: Vec<String>,
        yes: impl Into<String>,
        consequence: Consequence,
    ) -> Self {
        let no = Choice::new(crate::console::view::text::common::NO, 'n', Consequence::Nothing);
        Self::new(title, lines, vec![Choice::new(yes, 'y', consequence), no])
    }

    /// Presses the focused answer.
    pub fn press(&self) -> Consequence {
        self.choices.get(self.focused).map_or(Consequence::Nothing, |choice| choice.consequence.clone())
    }

    /// The answer of a letter.
    pub fn letter(&self, letter: char) -> Option<Consequence> {
        self.choices.iter().find(|choice| choice.letter == letter).map(|choice| choice.consequence.clone())
    }

    /// A key that is no action: perhaps the letter of an answer.
    pub fn typed(&self, key: Key) -> Option<Consequence> {
        match key.code {
            KeyCode::Char(letter) if !key.ctrl && !key.alt => self.letter(letter),
            _ => None,
        }
    }

    /// Moves the focus.
    pub fn step(&mut self, forward: bool) {
        let last = self.choices.len().saturating_sub(1);
        self.focused = match (forward, self.focused) {
            (true, place) if place >= last => 0,
            (true, place) => place + 1,
            (false, 0) => last,
            (false, place) => place - 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_right_after_the_question_changes_nothing() {
        let question = Question::yes_no("Remove?", vec![], "Remove", Consequence::RemoveMapping("a".into()));
        assert_eq!(question.press(), Consequence::Nothing);
        assert_eq!(question.letter('y'), Some(Consequence::RemoveMapping("a".into())));
        assert_eq!(question.letter('n'), Some(Consequence::Nothing));
    }
}
