//! A key press in the words of the key map: `ctrl+s`, `G`, `shift+tab`, `f1`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers. A shifted letter is its capital, without the modifier, because terminals differ there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Whether ctrl is held.
    pub ctrl: bool,
    /// Whether alt is held.
    pub alt: bool,
    /// Whether shift is held; never for characters.
    pub shift: bool,
}

/// A key that the key map spells in a way that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{0}” is no key: write a character, or one of enter, esc, tab, space, up, down, left, right, home, end, pageup, pagedown, delete, backspace, insert, f1 to f12, with ctrl+, alt+ or shift+ before it"
)]
pub struct UnknownKey(pub String);

impl Key {
    /// A key without modifiers.
    pub fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// The key of a terminal event.
    pub fn from_event(event: KeyEvent) -> Self {
        let modifiers = event.modifiers;
        let (code, shift) = match event.code {
            KeyCode::BackTab => (KeyCode::Tab, true),
            KeyCode::Char(letter) => {
                let shifted = modifiers.contains(KeyModifiers::SHIFT) && letter.is_ascii_lowercase();
                (KeyCode::Char(if shifted { letter.to_ascii_uppercase() } else { letter }), false)
            }
            other => (other, modifiers.contains(KeyModifiers::SHIFT)),
        };
        Self {
            code,
            ctrl: modifiers.contains(KeyModifiers::CONTROL),
            alt: modifiers.contains(KeyModifiers::ALT),
            shift,
        }
    }

    /// Reads a key of the key map.
    pub fn parse(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        let mut key = Self::plain(KeyCode::Null);
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix("ctrl+") {
                key.ctrl = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("alt+") {
                key.alt = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("shift+") {
                key.shift = true;
                rest = after;
            } else {
                break;
            }
        }
        key.code = match rest {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "space" => KeyCode::Char(' '),
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pageup" => KeyCode::PageUp,
            "pagedown" => KeyCode::PageDown,
            "delete" => KeyCode::Delete,
            "backspace" => KeyCode::Backspace,
            "insert" => KeyCode::Insert,
            other => {
                let mut letters = other.chars();
                match (letters.next(), letters.next()) {
                    (Some(letter), None) => KeyCode::Char(letter),
                    (Some('f'), Some(_)) => {
                        let number: u8 = other.get(1..).and_then(|n| n.parse().ok()).ok_or_else(unknown)?;
                        if !(1..=12).contains(&number) {
                            return Err(unknown());
                        }
                        KeyCode::F(number)
                    }
                    _ => return Err(unknown()),
                }
            }
        };
        if let (KeyCode::Char(letter), true) = (key.code, key.shift) {
            key.code = KeyCode::Char(letter.to_ascii_uppercase());
            key.shift = false;
        }
        Ok(key)
    }

    /// The character that this key types into a text field, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if !self.ctrl && !self.alt => Some(letter),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, word) in [(self.ctrl, "ctrl+"), (self.alt, "alt+"), (self.shift, "Shift+")] {
            if held {
                formatter.write_str(word)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => formatter.write_str("Space"),
            KeyCode::Char(letter) => write!(formatter, "{letter}"),
            KeyCode::F(number) => write!(formatter, "F{number}"),
            KeyCode::PageUp => formatter.write_str("PgUp"),
            KeyCode::PageDown => formatter.write_str("PgDn"),
            KeyCode::Delete => formatter.write_str("Del"),
            other => write!(formatter, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_letter_is_its_capital_however_the_terminal_says_it() {
        let capital = Key::from_event(KeyEvent::new(KeyCode::Char('D'), KeyModifiers::SHIFT));
        let lower = Key::from_event(KeyEvent::new(KeyCode::Char('d'), KeyModifiers::SHIFT));
        assert_eq!(capital, lower);
        assert_eq!(Ok(capital), Key::parse("D"));
    }

    #[test]
    fn back_tab_is_shift_tab() {
        let key = Key::from_event(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT));
        assert_eq!(Ok(key), Key::parse("shift+tab"));
        assert_eq!(key.to_string(), "Shift+Tab");
    }

    #[test]
    fn a_misspelt_key_is_named() {
        assert!(Key::parse("ctrl+pgup").unwrap_err().to_string().contains("ctrl+pgup"));
        assert!(Key::parse("f13").is_err());
        assert!(Key::parse("").is_err());
    }
}
