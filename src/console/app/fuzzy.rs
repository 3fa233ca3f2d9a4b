//! Fuzzy matching for pickers and the palette.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The places of the matching texts, best first; all of them, in order, for an empty query.
pub fn ranked<'a>(query: &str, texts: impl Iterator<Item = &'a str>) -> Vec<usize> {
    if query.trim().is_empty() {
        return texts.enumerate().map(|(place, _)| place).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Smart, Normalization::Smart);
    let mut letters = Vec::new();
    let mut found: Vec<(u32, usize)> = texts
        .enumerate()
        .filter_map(|(place, text)| {
            let score = pattern.score(Utf32Str::new(text, &mut letters), &mut matcher)?;
            Some((score, place))
        })
        .collect();
    found.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    found.into_iter().map(|(_, place)| place).collect()
}

/// Whether a row passes a list filter: every word must occur, whatever its case; a leading `!` turns the filter round.
pub fn passes(filter: &str, row: &str) -> bool {
    let (turned, words) = match filter.trim().strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, filter),
    };
    if words.trim().is_empty() {
        return true;
    }
    let row = row.to_lowercase();
    words.split_whitespace().all(|word| row.contains(&word.to_lowercase())) != turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_text_comes_first() {
        let texts = ["MailingCity", "Email", "FirstName"];
        assert_eq!(ranked("email", texts.into_iter()).first(), Some(&1));
        assert_eq!(ranked("", texts.into_iter()), [0, 1, 2]);
        assert!(ranked("zzz", texts.into_iter()).is_empty());
    }

    #[test]
    fn a_filter_takes_words_in_any_order_and_can_be_turned_round() {
        assert!(passes("city mail", "MailingCity"));
        assert!(!passes("!city", "MailingCity"));
        assert!(passes("!street", "MailingCity"));
        assert!(passes("!", "anything"));
    }
}
