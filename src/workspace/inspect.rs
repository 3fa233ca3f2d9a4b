//! Walks a parsed settings file along [`super::schema`]: keeps what can be used, reports what can't, all at once.

use std::ops::Range;

use toml::Value as Plain;
use toml_edit::{Item, TableLike, Value};

use super::nearest::nearest;
use super::problems::{Place, Problem, Severity};
use super::schema::{Key, Kind, home_of};

/// What an inspection found.
#[derive(Default)]
pub(super) struct Inspection {
    /// Everything that is wrong.
    pub(super) problems: Vec<Problem>,
}

/// Begins the names of tables whose own header could not be read; their content is passed over in silence.
pub(super) const UNREAD: &str = "unread-section-";

/// Reads a table as far as it can be used. `text` is the file, for places; `None` where the document has none.
pub(super) fn read_table(
    inspection: &mut Inspection,
    table: &dyn TableLike,
    keys: &'static [Key],
    path: &str,
    text: Option<&str>,
) -> toml::Table {
    let mut walker = Walker { inspection, text };
    walker.table(table, keys, path)
}

/// Whether an element of a list of tables is kept, that is, has what its kind requires.
pub(super) fn survives(table: &dyn TableLike, keys: &'static [Key]) -> bool {
    let mut inspection = Inspection::default();
    let mut walker = Walker { inspection: &mut inspection, text: None };
    let read = walker.table(table, keys, "");
    complete(&read, keys)
}

fn complete(read: &toml::Table, keys: &'static [Key]) -> bool {
    keys.iter().filter(|key| key.required).all(|key| read.contains_key(key.name))
}

struct Walker<'a> {
    inspection: &'a mut Inspection,
    text: Option<&'a str>,
}

impl Walker<'_> {
    fn report(&mut self, span: Option<Range<usize>>, path: &str, message: String, near: Option<&str>) {
        let place = self.text.zip(span).map(|(text, span)| Place::of(text, span.start));
        self.inspection
            .problems
            .push(Problem::new(Severity::Error, path, message).at(place).suggest(near.map(str::to_owned)));
    }

    fn table(&mut self, table: &dyn TableLike, keys: &'static [Key], path: &str) -> toml::Table {
        let mut read = toml::Table::new();
        for (name, item) in table.iter() {
            if item.is_none() || (path.is_empty() && name.starts_with(UNREAD)) {
                continue;
            }
            let deeper = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if let Some(key) = keys.iter().find(|key| key.name == name) {
                if let Some(value) = self.item(item, key.kind, &deeper) {
                    read.insert(name.to_owned(), value);
                }
            } else {
                let span = table.key(name).and_then(toml_edit::Key::span);
                self.unknown_key(span, name, keys, path, &deeper);
            }
        }
        read
    }

    fn unknown_key(
        &mut self,
        span: Option<Range<usize>>,
        name: &str,
        keys: &'static [Key],
        path: &str,
        deeper: &str,
    ) {
        let section = if path.is_empty() { "the file".to_owned() } else { format!("“{path}”") };
        if looks_secret(name) {
            let message = format!(
                "“{name}” looks like a secret, and secrets never belong in this file: remove the line, change the secret \
                 if the file was shared, and store it with “forcesync secret set”."
            );
            return self.report(span, deeper, message, None);
        }
        let near = nearest(name, keys.iter().map(|key| key.name));
        let elsewhere = home_of(name).filter(|_| near.is_none());
        let message = match elsewhere {
            Some(home) => format!("“{name}” is not known in {section}; it belongs in “{home}”."),
            None => format!("“{name}” is not known in {section}."),
        };
        self.report(span, deeper, message, near);
    }

    /// Reports each required key that an element lacks.
    fn missing(
        &mut self,
        read: &toml::Table,
        item: &dyn TableLike,
        span: Option<&Range<usize>>,
        keys: &'static [Key],
        path: &str,
    ) {
        for key in keys.iter().filter(|key| key.required) {
            if !read.contains_key(key.name) && !item.contains_key(key.name) {
                let message = format!("“{}” is missing, and without it this part can't be used.", key.name);
                self.report(span.cloned(), path, message, None);
            }
        }
    }

    fn wrong(&mut self, item: &Item, path: &str, expected: &str) -> Option<Plain> {
        self.report(item.span(), path, format!("Expected {expected}, found {}.", named(item)), None);
        None
    }

    fn item(&mut self, item: &Item, kind: Kind, path: &str) -> Option<Plain> {
        match kind {
            Kind::Text => match item.as_str() {
                Some(text) => Some(Plain::String(text.to_owned())),
                None => self.wrong(item, path, "a text in quotes"),
            },
            Kind::Checked(rule) => match item.as_str() {
                Some(text) => self.checked(text, rule, item.span(), path),
                None => self.wrong(item, path, "a text in quotes"),
            },
            Kind::Word(words) => match item.as_str() {
                Some(word) => self.word(word, words, item.span(), path),
                None => self.wrong(item, path, &format!("one of the words {}", listed(words))),
            },
            Kind::Flag => match item.as_bool() {
                Some(flag) => Some(Plain::Boolean(flag)),
                None => self.wrong(item, path, "true or false"),
            },
            Kind::Whole(least, most) => match item.as_integer() {
                Some(number) if (least..=most).contains(&number) => Some(Plain::Integer(number)),
                _ => self.wrong(item, path, &format!("a whole number from {least} to {most}")),
            },
            Kind::Decimal(least, most) => {
                let number = item.as_float().or_else(|| item.as_integer().map(|whole| whole as f64));
                match number {
                    Some(number) if number >= least && number <= most => Some(Plain::Float(number)),
                    _ => self.wrong(item, path, &format!("a number from {least} to {most}")),
                }
            }
            Kind::Texts => self.texts(item, path, |_| Ok(())),
            Kind::CheckedTexts(rule) => self.texts(item, path, rule),
            Kind::OneOrSeveral => match item.as_str() {
                Some(text) => Some(Plain::String(text.to_owned())),
                None if item.is_array() => self.texts(item, path, |_| Ok(())),
                None => self.wrong(item, path, "a text or a list of texts"),
            },
            Kind::Dictionary => self.dictionary(item, path),
            Kind::Section(keys) | Kind::Table(keys) => match item.as_table_like() {
                Some(table) => {
                    let read = self.table(table, keys, path);
                    self.missing(&read, table, item.span().as_ref(), keys, path);
                    complete(&read, keys).then_some(Plain::Table(read))
                }
                None => self.wrong(item, path, "a table"),
            },
            Kind::Tables(keys) => self.tables(item, keys, path),
            Kind::Variant(words, keys) => self.variant(item, words, keys, path),
        }
    }

    fn checked(
        &mut self,
        text: &str,
        rule: fn(&str) -> Result<(), String>,
        span: Option<Range<usize>>,
        path: &str,
    ) -> Option<Plain> {
        match rule(text) {
            Ok(()) => Some(Plain::String(text.to_owned())),
            Err(message) => {
                self.report(span, path, sentence(&message), None);
                None
            }
        }
    }

    fn word(
        &mut self,
        word: &str,
        words: &[&'static str],
        span: Option<Range<usize>>,
        path: &str,
    ) -> Option<Plain> {
        if words.contains(&word) {
            return Some(Plain::String(word.to_owned()));
        }
        let near = nearest(word, words.iter().copied());
        self.report(span, path, format!("“{word}” is none of {}.", listed(words)), near);
        None
    }

    fn texts(&mut self, item: &Item, path: &str, rule: fn(&str) -> Result<(), String>) -> Option<Plain> {
        let Some(list) = item.as_array() else { return self.wrong(item, path, "a list of texts") };
        let mut kept = Vec::new();
        for (place, value) in list.iter().enumerate() {
            let deeper = format!("{path}[{place}]");
            if let Some(text) = value.as_str() {
                kept.extend(self.checked(text, rule, value.span(), &deeper));
            } else {
                let message = format!("Expected a text in quotes, found {}.", value.type_name());
                self.report(value.span(), &deeper, message, None);
            }
        }
        Some(Plain::Array(kept))
    }

    fn dictionary(&mut self, item: &Item, path: &str) -> Option<Plain> {
        let Some(table) = item.as_table_like() else { return self.wrong(item, path, "a table of texts") };
        let mut kept = toml::Table::new();
        for (name, entry) in table.iter() {
            match entry.as_str() {
                Some(text) => {
                    kept.insert(name.to_owned(), Plain::String(text.to_owned()));
                }
                None => {
                    self.wrong(entry, &format!("{path}.{name}"), "a text in quotes");
                }
            }
        }
        Some(Plain::Table(kept))
    }

    fn tables(&mut self, item: &Item, keys: &'static [Key], path: &str) -> Option<Plain> {
        let elements: Vec<(&dyn TableLike, Option<Range<usize>>)> = match item {
            Item::ArrayOfTables(tables) => {
                tables.iter().map(|table| (table as &dyn TableLike, table.span())).collect()
            }
            Item::Value(Value::Array(list)) if list.iter().all(Value::is_inline_table) => list
                .iter()
                .filter_map(|value| Some((value.as_inline_table()? as &dyn TableLike, value.span())))
                .collect(),
            other => return self.wrong(other, path, &format!("tables, each begun by [[{path}]]")),
        };
        let mut kept = Vec::new();
        for (place, (table, span)) in elements.into_iter().enumerate() {
            let deeper = format!("{path}[{place}]");
            let read = self.table(table, keys, &deeper);
            self.missing(&read, table, span.as_ref(), keys, &deeper);
            if complete(&read, keys) {
                kept.push(Plain::Table(read));
            }
        }
        Some(Plain::Array(kept))
    }

    fn variant(
        &mut self,
        item: &Item,
        words: &[&'static str],
        keys: &'static [Key],
        path: &str,
    ) -> Option<Plain> {
        let every: Vec<&'static str> = words.iter().copied().chain(keys.iter().map(|key| key.name)).collect();
        if let Some(word) = item.as_str() {
            if keys.iter().any(|key| key.name == word) {
                let message = format!("“{word}” needs its own values: write {path} = {{ {word} = … }}.");
                self.report(item.span(), path, message, None);
                return None;
            }
            return self.word(word, &every, item.span(), path).filter(|_| words.contains(&word));
        }
        let Some(table) = item.as_table_like() else {
            return self.wrong(item, path, &format!("one of {}", listed(&every)));
        };
        let read = self.table(table, keys, path);
        if table.iter().filter(|(_, item)| !item.is_none()).count() == 1 {
            (read.len() == 1).then_some(Plain::Table(read))
        } else {
            let message = format!("Exactly one of {} must stand here.", listed(&every));
            self.report(item.span(), path, message, None);
            None
        }
    }
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token", "passphrase"].iter().any(|word| name.contains(word)) && name != "secrets"
}

fn named(item: &Item) -> String {
    let kind = match item.type_name() {
        "string" => "a text",
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        "array of tables" => "several tables",
        "inline table" | "table" => "a table",
        _ => "nothing",
    };
    match item.as_value() {
        Some(value @ (Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_))) => {
            let shown: String = value.clone().decorated("", "").to_string().chars().take(40).collect();
            format!("{kind}: {shown}")
        }
        _ => kind.to_owned(),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("“{word}”")).collect::<Vec<_>>().join(", ")
}

fn sentence(message: &str) -> String {
    format!("{}.", message.trim_end_matches('.'))
}
