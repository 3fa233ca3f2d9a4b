//! The files of a folder as records: what the port's verbs read. What writes is in `write`.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use csv::ByteRecord;
use serde::{Deserialize, Serialize};

use super::cell::Manner;
use super::index::hash;
use super::layout::{Layout, Rows, Wish, name_of};
use super::place::Place;
use super::types::{ObjectTypes, Types};
use super::version::Version;
use super::{from_io, refused};
use crate::domain::canonical::{Form, canonical};
use crate::domain::port::{Cursor, Finder, Mark, Page, PortClass, PortError, Tombstone};
use crate::domain::profile::{ObjectProfile, Profile};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use crate::domain::value::Value;

/// The object of the profile that stands for any other file.
pub(super) const ANY: &str = "*";

/// The column that is added where no other tells rows apart.
pub(super) const ID: &str = "Id";

/// How often a read begins anew because the file was written meanwhile.
const TRIES: u32 = 3;

/// What the settings say.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) profile: &'static Profile,
    pub(super) id_column: Option<String>,
    pub(super) mark_column: String,
    pub(super) complete: bool,
    pub(super) formula_safe: bool,
    pub(super) delimiter: u8,
}

/// The files of a folder, with what is remembered of them between calls.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) place: Place,
    pub(super) rules: Rules,
    pub(super) layouts: HashMap<PathBuf, Layout>,
    /// What we wrote last.
    pub(super) own: HashMap<PathBuf, Own>,
}

/// A version that was made by us alone from others: whoever read one of those has nothing to learn from it.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Versions that a cursor was told of.
    pub(super) told: Vec<Version>,
    /// What we made of them.
    pub(super) to: Version,
}

/// So many cursors are remembered for a file.
const TOLD: usize = 16;

/// How far a feed has come: the version that was read, and whether a later write is sure to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    version: Option<Version>,
    settled: bool,
}

/// Where a read goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Onward {
    place: u64,
    version: Version,
    #[serde(default)]
    tries: u32,
}

/// An object's file, and what is said of it.
pub(super) struct Subject {
    pub(super) object: String,
    pub(super) path: PathBuf,
    pub(super) types: ObjectTypes,
    pub(super) profile: Option<&'static ObjectProfile>,
    pub(super) manner: Manner,
}

impl Subject {
    /// Whether the object is known by the profile or by `schema.toml`, so that its file need not be there yet.
    fn is_known(&self) -> bool {
        self.profile.is_some_and(|profile| profile.name != ANY) || !self.types.fields.is_empty()
    }

    /// The kind of a column.
    pub(super) fn kind(&self, column: &str) -> FieldKind {
        let said = self.types.kind(column);
        said.or_else(|| Some(self.known(column)?.kind)).unwrap_or_default()
    }

    fn known(&self, column: &str) -> Option<&'static crate::domain::profile::FieldProfile> {
        self.profile?.fields.iter().find(|field| field.name.eq_ignore_ascii_case(column))
    }
}

impl Shelf {
    pub(super) fn subject(&self, object: &str) -> Result<Subject, PortError> {
        let path = self.place.file(object)?;
        let types = Types::read(&self.place.folder)?.of(object);
        let manner = Manner { date_format: types.date_format.clone(), formula_safe: self.rules.formula_safe };
        Ok(Subject {
            object: object.to_owned(),
            path,
            types,
            profile: self.rules.profile.object(object),
            manner,
        })
    }

    pub(super) fn wish(&self, subject: &Subject) -> Wish {
        let of_profile = subject.profile.map(|profile| profile.key.clone()).unwrap_or_default();
        Wish {
            id: subject.types.id.clone().or_else(|| self.rules.id_column.clone()),
            key: if subject.types.key.is_empty() { of_profile } else { subject.types.key.clone() },
            mark: self.rules.mark_column.clone(),
        }
    }

    /// Opens a file and knows how it is laid out; nothing where it is not there or empty.
    pub(super) fn open(&mut self, subject: &Subject) -> Result<Option<File>, PortError> {
        let path = &subject.path;
        self.heal(path)?;
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(from_io("opened", path, &error)),
        };
        let version = Version::of_file(&file).map_err(|error| from_io("read", path, &error))?;
        if self.layouts.get(path).is_some_and(|known| known.version == version) {
            return Ok(Some(file));
        }
        self.layouts.remove(path);
        let wish = self.wish(subject);
        Ok(match Layout::of(path, &file, &wish)? {
            Some(layout) => {
                self.layouts.insert(path.clone(), layout);
                Some(file)
            }
            None => None,
        })
    }

    /// Takes half a row away that a crash left, unless it is being written at this moment.
    fn heal(&self, path: &Path) -> Result<(), PortError> {
        if super::append::is_interrupted(path)
            && let Ok(_held) = self.place.lock()
        {
            super::append::heal(path)?;
        }
        Ok(())
    }

    /// The fields of a file; nothing where it is not there or empty.
    fn columns(subject: &Subject) -> Result<Option<Vec<String>>, PortError> {
        let path = &subject.path;
        match File::open(path) {
            Ok(file) => Layout::names(path, &file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(from_io("opened", path, &error)),
        }
    }

    /// How an opened file is laid out.
    pub(super) fn layout(&self, subject: &Subject) -> Result<&Layout, PortError> {
        self.layouts.get(&subject.path).ok_or_else(|| gone(subject))
    }

    pub(super) fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        let mut schemas = Vec::with_capacity(objects.len());
        for object in objects {
            let subject = match self.subject(object) {
                Ok(subject) => subject,
                Err(error) if error.code == "NO_SUCH_OBJECT" => continue,
                Err(error) => return Err(error),
            };
            let columns: Vec<String> = match Self::columns(&subject)? {
                Some(columns) => columns,
                None if subject.is_known() => {
                    let said = subject.types.fields.keys().cloned();
                    let known = subject.profile.filter(|profile| profile.name != ANY);
                    let known = known.into_iter().flat_map(|profile| &profile.fields);
                    said.chain(known.map(|field| field.name.clone())).collect()
                }
                None => continue,
            };
            schemas.push(self.schema(&subject, &columns));
        }
        Ok(schemas)
    }

    fn schema(&self, subject: &Subject, columns: &[String]) -> ObjectSchema {
        let id = self.wish(subject).id.unwrap_or_else(|| ID.to_owned());
        let added = [id.clone(), self.rules.mark_column.clone()];
        let mut fields: Vec<FieldSchema> = Vec::with_capacity(columns.len() + 2);
        for name in columns.iter().chain(&added).filter(|name| !name.is_empty()) {
            if fields.iter().any(|field| field.name.eq_ignore_ascii_case(name)) {
                continue;
            }
            let known = subject.known(name).map(crate::domain::profile::FieldProfile::schema);
            let mut field = known.unwrap_or_else(|| FieldSchema {
                label: name.clone(),
                createable: true,
                updateable: true,
                ..FieldSchema::default()
            });
            field.name.clone_from(name);
            field.kind = subject.kind(name);
            if name.eq_ignore_ascii_case(&id) {
                field.unique = true;
                field.external_id = true;
                field.updateable = false;
            }
            fields.push(field);
        }
        ObjectSchema {
            name: subject.object.clone(),
            label: subject.object.clone(),
            createable: true,
            updateable: true,
            readable: true,
            fields,
        }
    }

    /// A page of all rows.
    pub(super) fn scan(
        &mut self,
        object: &str,
        selection: &Selection,
        mark: Option<&Mark>,
        now: DateTime<Utc>,
    ) -> Result<Page, PortError> {
        let subject = self.subject(object)?;
        self.rows(&subject, selection, mark, now)
    }

    /// A page of all rows, if somebody wrote the file since the cursor.
    pub(super) fn changed(
        &mut self,
        object: &str,
        selection: &Selection,
        (cursor, mark): (&Cursor, Option<&Mark>),
        now: DateTime<Utc>,
    ) -> Result<Page, PortError> {
        let subject = self.subject(object)?;
        let whole = subject.types.complete.unwrap_or(self.rules.complete);
        if mark.is_some() {
            return Ok(Page { whole, ..self.rows(&subject, selection, mark, now)? });
        }
        let seen: Seen = serde_json::from_str(&cursor.0).map_err(|error| {
            refused(
                PortClass::CursorLost,
                "CURSOR",
                format!("the place up to which {object} was read can't be understood: {error}"),
            )
        })?;
        super::append::heal(&subject.path)?;
        let version = Version::of(&subject.path).map_err(|error| from_io("read", &subject.path, &error))?;
        let by_us = || {
            let own = self.own.get(&subject.path);
            own.is_some_and(|own| {
                Some(own.to) == version && seen.version.is_some_and(|seen| own.told.contains(&seen))
            })
        };
        if seen.settled && (seen.version == version || by_us()) {
            self.tell(&subject, version);
            return Ok(Page { cursor: Some(cursor_of(version, now)), ..Page::default() });
        }
        if version.is_none() && seen.version.is_some() {
            return Err(gone(&subject));
        }
        Ok(Page { whole, ..self.rows(&subject, selection, None, now)? })
    }

    /// Remembers that a cursor knows of a version.
    fn tell(&mut self, subject: &Subject, version: Option<Version>) {
        if let (Some(own), Some(version)) = (self.own.get_mut(&subject.path), version)
            && own.to == version
            && !own.told.contains(&version)
        {
            if own.told.len() >= TOLD {
                own.told.remove(0);
            }
            own.told.push(version);
        }
    }

    fn rows(
        &mut self,
        subject: &Subject,
        selection: &Selection,
        mark: Option<&Mark>,
        now: DateTime<Utc>,
    ) -> Result<Page, PortError> {
        let onward: Option<Onward> = match mark {
            Some(mark) => Some(serde_json::from_str(&mark.0).map_err(|error| {
                refused(
                    PortClass::MarkLost,
                    "MARK",
                    format!("the place in {} is lost: {error}", subject.object),
                )
            })?),
            None => None,
        };
        let Some(file) = self.open(subject)? else {
            if onward.is_some() || !subject.is_known() {
                return Err(gone(subject));
            }
            return Ok(Page { cursor: Some(cursor_of(None, now)), total: Some(0), ..Page::default() });
        };
        let layout = self.layout(subject)?;
        let same = onward.filter(|onward| onward.version == layout.version);
        let tries = match (onward, same) {
            (Some(onward), None) => onward.tries + 1,
            (Some(onward), Some(_)) => onward.tries,
            (None, _) => 0,
        };
        // Written meanwhile: the new version is read from its start, as rows may have moved.
        if tries > TRIES {
            return Err(refused(
                PortClass::Transient,
                "FILE_BUSY",
                format!(
                    "{} is written again and again while it is read; the next run tries once more.",
                    name_of(&subject.path)
                ),
            ));
        }
        let failed = |error: std::io::Error| from_io("read", &subject.path, &error);
        let reader = RecordReader::new(self, subject, layout, selection);
        let place = same.map_or(layout.body, |onward| onward.place);
        let mut rows = Rows::from(&file, layout.delimiter, place).map_err(failed)?;
        let mut cells = ByteRecord::new();
        let most = self.rules.profile.limits.page_rows.max(1);
        let mut records = Vec::with_capacity(most.min(layout.ids.len()));
        let mut more = true;
        while records.len() < most {
            if rows.next(&mut cells).map_err(failed)?.is_none() {
                more = false;
                break;
            }
            records.push(reader.record(&cells));
        }
        let next = Onward { place: rows.place(), version: layout.version, tries };
        let more = more && next.place < layout.version.size;
        let (version, total) = (layout.version, layout.ids.len() as u64);
        if mark.is_none() {
            self.tell(subject, Some(version));
        }
        Ok(Page {
            records,
            next: more.then(|| Mark(text(&next))),
            cursor: mark.is_none().then(|| cursor_of(Some(version), now)),
            total: mark.is_none().then_some(total),
            ..Page::default()
        })
    }

    pub(super) fn read(
        &mut self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        let subject = self.subject(object)?;
        let Some(file) = self.open(&subject)? else { return Ok(Vec::new()) };
        let layout = self.layout(&subject)?;
        let failed = |error: std::io::Error| from_io("read", &subject.path, &error);
        let reader = RecordReader::new(self, &subject, layout, selection);
        let mut rows = Rows::here_and_there(&file, layout.delimiter, layout.body).map_err(failed)?;
        let mut found = Vec::with_capacity(ids.len());
        let mut asked = HashSet::new();
        for id in ids.iter().filter(|id| asked.insert(*id)) {
            if let Some(row) = layout.row(&mut rows, id.as_str()).map_err(failed)? {
                found.push(reader.record(&row.cells));
            }
        }
        Ok(found)
    }

    /// Which of these are gone; only a file that holds every record can tell.
    pub(super) fn fates(&mut self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        let subject = self.subject(object)?;
        if !subject.types.complete.unwrap_or(self.rules.complete) {
            return Ok(Vec::new());
        }
        // A file that is not there says nothing about its rows.
        if self.open(&subject)?.is_none() {
            return Err(gone(&subject));
        }
        let layout = self.layout(&subject)?;
        let gone = ids.iter().filter(|id| !layout.ids.has(hash(id.as_str().as_bytes())));
        Ok(gone.map(|id| Tombstone { id: id.clone(), at: None, merged_into: None }).collect())
    }

    pub(super) fn count(&mut self, object: &str) -> Result<u64, PortError> {
        let subject = self.subject(object)?;
        Ok(match self.open(&subject)? {
            Some(_) => self.layout(&subject)?.ids.len() as u64,
            None => 0,
        })
    }

    pub(super) fn find(
        &mut self,
        object: &str,
        selection: &Selection,
        by: &Finder,
    ) -> Result<Vec<Record>, PortError> {
        let (fields, wanted) = match by {
            Finder::Field { field, values } => {
                (std::slice::from_ref(field), values.iter().map(|value| vec![value.clone()]).collect())
            }
            Finder::Fields { fields, rows } => (fields.as_slice(), rows.clone()),
            Finder::CreatedByUs { .. } => {
                return Err(refused(
                    PortClass::Settings,
                    "NO_AUTHOR",
                    "A file does not tell who wrote its rows; give the mapping a mark.".into(),
                ));
            }
        };
        let subject = self.subject(object)?;
        let Some(file) = self.open(&subject)? else { return Ok(Vec::new()) };
        let layout = self.layout(&subject)?;
        // A mark that no row holds is the usual answer, and known without reading.
        let no_mark = |row: &Vec<Value>| match (fields, row.as_slice()) {
            ([field], [Value::Text(mark)]) if field.eq_ignore_ascii_case(&self.rules.mark_column) => {
                !layout.marks.has(hash(mark.as_bytes()))
            }
            _ => false,
        };
        if wanted.iter().all(no_mark) {
            return Ok(Vec::new());
        }
        let failed = |error: std::io::Error| from_io("read", &subject.path, &error);
        let kinds: Vec<FieldKind> = fields.iter().map(|field| subject.kind(field)).collect();
        let fold = |row: &[Value]| -> Vec<Value> {
            let fold =
                |(value, kind): (&Value, &FieldKind)| canonical(Form { kind: *kind, scale: None }, value);
            row.iter().zip(&kinds).map(fold).collect()
        };
        let wanted: HashSet<Vec<Value>> = wanted.iter().map(|row: &Vec<Value>| fold(row)).collect();
        let keys = RecordReader::new(self, &subject, layout, &Selection::new(fields));
        let reader = RecordReader::new(self, &subject, layout, selection);
        let mut rows = Rows::from(&file, layout.delimiter, layout.body).map_err(failed)?;
        let mut cells = ByteRecord::new();
        let mut found = Vec::new();
        while rows.next(&mut cells).map_err(failed)?.is_some() {
            let held: Vec<Value> =
                keys.record(&cells).values.into_iter().map(Option::unwrap_or_default).collect();
            if wanted.contains(&fold(&held)) {
                found.push(reader.record(&cells));
            }
        }
        Ok(found)
    }
}

fn text<T: Serialize>(place: &T) -> String {
    // Numbers and flags can always be written.
    serde_json::to_string(place).unwrap_or_default()
}

fn cursor_of(version: Option<Version>, now: DateTime<Utc>) -> Cursor {
    Cursor(text(&Seen { version, settled: version.is_none_or(|version| version.is_settled(now)) }))
}

pub(super) fn gone(subject: &Subject) -> PortError {
    refused(
        PortClass::Settings,
        "NO_FILE",
        format!(
            "There is no {}, or it is empty. Make it with the names of the fields in its first line; if it was there before, put it \
             back ({}.bak is what somebody saved last).",
            subject.path.display(),
            name_of(&subject.path)
        ),
    )
}

/// Where a selected field is found.
enum Source {
    Column(usize, FieldKind),
    Id,
    /// A column that is added when it is first needed, and blank till then.
    ToBeAdded,
    Absent,
}

/// Turns rows into records.
pub(super) struct RecordReader<'a> {
    layout: &'a Layout,
    manner: &'a Manner,
    sources: Vec<Source>,
}

impl<'a> RecordReader<'a> {
    pub(super) fn new(
        shelf: &Shelf,
        subject: &'a Subject,
        layout: &'a Layout,
        selection: &Selection,
    ) -> Self {
        let source = |name: &str| match layout.position(name) {
            Some(at) if layout.id == Some(at) => Source::Id,
            Some(at) => Source::Column(at, subject.kind(name)),
            None if layout.id.is_none() && name.eq_ignore_ascii_case(ID) => Source::Id,
            None if name.eq_ignore_ascii_case(&shelf.rules.mark_column) => Source::ToBeAdded,
            None => Source::Absent,
        };
        let sources = selection.names().iter().map(|name| source(name)).collect();
        Self { layout, manner: &subject.manner, sources }
    }

    pub(super) fn record(&self, cells: &ByteRecord) -> Record {
        let id = self.layout.id_of(cells);
        let values = self.sources.iter().map(|source| match source {
            Source::Column(at, kind) => {
                let cell = cells.get(*at).unwrap_or_default();
                Some(match std::str::from_utf8(cell) {
                    Ok(text) => self.manner.value(*kind, text),
                    Err(_) => self.manner.value(*kind, &String::from_utf8_lossy(cell)),
                })
            }
            Source::Id => Some(Value::text(id.as_str())),
            Source::ToBeAdded => Some(Value::Null),
            Source::Absent => None,
        });
        let values = values.collect();
        Record { id: RecordId::new(id), stamp: None, author: None, values, became: Vec::new() }
    }
}

/// The files of a folder in a few words each, for a person who tests the connection.
pub(super) fn told(shelf: &mut Shelf) -> Result<Vec<Result<String, String>>, PortError> {
    shelf.place.check()?;
    Types::read(&shelf.place.folder)?;
    let mut lines = Vec::new();
    for known in shelf.place.objects()? {
        let subject = shelf.subject(&known.name)?;
        lines.push(match shelf.open(&subject) {
            Ok(Some(_)) => Ok(sentence(&known.path, shelf.layout(&subject)?)),
            Ok(None) => Ok(format!("{} is empty.", name_of(&known.path))),
            Err(error) => Err(error.message),
        });
    }
    Ok(lines)
}

fn sentence(path: &Path, layout: &Layout) -> String {
    let delimiter = match layout.delimiter {
        b',' => "commas",
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "another delimiter",
    };
    let ids = match (layout.id, layout.nameless) {
        (_, 0) => String::new(),
        (None, _) => " It has no id column; the first write adds one.".into(),
        (Some(_), nameless) => format!(" {nameless} rows have no id yet; the first write fills it in."),
    };
    let (rows, fields) = (layout.ids.len(), layout.header.len());
    let count = crate::domain::grouped::grouped(rows as u64);
    format!("{}: {count} rows of {fields} fields with {delimiter}.{ids}", name_of(path))
}
