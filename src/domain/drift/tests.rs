use super::*;
use crate::domain::schema::FieldKind;

fn field(name: &str) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        label: name.into(),
        length: Some(80),
        createable: true,
        updateable: true,
        ..FieldSchema::default()
    }
}

fn object(name: &str, fields: &[&str]) -> ObjectSchema {
    ObjectSchema {
        name: name.into(),
        label: name.into(),
        createable: true,
        updateable: true,
        readable: true,
        fields: fields.iter().map(|name| field(name)).collect(),
    }
}

fn both() -> PerSide<ObjectSchema> {
    PerSide {
        org: object("Contact", &["Email", "Phone", "Title", "LastName"]),
        platform: object("contact", &["email", "phone", "title", "name"]),
    }
}

fn mapping() -> Mapping {
    toml::from_str(
        r#"
        name = "contact"
        org_object = "Contact"
        platform_object = "contact"
        create_in_org = true
        org_criteria = "Title != 'x'"
        pair = [
            { org = "Email", platform = "email", key = true },
            { org = "Phone", platform = "phone" },
            { org = "LastName", platform = "name" },
        ]
        "#,
    )
    .unwrap()
}

fn judged(change: impl FnOnce(&mut PerSide<ObjectSchema>)) -> Judged {
    let accepted = both();
    let mut now = both();
    change(&mut now);
    judge(&mapping(), Some(&accepted), &now.map(|schema| vec![schema]))
}

fn told(judged: &Judged) -> Vec<(Effect, DriftKind, &str)> {
    judged.findings.iter().map(|finding| (finding.effect, finding.kind, finding.field.as_str())).collect()
}

fn lose(object: &mut ObjectSchema, name: &str) {
    object.fields.retain(|field| field.name != name);
}

fn of<'a>(object: &'a mut ObjectSchema, name: &str) -> &'a mut FieldSchema {
    object.fields.iter_mut().find(|field| field.name == name).unwrap()
}

#[test]
fn e13_what_is_as_it_was_accepted_is_no_drift() {
    let judged = judged(|_| {});
    assert!(judged.runs() && judged.findings.is_empty(), "{judged:?}");
    assert_eq!(judged.mapping, mapping());
}

#[test]
fn e13_a_lost_plain_field_parks_its_pair_and_no_other() {
    for side in Side::BOTH {
        let lost = judged(|now| lose(&mut now[side], if side == Side::Org { "Phone" } else { "phone" }));
        let name = if side == Side::Org { "Phone" } else { "phone" };
        assert_eq!(told(&lost), [(Effect::Parks, DriftKind::FieldGone, name)]);
        assert!(lost.runs());
        assert_eq!(lost.mapping.pairs.len(), 2);
        assert!(lost.findings[0].message.contains(name), "{lost:?}");
        assert!(!lost.findings[0].acceptable());
    }
}

#[test]
fn e13_a_field_that_can_not_be_written_any_more_parks_its_pair() {
    let lost = judged(|now| of(&mut now.org, "Phone").updateable = false);
    assert_eq!(told(&lost), [(Effect::Parks, DriftKind::NotWritable, "Phone")]);
}

#[test]
fn e13_a_lost_key_stops_the_mapping_and_so_do_criteria_and_the_object() {
    let key = judged(|now| lose(&mut now.org, "Email"));
    assert_eq!(told(&key)[0], (Effect::Stops, DriftKind::FieldGone, "Email"));
    assert!(!key.runs());
    let criteria = judged(|now| lose(&mut now.org, "Title"));
    assert_eq!(told(&criteria)[0], (Effect::Stops, DriftKind::FieldGone, "Title"));
    let accepted = both();
    let gone = judge(
        &mapping(),
        Some(&accepted),
        &PerSide { org: Vec::new(), platform: vec![accepted.platform.clone()] },
    );
    assert_eq!(told(&gone)[0], (Effect::Stops, DriftKind::ObjectGone, ""));
}

#[test]
fn e13_a_field_that_is_required_since_stops_the_mapping_unless_a_pair_fills_it() {
    let lost = judged(|now| of(&mut now.org, "Title").required = true);
    assert_eq!(told(&lost), [(Effect::Stops, DriftKind::Required, "Title")]);
    let filled = judged(|now| of(&mut now.org, "LastName").required = true);
    assert_eq!(told(&filled), [(Effect::Warns, DriftKind::Required, "LastName")]);
    assert!(filled.runs());
    // A parked pair that fills a required field takes the mapping with it.
    let both = judged(|now| {
        of(&mut now.org, "LastName").required = true;
        lose(&mut now.platform, "name");
    });
    assert!(!both.runs(), "{both:?}");
}

#[test]
fn e13_another_type_or_a_shorter_field_waits_for_a_person_and_more_room_or_new_fields_are_only_told() {
    let kind = judged(|now| of(&mut now.org, "Phone").kind = FieldKind::Number);
    assert_eq!(told(&kind), [(Effect::Parks, DriftKind::TypeChanged, "Phone")]);
    assert!(kind.findings[0].acceptable());
    let shorter = judged(|now| of(&mut now.org, "Phone").length = Some(20));
    assert_eq!(told(&shorter), [(Effect::Parks, DriftKind::Shorter, "Phone")]);
    let longer = judged(|now| of(&mut now.org, "Phone").length = Some(255));
    assert_eq!(told(&longer), [(Effect::Tells, DriftKind::Longer, "Phone")]);
    let new = judged(|now| now.org.fields.push(field("Nickname__c")));
    assert_eq!(told(&new), [(Effect::Tells, DriftKind::NewFields, "")]);
    assert!(longer.runs() && new.runs() && new.mapping.pairs.len() == 3);
}

#[test]
fn e13_a_picklist_that_is_restricted_since_warns() {
    let restricted = judged(|now| {
        let phone = of(&mut now.org, "Phone");
        phone.restricted = true;
        phone.picklist = vec!["1".into(), "2".into()];
    });
    assert_eq!(told(&restricted), [(Effect::Warns, DriftKind::Restricted, "Phone")]);
    assert_eq!(restricted.mapping.pairs.len(), 3);
}

#[test]
fn e13_accepting_ends_what_it_can_and_nothing_else() {
    let accepted = both();
    let mut now = both();
    of(&mut now.org, "Phone").kind = FieldKind::Number;
    lose(&mut now.platform, "name");
    of(&mut now.org, "Title").required = true;
    let after = accept(&mapping(), &accepted, &now);
    let judged = judge(&mapping(), Some(&after), &now.map(|schema| vec![schema]));
    let left = told(&judged);
    assert!(left.contains(&(Effect::Parks, DriftKind::FieldGone, "name")), "{left:?}");
    assert!(left.contains(&(Effect::Stops, DriftKind::Required, "Title")), "{left:?}");
    assert!(left.iter().all(|(_, kind, _)| *kind != DriftKind::TypeChanged), "{left:?}");
}

#[test]
fn e13_a_wrong_name_is_no_drift_but_wrong_settings() {
    let accepted = both();
    let mut wrong = mapping();
    wrong.pairs[1].org = vec!["Fone".into()];
    let judged = judge(&wrong, Some(&accepted), &accepted.clone().map(|schema| vec![schema]));
    assert!(!judged.runs());
    assert_eq!((judged.findings.len(), judged.problems.len()), (0, 1), "{judged:?}");
}

#[test]
fn a_print_is_that_of_the_footprint_and_changes_with_everything_a_mapping_may_notice() {
    let print = |side: Side, schema: &ObjectSchema| {
        print_now(&mapping(), side, std::slice::from_ref(schema)).unwrap()
    };
    for side in Side::BOTH {
        let schema = both()[side].clone();
        let known = print(side, &schema);
        let kept = footprint(&mapping(), side, std::slice::from_ref(&schema)).unwrap();
        assert_eq!(super::print(&kept), known);
        let changes: [fn(&mut ObjectSchema); 6] = [
            |schema| schema.createable = false,
            |schema| drop(schema.fields.pop()),
            |schema| schema.fields[1].updateable = false,
            |schema| schema.fields[1].length = Some(40),
            |schema| schema.fields[1].picklist.push("A".into()),
            |schema| schema.fields[1].kind = FieldKind::Phone,
        ];
        for change in changes {
            let mut changed = schema.clone();
            change(&mut changed);
            assert_ne!(print(side, &changed), known);
        }
    }
    assert_eq!(print_now(&mapping(), Side::Org, &[]), None);
}
