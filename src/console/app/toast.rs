//! Short messages above the footer: information leaves by itself, errors stay until Esc; repeats are counted.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// What a toast says by its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Went well.
    Good,
    /// Worth knowing.
    Info,
    /// Somebody should look.
    Warning,
    /// Did not work; stays.
    Error,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its tone.
    pub tone: Tone,
    /// A sentence.
    pub text: String,
    /// How often it came.
    pub count: u32,
    /// When it leaves; `None` stays until Esc.
    until: Option<DateTime<Utc>>,
}

/// The messages at hand, the newest last.
#[derive(Clone, Debug, Default)]
pub struct Toasts {
    list: VecDeque<Toast>,
}

const MOST: usize = 3;
const SHOWN: TimeDelta = TimeDelta::seconds(4);

impl Toasts {
    /// Adds a message, or counts a repeat.
    pub fn add(&mut self, tone: Tone, text: impl Into<String>, now: DateTime<Utc>) {
        let text = text.into();
        let until = match tone {
            Tone::Good | Tone::Info | Tone::Warning => Some(now + SHOWN),
            Tone::Error => None,
        };
        if let Some(place) = self.list.iter().position(|toast| toast.text == text)
            && let Some(mut known) = self.list.remove(place)
        {
            known.count += 1;
            known.until = until;
            self.list.push_back(known);
            return;
        }
        self.list.push_back(Toast { tone, text, count: 1, until });
        while self.list.len() > MOST {
            self.list.pop_front();
        }
    }

    /// The newest message.
    pub fn newest(&self) -> Option<&Toast> {
        self.list.back()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes the newest away; tells whether there was one.
    pub fn dismiss(&mut self) -> bool {
        self.list.pop_back().is_some()
    }

    /// Takes a message away that something newer has made untrue.
    pub fn take_back(&mut self, text: &str) {
        self.list.retain(|toast| toast.text != text);
    }

    /// Lets those leave whose time is over; tells whether one did.
    pub fn expire(&mut self, now: DateTime<Utc>) -> bool {
        let before = self.list.len();
        self.list.retain(|toast| toast.until.is_none_or(|until| until > now));
        self.list.len() != before
    }

    /// When the next one leaves.
    pub fn next_change(&self) -> Option<DateTime<Utc>> {
        self.list.iter().filter_map(|toast| toast.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_and_information_leaves() {
        let now = DateTime::UNIX_EPOCH;
        let mut toasts = Toasts::default();
        toasts.add(Tone::Error, "broken", now);
        toasts.add(Tone::Info, "saved", now);
        toasts.add(Tone::Info, "saved", now);
        assert_eq!(toasts.newest().map(|toast| toast.count), Some(2));
        assert!(toasts.expire(now + TimeDelta::seconds(5)));
        assert_eq!(toasts.newest().map(|toast| toast.text.as_str()), Some("broken"));
        assert!(toasts.dismiss() && toasts.is_empty());
    }
}
