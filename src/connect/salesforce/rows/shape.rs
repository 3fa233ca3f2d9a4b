//! Which key of a row goes where, made once for a read.

use crate::connect::salesforce::describe::Catalog;
use crate::domain::record::Selection;
use crate::domain::schema::FieldKind;

/// Where the keys of a row go.
#[derive(Clone, Debug, Default)]
pub(in crate::connect::salesforce) struct Shape {
    pub(super) root: Node,
    columns: Vec<String>,
    pub(super) width: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) kind: FieldKind,
    pub(super) place: Option<usize>,
    pub(super) role: Role,
    pub(super) child: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Id,
    Stamp,
    Author,
    /// Whether a lead was converted.
    Converted,
    /// The record of an object that a converted lead became.
    Became(&'static str),
}

impl Shape {
    /// The shape of a selection of an object. A field that the object does not have (any more) is left out of the read, so that
    /// it comes back as absent and the others still come.
    pub(in crate::connect::salesforce) fn new(
        catalog: &Catalog,
        object: &str,
        selection: &Selection,
    ) -> Self {
        let mut shape = Self { width: selection.len(), ..Self::default() };
        let system = [("Id", Role::Id), ("SystemModstamp", Role::Stamp), ("LastModifiedById", Role::Author)];
        for (name, role) in system {
            if let Some(found) = catalog.resolve(object, name) {
                shape.add(&found.path, found.kind, None, role);
            }
        }
        // A converted lead says what it became, whoever asks.
        let conversion = [
            ("IsConverted", Role::Converted),
            ("ConvertedContactId", Role::Became("Contact")),
            ("ConvertedAccountId", Role::Became("Account")),
        ];
        if object.eq_ignore_ascii_case("Lead") {
            for (name, role) in conversion {
                if let Some(found) = catalog.resolve(object, name) {
                    shape.add(&found.path, found.kind, None, role);
                }
            }
        }
        for (place, name) in selection.names().iter().enumerate() {
            if let Some(found) = catalog.resolve(object, name).filter(|found| found.kind != FieldKind::Other)
            {
                shape.add(&found.path, found.kind, Some(place), Role::Plain);
            }
        }
        shape
    }

    fn add(&mut self, path: &str, kind: FieldKind, place: Option<usize>, role: Role) {
        let mut node = &mut self.root;
        let mut keys = path.split('.').peekable();
        while let Some(key) = keys.next() {
            let at = node.entries.iter().position(|entry| &*entry.key == key).unwrap_or_else(|| {
                node.entries.push(Entry {
                    key: key.into(),
                    kind,
                    place: None,
                    role: Role::Plain,
                    child: None,
                });
                node.entries.len() - 1
            });
            let Some(entry) = node.entries.get_mut(at) else { return };
            if keys.peek().is_some() {
                node = entry.child.get_or_insert_with(Node::default);
            } else {
                entry.kind = kind;
                entry.place = entry.place.or(place);
                if role != Role::Plain {
                    entry.role = role;
                }
                if !self.columns.iter().any(|known| known == path) {
                    self.columns.push(path.to_owned());
                }
                return;
            }
        }
    }

    /// The fields to ask for, with our own first.
    pub(in crate::connect::salesforce) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a field of a parent is among them.
    pub(in crate::connect::salesforce) fn has_parents(&self) -> bool {
        self.columns.iter().any(|column| column.contains('.'))
    }

    /// Whether rows carry a stamp.
    pub(in crate::connect::salesforce) fn has_stamp(&self) -> bool {
        self.root.entries.iter().any(|entry| entry.role == Role::Stamp)
    }
}
