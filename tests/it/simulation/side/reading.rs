//! What a side answers to readers.

use async_trait::async_trait;
use forcesync::domain::criteria::Criteria;
use forcesync::domain::port::*;
use forcesync::domain::record::{Record, RecordId, Selection};
use forcesync::domain::schema::ObjectSchema;
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::manner::{Feed, Manner, SETTLE_MILLIS};
use super::super::world::State;
use super::{Edits, SimSide, schema};

#[async_trait]
impl Source for SimSide {
    fn scans_at_once(&self) -> usize {
        if self.side == Side::Org { 3 } else { 1 }
    }

    fn capabilities(&self, _object: &str) -> Capabilities {
        match self.side {
            Side::Org => Capabilities { author: true, ..Manner::able().capabilities },
            Side::Platform => self.manner.capabilities.clone(),
        }
    }

    async fn describe(&self, objects: &[String]) -> Result<Vec<ObjectSchema>, PortError> {
        self.call("describe", Edits::None).await?;
        let state = self.world.lock();
        Ok(objects.iter().map(|object| schema::of(self.side, object, &state.drifting)).collect())
    }

    async fn scan(&self, request: &ScanRequest) -> Result<Page, PortError> {
        self.call(&format!("scan {}", request.object), Edits::Anywhere).await?;
        let mut state = self.world.lock();
        let seen_at = self.seen_at(&mut state);
        self.can_read(&state, &request.object, &request.selection)?;
        let now = self.world.clock.millis();
        Ok(self.all(&state, seen_at, now, &request.object, &request.selection, request.mark.as_ref()))
    }

    async fn changes(&self, requests: &[FeedRequest]) -> Result<Vec<Page>, PortError> {
        self.call("changes", Edits::Anywhere).await?;
        let mut state = self.world.lock();
        let seen_at = self.seen_at(&mut state);
        for request in requests {
            self.can_read(&state, &request.object, &request.selection)?;
        }
        let now = self.world.clock.millis();
        Ok(requests
            .iter()
            .map(|request| {
                if self.feed() != Feed::Changes {
                    let (object, selection) = (&request.object, &request.selection);
                    let all = self.all(&state, seen_at, now, object, selection, request.mark.as_ref());
                    return Page { whole: self.feed() == Feed::Whole, ..all };
                }
                let cursor: i64 = request.cursor.0.parse().unwrap();
                let tells_deletions = self.capabilities(&request.object).tombstones;
                let floor = if self.side == Side::Org { cursor / 1_000 * 1_000 } else { cursor };
                let mut rows: Vec<_> = self
                    .visible(&state, &request.object, seen_at)
                    .into_iter()
                    .filter(|(_, version)| match &request.flag {
                        Some(flag) if !version.deleted => {
                            version.values.get(flag) == Some(&Value::Bool(true))
                        }
                        _ => version.stamp >= floor,
                    })
                    .map(|(id, version)| ((version.stamp, id.clone()), version))
                    .collect();
                rows.sort_by(|one, other| one.0.cmp(&other.0));
                if let Some(mark) = &request.mark {
                    let after: (i64, String) = serde_json::from_str(&mark.0).unwrap();
                    rows.retain(|(place, _)| *place > after);
                }
                let more = rows.len() > self.page;
                rows.truncate(self.page);
                Page {
                    next: if more {
                        rows.last().map(|(place, _)| Mark(serde_json::to_string(place).unwrap()))
                    } else {
                        None
                    },
                    records: rows
                        .iter()
                        .filter(|(_, version)| !version.deleted)
                        .map(|((_, id), version)| {
                            self.record(&state, &request.object, id, version, &request.selection)
                        })
                        .collect(),
                    tombstones: rows
                        .iter()
                        .filter(|(_, version)| version.deleted && tells_deletions)
                        .map(|((_, id), version)| Self::tombstone(id, version))
                        .collect(),
                    cursor: request.mark.is_none().then(|| Cursor((now - SETTLE_MILLIS).to_string())),
                    ..Page::default()
                }
            })
            .collect())
    }

    async fn read(
        &self,
        object: &str,
        selection: &Selection,
        ids: &[RecordId],
    ) -> Result<Vec<Record>, PortError> {
        // Nobody edits between a verifying read and the write that follows it: that window is stated, not closed.
        self.call(&format!("read {object} {ids:?}"), Edits::None).await?;
        // Feeds may lag behind; a record read by its id is what it is now, or nothing could be verified.
        let state = self.world.lock();
        self.can_read(&state, object, selection)?;
        let now = self.world.clock.millis();
        Ok(ids
            .iter()
            .filter_map(|id| {
                let version = state.objects[self.side].get(object)?.get(id.as_str())?.at(now)?;
                (!version.deleted).then(|| self.record(&state, object, id.as_str(), version, selection))
            })
            .collect())
    }

    async fn fates(&self, object: &str, ids: &[RecordId]) -> Result<Vec<Tombstone>, PortError> {
        self.call(&format!("fates {object} {ids:?}"), Edits::None).await?;
        let state = self.world.lock();
        let now = self.world.clock.millis();
        let told = self.side == Side::Org || self.manner.tells_fates;
        Ok(ids
            .iter()
            .filter(|_| told)
            .filter_map(|id| {
                let version = state.objects[self.side].get(object)?.get(id.as_str())?.at(now)?;
                version.deleted.then(|| Self::tombstone(id.as_str(), version))
            })
            .collect())
    }

    async fn count(&self, _object: &str, _criteria: Option<&Criteria>) -> Result<Option<u64>, PortError> {
        Ok(None)
    }

    async fn us(&self) -> Result<Option<String>, PortError> {
        Ok(self.capabilities("").author.then(|| "sync".to_owned()))
    }

    fn lists(&self, _object: &str) -> bool {
        self.feed() != Feed::Nothing
    }

    fn calls(&self) -> u64 {
        self.world.lock().calls[self.side]
    }
}

impl SimSide {
    fn feed(&self) -> Feed {
        if self.side == Side::Org { Feed::Changes } else { self.manner.feed }
    }

    /// A page of all there is, by id; of nothing where nothing is listed.
    fn all(
        &self,
        state: &State,
        seen_at: i64,
        now: i64,
        object: &str,
        selection: &Selection,
        mark: Option<&Mark>,
    ) -> Page {
        let after = mark.map(|mark| mark.0.clone()).unwrap_or_default();
        let mut rows = self.visible(state, object, seen_at);
        rows.retain(|(id, version)| **id > after && !version.deleted && self.feed() != Feed::Nothing);
        let more = rows.len() > self.page;
        rows.truncate(self.page);
        Page {
            next: if more { rows.last().map(|(id, _)| Mark((*id).clone())) } else { None },
            records: rows
                .iter()
                .map(|(id, version)| self.record(state, object, id, version, selection))
                .collect(),
            cursor: mark.is_none().then(|| Cursor((now - SETTLE_MILLIS).to_string())),
            ..Page::default()
        }
    }
}
