//! A folder of CSV files, as people keep them who work with spreadsheets: Contact.csv and Lead.csv, edited like a program does that saves a
//! file as a whole. There is no service, so that nothing is served here.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use csv::{ReaderBuilder, StringRecord, Writer};
use serde_json::{Map, Value, json};

use super::{Emulator, Founding, NewPerson};
use crate::sandbox::life::Deed;
use crate::sandbox::org::Org;
use crate::sandbox::people::{Kind, People, Person};

/// The files.
const NAMES: [&str; 2] = ["Contact", "Lead"];

const CONTACT: [&str; 18] = [
    "Id",
    "Email",
    "FirstName",
    "LastName",
    "Title",
    "Department",
    "Phone",
    "MobilePhone",
    "Fax",
    "LeadSource",
    "MailingStreet",
    "MailingPostalCode",
    "MailingCity",
    "MailingCountry",
    "Birthdate",
    "HasOptedOutOfEmail",
    "DoNotCall",
    "SalesforceId",
];

const LEAD: [&str; 17] = [
    "Id",
    "Email",
    "FirstName",
    "LastName",
    "Company",
    "Title",
    "Phone",
    "MobilePhone",
    "Fax",
    "LeadSource",
    "Street",
    "PostalCode",
    "City",
    "Country",
    "HasOptedOutOfEmail",
    "DoNotCall",
    "SalesforceId",
];

/// How often a save is tried again because somebody else saved meanwhile.
const TRIES: usize = 20;

/// The folder.
pub struct CsvFiles {
    folder: PathBuf,
    /// Open while people are put in.
    seeding: Mutex<HashMap<&'static str, Writer<File>>>,
    reserved: AtomicU64,
    /// One edit after another.
    editing: Mutex<()>,
}

/// A file as its program has it open.
struct Sheet {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    fn cell<'a>(&self, row: &'a [String], name: &str) -> &'a str {
        self.column(name).and_then(|at| row.get(at)).map_or("", String::as_str)
    }

    /// The row of an id or an e-mail.
    fn find(&self, name: &str) -> Option<usize> {
        let is = |row: &Vec<String>, column: &str| self.cell(row, column).eq_ignore_ascii_case(name);
        let by_id = self.rows.iter().position(|row| is(row, "Id"));
        by_id.or_else(|| self.rows.iter().position(|row| is(row, "Email")))
    }

    fn shown(&self, row: &[String]) -> Value {
        let cells = self.columns.iter().zip(row);
        let mut shown: Map<String, Value> = cells.map(|(name, text)| (name.clone(), json!(text))).collect();
        // What the way in of the sandbox calls the id of every platform.
        shown.insert("id".into(), json!(self.cell(row, "Id")));
        Value::Object(shown)
    }
}

impl CsvFiles {
    /// An empty folder, or rather one with empty files.
    pub fn found(founding: &Founding<'_>) -> Arc<dyn Emulator> {
        let folder = founding.folder.map_or_else(
            || std::env::temp_dir().join(format!("forcesync-csv-{}-{}", std::process::id(), founding.seed)),
            Path::to_owned,
        );
        let mut writers = HashMap::new();
        if let Err(error) = begin(&folder, &mut writers) {
            tracing::error!(%error, folder = %folder.display(), "The CSV files can't be written.");
        }
        Arc::new(Self {
            folder,
            seeding: Mutex::new(writers),
            reserved: AtomicU64::new(1000),
            editing: Mutex::default(),
        })
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let name = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some(self.folder.join(format!("{name}.csv")))
    }

    fn sheet(&self, name: &str) -> Option<Sheet> {
        read(&self.path(name)?).ok()
    }

    /// Opens a file, changes it, and saves it as a whole.
    fn edit<T>(&self, name: &str, change: impl Fn(&mut Sheet) -> Result<T, String>) -> Result<T, String> {
        let path = self.path(name).ok_or_else(|| format!("There is no file {name}.csv"))?;
        let _one_after_another = lock(&self.editing);
        for _ in 0..TRIES {
            let before = stamp(&path);
            let mut sheet = read(&path).map_err(|error| error.to_string())?;
            let done = change(&mut sheet)?;
            let draft = path.with_extension("csv~");
            write(&draft, &sheet).map_err(|error| error.to_string())?;
            if stamp(&path) == before {
                fs::rename(&draft, &path).map_err(|error| error.to_string())?;
                return Ok(done);
            }
        }
        Err(format!("{} is saved by others all the time", path.display()))
    }

    fn holder(&self, id: &str) -> Option<&'static str> {
        NAMES.into_iter().find(|name| self.sheet(name).is_some_and(|sheet| sheet.find(id).is_some()))
    }

    fn next_id(&self) -> String {
        self.reserved.fetch_add(1, Ordering::Relaxed).to_string()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn columns(name: &str) -> &'static [&'static str] {
    if name == "Lead" { &LEAD } else { &CONTACT }
}

fn begin(folder: &Path, writers: &mut HashMap<&'static str, Writer<File>>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in NAMES {
        let mut writer = Writer::from_path(folder.join(format!("{name}.csv"))).map_err(io::Error::other)?;
        writer.write_record(columns(name)).map_err(io::Error::other)?;
        writers.insert(name, writer);
    }
    Ok(())
}

/// When a file was saved, and how long it is.
fn stamp(path: &Path) -> Option<(std::time::SystemTime, u64)> {
    let known = fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.len()))
}

fn read(path: &Path) -> io::Result<Sheet> {
    let mut reader = ReaderBuilder::new().flexible(true).from_path(path).map_err(io::Error::other)?;
    let texts = |row: &StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = texts(reader.headers().map_err(io::Error::other)?);
    let rows = reader.records().map(|row| row.map(|row| texts(&row)));
    Ok(Sheet { columns, rows: rows.collect::<Result<_, _>>().map_err(io::Error::other)? })
}

fn write(path: &Path, sheet: &Sheet) -> io::Result<()> {
    let mut writer = Writer::from_path(path).map_err(io::Error::other)?;
    writer.write_record(&sheet.columns).map_err(io::Error::other)?;
    for row in &sheet.rows {
        writer.write_record(row).map_err(io::Error::other)?;
    }
    writer.flush()
}

/// What stands in a column of somebody's row.
fn cell(column: &str, person: &Person, id: &str, org_id: &str) -> String {
    let text = match column {
        "Id" => id,
        "Email" => &person.email,
        "FirstName" => &person.given,
        "LastName" => &person.family,
        "Company" => &person.company_name,
        "Title" => &person.title,
        "Department" => &person.department,
        "Phone" | "MobilePhone" => &person.phone,
        "Fax" => &person.fax,
        "LeadSource" => &person.source,
        "MailingStreet" | "Street" => &person.street,
        "MailingPostalCode" | "PostalCode" => &person.zip,
        "MailingCity" | "City" => &person.city,
        "MailingCountry" | "Country" => &person.country,
        "HasOptedOutOfEmail" => return person.opted_out.to_string(),
        "DoNotCall" => return person.do_not_call.to_string(),
        "Birthdate" => {
            let day = person.birthday.as_ref();
            return day
                .map(|day| format!("{:04}-{:02}-{:02}", day.year, day.month, day.day))
                .unwrap_or_default();
        }
        "SalesforceId" => org_id,
        _ => "",
    };
    text.to_owned()
}

impl Emulator for CsvFiles {
    fn router(self: Arc<Self>) -> Router {
        Router::new()
    }

    fn sign_in(&self, _url: &str) -> Map<String, Value> {
        Map::from_iter([("folder".to_owned(), json!(self.folder.display().to_string()))])
    }

    /// The files know contacts and leads; person accounts have no twins there.
    fn takes(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Contact | Kind::Lead)
    }

    fn reserve_id(&self) -> String {
        self.next_id()
    }

    fn seed_person(&self, new: NewPerson<'_>, _now: i64) {
        if new.deleted {
            return;
        }
        let name = if new.kind == Some(Kind::Lead) { "Lead" } else { "Contact" };
        let id = new.id.clone().unwrap_or_else(|| self.next_id());
        let org_id = new.org_id.unwrap_or_default();
        let row = columns(name).iter().map(|column| cell(column, new.person, &id, org_id));
        if let Some(writer) = lock(&self.seeding).get_mut(name)
            && let Err(error) = writer.write_record(row)
        {
            tracing::error!(%error, "Somebody can't be put into a CSV file.");
        }
    }

    fn seed_rest(&self, _people: &People, _org: &Arc<Org>, _now: i64) {
        for (_, mut writer) in lock(&self.seeding).drain() {
            if let Err(error) = writer.flush() {
                tracing::error!(%error, "A CSV file can't be written.");
            }
        }
    }

    fn live(&self, deed: Deed, person: &Person, known: &mut Vec<String>, at: usize) -> bool {
        if deed == Deed::Joined {
            let id = self.next_id();
            let row = CONTACT.iter().map(|column| cell(column, person, &id, "")).collect::<Vec<_>>();
            let added = self.edit("Contact", |sheet| {
                sheet.rows.push(row.clone());
                Ok(())
            });
            known.push(id);
            return added.is_ok();
        }
        let Some(id) = known.get(at).cloned() else { return false };
        let Some(name) = self.holder(&id) else {
            known.swap_remove(at);
            return false;
        };
        if deed == Deed::Deleted {
            known.swap_remove(at);
            return self.delete(name, &id).is_ok();
        }
        let wanted: &[&str] = match deed {
            Deed::Phone => &["MobilePhone"],
            Deed::Moved => &[
                "MailingStreet",
                "MailingPostalCode",
                "MailingCity",
                "MailingCountry",
                "Street",
                "PostalCode",
                "City",
                "Country",
            ],
            Deed::Married => &["LastName"],
            Deed::OptedOut => &["HasOptedOutOfEmail"],
            Deed::Title | Deed::Joined | Deed::Deleted | Deed::Undeleted | Deed::Merged | Deed::Converted => {
                &["Title"]
            }
        };
        let mut fields = Map::from_iter([("id".to_owned(), json!(id))]);
        for column in columns(name).iter().filter(|column| wanted.contains(column)) {
            let text = if deed == Deed::OptedOut { "true".into() } else { cell(column, person, &id, "") };
            fields.insert((*column).to_owned(), json!(text));
        }
        self.upsert(name, &fields).is_ok()
    }

    fn objects(&self) -> &'static [&'static str] {
        &NAMES
    }

    fn records(&self, object: &str) -> Vec<Value> {
        let Some(sheet) = self.sheet(object) else { return Vec::new() };
        sheet.rows.iter().map(|row| sheet.shown(row)).collect()
    }

    fn record(&self, object: &str, id: &str) -> Option<Value> {
        let sheet = self.sheet(object)?;
        let row = sheet.rows.get(sheet.find(id)?)?;
        Some(sheet.shown(row))
    }

    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let named = fields.get("id").map(text);
        self.edit(object, |sheet| {
            let at = match &named {
                Some(id) => {
                    Some(sheet.find(id).ok_or_else(|| format!("No row of {object} has the id {id}"))?)
                }
                None => fields.get("Email").map(text).and_then(|email| sheet.find(&email)),
            };
            let at = at.unwrap_or_else(|| {
                sheet.rows.push(vec![String::new(); sheet.columns.len()]);
                sheet.rows.len() - 1
            });
            for (name, value) in fields.iter().filter(|(name, _)| *name != "id") {
                let column = sheet.column(name).ok_or_else(|| format!("{object} has no column {name}"))?;
                if let Some(cell) = sheet.rows.get_mut(at).and_then(|row| row.get_mut(column)) {
                    *cell = text(value);
                }
            }
            let id = sheet.column("Id");
            let held = sheet.rows.get_mut(at).and_then(|row| row.get_mut(id?));
            Ok(held.map_or_else(String::new, |id| {
                if id.is_empty() {
                    *id = self.next_id();
                }
                id.clone()
            }))
        })
    }

    fn delete(&self, object: &str, id: &str) -> Result<(), String> {
        self.edit(object, |sheet| {
            let at = sheet.find(id).ok_or_else(|| format!("No row of {object} has the id {id}"))?;
            sheet.rows.remove(at);
            Ok(())
        })
    }

    fn counts(&self) -> (usize, usize) {
        let count = |name: &&str| self.sheet(name).map_or(0, |sheet| sheet.rows.len());
        (NAMES.iter().map(count).sum(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::clock::SandboxClock;
    use crate::sandbox::platform::salesmanago::SalesmanagoOptions;

    #[test]
    fn an_edit_saves_the_whole_file_and_keeps_the_other_rows() {
        let folder = tempfile::tempdir().unwrap();
        let (clock, salesmanago) = (Arc::new(SandboxClock::fixed(0)), SalesmanagoOptions::default());
        let founding = Founding {
            seed: 1,
            real_pace: false,
            scheme: "http",
            clock: &clock,
            salesmanago: &salesmanago,
            folder: Some(folder.path()),
        };
        let files = CsvFiles::found(&founding);
        let people = People::new(crate::sandbox::people::PeopleOptions {
            seed: 1,
            records: 1,
            person_accounts: false,
        })
        .unwrap();
        close_the_seeding(&files);
        let mut known = Vec::new();
        for number in 0..2 {
            assert!(files.live(Deed::Joined, &people.newcomer(number), &mut known, 0));
        }
        let id = known.first().cloned().unwrap();
        let fields =
            Map::from_iter([("id".to_owned(), json!(id)), ("Title".to_owned(), json!("Dr, \"med\""))]);
        files.upsert("contact", &fields).unwrap();
        assert_eq!(files.record("Contact", &id).unwrap()["Title"], "Dr, \"med\"");
        assert_eq!(files.counts(), (2, 0));
        files.delete("Contact", &id).unwrap();
        assert_eq!(files.counts(), (1, 0));
    }

    fn close_the_seeding(files: &Arc<dyn Emulator>) {
        let people = People::new(crate::sandbox::people::PeopleOptions {
            seed: 1,
            records: 0,
            person_accounts: false,
        })
        .unwrap();
        let org = Org::new(crate::sandbox::org::OrgOptions::default(), Arc::new(SandboxClock::fixed(0)));
        files.seed_rest(&people, &org, 0);
    }
}
