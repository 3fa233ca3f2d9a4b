//! The key map: context → key → action, read from `assets/keymap.toml` and from a person's own file over it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::console::app::action::Action;
use crate::console::app::key::{Key, UnknownKey};
use crate::console::app::tab::Tab;

/// A place with keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Moving through lists and forms.
    Movement,
    /// Everywhere on the four tabs.
    Global,
    /// Connection Settings.
    Connection,
    /// Mapping Settings.
    Mapping,
    /// Synchronization Information.
    Sync,
    /// Logs.
    Logs,
    /// While text is typed.
    Typing,
    /// Fuzzy pickers and the palette.
    Picker,
    /// A question.
    Confirm,
    /// A list or form that lies over a tab.
    Panel,
    /// A form of a mapping, or the pairs that are proposed for it.
    Sheet,
    /// The criteria of a mapping.
    Criteria,
    /// The conflicts, or the form of an issue.
    Inbox,
    /// A plan.
    Plan,
    /// What differs from what was accepted of both sides.
    Drift,
    /// A sign-in that waits for the browser.
    SignIn,
    /// The help overlay.
    Help,
}

impl Context {
    /// All contexts.
    pub const ALL: [Self; 17] = [
        Self::Movement,
        Self::Global,
        Self::Connection,
        Self::Mapping,
        Self::Sync,
        Self::Logs,
        Self::Typing,
        Self::Picker,
        Self::Confirm,
        Self::Panel,
        Self::Sheet,
        Self::Criteria,
        Self::Inbox,
        Self::Plan,
        Self::Drift,
        Self::SignIn,
        Self::Help,
    ];

    /// The word in the key map.
    pub fn word(self) -> &'static str {
        match self {
            Self::Movement => "movement",
            Self::Global => "global",
            Self::Connection => "connection",
            Self::Mapping => "mapping",
            Self::Sync => "sync",
            Self::Logs => "logs",
            Self::Typing => "typing",
            Self::Picker => "picker",
            Self::Confirm => "confirm",
            Self::Panel => "panel",
            Self::Sheet => "sheet",
            Self::Criteria => "conditions",
            Self::Inbox => "inbox",
            Self::Plan => "plan",
            Self::Drift => "drift",
            Self::SignIn => "sign_in",
            Self::Help => "help",
        }
    }

    /// The context of a tab.
    pub fn of(tab: Tab) -> Self {
        match tab {
            Tab::Connection => Self::Connection,
            Tab::Mapping => Self::Mapping,
            Tab::Sync => Self::Sync,
            Tab::Logs => Self::Logs,
        }
    }

    /// Where a key is looked up, nearest first.
    pub fn chain(self) -> &'static [Self] {
        match self {
            Self::Movement => &[Self::Movement],
            Self::Global => &[Self::Global, Self::Movement],
            Self::Connection => &[Self::Connection, Self::Global, Self::Movement],
            Self::Mapping => &[Self::Mapping, Self::Global, Self::Movement],
            Self::Sync => &[Self::Sync, Self::Global, Self::Movement],
            Self::Logs => &[Self::Logs, Self::Global, Self::Movement],
            Self::Typing => &[Self::Typing],
            Self::Picker => &[Self::Picker],
            Self::Confirm => &[Self::Confirm],
            Self::Panel => &[Self::Panel, Self::Movement],
            Self::Sheet => &[Self::Sheet, Self::Panel, Self::Movement],
            Self::Criteria => &[Self::Criteria, Self::Panel, Self::Movement],
            Self::Inbox => &[Self::Inbox, Self::Panel, Self::Movement],
            Self::Plan => &[Self::Plan, Self::Movement],
            Self::Drift => &[Self::Drift, Self::Panel, Self::Movement],
            Self::SignIn => &[Self::SignIn, Self::Movement],
            Self::Help => &[Self::Help, Self::Movement],
        }
    }

    /// Whether keys that are not bound are text here.
    pub fn takes_text(self) -> bool {
        match self {
            Self::Typing | Self::Picker => true,
            Self::Movement
            | Self::Global
            | Self::Connection
            | Self::Mapping
            | Self::Sync
            | Self::Logs
            | Self::Confirm
            | Self::Panel
            | Self::Sheet
            | Self::Criteria
            | Self::Inbox
            | Self::Plan
            | Self::Drift
            | Self::SignIn
            | Self::Help => false,
        }
    }
}

/// What a key does in a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The key.
    pub key: Key,
    /// The action.
    pub action: Action,
    /// The word in the footer.
    pub hint: Option<String>,
    /// How long it stays in a narrow footer; lower is longer.
    pub rank: u8,
}

/// The whole key map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    contexts: BTreeMap<Context, Vec<Binding>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    action: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default = "last_rank")]
    rank: u8,
}

fn last_rank() -> u8 {
    99
}

/// A key map that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// The file is no key map.
    #[error("the key map can't be read: {0}")]
    Shape(#[from] toml::de::Error),
    /// An unknown table.
    #[error(
        "the key map has a table [{0}], which is no context; contexts are movement, global, connection, mapping, sync, logs, typing, picker, confirm, panel, sheet, conditions, inbox, plan, drift, sign_in and help"
    )]
    Context(String),
    /// An unknown key.
    #[error("in [{context}] of the key map: {source}")]
    Key {
        /// The table.
        context: String,
        /// What is wrong.
        source: UnknownKey,
    },
    /// An unknown action.
    #[error(
        "in [{context}] of the key map, “{key}” asks for “{action}”, which is no action; `forcesync keys` prints them all"
    )]
    Action {
        /// The table.
        context: String,
        /// The key.
        key: String,
        /// The word that is no action.
        action: String,
    },
}

/// The key map that comes with the program.
pub const BUILT_IN: &str = include_str!("../../../assets/keymap.toml");

impl Keymap {
    /// The key map that comes with the program.
    pub fn built_in() -> Result<Self, KeymapError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a key map.
    pub fn parse(text: &str) -> Result<Self, KeymapError> {
        let tables: BTreeMap<String, BTreeMap<String, Entry>> = toml::from_str(text)?;
        let mut contexts: BTreeMap<Context, Vec<Binding>> = BTreeMap::new();
        for (word, entries) in tables {
            let context = Context::ALL
                .into_iter()
                .find(|context| context.word() == word)
                .ok_or_else(|| KeymapError::Context(word.clone()))?;
            let bindings = contexts.entry(context).or_default();
            for (spelt, entry) in entries {
                let key = Key::parse(&spelt)
                    .map_err(|source| KeymapError::Key { context: word.clone(), source })?;
                let action = Action::from_word(&entry.action).ok_or_else(|| KeymapError::Action {
                    context: word.clone(),
                    key: spelt.clone(),
                    action: entry.action.clone(),
                })?;
                bindings.push(Binding { key, action, hint: entry.hint, rank: entry.rank });
            }
            bindings.sort_by_key(|binding| binding.rank);
        }
        Ok(Self { contexts })
    }

    /// Lays a person's own key map over this one: its keys win, and an action that it binds in a context loses its other
    /// keys there, so that the footer shows the new one.
    pub fn patch(&mut self, own: Self) {
        for (context, bindings) in own.contexts {
            let mine = self.contexts.entry(context).or_default();
            for binding in &bindings {
                let replaced =
                    mine.iter().find(|known| known.action == binding.action && known.hint.is_some());
                let (hint, rank) = replaced.map_or((None, 99), |known| (known.hint.clone(), known.rank));
                mine.retain(|known| known.key != binding.key && known.action != binding.action);
                mine.push(Binding {
                    hint: binding.hint.clone().or(hint),
                    rank: binding.rank.min(rank),
                    ..binding.clone()
                });
            }
            mine.sort_by_key(|binding| binding.rank);
        }
    }

    /// What a key does in a context.
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        context
            .chain()
            .iter()
            .flat_map(|place| self.bindings(*place))
            .find(|binding| binding.key == key)
            .map(|binding| binding.action)
    }

    /// The bindings of one context alone.
    pub fn bindings(&self, context: Context) -> &[Binding] {
        self.contexts.get(&context).map_or(&[], Vec::as_slice)
    }

    /// The key that is shown for an action in a context: the nearest, the advertised one first.
    pub fn key_of(&self, context: Context, action: Action) -> Option<Key> {
        context.chain().iter().find_map(|place| {
            let mut found = self.bindings(*place).iter().filter(|binding| binding.action == action);
            let first = found.next()?;
            Some(if first.hint.is_some() {
                first.key
            } else {
                std::iter::once(first)
                    .chain(found)
                    .min_by_key(|binding| (binding.hint.is_none(), preference(binding.key)))
                    .map_or(first.key, |binding| binding.key)
            })
        })
    }

    /// What the footer may show in a context, by rank; the nearest context's word for a key counts.
    pub fn hints(&self, context: Context) -> Vec<&Binding> {
        let mut hints: Vec<&Binding> = Vec::new();
        let mut taken: Vec<Key> = Vec::new();
        for place in context.chain() {
            for binding in self.bindings(*place) {
                if taken.contains(&binding.key) {
                    continue;
                }
                taken.push(binding.key);
                if binding.hint.is_some() {
                    hints.push(binding);
                }
            }
        }
        hints.sort_by_key(|binding| binding.rank);
        hints
    }

    /// Keys that a nearer context takes away from a wider one for another action (one key, one meaning), and text keys
    /// that would act while somebody types.
    pub fn shadowing(&self) -> Vec<String> {
        let mut found = Vec::new();
        for context in Context::ALL {
            let Some((own, wider)) = context.chain().split_first() else { continue };
            for binding in self.bindings(*own) {
                for place in wider {
                    let shadowed = self
                        .bindings(*place)
                        .iter()
                        .find(|other| other.key == binding.key && other.action != binding.action);
                    if let Some(other) = shadowed {
                        found.push(format!(
                            "In [{}] {} means “{}”, elsewhere “{}”.",
                            own.word(),
                            binding.key,
                            binding.action.title(),
                            other.action.title()
                        ));
                    }
                }
                if context.takes_text() && binding.key.typed().is_some() {
                    found.push(format!(
                        "In [{}] {} is bound to an action, so that it can't be typed there.",
                        own.word(),
                        binding.key
                    ));
                }
            }
        }
        found
    }
}

/// Of several keys for one action the plain named ones are shown before letters.
fn preference(key: Key) -> u8 {
    match key.code {
        crossterm::event::KeyCode::Char(_) => 1,
        crossterm::event::KeyCode::F(_) => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_key_map_shadows_nothing() {
        let keymap = Keymap::built_in().unwrap();
        assert_eq!(keymap.shadowing(), Vec::<String>::new());
    }

    #[test]
    fn no_two_bindings_of_a_context_share_a_key() {
        let keymap = Keymap::built_in().unwrap();
        for context in Context::ALL {
            let bindings = keymap.bindings(context);
            let keys: std::collections::HashSet<Key> = bindings.iter().map(|binding| binding.key).collect();
            assert_eq!(keys.len(), bindings.len(), "in {}", context.word());
        }
    }

    #[test]
    fn an_own_key_map_wins_and_moves_the_hint() {
        let mut keymap = Keymap::built_in().unwrap();
        keymap.patch(Keymap::parse("[connection]\n\"T\" = { action = \"test\" }").unwrap());
        let key = keymap.key_of(Context::Connection, Action::Test).unwrap();
        assert_eq!(key.to_string(), "T");
        assert_eq!(keymap.action(Context::Connection, Key::parse("t").unwrap()), None);
        assert!(keymap.hints(Context::Connection).iter().any(|binding| binding.key == key));
    }

    #[test]
    fn a_shadowed_key_is_reported() {
        let mut keymap = Keymap::built_in().unwrap();
        keymap.patch(Keymap::parse("[logs]\n\"q\" = { action = \"follow\" }").unwrap());
        assert!(keymap.shadowing().iter().any(|line| line.contains("[logs] q")));
    }

    #[test]
    fn unknown_words_are_named() {
        assert!(Keymap::parse("[nowhere]").unwrap_err().to_string().contains("nowhere"));
        let unknown = Keymap::parse("[logs]\nq = { action = \"fly\" }").unwrap_err().to_string();
        assert!(unknown.contains("fly") && unknown.contains("logs"));
    }
}
