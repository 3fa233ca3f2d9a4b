//! Meanings and what they look like. A theme knows meanings only, never a widget.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a piece of the screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Ordinary text.
    Text,
    /// Less important text.
    Muted,
    /// What should catch the eye.
    Accent,
    /// A heading.
    Title,
    /// A frame.
    Border,
    /// The frame that has the focus.
    BorderFocus,
    /// The selected row.
    Selection,
    /// A tab.
    Tab,
    /// The tab that is open.
    TabActive,
    /// A key in footer and help.
    Key,
    /// A field that is being typed into.
    Input,
    /// A value that differs from the saved one.
    Changed,
    /// Went well.
    Success,
    /// Somebody should look.
    Warning,
    /// Did not work.
    Error,
    /// Waits for a person.
    Conflict,
    /// Not possible now.
    Disabled,
    /// The done part of a gauge.
    Gauge,
}

const MEANINGS: usize = Meaning::Gauge as usize + 1;

/// Which theme is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the terminal's background says.
    #[default]
    Auto,
    /// For dark terminals.
    Dark,
    /// For light terminals.
    Light,
    /// No colour at all.
    Mono,
}

/// A style for every meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    styles: [Style; MEANINGS],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    styles: BTreeMap<Meaning, Look>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Look {
    fg: Option<Paint>,
    bg: Option<Paint>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Paint {
    Black,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    Gray,
    BrightBlack,
    BrightRed,
    BrightGreen,
    BrightYellow,
    BrightBlue,
    BrightMagenta,
    BrightCyan,
    White,
}

impl Paint {
    fn color(self) -> Color {
        match self {
            Self::Black => Color::Black,
            Self::Red => Color::Red,
            Self::Green => Color::Green,
            Self::Yellow => Color::Yellow,
            Self::Blue => Color::Blue,
            Self::Magenta => Color::Magenta,
            Self::Cyan => Color::Cyan,
            Self::Gray => Color::Gray,
            Self::BrightBlack => Color::DarkGray,
            Self::BrightRed => Color::LightRed,
            Self::BrightGreen => Color::LightGreen,
            Self::BrightYellow => Color::LightYellow,
            Self::BrightBlue => Color::LightBlue,
            Self::BrightMagenta => Color::LightMagenta,
            Self::BrightCyan => Color::LightCyan,
            Self::White => Color::White,
        }
    }
}

impl Look {
    fn style(self) -> Style {
        let mut style =
            Style { fg: self.fg.map(Paint::color), bg: self.bg.map(Paint::color), ..Style::default() };
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        for (wanted, modifier) in modifiers {
            if wanted {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

const DARK: &str = include_str!("../../../assets/themes/dark.toml");
const LIGHT: &str = include_str!("../../../assets/themes/light.toml");
const MONO: &str = include_str!("../../../assets/themes/mono.toml");

impl Theme {
    /// Reads a theme file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let file: ThemeFile = toml::from_str(text)?;
        let mut styles = [Style::default(); MEANINGS];
        for (meaning, look) in file.styles {
            if let Some(style) = styles.get_mut(meaning as usize) {
                *style = look.style();
            }
        }
        Ok(Self { styles })
    }

    /// A theme that comes with the program; `Auto` is the dark one until the terminal has answered.
    pub fn built_in(choice: ThemeChoice) -> Self {
        let text = match choice {
            ThemeChoice::Auto | ThemeChoice::Dark => DARK,
            ThemeChoice::Light => LIGHT,
            ThemeChoice::Mono => MONO,
        };
        Self::parse(text).unwrap_or(Self { styles: [Style::default(); MEANINGS] })
    }

    /// The style of a meaning.
    pub fn style(&self, meaning: Meaning) -> Style {
        self.styles.get(meaning as usize).copied().unwrap_or_default()
    }

    /// Whether any meaning sets a colour; under `NO_COLOR` none may.
    pub fn has_colour(&self) -> bool {
        self.styles.iter().any(|style| style.fg.is_some() || style.bg.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_comes_along_can_be_read() {
        for text in [DARK, LIGHT, MONO] {
            assert!(Theme::parse(text).is_ok());
        }
    }

    #[test]
    fn mono_sets_no_colour_so_that_no_color_spares_its_modifiers() {
        assert!(!Theme::built_in(ThemeChoice::Mono).has_colour());
        assert!(Theme::built_in(ThemeChoice::Dark).has_colour());
    }

    #[test]
    fn no_theme_paints_a_background_of_its_own() {
        for choice in [ThemeChoice::Dark, ThemeChoice::Light, ThemeChoice::Mono] {
            assert!(Theme::built_in(choice).styles.iter().all(|style| style.bg.is_none()));
        }
    }
}
