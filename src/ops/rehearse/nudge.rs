//! The edit that shows a loop. Two pairs of one mapping that carry the same fields, one each way, come to rest after a first run whatever
//! they turn the values into; only when the two values are edited between the same two runs do they send each other's value to and fro
//! for ever. So a rehearsal edits such values of a few copies on both sides, as two people would.

use serde_json::{Map, Value as Json};

use crate::domain::mapping::{Mapping, Pair, SideEffects};
use crate::domain::port::{WriteBatch, WriteKind, WriteRow};
use crate::domain::record::{RecordId, Selection};
use crate::domain::schema::FieldKind;
use crate::domain::side::Side;
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::rehearse::plant::Ids;
use crate::ops::rehearse::sample::{Ends, Sample};
use crate::ops::rehearse::stage::Stage;

/// Records that are edited of each mapping.
const RECORDS: usize = 3;

/// What the two people write.
const ORG: &str = "First Rehearsal";
const PLATFORM: &str = "Second Rehearsal";

/// Edits what could loop; how many records it edited.
pub(super) async fn nudge(
    stage: &Stage,
    ends: &Ends,
    sample: &Sample,
    mappings: &[Mapping],
    ids: &Ids,
) -> Result<u64, OpError> {
    let mut edited = 0;
    for mapping in mappings {
        let loops: Vec<&Pair> = loops(mapping).filter(|pair| fits(mapping, pair, sample)).collect();
        if loops.is_empty() {
            continue;
        }
        for (org, platform) in linked(stage, sample, mapping, ids).await? {
            let fields = loops.iter().flat_map(|pair| &pair.org);
            let row: Map<String, Json> = fields.map(|field| (field.clone(), Json::from(ORG))).collect();
            let org_side = stage.sandbox.org();
            let person = org_side.person_user_id();
            if org_side.admin_update(&mapping.org_object, org.as_str(), &row, &person).is_err() {
                continue;
            }
            let selection = Selection::new(loops.iter().flat_map(|pair| &pair.platform));
            let values = vec![Some(Value::text(PLATFORM)); selection.len()];
            let batch = WriteBatch {
                object: mapping.platform_object.clone(),
                kind: WriteKind::Update,
                selection,
                rows: vec![WriteRow { id: Some(platform), values, key: Vec::new() }],
                read_back: Selection::default(),
                mark: None,
                consent: Vec::new(),
                effects: SideEffects::default(),
            };
            ends.platform.write(&batch).await?;
            edited += 1;
        }
    }
    Ok(edited)
}

/// Pairs that carry a value to the platform while another pair carries it back.
fn loops(mapping: &Mapping) -> impl Iterator<Item = &Pair> {
    let flows = |pair: &Pair, to: Side| {
        let direction = mapping.direction.and(pair.direction);
        direction.is_some_and(|direction| direction.allows(to) && !direction.allows(to.other()))
    };
    mapping.pairs.iter().filter(move |pair| {
        let back = |other: &&Pair| {
            flows(other, Side::Org)
                && Side::BOTH.into_iter().all(|side| pair.fields(side) == other.fields(side))
        };
        flows(pair, Side::Platform) && !pair.key && mapping.pairs.iter().any(|other| back(&other))
    })
}

/// Whether both sides take any text there.
fn fits(mapping: &Mapping, pair: &Pair, sample: &Sample) -> bool {
    Side::BOTH.into_iter().all(|side| {
        let schema = sample.get(side, mapping.object(side)).map(|sampled| &sampled.schema);
        pair.fields(side).iter().all(|name| {
            let field = schema.and_then(|schema| schema.field(name));
            field.is_none_or(|field| {
                matches!(field.kind, FieldKind::Text | FieldKind::LongText)
                    && field.length.is_none_or(|length| length as usize >= PLATFORM.len())
            })
        })
    })
}

/// A few copies that are linked by now.
async fn linked(
    stage: &Stage,
    sample: &Sample,
    mapping: &Mapping,
    ids: &Ids,
) -> Result<Vec<(RecordId, RecordId)>, OpError> {
    let Some(sampled) = sample.get(Side::Org, &mapping.org_object) else { return Ok(Vec::new()) };
    let copies: Vec<RecordId> = sampled.records.iter().filter_map(|record| ids.copy(&record.id)).collect();
    let (name, asked) = (mapping.name.clone(), copies.clone());
    let ends = read::read(&stage.session, move |reader| reader.linked(&name, Side::Org, &asked)).await?;
    let both = copies.into_iter().zip(ends).filter_map(|(copy, end)| Some((copy, end?)));
    Ok(both.take(RECORDS).collect())
}
