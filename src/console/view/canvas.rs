//! Where views draw: a buffer with a theme and signs; everything written here is sanitized and cut to its room.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use crate::console::app::Look;
use crate::console::app::message::Hit;
use crate::console::view::glyph::{ASCII, Glyphs, UNICODE};
use crate::console::view::safe_text;
use crate::console::view::theme::{Meaning, Theme};

/// A frame that has the keys, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// It has them.
    Here,
    /// Another one has them.
    Elsewhere,
}

impl Focus {
    /// Here, if so.
    pub fn when(here: bool) -> Self {
        if here { Self::Here } else { Self::Elsewhere }
    }
}

/// A piece of a line.
pub type Piece<'a> = (std::borrow::Cow<'a, str>, Meaning);

/// Where views draw.
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The looks.
    pub theme: &'a Theme,
    /// The signs.
    pub glyphs: &'static Glyphs,
    /// No frames, no animation.
    pub plain: bool,
    /// What a mouse can press, the topmost last.
    pub hits: Vec<(Rect, Hit)>,
    /// Where the cursor of a text field is.
    pub cursor: Option<Position>,
}

impl<'a> Canvas<'a> {
    /// A canvas over a buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, look: Look) -> Self {
        let glyphs = if look.plain { &ASCII } else { &UNICODE };
        Self { buffer, theme, glyphs, plain: look.plain, hits: Vec::new(), cursor: None }
    }

    /// The style of a meaning.
    pub fn style(&self, meaning: Meaning) -> Style {
        self.theme.style(meaning)
    }

    /// Writes a text into at most `room` columns; tells how many it took.
    pub fn text(&mut self, x: u16, y: u16, room: u16, text: &str, meaning: Meaning) -> u16 {
        let area = self.buffer.area;
        if y < area.y || y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let room = room.min(area.right() - x);
        let mut cut = safe_text::fit(text, usize::from(room));
        if self.plain {
            cut = in_ascii(&cut);
        }
        let style = self.style(meaning);
        let (end, _) = self.buffer.set_stringn(x, y, &cut, usize::from(room), style);
        end.saturating_sub(x)
    }

    /// Writes pieces one after the other.
    pub fn line(&mut self, area: Rect, pieces: &[Piece<'_>]) -> u16 {
        let mut x = area.x;
        for (text, meaning) in pieces {
            let room = area.right().saturating_sub(x);
            if room == 0 {
                break;
            }
            x += self.text(x, area.y, room, text, *meaning);
        }
        x - area.x
    }

    /// Marks a row as selected; the pointer stands in its first column, so that no state is told by looks alone.
    pub fn select(&mut self, area: Rect, focus: Focus) {
        let glyph = self.glyphs.pointer;
        match focus {
            Focus::Here => {
                let style = self.style(Meaning::Selection);
                self.buffer.set_style(area, style);
                self.buffer.set_stringn(area.x, area.y, glyph, usize::from(area.width), style);
            }
            Focus::Elsewhere => {
                self.text(area.x, area.y, area.width, glyph, Meaning::Muted);
            }
        }
    }

    /// A frame with a title; gives the room inside.
    pub fn panel(&mut self, area: Rect, title: &str, focus: Focus) -> Rect {
        if area.height == 0 || area.width < 4 {
            return Rect { height: 0, ..area };
        }
        let meaning = match focus {
            Focus::Here => Meaning::BorderFocus,
            Focus::Elsewhere => Meaning::Border,
        };
        if self.plain {
            let mark = if focus == Focus::Here { "== " } else { "-- " };
            let used = self.text(area.x, area.y, area.width, mark, meaning);
            self.text(area.x + used, area.y, area.width.saturating_sub(used), title, Meaning::Title);
            return Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        let block = Block::bordered().border_type(BorderType::Plain).border_style(self.style(meaning));
        let inner = block.inner(area);
        block.render(area, self.buffer);
        if !title.is_empty() {
            let title = safe_text::fit(title, usize::from(area.width.saturating_sub(4)));
            let style = match focus {
                Focus::Here => self.style(meaning).patch(self.style(Meaning::Title)),
                Focus::Elsewhere => self.style(Meaning::Title),
            };
            self.buffer.set_stringn(
                area.x + 1,
                area.y,
                format!(" {title} "),
                usize::from(area.width.saturating_sub(2)),
                style,
            );
        }
        inner
    }

    /// A line across a panel with a title in it; gives the row below.
    pub fn divide(&mut self, outer: Rect, y: u16, title: &[Piece<'_>]) {
        if y >= outer.bottom() {
            return;
        }
        let row = Rect { y, height: 1, ..outer };
        if self.plain {
            self.line(row, title);
            return;
        }
        let style = self.style(Meaning::Border);
        let line: String = std::iter::once("├")
            .chain(std::iter::repeat_n("─", usize::from(outer.width.saturating_sub(2))))
            .chain(std::iter::once("┤"))
            .collect();
        self.buffer.set_stringn(outer.x, y, line, usize::from(outer.width), style);
        let mut pieces: Vec<Piece<'_>> = vec![(" ".into(), Meaning::Text)];
        pieces.extend_from_slice(title);
        pieces.push((" ".into(), Meaning::Text));
        let room = Rect { x: row.x + 1, width: row.width.saturating_sub(2), ..row };
        self.line(room, &pieces);
    }

    /// Room for an overlay in the middle of an area, emptied, with a frame; gives the room inside.
    pub fn popup(&mut self, within: Rect, columns: u16, rows: u16, title: &str) -> Rect {
        let width = columns.min(within.width);
        let height = rows.min(within.height);
        let area = Rect {
            x: within.x + (within.width - width) / 2,
            y: within.y + (within.height - height) / 2,
            width,
            height,
        };
        Clear.render(area, self.buffer);
        self.panel(area, title, Focus::Here)
    }

    /// Says in the border below a room that there is more than it shows.
    pub fn more_below(&mut self, room: Rect) {
        let words = " Down … ";
        let width = words.chars().count() as u16;
        self.text(room.right().saturating_sub(width), room.bottom(), width, words, Meaning::Muted);
    }

    /// Something that a mouse can press.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// Writes a text that is being typed, scrolled so that its cursor shows; a mask hides it.
    pub fn typing(
        &mut self,
        area: Rect,
        input: &crate::console::app::text_input::TextInput,
        mask: Option<char>,
    ) {
        let shown: String = match mask {
            Some(mask) => std::iter::repeat_n(mask, input.text().chars().count()).collect(),
            None => safe_text::safe(input.text()).into_owned(),
        };
        let room = usize::from(area.width.saturating_sub(1));
        let before: String = shown.chars().take(input.cursor()).collect();
        // Cut from the left until what stands before the cursor fits.
        let mut skipped = 0;
        let mut column = safe_text::width(&before);
        for letter in before.chars() {
            if column <= room {
                break;
            }
            column -= safe_text::width(letter.encode_utf8(&mut [0; 4]));
            skipped += 1;
        }
        let visible: String = shown.chars().skip(skipped).collect();
        let style = self.style(Meaning::Input);
        let blank = " ".repeat(usize::from(area.width));
        self.buffer.set_stringn(area.x, area.y, blank, usize::from(area.width), style);
        self.buffer.set_stringn(area.x, area.y, visible, usize::from(area.width), style);
        self.cursor = Some(Position { x: area.x + column as u16, y: area.y });
    }
}

/// For plain mode: no boxes, dashes, arrows or signs that a screen reader would spell out.
fn in_ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '⇄' => plain.push_str("<->"),
            '→' => plain.push_str("->"),
            '←' => plain.push_str("<-"),
            '…' => plain.push_str("..."),
            '“' | '”' => plain.push('"'),
            '≈' => plain.push('~'),
            '≥' => plain.push_str(">="),
            '✔' => plain.push_str("ok"),
            '✘' => plain.push('x'),
            '⚠' => plain.push('!'),
            '·' | '–' | '—' | '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}' => plain.push('-'),
            other => plain.push(other),
        }
    }
    plain
}
