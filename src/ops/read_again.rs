//! The date of the last synchronization, changed by a person (F57): what changed since then is read again.
//!
//! Reading again harms nothing, since what is as it was last seen is passed by. The other way is a hole that only an audit finds, so a
//! feed goes forward only where that was asked for in so many words.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::domain::command::{Command, FeedFate, MovedFeed, ReadAgain, Reply};
use crate::domain::mapping::Mapping;
use crate::domain::port::Endpoint;
use crate::domain::report::Level;
use crate::domain::side::{PerSide, Side};
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::{OpClass, OpError};
use crate::store::Store;
use crate::store::facts::{self, NewFact};
use crate::store::feeds::{self, Reading};

/// What a person should know before confirming it.
pub const WHAT_IT_DOES: [&str; 3] = [
    "The next run reads again what changed since that moment, on both sides; what is as it was last seen is passed by.",
    "Nothing is written now. The further back, the more calls the next run takes.",
    "A feed that was not read up to that moment yet stays where it is.",
];

/// What a person should know besides, where feeds go forward.
pub const WHAT_IS_SKIPPED: &str =
    "Feeds go FORWARD, too: what changed between is never read, until an audit or an initial sync finds it.";

/// A day of this machine's calendar, or a moment.
pub fn moment(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, OpError> {
    let text = text.trim();
    let begins = |day: NaiveDate| {
        let local = day.and_time(NaiveTime::MIN).and_local_timezone(chrono::Local).earliest();
        local.map(|local| local.with_timezone(&Utc))
    };
    let moment = DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.with_timezone(&Utc))
        .ok()
        .or_else(|| text.parse::<NaiveDate>().ok().and_then(begins))
        .ok_or_else(|| {
            OpError::settings(format!(
                "“{text}” is neither a day nor a moment; write one such as 2026-11-22 or 2026-11-22T08:30:00Z."
            ))
        })?;
    if moment > now {
        return Err(OpError::settings("That moment is still to come; what changes later is read anyway."));
    }
    Ok(moment)
}

/// Refuses unless the workspace's name was typed.
pub fn confirm(ours: &str, typed: &str) -> Result<(), OpError> {
    if typed.trim() == ours {
        return Ok(());
    }
    Err(OpError::new(
        OpClass::Cancelled,
        format!("This workspace is called “{ours}”, not “{}”; nothing was changed.", typed.trim()),
    ))
}

/// Changes it, here or where the engine lives.
pub async fn read_again(engine: &EngineClient, wanted: ReadAgain) -> Result<Vec<MovedFeed>, OpError> {
    match engine.ask(Command::ReadAgain(wanted)).await? {
        Reply::Moved { feeds } => Ok(feeds),
        Reply::Refused { message } => Err(OpError::new(
            match engine.place() {
                Place::Socket { .. } => OpClass::Busy,
                Place::InProcess => OpClass::Failed,
            },
            message,
        )),
        Reply::Accepted
        | Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Forgotten { .. }
        | Reply::Kept { .. } => Err(OpError::failed("The engine answered something else than it was asked.")),
    }
}

/// How it went, as a sentence.
pub fn sentence(feeds: &[MovedFeed]) -> String {
    match feeds.iter().filter(|feed| feed.fate == FeedFate::Moved).count() {
        0 => "No feed was moved.".into(),
        1 => "One feed is read again from then on, in the next run.".into(),
        moved => format!("{moved} feeds are read again from then on, in the next run."),
    }
}

/// Moves the feeds of the mappings in use.
pub(super) async fn carry_out(
    store: &Store,
    endpoints: &PerSide<std::sync::Arc<dyn Endpoint>>,
    mappings: &[Mapping],
    wanted: &ReadAgain,
    now: DateTime<Utc>,
) -> Result<Vec<MovedFeed>, String> {
    let ReadAgain { since, skip } = *wanted;
    if since > now {
        return Err("That moment is still to come; what changes later is read anyway.".into());
    }
    let enabled = mappings.iter().filter(|mapping| mapping.enabled);
    let mut objects: Vec<(Side, String)> =
        enabled.flat_map(|mapping| Side::BOTH.map(|side| (side, mapping.object(side).to_owned()))).collect();
    objects.sort();
    objects.dedup();
    let known: Vec<_> = objects
        .into_iter()
        .map(|(side, object)| {
            let cursor = endpoints[side].cursor_at(&object, since);
            (side, object, cursor)
        })
        .collect();
    let write = move |db: &rusqlite::Connection| {
        let mut moved = Vec::new();
        for (side, object, cursor) in known {
            let feed = feeds::get(db, side, &object)?;
            let fate = match (&feed.cursor, cursor) {
                (None, _) => FeedFate::NeverRead,
                // A scan under way gives the feed its position when it ends.
                (Some(_), _) if feed.reading == Some(Reading::Scan) => FeedFate::NeverRead,
                (Some(_), None) => FeedFate::NoDates,
                (Some(_), Some(_)) if !skip && feed.cursor_at.is_some_and(|at| at <= since) => {
                    FeedFate::Earlier
                }
                (Some(_), Some(cursor)) => {
                    feeds::move_to(db, side, &object, &cursor, since)?;
                    FeedFate::Moved
                }
            };
            moved.push(MovedFeed { side, object, before: feed.cursor_at, fate });
        }
        let names: Vec<&str> = moved
            .iter()
            .filter(|feed| feed.fate == FeedFate::Moved)
            .map(|feed| feed.object.as_str())
            .collect();
        if !names.is_empty() {
            let said = format!(
                "A person set the date of the last synchronization to {} for {}.",
                since.format("%Y-%m-%d %H:%M UTC"),
                names.join(", ")
            );
            facts::insert(db, now, &NewFact::new(Level::Warn, None, said))?;
        }
        Ok(moved)
    };
    store.write(write).await.map_err(|error| OpError::from(error).message)
}
