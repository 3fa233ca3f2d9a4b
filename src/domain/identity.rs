//! Identity: which unlinked records with one key belong together (law E1).
//!
//! Anything but one to one is ambiguous for the whole group; a key that a linked record already holds is taken; in a family
//! the first member in precedence gets the platform record and the others are held by it.

use crate::domain::mapping::Mapping;
use crate::domain::plan::{Obstacle, SkipReason};
use crate::domain::record::{Record, RecordId, Selection};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::mutant::{Mutant, broken};

/// The key of a record as the other side would hold it, its fields with their values; nothing where a part is blank or can't be turned.
pub fn key_across(
    mapping: &Mapping,
    side: Side,
    selection: &Selection,
    record: &Record,
) -> Option<(Vec<String>, Vec<Value>)> {
    let other = side.other();
    let (mut fields, mut values) = (Vec::new(), Vec::new());
    for pair in mapping.pairs.iter().filter(|pair| pair.key) {
        let held: Option<Vec<Value>> = pair
            .fields(side)
            .iter()
            .map(|name| match selection.position(name) {
                Some(place) => record.values.get(place)?.clone(),
                None => name.eq_ignore_ascii_case("Id").then(|| Value::text(record.id.as_str())),
            })
            .collect();
        let names = pair.fields(other);
        let turned = pair.transform.apply(&held?, other, names.len(), None).ok()?;
        if turned.is_empty() || turned.iter().all(Value::is_blank) {
            return None;
        }
        fields.extend(names.iter().cloned());
        values.extend(turned);
    }
    (!fields.is_empty() && fields.len() == values.len()).then_some((fields, values))
}

/// An unlinked record with the group's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its side.
    pub side: Side,
    /// For a record of the org: the place of its mapping in the family, the lowest first.
    pub mapping: usize,
    /// Its id.
    pub id: RecordId,
}

/// An open link of the family whose records hold the group's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The place of its mapping.
    pub mapping: usize,
    /// Its mapping's name.
    pub name: String,
    /// Both records.
    pub ids: PerSide<RecordId>,
}

/// What a family does with platform records that no member claims, and with org records that have no counterpart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyRules {
    /// Per mapping place: its name, and whether it creates on the platform.
    pub members: Vec<(usize, String, bool)>,
    /// The mapping place that creates in the org (`create_as`).
    pub create_as: Option<usize>,
}

/// What happens to one record, or one pair of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The mapping place.
    pub mapping: usize,
    /// The records.
    pub ids: PerSide<Option<RecordId>>,
    /// What happens.
    pub what: What,
}

/// What happens to one record, or one pair of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// They are decided together, or the missing one is created.
    Go,
    /// Left out.
    Skip(SkipReason),
    /// Can't be done.
    Refuse(Obstacle),
}

fn one(side: Side, id: &RecordId) -> PerSide<Option<RecordId>> {
    let mut ids = PerSide::default();
    ids[side] = Some(id.clone());
    ids
}

fn refuse(member: &Member, mapping: usize, code: &str, message: String) -> Verdict {
    Verdict {
        mapping,
        ids: one(member.side, &member.id),
        what: What::Refuse(Obstacle { code: code.into(), message, pair: None }),
    }
}

/// Decides a group of unlinked records that share a key.
pub fn resolve(rules: &FamilyRules, members: &[Member], holders: &[Holder]) -> Vec<Verdict> {
    let home = rules.create_as.or_else(|| rules.members.first().map(|(place, _, _)| *place)).unwrap_or(0);
    let orgs: Vec<&Member> = members.iter().filter(|member| member.side == Side::Org).collect();
    let platforms: Vec<&Member> = members.iter().filter(|member| member.side == Side::Platform).collect();
    if let Some(holder) = holders.first()
        && !broken(Mutant::TakenKeyIsMatched)
    {
        return taken(holders, holder, &orgs, &platforms, home);
    }
    let twice = |place: usize| orgs.iter().filter(|member| member.mapping == place).count() > 1;
    let ambiguous_group = platforms.len() > 1 || orgs.iter().any(|member| twice(member.mapping));
    if ambiguous_group && !broken(Mutant::AmbiguousIsMatched) {
        return ambiguous(&orgs, &platforms, home);
    }
    let mut verdicts = Vec::new();
    let first = orgs.iter().min_by_key(|member| member.mapping);
    match (first, platforms.first()) {
        (Some(org), platform) => {
            let (_, name, creates) = rules
                .members
                .iter()
                .find(|(place, _, _)| *place == org.mapping)
                .cloned()
                .unwrap_or((org.mapping, String::new(), false));
            let what =
                if platform.is_some() || creates { What::Go } else { What::Skip(SkipReason::CreateOff) };
            verdicts.push(Verdict {
                mapping: org.mapping,
                ids: PerSide { org: Some(org.id.clone()), platform: platform.map(|found| found.id.clone()) },
                what,
            });
            for other in orgs.iter().filter(|member| member.mapping != org.mapping) {
                verdicts.push(Verdict {
                    mapping: other.mapping,
                    ids: one(Side::Org, &other.id),
                    what: if broken(Mutant::FamilyShares) {
                        What::Go
                    } else {
                        What::Skip(SkipReason::HeldBy { mapping: name.clone(), id: org.id.clone() })
                    },
                });
            }
        }
        (None, Some(platform)) => verdicts.push(Verdict {
            mapping: home,
            ids: one(Side::Platform, &platform.id),
            what: if rules.create_as.is_some() { What::Go } else { What::Skip(SkipReason::CreateOff) },
        }),
        (None, None) => {}
    }
    verdicts
}

fn taken(
    holders: &[Holder],
    first: &Holder,
    orgs: &[&Member],
    platforms: &[&Member],
    home: usize,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for org in orgs {
        match holders.iter().find(|holder| holder.mapping == org.mapping) {
            Some(holder) => verdicts.push(refuse(
                org,
                org.mapping,
                "key_taken",
                format!(
                    "its key belongs to a linked record already: {} {} ⇄ {}; merge the two or change one key",
                    holder.name, holder.ids.org, holder.ids.platform
                ),
            )),
            None => verdicts.push(Verdict {
                mapping: org.mapping,
                ids: one(Side::Org, &org.id),
                what: What::Skip(SkipReason::HeldBy {
                    mapping: first.name.clone(),
                    id: first.ids.org.clone(),
                }),
            }),
        }
    }
    for platform in platforms {
        verdicts.push(refuse(
            platform,
            home,
            "key_taken",
            format!(
                "its key belongs to a linked record already: {} {} ⇄ {}; merge the two or change one key",
                first.name, first.ids.org, first.ids.platform
            ),
        ));
    }
    verdicts
}

/// One line for every record of the org; platform records get lines of their own only where the org has none.
fn ambiguous(orgs: &[&Member], platforms: &[&Member], home: usize) -> Vec<Verdict> {
    let message = format!(
        "{} records in Salesforce and {} on the platform have the same key; merge them or change a key",
        orgs.len(),
        platforms.len()
    );
    let lines: Vec<(&Member, usize)> = if orgs.is_empty() {
        platforms.iter().map(|member| (*member, home)).collect()
    } else {
        orgs.iter().map(|member| (*member, member.mapping)).collect()
    };
    lines
        .into_iter()
        .map(|(member, mapping)| refuse(member, mapping, "ambiguous_match", message.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> FamilyRules {
        FamilyRules {
            members: vec![(0, "contact".into(), true), (1, "lead".into(), true)],
            create_as: Some(1),
        }
    }

    fn org(mapping: usize, id: &str) -> Member {
        Member { side: Side::Org, mapping, id: id.into() }
    }

    fn platform(id: &str) -> Member {
        Member { side: Side::Platform, mapping: 0, id: id.into() }
    }

    fn holder(mapping: usize) -> Holder {
        Holder { mapping, name: "contact".into(), ids: PerSide { org: "003H".into(), platform: "h".into() } }
    }

    #[test]
    fn one_to_one_goes() {
        let verdicts = resolve(&rules(), &[org(0, "003A"), platform("p")], &[]);
        assert_eq!(verdicts.len(), 1);
        assert_eq!(verdicts[0].what, What::Go);
        assert_eq!(verdicts[0].ids, PerSide { org: Some("003A".into()), platform: Some("p".into()) });
    }

    #[test]
    fn the_first_member_gets_the_platform_record_and_holds_it() {
        let verdicts = resolve(&rules(), &[org(1, "00QA"), org(0, "003A"), platform("p")], &[]);
        assert_eq!(verdicts[0].mapping, 0);
        assert_eq!(verdicts[0].what, What::Go);
        assert!(
            matches!(&verdicts[1].what, What::Skip(SkipReason::HeldBy { mapping, .. }) if mapping == "contact")
        );
    }

    #[test]
    fn two_of_one_object_are_ambiguous_and_so_is_everybody_else_in_the_group() {
        let verdicts =
            resolve(&rules(), &[org(0, "003A"), org(0, "003B"), org(1, "00QA"), platform("p")], &[]);
        assert_eq!(verdicts.len(), 3);
        assert!(
            verdicts
                .iter()
                .all(|verdict| matches!(&verdict.what, What::Refuse(why) if why.code == "ambiguous_match"))
        );
    }

    #[test]
    fn a_key_held_by_a_link_of_the_same_mapping_is_taken_and_of_another_is_held() {
        let verdicts = resolve(&rules(), &[org(0, "003A"), org(1, "00QA"), platform("p")], &[holder(0)]);
        assert!(matches!(&verdicts[0].what, What::Refuse(why) if why.code == "key_taken"));
        assert!(matches!(&verdicts[1].what, What::Skip(SkipReason::HeldBy { .. })));
        assert!(matches!(&verdicts[2].what, What::Refuse(why) if why.code == "key_taken"));
    }

    #[test]
    fn a_platform_record_alone_is_created_as_the_one_object_that_may() {
        let verdicts = resolve(&rules(), &[platform("p")], &[]);
        assert_eq!((verdicts[0].mapping, &verdicts[0].what), (1, &What::Go));
        let none = FamilyRules { create_as: None, ..rules() };
        assert_eq!(resolve(&none, &[platform("p")], &[])[0].what, What::Skip(SkipReason::CreateOff));
    }
}
