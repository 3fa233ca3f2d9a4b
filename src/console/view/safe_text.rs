//! The one sanitizer: whatever comes from a record, a remote or a file passes here before it is drawn or copied.
//!
//! Control characters, escapes and characters that reorder or hide text become visible stand-ins, so that a record can't
//! steer the terminal or pretend to be something else. Widths are those of a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text without anything a terminal would act on. One line stays one line.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().all(harmless) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(
            text.chars().map(|letter| if harmless(letter) { letter } else { stand_in(letter) }).collect(),
        )
    }
}

/// As [`safe`], but line breaks stay: each line on its own.
pub fn safe_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| safe(&line.replace('\t', "  ")).into_owned()).collect()
}

fn stand_in(letter: char) -> char {
    match letter {
        '\u{1b}' | '\u{9b}' => '␛',
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{a0}' => ' ',
        _ => '·',
    }
}

fn harmless(letter: char) -> bool {
    !letter.is_control() && !reorders_or_hides(letter) && letter != '\u{a0}'
}

/// Characters that change the order of others or have no body of their own. A zero-width joiner is kept: emoji and some
/// scripts need it.
fn reorders_or_hides(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Sanitizes and cuts at the end with `…` where it is wider than `columns`.
pub fn fit(text: &str, columns: usize) -> String {
    let text = safe(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut kept = take_columns(&text, room);
    kept.push('…');
    kept
}

/// As [`fit`], then filled with blanks to exactly `columns`.
pub fn column(text: &str, columns: usize) -> String {
    let mut cut = fit(text, columns);
    let missing = columns.saturating_sub(cut.width());
    cut.extend(std::iter::repeat_n(' ', missing));
    cut
}

/// As [`fit`], at the right edge of `columns`.
pub fn right(text: &str, columns: usize) -> String {
    let cut = fit(text, columns);
    let missing = columns.saturating_sub(cut.width());
    format!("{}{cut}", " ".repeat(missing))
}

/// Cuts in the middle, so that start and end of an id stay readable.
pub fn fit_middle(text: &str, columns: usize) -> String {
    let text = safe(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    if columns < 5 {
        return fit(&text, columns);
    }
    let tail_room = (columns - 1) / 2;
    let head = take_columns(&text, columns - 1 - tail_room);
    let backwards: String = text.chars().rev().collect();
    let tail: String = take_columns(&backwards, tail_room).chars().rev().collect();
    format!("{head}…{tail}")
}

fn take_columns(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|letter| {
            used += letter.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// Breaks a sanitized text into lines of at most `columns`, at blanks where possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if columns == 0 {
        return lines;
    }
    if text.is_empty() {
        return vec![String::new()];
    }
    for paragraph in safe_lines(text) {
        let mut line: String =
            paragraph.chars().take_while(|letter| *letter == ' ').take(columns / 2).collect();
        let indent = line.width();
        let mut used = 0;
        for word in paragraph.trim_start_matches(' ').split(' ') {
            let mut word = word.to_owned();
            let blank = usize::from(used > 0);
            if indent + used + blank + word.width() > columns && used > 0 {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                used = 0;
            }
            while word.width() > columns - indent {
                let head = take_columns(&word, columns - indent);
                if head.is_empty() {
                    break;
                }
                word = word.chars().skip(head.chars().count()).collect();
                lines.push(format!("{}{head}", " ".repeat(indent)));
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            used += word.width();
            line.push_str(&word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_in_a_record_is_shown_and_not_sent() {
        assert_eq!(safe("a\u{1b}[31mred\u{7}"), "a␛[31mred·");
        assert_eq!(safe("two\nlines\t."), "two lines .");
    }

    #[test]
    fn text_that_would_run_backwards_is_made_visible() {
        assert_eq!(safe("abc\u{202e}txt.exe"), "abc·txt.exe");
        assert_eq!(safe("x\u{200b}y"), "x·y");
    }

    #[test]
    fn a_cut_counts_columns_and_not_characters() {
        assert_eq!(fit("日本語テキスト", 7), "日本語…");
        assert_eq!(width(&column("日本語テキスト", 8)), 8);
        assert_eq!(fit("Zoë", 3), "Zoë");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn an_id_is_cut_in_the_middle() {
        assert_eq!(fit_middle("003A000001abcdEAAQ", 9), "003A…EAAQ");
    }

    #[test]
    fn long_words_are_broken_and_nothing_is_lost() {
        let lines = wrap("one two abcdefghijkl", 5);
        assert_eq!(lines, ["one", "two", "abcde", "fghij", "kl"]);
        assert_eq!(wrap("  one two", 6), ["  one", "  two"]);
        assert_eq!(wrap("", 6), [""]);
    }
}
