//! Writes and deletes of the sync that are judged at the moment they are done.

use std::collections::{BTreeMap, BTreeSet};

use forcesync::domain::mapping::DeletePolicy;
use forcesync::domain::side::Side;
use forcesync::domain::value::Value;

use super::super::topic::{Topic, address, held};
use super::super::undo::SLIPPED_IN;
use super::super::world::{SimRecord, State};

impl State {
    /// Looks at a write of the sync as it is done: it never puts a value back that its target's author had seen and changed.
    pub fn judge_write(&mut self, side: Side, object: &str, id: &str, changes: &[(String, Value)]) {
        self.judge.sync_writes += 1;
        // An undo does just that; it has its own judge.
        if self.undoing {
            return;
        }
        let held_now =
            self.objects[side].get(object).and_then(|records| records.get(id)).and_then(SimRecord::newest);
        // Where a record has the id of its counterpart, it may be one that was deleted, and that is made anew.
        let Some(present) = held_now.filter(|version| !version.deleted).map(|version| version.values.clone())
        else {
            return;
        };
        let sent: BTreeMap<String, Value> = changes.iter().cloned().collect();
        for topic in Topic::ALL {
            let (Some(new), Some(old)) = (held(&sent, side, topic), held(&present, side, topic)) else {
                continue;
            };
            let mut seen = self.judge.edits.get(&old).and_then(|edit| edit.parent);
            while let Some(ancestor) = seen {
                if ancestor == new {
                    self.judge
                        .wrong
                        .push(format!("{side} {id} {topic:?}: edit {old} was put back to edit {new}"));
                }
                seen = self.judge.edits.get(&ancestor).and_then(|edit| edit.parent);
            }
        }
    }

    /// The sync is about to delete a record: a person must have deleted its counterpart, and whatever people wrote into it must
    /// have been known there.
    pub fn judge_removal(&mut self, now: i64, side: Side, object: &str, id: &str) {
        let taken_back = self.undoing && super::super::undo::judge_uncreation(self, now, side, object, id);
        self.judge.removals += u64::from(!taken_back);
        let record = &self.objects[side][object][id];
        let newest = record.newest().unwrap();
        let email = address(&newest.values);
        // An undo looks right before it deletes, and what becomes visible between the two, nobody can see.
        let seen = if taken_back { record.at(now - SLIPPED_IN).unwrap_or(newest) } else { newest };
        let values = seen.values.clone();
        let mut wrong = Vec::new();
        if self.judge.deletes != DeletePolicy::Propagate && !taken_back {
            wrong.push(format!("{email}: {id} was deleted although no delete may cross"));
        }
        let there = side.other();
        // Where an undo took the key back, the two are no longer told by it, but by the mark.
        let mark = newest.values.get("externalId").and_then(Value::as_text);
        let of_its_mark = self.objects[there].values().flatten().any(|(known, record)| {
            Some(known.as_str()) == mark
                && record.newest().is_some_and(|version| {
                    version.deleted && self.judge.person_deletes.contains(&(there, address(&version.values)))
                })
        });
        if !self.judge.person_deletes.contains(&(there, email.clone())) && !of_its_mark && !taken_back {
            wrong.push(format!("{email}: {id} was deleted, but nobody deleted its counterpart"));
        }
        let known: Vec<BTreeMap<String, Value>> = self.objects[there]
            .values()
            .flatten()
            .filter_map(|(_, record)| record.newest())
            .filter(|version| address(&version.values) == email)
            .map(|version| version.values.clone())
            .collect();
        for topic in Topic::ALL {
            // Drift of a one-way pair's target is no edit that counts.
            let counts = self.target(topic) != Some(side);
            let Some(edit) = held(&values, side, topic).filter(|_| counts) else { continue };
            // An undo put it back, or took it off the other side: both bases are what the sides held then (law E16).
            if self.judge.undone.put_back(side, id, topic) == Some(edit)
                || self.judge.undone.edits.contains(&edit)
            {
                continue;
            }
            let mut seen = BTreeSet::new();
            for counterpart in &known {
                let mut at = held(counterpart, there, topic);
                while let Some(number) = at {
                    seen.insert(number);
                    at = self.judge.edits.get(&number).and_then(|edit| edit.parent);
                }
            }
            if !seen.contains(&edit) {
                wrong.push(format!("{email} {topic:?}: edit {edit} was deleted with {id} unseen"));
            }
        }
        self.judge.wrong.extend(wrong);
    }
}
