//! Capture (law E4): pages of both sides are staged, and the mark moves with each of them in the same transaction.
//!
//! The cursor is kept only at the end of the run, when all that it passed is pending or done (law E7).

use std::sync::Arc;

use futures_util::StreamExt;

use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::port::{Cursor, FeedRequest, Mark, Page, PortClass, PortError, ScanRequest};
use crate::domain::record::Selection;
use crate::domain::report::Level;
use crate::domain::side::Side;
use crate::engine::context::End;
use crate::engine::session::Session;
use crate::mutant::{Mutant, broken};
use crate::store::feeds::{self, Feed, Reading};
use crate::store::{flagged, links, pending, seen, stage};

mod due;
mod unmoved;
mod unseen;

use unmoved::Known;

/// A staged scan older than this is read again from the start.
const STAGE_KEEPS_HOURS: i64 = 24;

/// What was taken in of a side.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Records.
    pub(super) read: u64,
    /// Linked records that hold what they last held, by the places of their mappings; each link once.
    pub(super) unmoved: Vec<(usize, u64)>,
}

impl Taken {
    fn add(&mut self, more: Self) {
        self.read += more.read;
        self.unmoved.extend(more.unmoved);
    }
}

impl Session<'_> {
    /// Reads both sides; when it returns, everything this run has to look at is staged.
    pub async fn capture(&mut self) -> Result<(), End> {
        let reading = match self.request.kind {
            RunKind::Initial => Reading::Scan,
            _ => Reading::Changes,
        };
        // Both sides are read before one line is decided (law E2).
        let (org, platform) = futures_util::future::join(
            self.capture_if_due(Side::Org, reading),
            self.capture_if_due(Side::Platform, reading),
        )
        .await;
        for taken in [org?, platform?] {
            self.counts.read += taken.read;
            for (place, unmoved) in taken.unmoved {
                self.count(place, |counts| counts.unchanged += unmoved);
            }
        }
        self.check_unseen().await?;
        self.stage_pending().await?;
        if reading == Reading::Changes {
            self.reread().await?;
        }
        self.publish();
        Ok(())
    }

    /// Reads a side, unless its interval is not over yet: then what is linked with a change of the other side is read by id.
    async fn capture_if_due(&self, side: Side, reading: Reading) -> Result<Taken, End> {
        match self.request.reads {
            Some(only) if only != side => Ok(Taken::default()),
            Some(_) | None => self.capture_side(side, reading).await,
        }
    }

    async fn feed(&self, side: Side, object: &str) -> Result<Feed, End> {
        let object = object.to_owned();
        Ok(self.context.store.write(move |db| feeds::get(db, side, &object)).await?)
    }

    /// What was read while a schema changed may lack what a side did not show for a moment, though it was asked for. It is read again,
    /// if not in this run, then in the next one that the mapping takes part in (law E4: what was not returned is absent, not null).
    pub(super) async fn distrust_staged(&self) -> Result<(), End> {
        let feeds: Vec<(Side, String)> = Side::BOTH
            .into_iter()
            .flat_map(|side| self.objects(side).into_iter().map(move |object| (side, object)))
            .collect();
        let forget = move |db: &rusqlite::Connection| {
            feeds.iter().try_for_each(|(side, object)| stage::distrust(db, *side, object))
        };
        Ok(self.context.store.write(forget).await?)
    }

    /// What an interrupted run staged was read by the fields of that run. Where they are others now, it is not taken for what it
    /// is not: its records are looked at again by their ids, and the read begins anew.
    async fn keep_in_shape(&self, side: Side) -> Result<(), End> {
        for object in self.objects(side) {
            let shape = self.selection(side, &object).names().join(",");
            let mappings: Vec<i64> = self
                .mappings
                .iter()
                .filter(|mapping| mapping.compiled.spec.object(side) == object)
                .map(|mapping| mapping.row.mapping)
                .collect();
            let now = self.now();
            self.context
                .store
                .write(move |db| stage::keep_in_shape(db, side, &object, &shape, &mappings, now))
                .await?;
        }
        Ok(())
    }

    pub(super) async fn capture_side(&self, side: Side, reading: Reading) -> Result<Taken, End> {
        self.keep_in_shape(side).await?;
        let mut taken = Taken::default();
        match reading {
            Reading::Scan => {
                let objects = self.objects(side);
                let scans: Vec<_> = objects.iter().map(|object| self.scan(side, object)).collect();
                let at_once = self.context.endpoints[side].scans_at_once().max(1);
                let scanned: Vec<_> = futures_util::stream::iter(scans).buffered(at_once).collect().await;
                for of_object in scanned {
                    taken.add(of_object?);
                }
            }
            Reading::Changes => self.changes(side, &mut taken).await?,
        }
        Ok(taken)
    }

    pub(super) fn selection(&self, side: Side, object: &str) -> Selection {
        self.mappings
            .iter()
            .find(|mapping| mapping.compiled.spec.object(side) == object)
            .map(|mapping| mapping.compiled.selection[side].clone())
            .unwrap_or_default()
    }

    async fn scan(&self, side: Side, object: &str) -> Result<Taken, End> {
        let mut taken = Taken::default();
        let feed = self.feed(side, object).await?;
        let now = self.now();
        let fresh = feed.next_at.is_some_and(|at| now - at < chrono::TimeDelta::hours(STAGE_KEEPS_HOURS));
        let resumes = feed.reading == Some(Reading::Scan) && fresh && (feed.complete || feed.mark.is_some());
        let mut mark = if resumes { feed.mark.clone() } else { None };
        if resumes {
            let name = object.to_owned();
            if broken(Mutant::StageForgotten) {
                let name = name.clone();
                self.context.store.write(move |db| stage::clear(db, side, &name)).await?;
            }
            let count = move |db: &rusqlite::Connection| {
                Ok(stage::count(db, side, &name)? + seen::count(db, side, &name)?)
            };
            let staged = self.context.store.write(count).await?;
            self.fact(self.say(
                Level::Info,
                format!(
                    "{object}: going on where the interrupted run stopped, {staged} records are read already."
                ),
            ))
            .await?;
            if feed.complete {
                taken.read += staged;
                return Ok(taken);
            }
        } else {
            if let Some(mark) = feed.mark.as_ref().filter(|_| feed.reading == Some(Reading::Scan)) {
                self.context.endpoints[side].forsake(mark).await;
            }
            self.begin(side, object, Reading::Scan, true).await?;
        }
        let criteria = self.narrowing(side, object).await?;
        let selection = self.selection(side, object);
        let request = |mark: Option<Mark>| ScanRequest {
            object: object.to_owned(),
            selection: selection.clone(),
            criteria: criteria.clone(),
            mark,
        };
        let endpoint = &self.context.endpoints[side];
        let known = self.known(side, object).map(Arc::new);
        let mut read = 0;
        let mut begun_anew = false;
        let mut read_at = self.now();
        let mut fetched = endpoint.scan(&request(mark.take())).await;
        loop {
            let page = match fetched {
                Ok(page) => page,
                Err(error) if error.class == PortClass::MarkLost && !begun_anew => {
                    begun_anew = true;
                    self.fact(self.say(Level::Warn, format!("{object}: {}", error.message))).await?;
                    self.begin(side, object, Reading::Scan, true).await?;
                    read_at = self.now();
                    fetched = endpoint.scan(&request(None)).await;
                    continue;
                }
                Err(error) => return Err(Self::explain(object, error)),
            };
            if let Some(told) = &page.told {
                self.fact(self.say(Level::Info, told.clone())).await?;
            }
            read += page.records.len() as u64;
            let Some(next) = page.next.clone() else {
                self.keep_page(side, object, (page, read_at), known.as_ref(), &mut taken).await?;
                self.fact(self.say(Level::Info, format!("{object}: {read} records read."))).await?;
                return Ok(taken);
            };
            // While one page is staged the next one is on its way.
            let next_at = self.now();
            let keeping = self.keep_page(side, object, (page, read_at), known.as_ref(), &mut taken);
            let fetching = async {
                self.context.control.checkpoint().await?;
                Ok::<_, End>(endpoint.scan(&request(Some(next))).await)
            };
            let (kept, ahead) = futures_util::future::join(keeping, fetching).await;
            kept?;
            fetched = ahead?;
            read_at = next_at;
        }
    }

    /// Criteria narrow an initial read only while nothing is linked: linked records are always read (law E12).
    async fn narrowing(
        &self,
        side: Side,
        object: &str,
    ) -> Result<Option<crate::domain::criteria::Criteria>, End> {
        // Whoever looks for links or holes has to see those that left the scope, too.
        if self.request.kind != RunKind::Initial {
            return Ok(None);
        }
        let mut of_object =
            self.mappings.iter().filter(|mapping| mapping.compiled.spec.object(side) == object);
        let (Some(only), None) = (of_object.next(), of_object.next()) else { return Ok(None) };
        let mapping = only.row.mapping;
        let linked = self.context.store.write(move |db| links::count(db, mapping, 1)).await?;
        Ok(if linked == 0 { only.compiled.criteria[side].clone() } else { None })
    }

    async fn begin(&self, side: Side, object: &str, reading: Reading, clear: bool) -> Result<(), End> {
        let (name, now) = (object.to_owned(), self.now());
        self.context
            .store
            .write(move |db| {
                if clear {
                    stage::clear(db, side, &name)?;
                }
                // Staged records are replaced by newer reads; what was only seen would go on being taken for alive.
                seen::clear(db, side, &name)?;
                feeds::begin(db, side, &name, reading, now)
            })
            .await?;
        Ok(())
    }

    async fn keep_page(
        &self,
        side: Side,
        object: &str,
        (mut page, read_at): (Page, chrono::DateTime<chrono::Utc>),
        known: Option<&Arc<Known>>,
        taken: &mut Taken,
    ) -> Result<Option<Mark>, End> {
        let next = page.next.clone();
        let name = object.to_owned();
        // Where what is not staged is missing, everything is.
        let known = known.filter(|_| !page.whole).map(Arc::clone);
        let (count, total) = (page.records.len() as u64, page.total);
        let flagged = self.flagged(side, object, &page.records);
        let unmoved = self
            .context
            .store
            .write(move |db| {
                let unmoved = match known {
                    Some(known) => known.set_aside(db, &mut page, read_at)?,
                    None => Vec::new(),
                };
                stage::put(db, side, &name, &page.records, read_at)?;
                stage::put_gone(db, side, &name, &page.tombstones)?;
                flagged::put(db, &name, &flagged)?;
                if page.deletions_missed {
                    unseen::ask_for(db, side, &name)?;
                } else if page.whole {
                    unseen::ask_after_whole(db, side, &name)?;
                }
                feeds::advance(db, side, &name, page.next.as_ref(), page.cursor.as_ref())?;
                if page.next.is_none() && broken(Mutant::CursorBeforePending) {
                    feeds::finish(db, side, &name)?;
                }
                Ok(unmoved)
            })
            .await?;
        taken.read += count;
        taken.unmoved.extend(unmoved.into_iter().filter(|(_, unmoved)| *unmoved > 0));
        let calls = self.calls(side);
        self.context.progress.send_modify(|progress| {
            progress.read += count;
            progress.counts.side_mut(side).calls = calls;
            if let Some(total) = total {
                *progress.expected.get_or_insert(0) += total;
            }
        });
        Ok(next)
    }

    async fn changes(&self, side: Side, taken: &mut Taken) -> Result<(), End> {
        let mut requests: Vec<FeedRequest> = Vec::new();
        for object in self.objects(side) {
            let feed = self.feed(side, &object).await?;
            let first = || self.first_cursor(side, &object);
            let Some(cursor) = feed.cursor.clone().or_else(first) else { return Err(no_initial(&object)) };
            let resumes = feed.reading == Some(Reading::Changes) && feed.mark.is_some();
            if !resumes {
                // What an interrupted run staged and did not deal with stays; newer reads replace it.
                self.begin(side, &object, Reading::Changes, feed.reading != Some(Reading::Changes)).await?;
            }
            requests.push(FeedRequest {
                selection: self.selection(side, &object),
                flag: self.flag(side, &object).map(|(name, _)| name),
                object,
                cursor,
                mark: feed.mark.filter(|_| resumes),
            });
        }
        let known: Vec<Option<Arc<Known>>> =
            requests.iter().map(|request| self.known(side, &request.object).map(Arc::new)).collect();
        let known_of = |object: &str| known.iter().flatten().find(|known| known.is_of(object));
        while !requests.is_empty() {
            self.context.control.checkpoint().await?;
            let read_at = self.now();
            let pages = match self.context.endpoints[side].changes(&requests).await {
                Ok(pages) => pages,
                Err(error) if error.class == PortClass::MarkLost => {
                    for request in &mut requests {
                        if request.mark.take().is_some() {
                            self.begin(side, &request.object, Reading::Changes, false).await?;
                        }
                    }
                    continue;
                }
                Err(error) => {
                    let objects: Vec<&str> = requests.iter().map(|request| request.object.as_str()).collect();
                    return Err(Self::explain(&objects.join(", "), error));
                }
            };
            if pages.len() != requests.len() {
                return Err(End::new(
                    RunResult::Failed,
                    format!(
                        "the {side} answered {} of {} feeds; nothing was changed",
                        pages.len(),
                        requests.len()
                    ),
                ));
            }
            let mut left = Vec::new();
            for (mut request, mut page) in requests.into_iter().zip(pages) {
                let own = self.leave_out_own(side, &request.object, &mut page).await?;
                taken.read += own;
                let known = known_of(&request.object);
                request.mark = self.keep_page(side, &request.object, (page, read_at), known, taken).await?;
                if request.mark.is_some() {
                    left.push(request);
                }
            }
            requests = left;
        }
        Ok(())
    }

    /// Where a feed begins that no initial sync has read: the earliest start of its mappings, if each of them has one (law E11).
    fn first_cursor(&self, side: Side, object: &str) -> Option<Cursor> {
        let of_object = self.mappings.iter().filter(|mapping| mapping.compiled.spec.object(side) == object);
        let starts: Option<Vec<_>> = of_object.map(|mapping| mapping.compiled.spec.since).collect();
        self.context.endpoints[side].cursor_at(object, starts?.into_iter().min()?)
    }

    /// Where all mappings of an object say so, changes whose last author is us are passed by (F5); tells how many.
    async fn leave_out_own(&self, side: Side, object: &str, page: &mut Page) -> Result<u64, End> {
        let mut of_object =
            self.mappings.iter().filter(|mapping| mapping.compiled.spec.object(side) == object);
        let automatic = matches!(self.request.kind, RunKind::Instant | RunKind::Automatic);
        if !automatic
            || page.records.is_empty()
            || !of_object.all(|mapping| mapping.compiled.spec.ignore_own_changes)
        {
            return Ok(0);
        }
        let us = self.mappings.first().and_then(|mapping| mapping.us[side].as_deref());
        let Some(us) = us else { return Ok(0) };
        let before = page.records.len();
        page.records.retain(|record| record.author.as_deref() != Some(us));
        let own = before - page.records.len();
        if own > 0 {
            let (what, are) = if own == 1 { ("change", "is") } else { ("changes", "are") };
            let sentence =
                format!("{object}: {own} {what} by the integration user of the {side} {are} passed by.");
            self.fact(self.say(Level::Info, sentence)).await?;
        }
        Ok(own as u64)
    }

    fn explain(object: &str, error: PortError) -> End {
        if error.class == PortClass::CursorLost {
            return End::new(
                RunResult::Failed,
                format!(
                    "{object}: the last synchronization is too long ago for the service to tell what changed since \
                     ({}); run an initial sync",
                    error.message
                ),
            );
        }
        let mut end = End::from(error);
        end.message = format!("{object}: {}", end.message);
        end
    }

    /// Keeps the cursors of all feeds: what they passed is pending or done.
    pub async fn finish_feeds(&self) -> Result<(), End> {
        let feeds = self.feeds();
        self.context
            .store
            .write(move |db| {
                for (side, object) in &feeds {
                    feeds::finish(db, *side, object)?;
                }
                pending::use_up(db)?;
                links::clues::file(db)?;
                stage::clear_all(db, &feeds)
            })
            .await?;
        Ok(())
    }
}

fn no_initial(object: &str) -> End {
    End::new(
        RunResult::Failed,
        format!("{object} was never fully synchronized; run an initial sync first (forcesync sync initial)"),
    )
}
