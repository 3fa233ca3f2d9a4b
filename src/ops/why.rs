//! Explains a record: what each side last held, and which runs and rules led there (N3).

use crate::connect::salesforce::id::full_id;
use crate::domain::side::Side;
use crate::domain::why::{WhyPair, WhyQuery, WhyRecord};
use crate::ops::error::OpError;
use crate::ops::read::read;
use crate::ops::session::Session;

/// What is known of a record. Pairs stand in the order of the settings, those of old behind them.
pub async fn why(session: &Session, query: WhyQuery) -> Result<Vec<WhyRecord>, OpError> {
    let settings = session.settings();
    if let Some(object) = &query.object {
        let known: Vec<&str> = settings
            .mappings
            .iter()
            .flat_map(|mapping| [mapping.org_object.as_str(), mapping.platform_object.as_str()])
            .collect();
        if !known.iter().any(|name| name.eq_ignore_ascii_case(object)) {
            let mut names: Vec<&str> = known;
            names.sort_unstable();
            names.dedup();
            return Err(OpError::settings(format!(
                "No mapping has an object “{object}”; there are {}.",
                names.join(", ")
            ))
            .code("no_object"));
        }
    }
    let mut query = query;
    // People copy ids of 15 characters from the address line of a browser.
    if query.id.trim().len() == 15
        && let Some(full) = full_id(&query.id)
    {
        full.as_str().clone_into(&mut query.id);
    }
    let field = query.field.clone();
    let mut records = read(session, move |reader| reader.why(&query)).await?;
    for record in &mut records {
        let mapping = settings.mapping(&record.mapping);
        let place = |pair: &WhyPair| {
            mapping?.pairs.iter().position(|mapped| {
                Side::BOTH.iter().all(|side| mapped.fields(*side) == pair.fields[*side].as_slice())
            })
        };
        for pair in &mut record.pairs {
            pair.mapped = place(pair).is_some();
        }
        record.pairs.retain(|pair| pair.mapped || pair.base.is_some() || !pair.steps.is_empty());
        record.pairs.sort_by_key(|pair| place(pair).unwrap_or(usize::MAX));
        if let Some(field) = &field {
            let named = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(field));
            record.pairs.retain(|pair| Side::BOTH.iter().any(|side| named(&pair.fields[*side])));
            record.events.retain(|step| step.fields.is_empty() || named(&step.fields));
        }
    }
    if let Some(field) = &field
        && !records.is_empty()
        && records.iter().all(|record| record.pairs.is_empty())
    {
        return Err(OpError::settings(format!(
            "No mapping of this record has a field “{field}”, so forcesync never writes it."
        ))
        .code("no_field"));
    }
    Ok(records)
}
