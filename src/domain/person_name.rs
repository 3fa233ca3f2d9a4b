//! One name field on one side, first and last name on the other.

/// A person's name as Salesforce holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonName {
    /// Everything before the last name; may be empty.
    pub first: String,
    /// The last name; a single word is a last name.
    pub last: String,
}

impl PersonName {
    /// Both parts as one text, with single blanks.
    pub fn joined(&self) -> String {
        let mut whole = String::with_capacity(self.first.len() + self.last.len() + 1);
        for word in self.first.split_whitespace().chain(self.last.split_whitespace()) {
            if !whole.is_empty() {
                whole.push(' ');
            }
            whole.push_str(word);
        }
        whole
    }

    /// Cuts a whole name in two. Where the present name is known and one of its parts still stands at its end of the new
    /// name, the cut stays where it was, so that "Ann van Dyke" does not become "Ann van" "Dyke" when "Ann" is corrected.
    pub fn cut(whole: &str, present: Option<&Self>) -> Self {
        let words: Vec<&str> = whole.split_whitespace().collect();
        if let Some(present) = present {
            let last: Vec<&str> = present.last.split_whitespace().collect();
            if !last.is_empty() && words.len() >= last.len() && words.ends_with(&last) {
                return Self::from_words(&words, words.len() - last.len());
            }
            let first: Vec<&str> = present.first.split_whitespace().collect();
            if !first.is_empty() && words.len() > first.len() && words.starts_with(&first) {
                return Self::from_words(&words, first.len());
            }
        }
        Self::from_words(&words, words.len().saturating_sub(1))
    }

    fn from_words(words: &[&str], cut: usize) -> Self {
        let (first, last) = words.split_at(cut.min(words.len()));
        Self { first: first.join(" "), last: last.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(first: &str, last: &str) -> PersonName {
        PersonName { first: first.into(), last: last.into() }
    }

    #[test]
    fn a_single_word_is_the_last_name() {
        assert_eq!(PersonName::cut("Prince", None), name("", "Prince"));
        assert_eq!(PersonName::cut("  ", None), name("", ""));
    }

    #[test]
    fn the_cut_stays_where_the_present_name_has_it() {
        let present = name("Ann", "van Dyke");
        assert_eq!(PersonName::cut("Anna van Dyke", Some(&present)), name("Anna", "van Dyke"));
        assert_eq!(PersonName::cut("Ann de la Cruz", Some(&present)), name("Ann", "de la Cruz"));
        assert_eq!(PersonName::cut("Bo Lee", Some(&present)), name("Bo", "Lee"));
    }

    proptest! {
        #[test]
        fn cutting_and_joining_gives_the_same_name(whole in "[\\PC ]{0,30}", first in "\\PC{0,8}", last in "\\PC{0,8}") {
            let present = name(&first, &last);
            let tidy = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(PersonName::cut(&whole, None).joined(), tidy.clone());
            prop_assert_eq!(PersonName::cut(&whole, Some(&present)).joined(), tidy);
        }
    }
}
