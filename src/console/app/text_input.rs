//! One line of text being typed: keys, and pasted text whose line breaks become blanks.

use crossterm::event::KeyCode;
use tui_input::{Input, InputRequest};

use crate::console::app::key::Key;

/// Longer values are cut; no setting is this long.
const LONGEST: usize = 4_096;

/// A line of text with a cursor. Has no `Debug`: it may hold a secret.
#[derive(Clone, Default)]
pub struct TextInput(Input);

impl TextInput {
    /// Starts with a text, the cursor behind it.
    pub fn new(text: &str) -> Self {
        Self(Input::new(text.to_owned()))
    }

    /// What stands there.
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// How many columns the text before the cursor takes.
    pub fn cursor_column(&self) -> usize {
        self.0.visual_cursor()
    }

    /// How many characters stand before the cursor.
    pub fn cursor(&self) -> usize {
        self.0.cursor()
    }

    /// Acts on a key; tells whether the text changed.
    pub fn press(&mut self, key: Key) -> bool {
        let before = self.text().len();
        let request = match (key.code, key.ctrl) {
            (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
            (KeyCode::Backspace | KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
            (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
            (KeyCode::Left, false) | (KeyCode::Char('b'), true) => InputRequest::GoToPrevChar,
            (KeyCode::Left, true) => InputRequest::GoToPrevWord,
            (KeyCode::Right, false) | (KeyCode::Char('f'), true) => InputRequest::GoToNextChar,
            (KeyCode::Right, true) => InputRequest::GoToNextWord,
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
            (KeyCode::Char('u'), true) => InputRequest::DeleteFromStart,
            (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
            _ => match key.typed() {
                Some(letter) if self.text().len() < LONGEST => InputRequest::InsertChar(letter),
                Some(_) | None => return false,
            },
        };
        self.0.handle(request);
        self.text().len() != before
    }

    /// Inserts pasted text. Line breaks and tabs become blanks, other control characters go.
    pub fn paste(&mut self, text: &str) {
        let trimmed = text.trim_matches(['\r', '\n']);
        let room = LONGEST.saturating_sub(self.text().len());
        let mut cleaned = String::new();
        let mut last_was_break = false;
        for letter in trimmed.chars() {
            let is_break = matches!(letter, '\r' | '\n' | '\t');
            if is_break && !last_was_break {
                cleaned.push(' ');
            } else if !letter.is_control() {
                cleaned.push(letter);
            }
            last_was_break = is_break;
            if cleaned.len() >= room {
                break;
            }
        }
        // One rebuilt value instead of one insertion per character: a paste of 10 kB must not be felt.
        let cursor = self.0.cursor();
        let mut value: String = self.text().chars().take(cursor).collect();
        value.push_str(&cleaned);
        let after = value.chars().count();
        value.extend(self.text().chars().skip(cursor));
        self.0 = Input::new(value).with_cursor(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_becomes_one_line_and_keeps_what_stood_around_it() {
        let mut input = TextInput::new("ab");
        input.press(Key::parse("left").unwrap());
        input.paste("x\r\ny\tz\u{1b}\n");
        assert_eq!(input.text(), "ax y zb");
        input.press(Key::parse("!").unwrap());
        assert_eq!(input.text(), "ax y z!b");
    }

    #[test]
    fn a_huge_paste_is_cut() {
        let mut input = TextInput::default();
        input.paste(&"line\n".repeat(2_000));
        assert!(input.text().len() <= LONGEST);
        assert!(!input.text().contains('\n'));
    }
}
