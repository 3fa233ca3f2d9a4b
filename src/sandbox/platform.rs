//! The platforms beside the org, one folder each. They share no code with one another: each is written from its own
//! fact sheet. [`Emulator`] is what the rest of the sandbox needs of them.
//!
//! A new platform is a module here and a line in [`EMULATORS`].

pub mod csv;
pub mod deployteq;
pub mod learndot;
pub mod novoed;
pub mod salesmanago;
pub mod spotio;

use std::sync::Arc;

use axum::Router;
use serde_json::{Map, Value};

use super::clock::SandboxClock;
use super::life::Deed;
use super::org::Org;
use super::people::{Company, Kind, People, Person};
use salesmanago::{Salesmanago, SalesmanagoOptions};

/// The emulators, by the word that `--platform` takes.
pub const EMULATORS: &[(&str, Founder)] = &[
    ("salesmanago", Salesmanago::found),
    ("learndot", learndot::Learndot::found),
    ("deployteq", deployteq::Deployteq::found),
    ("spotio", spotio::Spotio::found),
    ("novoed", novoed::NovoEd::found),
    ("csv", csv::CsvFiles::found),
];

/// Makes an account without records.
pub type Founder = fn(&Founding<'_>) -> Arc<dyn Emulator>;

/// What an account is made of.
pub struct Founding<'a> {
    /// What everything follows from.
    pub seed: u64,
    /// Whether the pace limit is enforced.
    pub real_pace: bool,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The time.
    pub clock: &'a Arc<SandboxClock>,
    /// Where a platform of files keeps them; in the system's temporary folder if left out.
    pub folder: Option<&'a std::path::Path>,
    /// How SALESmanago's account is set up.
    pub salesmanago: &'a SalesmanagoOptions,
}

/// Somebody to begin with.
pub struct NewPerson<'a> {
    /// Who.
    pub person: &'a Person,
    /// What they are in the org.
    pub kind: Option<Kind>,
    /// An id of [`Emulator::reserve_id`]; a new one if left out.
    pub id: Option<String>,
    /// The id in the org, where an earlier integration has noted it.
    pub org_id: Option<&'a str>,
    /// The number of their company, where they have one.
    pub company: Option<u64>,
    /// Deleted long ago.
    pub deleted: bool,
}

/// An emulated platform, as seeding, life and steering use it; clients come over [`Emulator::router`].
pub trait Emulator: Send + Sync {
    /// Everything the service answers to.
    fn router(self: Arc<Self>) -> Router;

    /// How to sign in, by the names of the settings file, secrets included. `url` is the service's address.
    fn sign_in(&self, url: &str) -> Map<String, Value>;

    /// Custom objects and fields that the vendor's package would have added to the org, as a file of custom fields.
    fn org_schema(&self) -> Option<&'static str> {
        None
    }

    /// The org's field that holds the id of a linked record.
    fn org_mark(&self) -> Option<&'static str> {
        None
    }

    /// Whether people of this kind have twins here.
    fn takes(&self, _kind: Kind) -> bool {
        true
    }

    /// An id that the next seeded person may have.
    fn reserve_id(&self) -> String;

    /// Adds a company of the org, by its number; the id here, which the org notes, or nothing where it has no twin.
    fn seed_company(&self, _company: &Company, _number: u64, _now: i64) -> Option<String> {
        None
    }

    /// Notes the org's id of a company that was just added.
    fn link_company(&self, _id: &str, _org_id: &str) {}

    /// Adds somebody without checks, `now` being the moment from which their stamps count back.
    fn seed_person(&self, new: NewPerson<'_>, now: i64);

    /// Whatever else is there on the first day, once all people are in.
    fn seed_rest(&self, _people: &People, _org: &Arc<Org>, _now: i64) {}

    /// Somebody does something here; `known` are ids to work on, to which a newcomer is added. Whether the service took it.
    fn live(&self, deed: Deed, newcomer: &Person, known: &mut Vec<String>, at: usize) -> bool;

    /// The objects that its dump shows.
    fn objects(&self) -> &'static [&'static str];

    /// All records of an object.
    fn records(&self, object: &str) -> Vec<Value>;

    /// A record by its id or, for a person, e-mail.
    fn record(&self, object: &str, id: &str) -> Option<Value>;

    /// Creates or changes a record as a person would; `id` among the fields names the one to change.
    fn upsert(&self, object: &str, fields: &Map<String, Value>) -> Result<String, String>;

    /// Deletes a record as a person would.
    fn delete(&self, object: &str, id: &str) -> Result<(), String>;

    /// Live and deleted records of its main object.
    fn counts(&self) -> (usize, usize);

    /// What the service did besides storing records.
    fn side_effects(&self) -> Value {
        Value::Null
    }

    /// Changes how many polls a job takes.
    fn set_job_polls(&self, _polls: u32) {}

    /// Makes each delivery of the service come so many times.
    fn set_delivery_copies(&self, _copies: u32) {}

    /// Makes changes appear in the change feeds so much later than their stamp.
    fn set_feed_delay_ms(&self, _delay: i64) {}
}
