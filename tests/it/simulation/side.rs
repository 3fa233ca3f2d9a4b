//! One simulated side: the ports over the shared state, with trouble. [`reading`] and [`writing`] answer the calls.

use chrono::DateTime;
use forcesync::domain::port::*;
use forcesync::domain::record::{Record, Selection};
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;
use rand::Rng;

use super::drifting::How;
use super::edits::people_edit;
use super::manner::Manner;
use super::world::{State, Version, World};

mod reading;
mod schema;
mod writing;

/// The ports of one side.
pub struct SimSide {
    pub world: World,
    pub side: Side,
    pub page: usize,
    pub manner: Manner,
}

/// Where people may edit while a call is under way.
enum Edits<'a> {
    None,
    Anywhere,
    Behind(&'a [String]),
}

const DAY_MILLIS: i64 = 86_400_000;

const EMAIL: [&str; 2] = ["Email", "email"];

impl SimSide {
    fn email_field(&self) -> &'static str {
        if self.side == Side::Org { EMAIL[0] } else { EMAIL[1] }
    }

    /// Every call takes time, may meet trouble, and gives people the chance to edit meanwhile.
    async fn call(&self, what: &str, edits: Edits<'_>) -> Result<(), PortError> {
        let (crash, result) = {
            let mut state = self.world.lock();
            state.calls[self.side] += 1;
            let took = state.random.random_range(20..400);
            self.world.clock.advance(took);
            let now = self.world.clock.millis();
            let call = format!("{} {what}", self.side);
            state.say(now, &*call);
            state.play_script(now, &call);
            if !matches!(edits, Edits::None) {
                let odds = state.trouble.drift;
                state.drift(now, odds);
            }
            let odds = state.trouble;
            let crash = state.chance(odds.crash);
            let result = if state.chance(odds.transient) {
                Err(PortError::new(PortClass::Transient, "503", "the service is not available"))
            } else if state.chance(odds.limit) {
                Err(PortError::new(PortClass::Limit, "REQUEST_LIMIT_EXCEEDED", "the daily limit is reached"))
            } else {
                Ok(())
            };
            if matches!(edits, Edits::Anywhere) {
                state.automate(now);
            }
            match edits {
                Edits::Anywhere if state.chance(odds.edit) => people_edit(&mut state, now, &|_, _| true),
                // Other rows of this side may be verified and not yet sent.
                Edits::Behind(ids) if state.chance(odds.edit) => {
                    let here = self.side;
                    people_edit(&mut state, now, &|side, id| side != here || ids.contains(&id.to_owned()));
                }
                Edits::None | Edits::Anywhere | Edits::Behind(_) => {}
            }
            if crash {
                state.say(now, "CRASH");
                state.crash_asked = true;
            }
            (crash, result)
        };
        if crash {
            // The process dies here: nothing after this await ever runs.
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        result
    }

    fn record(
        &self,
        state: &State,
        object: &str,
        id: &str,
        version: &Version,
        selection: &Selection,
    ) -> Record {
        let known = self.capabilities(object);
        Record {
            id: id.into(),
            stamp: match known.stamps {
                Stamps::Seconds => DateTime::from_timestamp_millis(version.stamp),
                Stamps::Days => DateTime::from_timestamp_millis(version.stamp / DAY_MILLIS * DAY_MILLIS),
                Stamps::Absent => None,
            },
            author: known.author.then(|| if version.by_sync { "sync" } else { "person" }.into()),
            became: version
                .values
                .get("ConvertedContactId")
                .map(|heir| ("Contact".to_owned(), heir.to_string().as_str().into()))
                .into_iter()
                .collect(),
            values: selection
                .names()
                .iter()
                .map(|name| {
                    if matches!(&**name, "Id" | "id") {
                        return Some(Value::text(id));
                    }
                    let hidden = state.drifting.of(self.side, object, name) == Some(How::Hidden);
                    (!hidden).then(|| version.values.get(&**name).cloned().unwrap_or_default())
                })
                .collect(),
        }
    }

    /// The org refuses a query that names a field which its user does not see; the platform leaves it out.
    fn can_read(&self, state: &State, object: &str, selection: &Selection) -> Result<(), PortError> {
        match state.unseen(self.side, object, selection.names().iter().map(|name| &**name)) {
            Some(field) if self.side == Side::Org => Err(PortError::new(
                PortClass::Settings,
                "INVALID_FIELD",
                format!("No such column '{field}' on sobject of type {object}"),
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn tombstone(id: &str, version: &Version) -> Tombstone {
        Tombstone {
            id: id.into(),
            at: DateTime::from_timestamp_millis(version.stamp),
            merged_into: version.merged_into.as_deref().map(Into::into),
        }
    }

    /// The moment a read shows: now, or a little earlier where it comes from a copy that lags behind.
    fn seen_at(&self, state: &mut State) -> i64 {
        let odds = state.trouble.stale;
        let lag = if state.chance(odds) { state.random.random_range(1_000..60_000) } else { 0 };
        self.world.clock.millis() - lag
    }

    fn visible<'a>(&self, state: &'a State, object: &str, now: i64) -> Vec<(&'a String, &'a Version)> {
        let records = state.objects[self.side].get(object).into_iter().flatten();
        records.filter_map(|(id, record)| Some((id, record.at(now)?))).collect()
    }
}

fn same(one: &Value, other: &Value) -> bool {
    one.to_string().to_lowercase() == other.to_string().to_lowercase()
}
