//! Owners and record types by table (N25): translated both ways, told where they are not listed, picked and shown by their names.

use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::app::overlay::Overlay;
use forcesync::console::app::tab::Tab;
use forcesync::domain::mapping::Pair;
use forcesync::domain::promotion::IdKind;
use forcesync::domain::schema::{FieldKind, FieldSchema};
use forcesync::domain::side::Side;
use forcesync::ops::directory::{self, Named};
use insta::assert_snapshot;
use serde_json::json;

use crate::console_stage::{full, picture, press, type_text};
use crate::scenario_stage::{Scene, map};

fn pair(text: &str) -> Pair {
    toml::from_str(text).unwrap()
}

/// Leads that are linked, by id and address.
fn leads(scene: &Scene) -> Vec<(String, String)> {
    let rows = scene.sandbox().org().rows("Lead");
    let text = |row: &serde_json::Map<String, serde_json::Value>, name: &str| {
        Some(row.get(name)?.as_str()?.to_owned())
    };
    rows.iter()
        .filter(|row| row["IsConverted"] == json!(false))
        .filter_map(|row| Some((text(row, "Id")?, text(row, "Email")?)))
        .filter(|(_, email)| scene.sandbox().salesmanago().contact(email).is_some())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n25_owners_follow_a_table_and_what_it_lacks_is_told() {
    let scene = Scene::synced().await;
    let org = scene.sandbox().org();
    let partner = org.seed_row(
        "RecordType",
        &map(json!({"Name": "Partner", "DeveloperName": "Partner", "SobjectType": "Lead", "IsActive": true})),
    );
    let everybody = [IdKind::User, IdKind::Group, IdKind::RecordType];
    let named = directory::all(scene.session(), "Lead", &everybody).await.unwrap();
    let id = |label: &str| named.iter().find(|named| named.label == label).map(|named| named.id.clone());
    let (marta, queue, ada) =
        (id("Marta Lindqvist").unwrap(), id("Unassigned leads").unwrap(), id("Ada Novak").unwrap());
    assert_eq!((id("Partner").as_ref(), id("Former Colleague")), (Some(&partner), None));
    assert_eq!(directory::all(scene.session(), "Contact", &[IdKind::RecordType]).await.unwrap(), []);

    let owner = pair(&format!(
        "org = 'OwnerId'\nplatform = 'details.Owner'\ntransform = {{ table = {{ entries = {{ {marta} = 'marta', {queue} = 'pool' }} }} }}"
    ));
    scene
        .set(|settings| {
            let lead = settings.mappings.iter_mut().find(|mapping| mapping.name == "lead").unwrap();
            lead.pairs.push(owner);
        })
        .await;
    let leads = leads(&scene);
    scene.org_update("Lead", &leads[0].0, json!({"OwnerId": queue}));
    scene.org_update("Lead", &leads[1].0, json!({"OwnerId": ada}));
    scene.unbraked(forcesync::domain::outcome::RunKind::Initial).await;
    let first = scene.contact(&leads[0].1).to_string();
    assert!(first.contains("\"pool\""), "{first}");
    let issues = scene.issues().await;
    assert!(issues.iter().any(|issue| issue.code == "unmapped_value"), "{issues:?}");

    scene.platform_upsert(json!({"email": leads[0].1, "properties": {"Owner": "marta"}}));
    scene.unbraked(forcesync::domain::outcome::RunKind::Instant).await;
    assert_eq!(scene.org_row("Lead", &leads[0].0)["OwnerId"], json!(marta));
}

fn named(id: &str, kind: IdKind, label: &str) -> Named {
    Named { id: id.into(), kind, name: label.to_lowercase(), label: label.into(), object: None }
}

#[test]
fn n25_an_owner_is_picked_by_name_for_a_translation_and_shown_by_it() {
    let (ann, pool) = ("0055g00000AbCdEAAV", "00G5g000000QueAAAE");
    let mut app = full();
    app.go_to(Tab::Mapping);
    let owner = FieldSchema {
        name: "Status__c".into(),
        label: "Owner".into(),
        kind: FieldKind::Reference,
        references: vec!["Group".into(), "User".into()],
        createable: true,
        updateable: true,
        ..FieldSchema::default()
    };
    let known = app.mapping.schemas.get_mut(&(Side::Org, "Contact".to_owned())).unwrap();
    let forcesync::console::app::model::Load::Ready(schema) = known else { panic!("described") };
    schema.fields.retain(|field| field.name != "Status__c");
    schema.fields.push(owner);

    press(&mut app, "right G");
    let effects = press(&mut app, "x");
    let [Effect::ListNames(of)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(
        (of.object.as_str(), of.kinds.as_slice()),
        ("Contact", [IdKind::User, IdKind::Group].as_slice())
    );
    let names = vec![named(ann, IdKind::User, "Ann Lee"), named(pool, IdKind::Group, "Pool")];
    app.update(Msg::NamesListed(of.clone(), Ok(names)));
    press(&mut app, "a");
    assert!(matches!(app.overlays.last(), Some(Overlay::Picker(_))));
    assert_snapshot!("names_80x24", picture(&mut app, 80, 24));
    type_text(&mut app, "pool");
    press(&mut app, "enter");
    assert!(picture(&mut app, 80, 24).contains(&format!("{pool} = ")));
    type_text(&mut app, "team");
    press(&mut app, "enter");
    assert_snapshot!("names_table_60x20", picture(&mut app, 60, 20));
    assert!(press(&mut app, "esc x").is_empty(), "names are asked for once");
}
