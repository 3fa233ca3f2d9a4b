//! What the port's verbs do to real files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::place::Place;
use super::shelf::{Rules, Shelf};
use crate::domain::mapping::SideEffects;
use crate::domain::port::{Cursor, Finder, PortClass, RowResult, WriteBatch, WriteKind, WriteRow};
use crate::domain::profile::profile;
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::value::Value;

/// Long after anything here is written.
fn later() -> DateTime<Utc> {
    DateTime::from_timestamp(7_000_000_000, 0).unwrap()
}

fn shelf(folder: &Path) -> Shelf {
    Shelf {
        place: Place { folder: folder.to_owned() },
        rules: Rules {
            profile: profile("csv").unwrap(),
            id_column: None,
            mark_column: "SalesforceId".into(),
            complete: false,
            formula_safe: false,
            delimiter: b',',
        },
        layouts: HashMap::new(),
        own: HashMap::new(),
    }
}

/// A folder with one file.
fn with(text: impl AsRef<[u8]>) -> (TempDir, Shelf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Contact.csv"), text).unwrap();
    let shelf = shelf(folder.path());
    (folder, shelf)
}

fn held(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("Contact.csv")).unwrap()
}

fn all(shelf: &mut Shelf, fields: &[&str]) -> Vec<Record> {
    let selection = Selection::new(fields);
    let (mut records, mut mark) = (Vec::new(), None);
    loop {
        let page = shelf.scan("Contact", &selection, mark.as_ref(), later()).unwrap();
        records.extend(page.records);
        mark = page.next;
        if mark.is_none() {
            return records;
        }
    }
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    let (_folder, mut shelf) = with(text);
    let error = shelf.scan("Contact", &Selection::new(["Email"]), None, later()).unwrap_err();
    assert_eq!(error.class, PortClass::Settings, "{error}");
    error.message
}

fn batch(kind: WriteKind, fields: &[&str], rows: &[(&str, &[&str])]) -> WriteBatch {
    let selection = Selection::new(fields);
    let rows = rows.iter().map(|(id, values)| WriteRow {
        id: (!id.is_empty()).then(|| RecordId::from(*id)),
        values: values
            .iter()
            .map(|text| match *text {
                "-" => None,
                "" => Some(Value::Null),
                text => Some(Value::from(text)),
            })
            .collect(),
        key: Vec::new(),
    });
    WriteBatch {
        object: "Contact".into(),
        kind,
        rows: rows.collect(),
        read_back: selection.clone(),
        selection,
        mark: (kind == WriteKind::Create).then(|| "SalesforceId".into()),
        consent: Vec::new(),
        effects: SideEffects::default(),
    }
}

fn done(results: &[RowResult]) -> Vec<(&str, bool)> {
    let one = |result| match result {
        &RowResult::Done { ref id, created, .. } => (id.as_str(), created),
        other => panic!("{other:?}"),
    };
    results.iter().map(one).collect()
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[test]
fn an_empty_cell_is_blank_and_a_missing_column_was_not_returned() {
    let (_folder, mut shelf) = with("Id,Email,Title\n1,a@x.example,\n");
    let records = all(&mut shelf, &["Email", "Title", "Phone", "SalesforceId"]);
    let values = &records.first().unwrap().values;
    // The mark is added at the first write, so that it is blank and not unknown.
    assert_eq!(*values, [Some(Value::from("a@x.example")), Some(Value::Null), None, Some(Value::Null)]);
}

#[test]
fn delimiters_quotes_line_ends_and_the_byte_order_mark_are_recognised() {
    for text in [
        "Id,Email,Note\n1,a@x.example,\"x, \"\"y\"\"\nz\"\n2,b@x.example,w\n",
        "\u{feff}Id;Email;Note\r\n1;a@x.example;\"x, \"\"y\"\"\nz\"\r\n2;b@x.example;w",
        "Id\tEmail\tNote\r1\ta@x.example\t\"x, \"\"y\"\"\nz\"\r2\tb@x.example\tw\r",
        "sep=;\r\nId;Email;Note;\r\n\r\n1;a@x.example;\"x, \"\"y\"\"\nz\";\r\n2;b@x.example;w;\r\n",
        "\"Id\",\"Email\",\"Note\"\n\"1\",\"a@x.example\",\"x, \"\"y\"\"\nz\"\n\"2\",\"b@x.example\",\"w\"\n",
    ] {
        let (_folder, mut shelf) = with(text);
        let records = all(&mut shelf, &["Email", "Note"]);
        assert_eq!(ids(&records), ["1", "2"], "{text:?}");
        let first = &records.first().unwrap().values;
        assert_eq!(*first, [Some(Value::from("a@x.example")), Some(Value::from("x, \"y\"\nz"))], "{text:?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    let cases: [(&[u8], &[&str]); 8] = [
        (b"Id,Email\r\n1,a\r\n\r\n2,b,c\r\n", &["line 4", "3 fields", "names 2"]),
        (b"Id,Email\n1,a\n2\n", &["line 3", "1 field,"]),
        (b"Id,Email\n1,\"two\nlines\"\n2,\"open\n3,c\n", &["line 4", "never closed"]),
        (b"Id,Email\n1,M\xfcller\n", &["line 2", "UTF-8"]),
        (b"\xff\xfeI\0d\0", &["line 1", "UTF-16"]),
        (b"Id,Email,EMAIL\n", &["line 1", "columns 2 and 3", "EMAIL"]),
        (b",,\n1,2,3\n", &["line 1", "name the fields"]),
        (b"Id,Email\n7,a\n8,b\n7,c\n", &["“7”", "line 2", "line 4"]),
    ];
    for (text, words) in cases {
        let message = refusal(text);
        for word in words {
            assert!(message.contains(word), "{message} lacks {word}");
        }
        assert!(message.contains("Contact.csv"), "{message}");
    }
}

#[test]
fn rows_without_an_id_are_known_by_their_e_mail_and_get_the_column_at_the_first_write() {
    let (folder, mut shelf) = with("Email,Title\nA@x.example,x\n,y\nb@x.example,z\n");
    let before = all(&mut shelf, &["Email"]);
    let first = before.first().unwrap().id.clone();
    let update = batch(WriteKind::Update, &["Title"], &[(first.as_str(), &["X"])]);
    assert_eq!(done(&shelf.write(&update).unwrap()), [(first.as_str(), false)]);
    let text = held(&folder);
    assert!(text.starts_with("Email,Title,Id\nA@x.example,X,m"), "{text}");
    assert_eq!(ids(&all(&mut shelf, &["Email"])), ids(&before));
    // From now on another e-mail is an edit and no other row.
    fs::write(folder.path().join("Contact.csv"), text.replace("A@x", "c@x")).unwrap();
    assert_eq!(ids(&all(&mut shelf, &["Email"])), ids(&before));
}

#[test]
fn what_does_not_change_keeps_every_byte() {
    let text = "\u{feff}\"Id\";Name;Note\r\n1;\"plain\";a\r\n\r\n2;two;\"b;\nb\"\r\n3;'three';c";
    let (folder, mut shelf) = with(text);
    let update = batch(WriteKind::Update, &["Note"], &[("2", &["n; m"]), ("3", &["d"])]);
    let results = shelf.write(&update).unwrap();
    assert_eq!(done(&results), [("2", false), ("3", false)]);
    let expected = text.replace("\"b;\nb\"", "\"n; m\"").replace("'three';c", "'three';d");
    assert_eq!(held(&folder), expected);
    assert_eq!(fs::read_to_string(folder.path().join("Contact.csv.bak")).unwrap(), text);
    // The next write is to our own version, so that the one of the person stays the backup.
    let create = batch(WriteKind::Create, &["Name", "Note"], &[("", &["four", ""]), ("", &["five", "="])]);
    let results = shelf.write(&create).unwrap();
    let new: Vec<String> = done(&results).iter().map(|(id, _)| (*id).to_owned()).collect();
    let more = batch(WriteKind::Update, &["Name"], &[("1", &["one"]), (new.first().unwrap(), &["vier"])]);
    shelf.write(&more).unwrap();
    let delete = batch(WriteKind::Delete, &[], &[("2", &[])]);
    shelf.write(&delete).unwrap();
    let text = held(&folder);
    let gone = ["\"Id\";Name;Note\r\n1;one;a\r\n", "3;'three';d\r\n", ";vier;\r\n", ";five;=\r\n"];
    for part in gone {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    assert!(!text.contains("two"), "{text:?}");
    assert_eq!(fs::read_to_string(folder.path().join("Contact.csv.bak")).unwrap().matches("two").count(), 1);
    // What is remembered of the rows is what a new reader finds.
    let fresh = all(&mut super::tests::shelf(folder.path()), &["Name"]);
    assert_eq!(all(&mut shelf, &["Name"]), fresh);
    for record in &fresh {
        let read =
            shelf.read("Contact", &Selection::new(["Name"]), std::slice::from_ref(&record.id)).unwrap();
        assert_eq!(read, std::slice::from_ref(record));
    }
}

#[test]
fn a_create_is_not_repeated_for_a_mark_that_the_file_holds() {
    let (folder, mut shelf) = with("Id,Email\n1,a@x.example\n");
    let fields = ["Email", "SalesforceId"];
    let create =
        batch(WriteKind::Create, &fields, &[("", &["b@x.example", "003A"]), ("", &["c@x.example", "003B"])]);
    let first = shelf.write(&create).unwrap();
    // The answer was lost with the process.
    let mut again = super::tests::shelf(folder.path());
    let second = again.write(&create).unwrap();
    let without_news: Vec<&str> = done(&second).iter().map(|(id, _)| *id).collect();
    assert_eq!(without_news, done(&first).iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert_eq!(held(&folder).lines().count(), 4, "{}", held(&folder));
    let by = Finder::Field { field: "SalesforceId".into(), values: vec![Value::from("003B")] };
    let found = again.find("Contact", &Selection::new(["Email"]), &by).unwrap();
    assert_eq!(found.first().unwrap().values, [Some(Value::from("c@x.example"))]);
}

#[test]
fn a_file_that_was_not_written_is_not_read_and_our_own_write_is_no_news() {
    let (folder, mut shelf) = with("Id,Email\n1,a@x.example\n");
    let selection = Selection::new(["Email"]);
    let cursor = shelf.scan("Contact", &selection, None, later()).unwrap().cursor.unwrap();
    let quiet = |shelf: &mut Shelf, cursor: &Cursor| {
        let page = shelf.changed("Contact", &selection, (cursor, None), later()).unwrap();
        (page.records.len(), page.cursor.unwrap())
    };
    assert_eq!(quiet(&mut shelf, &cursor), (0, cursor.clone()));
    shelf.write(&batch(WriteKind::Update, &["Email"], &[("1", &["b@x.example"])])).unwrap();
    let (read, cursor) = quiet(&mut shelf, &cursor);
    assert_eq!(read, 0);
    shelf.write(&batch(WriteKind::Update, &["Email"], &[("1", &["c@x.example"])])).unwrap();
    let (read, cursor) = quiet(&mut shelf, &cursor);
    assert_eq!(read, 0);
    // A person writes, of the same length.
    let text = held(&folder).replace("c@x", "d@x");
    let path = folder.path().join("Contact.csv");
    fs::write(&path, text).unwrap();
    // Not within the step of the file system's clock.
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_secs(5)).unwrap();
    assert_eq!(quiet(&mut shelf, &cursor).0, 1);
    // So soon after a write, another one could go unseen.
    let now =
        DateTime::<Utc>::from(fs::metadata(folder.path().join("Contact.csv")).unwrap().modified().unwrap())
            + TimeDelta::milliseconds(100);
    let page = shelf.changed("Contact", &selection, (&cursor, None), now).unwrap();
    let page = shelf.changed("Contact", &selection, (&page.cursor.unwrap(), None), now).unwrap();
    assert_eq!(page.records.len(), 1);
}

#[test]
fn a_file_that_is_open_or_edited_meanwhile_is_not_overwritten() {
    let (folder, mut shelf) = with("Id,Email,Title\n1,a@x.example,x\n");
    let update = batch(WriteKind::Update, &["Email"], &[("1", &["b@x.example"])]);
    let lock = folder.path().join("~$Contact.csv");
    fs::write(&lock, "").unwrap();
    let error = shelf.write(&update).unwrap_err();
    assert_eq!(
        (error.class, error.message.contains("open in Excel")),
        (PortClass::Transient, true),
        "{error}"
    );
    fs::remove_file(lock).unwrap();
    assert_eq!(ids(&all(&mut shelf, &["Email"])), ["1"]);
    // Read before, edited since: the edit stays, and the row is found where it is now.
    let edited = "Id,Email,Title\n0,z@x.example,\n1,a@x.example,edited by hand\n";
    fs::write(folder.path().join("Contact.csv"), edited).unwrap();
    shelf.write(&update).unwrap();
    assert_eq!(held(&folder), edited.replace("a@x", "b@x"));
    let held_by_another = shelf.place.lock().unwrap();
    let error = super::tests::shelf(folder.path()).write(&update).unwrap_err();
    assert!(error.message.contains("Another forcesync"), "{error}");
    drop(held_by_another);
}

#[test]
fn only_a_complete_file_tells_deletions() {
    let (folder, mut shelf) = with("Id,Email\n1,a@x.example\n2,b@x.example\n");
    let (selection, asked) = (Selection::new(["Email"]), [RecordId::from("1"), RecordId::from("9")]);
    let cursor = shelf.scan("Contact", &selection, None, later()).unwrap().cursor.unwrap();
    assert!(shelf.fates("Contact", &asked).unwrap().is_empty());
    fs::write(folder.path().join("schema.toml"), "[Contact]\ncomplete = true\n").unwrap();
    let gone = shelf.fates("Contact", &asked).unwrap();
    assert_eq!(gone.iter().map(|gone| gone.id.as_str()).collect::<Vec<_>>(), ["9"]);
    fs::write(folder.path().join("Contact.csv"), "Id,Email\n1,a@x.example\n").unwrap();
    assert!(shelf.changed("Contact", &selection, (&cursor, None), later()).unwrap().whole);
    // A file that is gone, or empty, says nothing of its rows.
    for wipe in [true, false] {
        let path = folder.path().join("Contact.csv");
        if wipe {
            fs::write(&path, "").unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        assert!(shelf.fates("Contact", &asked).is_err());
        assert!(shelf.changed("Contact", &selection, (&cursor, None), later()).is_err());
    }
}

#[test]
fn a_file_that_is_not_there_is_made_with_the_fields_of_the_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = shelf(folder.path());
    assert!(all(&mut shelf, &["Email"]).is_empty());
    let schema = shelf.describe(&["Contact".into(), "Nothing".into()]).unwrap();
    assert_eq!(schema.len(), 1);
    let schema = schema.first().unwrap();
    assert!(schema.field("Email").is_some() && schema.field("SalesforceId").is_some(), "{schema:?}");
    let create = batch(WriteKind::Create, &["Email", "SalesforceId"], &[("", &["a@x.example", "003A"])]);
    let results = shelf.write(&create).unwrap();
    let id = done(&results).first().unwrap().0.to_owned();
    assert_eq!(held(&folder), format!("Id,Email,SalesforceId\n{id},a@x.example,003A\n"));
    let error = shelf.subject("../Contact").err().unwrap();
    assert_eq!(error.code, "NO_SUCH_OBJECT");
}

#[test]
fn a_read_goes_on_in_the_new_version_when_the_file_was_written_between_two_pages() {
    let rows: Vec<String> = (0..2500).map(|number| format!("{number},p{number}@x.example\n")).collect();
    let rows = rows.concat();
    let (folder, mut shelf) = with(format!("Id,Email\n{rows}"));
    let selection = Selection::new(["Email"]);
    let first = shelf.scan("Contact", &selection, None, later()).unwrap();
    assert_eq!((first.records.len(), first.total), (2000, Some(2500)));
    fs::write(folder.path().join("Contact.csv"), format!("Id,Email\nnew,n@x.example\n{rows}")).unwrap();
    let second = shelf.scan("Contact", &selection, first.next.as_ref(), later()).unwrap();
    assert_eq!(second.records.first().unwrap().id.as_str(), "new");
    // The cursor of the first page is of the version that is no more, so that the next run reads again.
    let cursor = first.cursor.unwrap();
    assert_eq!(shelf.changed("Contact", &selection, (&cursor, None), later()).unwrap().records.len(), 2000);
}
