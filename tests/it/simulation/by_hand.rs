//! A person decides every conflict that a history left behind, while there is trouble again; then both sides must hold what was
//! chosen, and nothing may flow back.

use std::collections::BTreeMap;

use forcesync::domain::by_hand::{ByHand, Choice, HandDecision, fields_of};
use forcesync::domain::clock::Clock;
use forcesync::domain::mapping::Direction;
use forcesync::domain::record::RecordId;
use forcesync::domain::side::{PerSide, Side};
use forcesync::domain::value::Value;
use forcesync::store::{Store, decisions};

use super::world::{World, is_converted};

/// A conflict, with the object of the org that it is about.
pub struct Open {
    object: String,
    decision: HandDecision,
}

/// The conflicts that are open, each with a choice that follows from its place.
pub async fn choose(store: &Store, world: &World) -> Vec<Open> {
    let direction = world.lock().manner.direction;
    let found: Vec<[String; 8]> = store
        .write(|db| {
            let mut rows = db.prepare(
                "SELECT m.name, m.org_object, r.identity, l.org_id, l.platform_id, p.why, p.org, p.platform FROM parked p
                 JOIN link l USING (link) JOIN mapping m ON m.mapping=l.mapping JOIN pair r ON r.pair=p.pair
                 WHERE l.closed=0 ORDER BY p.conflict",
            )?;
            let rows = rows.query_map([], |row| {
                Ok([0, 1, 2, 3, 4, 5, 6, 7].map(|place| row.get::<_, String>(place).unwrap_or_default()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
        .unwrap();
    found
        .into_iter()
        // Whether an opt-out stands is not for a person at a desk to decide, and pairs of one direction keep their origin's value.
        .filter(|[_, _, pair, ..]| {
            !["HasOptedOut", "externalId", "Status"].iter().any(|name| pair.contains(name))
        })
        .enumerate()
        .map(|(place, [mapping, object, pair, org, platform, why, org_values, platform_values])| {
            let values = |text: &str| -> Vec<Value> { serde_json::from_str(text).unwrap() };
            let seen = PerSide { org: values(&org_values), platform: values(&platform_values) };
            let choice = match (direction, place % 3) {
                // Where everything flows one way, nothing but the origin's value can be chosen.
                (Direction::ToPlatform, _) | (Direction::Both, 0) => Choice::Org,
                (Direction::ToOrg, _) | (Direction::Both, 1) => Choice::Platform,
                (Direction::Both, _) => {
                    let new = |_: &Value| Value::text("by hand");
                    Choice::Value { side: Side::Org, values: seen.org.iter().map(new).collect() }
                }
            };
            let ids = PerSide { org: Some(RecordId::new(org)), platform: Some(RecordId::new(platform)) };
            let seen = seen.map(Some);
            let decision = HandDecision { mapping, ids, pair, why, seen, choice, by: "ann".into() };
            Open { object, decision }
        })
        .collect()
}

/// Hands the decisions to the engine.
pub async fn hand_in(store: &Store, world: &World, open: &[Open]) {
    let decisions = open.iter().map(|open| open.decision.clone()).collect();
    let (by_hand, now) = (ByHand { decisions, ..ByHand::default() }, world.clock.now());
    store.write(move |db| decisions::keep(db, &by_hand, now)).await.unwrap();
}

/// What is wrong after the runs that took the decisions.
pub async fn judge(store: &Store, world: &World, open: &[Open]) -> Vec<String> {
    let mut wrong = Vec::new();
    let left: Vec<String> = store
        .write(|db| {
            let mut rows = db.prepare("SELECT org_id || ' ' || platform_id FROM decision")?;
            let rows = rows.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
        .unwrap();
    let still: Vec<(String, String)> = choose(store, world)
        .await
        .into_iter()
        .map(|open| (key(&open.decision), open.decision.pair))
        .collect();
    let state = world.lock();
    let platform: BTreeMap<String, _> = state.live(Side::Platform, "contact").into_iter().collect();
    for Open { object, decision } in open {
        let org: BTreeMap<String, _> = state.live(Side::Org, object).into_iter().collect();
        let id = |side: Side| decision.ids[side].as_ref().map(ToString::to_string).unwrap_or_default();
        let (Some(there), Some(here)) = (org.get(&id(Side::Org)), platform.get(&id(Side::Platform))) else {
            continue;
        };
        let what = format!("{} {} {:?}", key(decision), decision.pair, decision.choice);
        if left.contains(&key(decision)) {
            wrong.push(format!("{what}: the decision still waits"));
        }
        // Nothing is written to a record that left the scope.
        if is_converted(&there.values) || there.values.get("OutOfScope") == Some(&Value::Bool(true)) {
            continue;
        }
        if still.contains(&(key(decision), decision.pair.clone())) {
            wrong.push(format!("{what}: the conflict is still open"));
        }
        let fields = fields_of(&decision.pair);
        if fields.org.len() != fields.platform.len() {
            continue;
        }
        for (place, (org_field, platform_field)) in fields.org.iter().zip(&fields.platform).enumerate() {
            let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
            let (there, here) = (text(there.values.get(org_field)), text(here.values.get(platform_field)));
            let chosen = match &decision.choice {
                Choice::Org => decision.seen.org.as_ref().and_then(|values| values.get(place)),
                Choice::Platform => decision.seen.platform.as_ref().and_then(|values| values.get(place)),
                Choice::Value { values, .. } => values.get(place),
            };
            let same = |one: &str, other: &str| {
                let bare =
                    |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
                bare(one).eq_ignore_ascii_case(&bare(other))
            };
            if !same(&there, &here) || !same(&there, &text(chosen)) {
                wrong.push(format!("{what}: the org holds “{there}”, the platform “{here}”"));
            }
        }
    }
    wrong
}

fn key(decision: &HandDecision) -> String {
    let id = |side: Side| decision.ids[side].as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {}", id(Side::Org), id(Side::Platform))
}
