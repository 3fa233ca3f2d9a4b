//! Makes text from records and services harmless for a terminal.

use std::borrow::Cow;

/// The text with every character replaced that could steer a terminal or turn the reading direction.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_harmful) {
        Cow::Owned(text.chars().map(|one| if is_harmful(one) { shown(one) } else { one }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_harmful(one: char) -> bool {
    one.is_control()
        || matches!(one, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

fn shown(one: char) -> char {
    match one {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{1b}' => '␛',
        _ => '·',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_never_reach_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202E}c\r\nd\u{9b}m"), "a␛[2Jb·c  d·m");
        assert!(matches!(safe("Grüße 你好"), Cow::Borrowed(_)));
    }
}
