//! `forcesync mapping sample`: what would become of one record, pair by pair.

use serde::Serialize;
use serde_json::Value as Json;

use crate::cli::context::Context;
use crate::cli::table::Table;
use crate::domain::mapping::Mapping;
use crate::domain::record::RecordId;
use crate::domain::sample::{Met, PairSample, State, Turned, results};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{describe, sample};

/// `{"event":"sample",…}`
#[derive(Serialize)]
struct Head<'a> {
    event: &'static str,
    mapping: &'a str,
    ids: PerSide<Option<RecordId>>,
    met: Met,
}

/// `{"event":"pair",…}`
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    pair: &'a str,
    state: State,
    values: PerSide<Option<Vec<Json>>>,
    to: PerSide<Option<Way>>,
}

#[derive(Serialize)]
struct Way {
    values: Option<Vec<Json>>,
    refused: Option<String>,
    same: Option<bool>,
    doubts: Vec<String>,
}

impl Way {
    fn of(turned: &Turned) -> Self {
        Self {
            values: turned.values.as_ref().ok().map(|values| json(values)),
            refused: turned.values.as_ref().err().cloned(),
            same: turned.same,
            doubts: turned.doubts.clone(),
        }
    }
}

fn json(values: &[Value]) -> Vec<Json> {
    values.iter().map(Value::to_json).collect()
}

pub(super) async fn show(
    session: &Session,
    mapping: &Mapping,
    record: Option<&str>,
    context: &Context,
) -> Result<u8, OpError> {
    let pulled = sample::pull(session, mapping, record).await?;
    let org = describe::object(session, Side::Org, &mapping.org_object).await?;
    let platform = describe::object(session, Side::Platform, &mapping.platform_object).await?;
    let schemas = PerSide { org: Some(org.as_ref()), platform: Some(platform.as_ref()) };
    let output = &context.output;
    let ids = pulled.ids();
    let shown = |side: Side| ids[side].as_ref().map_or_else(|| "no record".to_owned(), ToString::to_string);
    output.text(format_args!("{}: {} ⇄ {}", mapping.name, shown(Side::Org), shown(Side::Platform)));
    output.text(pulled.met.words());
    output.object(&Head { event: "sample", mapping: &mapping.name, ids, met: pulled.met });
    let mut table = Table::new(&["pair", "Salesforce", "platform", "to platform", "to Salesforce", ""]);
    for (pair, result) in mapping.pairs.iter().zip(results(mapping, schemas, &pulled)) {
        let name = pair.name();
        output.object(&Line {
            event: "pair",
            pair: &name,
            state: result.state(),
            values: PerSide::from_fn(|side| result.values[side].as_deref().map(json)),
            to: PerSide::from_fn(|side| result.to[side].as_ref().map(Way::of)),
        });
        table.row([
            name,
            text(result.values.org.as_deref()),
            text(result.values.platform.as_deref()),
            way(&result, Side::Platform),
            way(&result, Side::Org),
            said(&result),
        ]);
    }
    table.print(output);
    Ok(0)
}

fn text(values: Option<&[Value]>) -> String {
    values.map_or_else(
        || "–".into(),
        |values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ").trim().to_owned(),
    )
}

fn way(result: &PairSample, target: Side) -> String {
    match &result.to[target] {
        None => String::new(),
        Some(Turned { values: Ok(values), .. }) => text(Some(values)),
        Some(Turned { values: Err(_), .. }) => "✘".into(),
    }
}

/// The state, and why it is not a good one.
fn said(result: &PairSample) -> String {
    let mut words = vec![result.state().word().to_owned()];
    for turned in Side::BOTH.into_iter().filter_map(|side| result.to[side].as_ref()) {
        words.extend(turned.values.as_ref().err().cloned());
        words.extend(turned.doubts.iter().cloned());
    }
    words.dedup();
    words.join("; ")
}
