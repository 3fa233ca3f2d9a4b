//! Sends one record to a webhook receiver, so that it learns its structure and can be mapped (F110).

use serde_json::{Map, Value as Json};

use crate::connect::platform::Sampled;
use crate::connect::salesforce::full_id;
use crate::domain::compiled::compile;
use crate::domain::port::{ScanRequest, Source as _};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::side::{PerSide, Side};
use crate::ops::connections::{self, KnownSecrets};
use crate::ops::error::{OpClass, OpError};
use crate::ops::secrets;
use crate::ops::session::Session;

/// The record that was sent and what the receiver made of it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its id in Salesforce.
    pub id: RecordId,
    /// What was sent.
    pub sent: Json,
    /// What came back.
    pub sampled: Sampled,
}

/// Sends the record of that id, or the first that a scan of the org's object brings.
pub async fn sample(session: &Session, name: &str, id: Option<&str>) -> Result<Sample, OpError> {
    let settings = session.settings();
    let Some(mapping) = settings.mapping(name).cloned() else {
        return Err(OpError::settings(format!("There is no mapping “{name}”.")).code("no_mapping"));
    };
    let around = session.surroundings();
    let known: KnownSecrets = secrets::read(session, &settings, Side::Org, &[]).await?;
    let org = connections::salesforce(&settings, &known, &around)?;
    let known = secrets::read(session, &settings, Side::Platform, &[]).await?;
    let platform = connections::platform(&settings, &known, &around)?;
    let schemas = PerSide {
        org: org.describe(std::slice::from_ref(&mapping.org_object)).await?,
        platform: platform.describe(std::slice::from_ref(&mapping.platform_object)).await?,
    };
    let enabled = crate::domain::mapping::Mapping { enabled: true, ..mapping.clone() };
    let (compiled, problems) = compile(std::slice::from_ref(&enabled), &schemas);
    let Some(compiled) = compiled.mappings.first() else {
        let why = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
        return Err(OpError::settings(format!("The mapping “{name}” can't be used yet: {why}")));
    };
    let selection: &Selection = &compiled.selection.org;
    let record: Option<Record> = if let Some(id) = id {
        let id = full_id(id).ok_or_else(|| OpError::settings(format!("“{id}” is no id of Salesforce.")))?;
        org.read(&mapping.org_object, selection, &[id]).await?.into_iter().next()
    } else {
        let request = ScanRequest {
            object: mapping.org_object.clone(),
            selection: selection.clone(),
            criteria: compiled.criteria.org.clone(),
            mark: None,
        };
        org.scan(&request).await?.records.into_iter().next()
    };
    let Some(record) = record else {
        return Err(OpError::new(
            OpClass::Failed,
            format!("There is no record of {} that could be sent as a sample.", mapping.org_object),
        ));
    };
    let mut row = Map::new();
    for pair in &compiled.pairs {
        let Some(values) = pair.values(Side::Org, &record) else { continue };
        let Ok(values) = pair.translate(Side::Org, &values, None) else { continue };
        for (field, value) in pair.spec.platform.iter().zip(values) {
            row.insert(field.clone(), value.to_json());
        }
    }
    let sampled = platform.sample(&mapping.platform_object, &row).await?;
    Ok(Sample { id: record.id, sent: Json::Object(row), sampled })
}
