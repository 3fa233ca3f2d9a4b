//! Whether what both sides of a linked record last held agrees with a pair as it is now written.

use crate::domain::canonical::{Form, canonical};
use crate::domain::mapping::Pair;
use crate::domain::side::{PerSide, Side};
use crate::domain::transform::Transform;
use crate::domain::value::Value;

/// Whether the two sides hold what the pair would not make of one another; `None` where values alone don't tell: consent knows more
/// than two values, and a reference is the other record's id.
pub fn differs(pair: &Pair, forms: &PerSide<Vec<Form>>, held: &PerSide<Vec<Value>>) -> Option<bool> {
    if matches!(pair.transform, Transform::Consent { .. } | Transform::Reference(_)) {
        return None;
    }
    let target = if pair.direction.allows(Side::Platform) { Side::Platform } else { Side::Org };
    let source = target.other();
    if held[source].len() != pair.fields(source).len() || held[target].len() != pair.fields(target).len() {
        return None;
    }
    let width = pair.fields(target).len();
    let Ok(made) = pair.transform.apply(&held[source], target, width, Some(&held[target])) else {
        // What can't be turned becomes an issue, so it does not agree.
        return Some(true);
    };
    let form = |place: usize| forms[target].get(place).copied().unwrap_or_default();
    let agrees = made.len() == width
        && made
            .iter()
            .zip(&held[target])
            .enumerate()
            .all(|(place, (made, held))| canonical(form(place), made) == canonical(form(place), held));
    Some(!agrees)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::mapping::{Direction, Drift, Policy};
    use crate::domain::transform::Table;

    fn pair(transform: Transform, direction: Direction) -> Pair {
        Pair {
            org: vec!["Status__c".into()],
            platform: vec!["status".into()],
            direction,
            key: false,
            policy: Policy::default(),
            transform,
            drift: Drift::default(),
            doubts_accepted: false,
        }
    }

    fn held(org: &str, platform: &str) -> PerSide<Vec<Value>> {
        PerSide { org: vec![Value::text(org)], platform: vec![Value::text(platform)] }
    }

    #[test]
    fn equal_values_agree_and_others_differ() {
        let copy = pair(Transform::Copy, Direction::Both);
        let forms = PerSide::default();
        assert_eq!(differs(&copy, &forms, &held("a", " a ")), Some(false));
        assert_eq!(differs(&copy, &forms, &held("a", "b")), Some(true));
    }

    #[test]
    fn a_changed_translation_is_counted_by_what_it_would_make() {
        let entries = BTreeMap::from([("Gold".to_owned(), "3".to_owned())]);
        let table = Transform::Table(Table { entries, otherwise: None, otherwise_org: None });
        let pair = pair(table, Direction::ToPlatform);
        assert_eq!(differs(&pair, &PerSide::default(), &held("Gold", "3")), Some(false));
        assert_eq!(differs(&pair, &PerSide::default(), &held("Gold", "2")), Some(true));
        assert_eq!(
            differs(&pair, &PerSide::default(), &held("Tin", "2")),
            Some(true),
            "it has no translation"
        );
    }

    #[test]
    fn a_pair_that_only_writes_to_the_org_is_looked_at_that_way() {
        let constant = pair(Transform::Constant("Prospect".into()), Direction::ToOrg);
        assert_eq!(differs(&constant, &PerSide::default(), &held("Prospect", "x")), Some(false));
        assert_eq!(differs(&constant, &PerSide::default(), &held("Klant", "x")), Some(true));
    }

    #[test]
    fn references_are_left_out() {
        let reference = pair(Transform::Reference("company".into()), Direction::Both);
        assert_eq!(differs(&reference, &PerSide::default(), &held("001", "c1")), None);
    }
}
