//! Who would enter and who would leave when the criteria of a mapping change (law E12, N12): reads, compares, and writes nothing.

use std::sync::Arc;

use crate::domain::criteria::{Criteria, Expression};
use crate::domain::mapping::Mapping;
use crate::domain::port::{Endpoint, ScanRequest};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::scope::{Member, Movers, ScopeChange, Way, consequences};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::ops::{connections, read, secrets};
use crate::workspace::settings::Settings;

/// Most records of a side that are looked at; who has more is told so.
const MOST: u64 = 100_000;

/// Mappings of which criteria differ between two settings, each as it is and as it would be.
pub fn changed(before: &Settings, after: &Settings) -> Vec<(Mapping, Mapping)> {
    let pairs = after.mappings.iter().filter_map(|mapping| Some((before.mapping(&mapping.name)?, mapping)));
    let differs = |was: &Mapping, is: &Mapping| {
        Side::BOTH.into_iter().any(|side| criteria(was, side) != criteria(is, side))
    };
    pairs.filter(|(was, is)| differs(was, is)).map(|(was, is)| (was.clone(), is.clone())).collect()
}

/// Criteria by their meaning; those that can't be read are as good as another text.
fn criteria(mapping: &Mapping, side: Side) -> Option<String> {
    let text = mapping.criteria(side)?;
    Some(Criteria::parse(text).map_or_else(|_| text.to_owned(), |parsed| parsed.to_string()))
}

/// Looks who enters and leaves, on each side whose criteria differ; of those that go one way, so many are named.
pub async fn look(
    session: &Session,
    before: &Mapping,
    after: &Mapping,
    shown: usize,
) -> Result<Vec<ScopeChange>, OpError> {
    let mut found = Vec::new();
    for side in Side::BOTH {
        if criteria(before, side) != criteria(after, side) {
            found.push(of_side(session, before, after, side, shown).await?);
        }
    }
    Ok(found)
}

fn parse(mapping: &Mapping, side: Side) -> Result<Option<Criteria>, OpError> {
    let Some(text) = mapping.criteria(side) else { return Ok(None) };
    let parsed = Criteria::parse(text);
    parsed.map(Some).map_err(|error| OpError::settings(format!("Of the mapping {}, {error}.", mapping.name)))
}

async fn of_side(
    session: &Session,
    before: &Mapping,
    after: &Mapping,
    side: Side,
    shown: usize,
) -> Result<ScopeChange, OpError> {
    let now = session.clock().now();
    let at_present = |criteria: Option<Criteria>| criteria.map(|criteria| criteria.at(now));
    let (was, is) = (at_present(parse(before, side)?), at_present(parse(after, side)?));
    let tested = was.iter().chain(&is).flat_map(Criteria::fields);
    let key: Vec<String> =
        after.pairs.iter().filter(|pair| pair.key).flat_map(|pair| pair.fields(side).to_vec()).collect();
    let selection = Selection::new(key.iter().cloned().chain(tested));
    let mut request = ScanRequest {
        object: after.object(side).to_owned(),
        // Where both have criteria, nobody else comes into question.
        criteria: was
            .clone()
            .zip(is.clone())
            .map(|(was, is)| Criteria { root: Expression::Any(vec![was.root, is.root]) }),
        selection: selection.clone(),
        mark: None,
    };
    let source = open(session, side, after).await?;
    let mut tally = Tally { key: key.len(), ..Tally::default() };
    let whole = loop {
        let page = source.scan(&request).await?;
        for record in &page.records {
            tally.look(&selection, record, was.as_ref(), is.as_ref());
        }
        match page.next {
            None => break true,
            Some(mark) if tally.read >= MOST => {
                source.forsake(&mark).await;
                break false;
            }
            Some(mark) => request.mark = Some(mark),
        }
    };
    let enters = movers(session, after, side, tally.enters, shown).await?;
    let leaves = movers(session, after, side, tally.leaves, shown).await?;
    Ok(ScopeChange {
        mapping: after.name.clone(),
        side,
        before: before.criteria(side).map(str::to_owned),
        after: after.criteria(side).map(str::to_owned),
        consequences: consequences(after, side, &enters, &leaves),
        enters,
        leaves,
        stays: tally.stays,
        read: tally.read,
        whole,
    })
}

/// What was seen so far.
#[derive(Default)]
struct Tally {
    /// How many fields of the selection are the key.
    key: usize,
    enters: Vec<(RecordId, String)>,
    leaves: Vec<(RecordId, String)>,
    stays: u64,
    read: u64,
}

impl Tally {
    fn look(
        &mut self,
        selection: &Selection,
        record: &Record,
        was: Option<&Criteria>,
        is: Option<&Criteria>,
    ) {
        self.read += 1;
        let meets =
            |criteria: Option<&Criteria>| criteria.is_none_or(|criteria| criteria.admit(selection, record));
        let way = match (meets(was), meets(is)) {
            (false, true) => Way::Enters,
            (true, false) => Way::Leaves,
            (true, true) => {
                self.stays += 1;
                return;
            }
            (false, false) => return,
        };
        let words = record.values.iter().take(self.key).flatten().filter(|value| !value.is_blank());
        let label = words.map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let list = match way {
            Way::Enters => &mut self.enters,
            Way::Leaves => &mut self.leaves,
        };
        // A record may come twice.
        list.push((record.id.clone(), label));
    }
}

async fn movers(
    session: &Session,
    mapping: &Mapping,
    side: Side,
    mut found: Vec<(RecordId, String)>,
    shown: usize,
) -> Result<Movers, OpError> {
    found.sort();
    found.dedup_by(|one, other| one.0 == other.0);
    let ids: Vec<RecordId> = found.iter().map(|(id, _)| id.clone()).collect();
    let name = mapping.name.clone();
    let counterparts = read::read(session, move |reader| reader.linked(&name, side, &ids)).await?;
    // Where nothing ever ran, nothing is linked.
    let counterparts = counterparts.into_iter().chain(std::iter::repeat(None));
    let members = found.into_iter().zip(counterparts);
    let mut movers = Movers::default();
    for ((id, label), counterpart) in members {
        *(if counterpart.is_some() { &mut movers.linked } else { &mut movers.unlinked }) += 1;
        if movers.shown.len() < shown {
            movers.shown.push(Member { id, label, counterpart });
        }
    }
    Ok(movers)
}

/// A connection to one side.
async fn open(session: &Session, side: Side, mapping: &Mapping) -> Result<Arc<dyn Endpoint>, OpError> {
    let mut settings = session.settings();
    // The fields of a platform are those that the mappings use, so it has to know this one.
    match settings.mappings.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&mapping.name)) {
        Some(known) => known.clone_from(mapping),
        None => settings.mappings.push(mapping.clone()),
    }
    let known = secrets::read(session, &settings, side, &[]).await?;
    Ok(connections::endpoint(&settings, side, &known, &session.surroundings())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::file::read_settings;

    #[test]
    fn n12_only_other_meanings_of_criteria_are_a_change() {
        let settings = |criteria: &str| {
            let text = format!(
                "[[mapping]]\nname = \"c\"\norg_object = \"Contact\"\nplatform_object = \"contact\"\norg_criteria = \"{criteria}\"\n"
            );
            read_settings(&text).0
        };
        assert_eq!(changed(&settings("Email != null"), &settings("Email is  not blank")), []);
        assert_eq!(changed(&settings("Email != null"), &settings("Phone != null")).len(), 1);
        assert_eq!(changed(&settings(""), &settings("Phone != null")).len(), 1);
    }
}
