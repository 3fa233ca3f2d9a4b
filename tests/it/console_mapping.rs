//! Mapping Settings as an admin uses it: a mapping from nothing, what is suggested, copied, moved and told before it is saved.

use forcesync::console::app::App;
use forcesync::console::app::effect::{Effect, Part};
use forcesync::console::app::message::{Hit, Msg};
use forcesync::console::app::overlay::Overlay;
use forcesync::domain::mapping::{Direction, Mapping, Policy};
use forcesync::domain::schema::ObjectEntry;
use forcesync::domain::side::Side;
use forcesync::domain::transform::Transform;
use forcesync::workspace::file::SettingsFile;
use forcesync::workspace::settings::Settings;
use insta::assert_snapshot;

use crate::console_stage::{console_of, full, picture, press, saved, type_text};

fn toast(app: &App) -> String {
    app.toasts.newest().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn mappings(app: &App) -> &[Mapping] {
    app.mapping.draft.now()
}

fn entry(name: &str, why: Option<&str>) -> ObjectEntry {
    ObjectEntry {
        name: name.into(),
        label: name.into(),
        why: why.map(str::to_owned),
        ..ObjectEntry::default()
    }
}

/// A console in which somebody chose the org's contact for a new mapping.
fn new_contact() -> App {
    let mut app = full();
    let effects = press(&mut app, "2 a");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::ListObjects)), "{effects:?}");
    let people = ObjectEntry {
        label: "Person Account".into(),
        criteria: Some("IsPersonAccount = true".into()),
        ..entry("Account", None)
    };
    let list = vec![
        entry("Contact", None),
        entry("Lead", Some("Lead can't be seen: the user that signs in has no right to read it.")),
        people,
    ];
    app.update(Msg::ObjectsListed(Ok(list)));
    app
}

#[test]
fn a_new_mapping_is_made_of_two_objects_and_the_pairs_that_are_suggested() {
    let mut app = new_contact();
    assert_snapshot!("object_picker", picture(&mut app, 80, 24));
    press(&mut app, "enter enter");
    assert_eq!(mappings(&app).len(), 3);
    assert!(matches!(app.overlays.last(), Some(Overlay::Suggest(_))));
    assert_snapshot!("suggestions", picture(&mut app, 100, 24));
    press(&mut app, "enter");
    let made = &mappings(&app)[2];
    assert_eq!((made.name.as_str(), made.platform_object.as_str()), ("contact_2", "contact"));
    assert!(made.pairs.iter().filter(|pair| pair.key).count() == 1);
    assert!(made.pairs.iter().any(|pair| pair.transform.is_consent()));
    assert!(toast(&app).starts_with("Added"), "{}", toast(&app));
    press(&mut app, "u u");
    assert_eq!(mappings(&app).len(), 2);
}

#[test]
fn a_suggestion_without_its_tick_is_not_added_by_key_or_by_mouse() {
    let mut app = new_contact();
    press(&mut app, "enter enter space");
    app.update(Msg::Press(Hit::OverlayRow(1)));
    let Some(Overlay::Suggest(suggest)) = app.overlays.last() else { panic!("no suggestions") };
    let left: Vec<_> = suggest.rows.iter().take(2).map(|(row, _)| row.pair.clone()).collect();
    let ticked = suggest.rows.iter().filter(|(_, ticked)| *ticked).count();
    assert_eq!(ticked, suggest.rows.len() - 2);
    press(&mut app, "enter");
    assert_eq!(mappings(&app)[2].pairs.len(), ticked);
    assert!(left.iter().all(|pair| !mappings(&app)[2].pairs.contains(pair)));
}

#[test]
fn f108_an_object_that_can_not_be_seen_says_why_and_is_not_taken() {
    let mut app = new_contact();
    press(&mut app, "down enter");
    assert!(toast(&app).contains("no right to read"), "{}", toast(&app));
    assert_eq!(mappings(&app).len(), 2);
}

#[test]
fn f62_a_person_account_is_an_account_with_its_condition() {
    let mut app = new_contact();
    type_text(&mut app, "person");
    press(&mut app, "enter enter");
    let made = &mappings(&app)[2];
    assert_eq!((made.name.as_str(), made.org_object.as_str()), ("person_account", "Account"));
    assert_eq!(made.org_criteria.as_deref(), Some("IsPersonAccount = true"));
}

#[test]
fn a_picker_shows_a_value_of_a_record_as_soon_as_one_was_read() {
    let mut app = full();
    let effects = press(&mut app, "2 tab a");
    let asked =
        |effect: &Effect| matches!(effect, Effect::Sample { side: Side::Org, object } if object == "Contact");
    assert!(effects.iter().any(asked), "{effects:?}");
    let values = [("MobilePhone".to_owned(), "+49 170 1234".to_owned())].into();
    app.update(Msg::Sampled { side: Side::Org, object: "Contact".into(), answer: Ok(values) });
    assert!(picture(&mut app, 120, 40).contains("+49 170 1234"));
    press(&mut app, "esc a");
    assert!(picture(&mut app, 120, 40).contains("+49 170 1234"), "it is remembered");
}

#[test]
fn f96_a_fixed_value_needs_no_field_of_the_org() {
    let mut app = full();
    press(&mut app, "2 tab a");
    type_text(&mut app, "fixed");
    press(&mut app, "enter");
    type_text(&mut app, "sf_status");
    press(&mut app, "enter");
    type_text(&mut app, "Prospect");
    press(&mut app, "enter");
    let pair = mappings(&app)[0].pairs.last().unwrap();
    assert_eq!(pair.transform, Transform::Constant("Prospect".into()));
    assert!(pair.org.is_empty() && pair.direction == Direction::ToPlatform);
}

#[test]
fn a_detail_that_nobody_has_yet_is_typed() {
    let mut app = full();
    press(&mut app, "2 tab a");
    type_text(&mut app, "vip");
    press(&mut app, "enter");
    type_text(&mut app, "SF_Vip");
    press(&mut app, "end enter");
    assert_eq!(mappings(&app)[0].pairs.last().unwrap().platform, ["details.SF_Vip"]);
    let bad = app.mapping.notes.iter().any(|note| note.message.contains("SF_Vip"));
    assert!(!bad, "{:?}", app.mapping.notes);
}

#[test]
fn fields_are_added_to_a_pair_and_taken_out_again() {
    let mut app = full();
    press(&mut app, "2 tab down down enter a");
    type_text(&mut app, "first");
    press(&mut app, "enter");
    assert_eq!(mappings(&app)[0].pairs[2].org, ["MobilePhone", "FirstName"]);
    press(&mut app, "D");
    assert_eq!(mappings(&app)[0].pairs[2].org, ["MobilePhone"]);
    press(&mut app, "D");
    assert!(toast(&app).contains("one field"), "{}", toast(&app));
}

#[test]
fn rules_are_typed_on_one_line_and_a_mistake_stays_in_its_prompt() {
    let mut app = full();
    press(&mut app, "2 tab down down enter down down down down enter");
    type_text(&mut app, "rules");
    press(&mut app, "enter down enter");
    type_text(&mut app, "trim | uper");
    press(&mut app, "enter");
    assert!(picture(&mut app, 80, 24).contains("did you mean “upper”?"));
    press(&mut app, "backspace backspace backspace");
    type_text(&mut app, "pper");
    press(&mut app, "enter");
    assert_snapshot!("rules_sheet", picture(&mut app, 80, 24));
    // What loses something has no way back, and says so beside its pair.
    let note = app.mapping.notes.iter().find(|note| note.pair == Some(2));
    assert!(note.is_some_and(|note| note.message.contains("to_org")), "{:?}", app.mapping.notes);
}

#[test]
fn f89_values_of_a_picklist_without_a_translation_stand_in_its_table() {
    let mut app = full();
    let Some(schema) = app.mapping.schemas.get_mut(&(Side::Org, "Contact".into())) else {
        panic!("no schema")
    };
    let mut described = schema.ready().unwrap().clone();
    for field in described.fields.iter_mut().filter(|field| field.name == "Status__c") {
        field.picklist = ["Gold", "Silver", "Iron"].map(str::to_owned).to_vec();
    }
    app.update(Msg::Described { side: Side::Org, object: "Contact".into(), answer: Ok(described) });
    let note = app.mapping.notes.iter().find(|note| note.pair == Some(4));
    assert!(note.is_some_and(|note| note.message.contains("“Iron”")), "{:?}", app.mapping.notes);
    press(&mut app, "2 tab end x down down enter");
    type_text(&mut app, "1");
    press(&mut app, "enter");
    let Transform::Table(table) = &mappings(&app)[0].pairs[4].transform else { panic!("no table") };
    assert_eq!(table.entries.get("Iron").map(String::as_str), Some("1"));
    assert!(app.mapping.notes.iter().all(|note| note.pair != Some(4)), "{:?}", app.mapping.notes);
}

#[test]
fn mappings_and_pairs_are_copied_and_moved() {
    let mut app = full();
    press(&mut app, "2 C");
    let names = |app: &App| mappings(app).iter().map(|mapping| mapping.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&app), ["contact", "contact_2", "lead"]);
    press(&mut app, ">");
    assert_eq!(names(&app), ["contact", "lead", "contact_2"]);
    press(&mut app, "< < <");
    assert_eq!(names(&app), ["contact_2", "contact", "lead"]);
    press(&mut app, "down tab > >");
    assert_eq!(mappings(&app)[1].pairs[2].org, ["Email"]);
    press(&mut app, "C");
    assert_eq!(mappings(&app)[1].pairs[3].org, ["Email"]);
    let writers = app.mapping.notes.iter().any(|note| note.message.contains("written by two pairs"));
    assert!(writers, "{:?}", app.mapping.notes);
}

#[test]
fn saving_tells_what_changes_in_meanings_and_asks() {
    let mut app = full();
    press(&mut app, "2 tab down down o o d");
    assert!(press(&mut app, "ctrl+s").is_empty());
    let shown = picture(&mut app, 100, 24);
    assert!(shown.contains("contact, MobilePhone ⇄ phone: Salesforce wins → newest wins"), "{shown}");
    assert_snapshot!("save_question", shown);
    assert!(press(&mut app, "enter").is_empty(), "Enter right after the question changes nothing");
    press(&mut app, "ctrl+s");
    let effects = press(&mut app, "y");
    let [Effect::Save { part: Part::Mapping, settings, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(settings.mappings[0].pairs[2].policy, Policy::NewestWins);
    let settings = settings.as_ref().clone();
    saved(&mut app, Part::Mapping, settings);
    assert!(!app.unsaved(forcesync::console::app::tab::Tab::Mapping));
}

/// F153: one answer saves and goes on to the question about the run that brings all records to what was saved.
#[test]
fn saving_can_go_on_to_the_run_that_brings_all_records_to_it() {
    let mut app = full();
    press(&mut app, "2 tab down down o o d ctrl+s");
    let effects = press(&mut app, "s");
    let [Effect::Save { part: Part::Mapping, settings, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let settings = settings.as_ref().clone();
    assert!(app.overlays.is_empty(), "nothing is asked before it is saved");
    saved(&mut app, Part::Mapping, settings);
    let shown = picture(&mut app, 100, 24);
    assert!(shown.contains("Kick off an initial sync?"), "{shown}");
    assert_eq!(app.tab, forcesync::console::app::tab::Tab::Sync);
    press(&mut app, "n");
    assert!(app.overlays.is_empty());
}

#[test]
fn what_would_make_runs_do_wrong_is_not_saved_and_its_pair_is_shown() {
    let mut app = full();
    press(&mut app, "2 tab end C 1 2");
    press(&mut app, "home");
    assert!(press(&mut app, "ctrl+s").is_empty());
    assert!(app.overlays.is_empty());
    assert!(toast(&app).contains("written by two pairs"), "{}", toast(&app));
    assert_eq!(app.mapping.row.place(6), 5);
}

/// A settings file as somebody keeps it: with comments, an own order, own spacing, and tables on one line.
const KEPT: &str = r#"# Our sync. Ask Ann before you change it.
[workspace]
name = "acme-eu"   # the EU org

[salesforce]
my_domain = "https://acme.my.salesforce.com"
client_id = '3MVG'

[platform.salesmanago]
endpoint = "https://app2.salesmanago.com"
client_id = "acme"
owner = "ann@acme.example"

# People with an account.
[[mapping]]
name = "contact"
org_object = "Contact"
platform_object = "contact"

  # The key.
  [[mapping.pair]]
  org = "Email"
  platform = "email"
  key = true

  # Marketing asked for this one (2025-03).
  [[mapping.pair]]
  platform = "phone"
  org   =   "MobilePhone"   # not Phone

  [[mapping.pair]]
  org = "HasOptedOutOfEmail"
  platform = "optedOut"
  transform = { consent = { org = "opt_out_flag", platform = "opt_out" } }

[[mapping]]
name = "lead"
enabled = false  # until June
org_object = "Lead"
platform_object = "contact"
pair = [ { org = "Email", platform = "email", key = true }, ]
"#;

#[test]
fn n17_an_edit_of_one_pair_changes_the_lines_of_that_pair_alone() {
    let first = KEPT.lines().position(|line| line.contains("Marketing asked")).unwrap();
    let last = KEPT.lines().position(|line| line.contains("not Phone")).unwrap() + 1;
    for keys in ["d", "o", "d o", "space", "enter down down down down space"] {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("forcesync.toml");
        std::fs::write(&path, KEPT).unwrap();
        let mut file = SettingsFile::load(&path).unwrap();
        assert_eq!(file.problems(), []);
        let mut app = console_of(file.settings().clone());
        press(&mut app, "2 tab down");
        press(&mut app, keys);
        let changed = Settings { mappings: mappings(&app).to_vec(), ..file.settings().clone() };
        file.save(&changed).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        let (old, new): (Vec<&str>, Vec<&str>) = (KEPT.lines().collect(), written.lines().collect());
        let same = |(one, other): &(&&str, &&str)| one == other;
        let before = old.iter().zip(&new).take_while(same).count();
        let after = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
        assert_ne!(old, new, "{keys}");
        assert!(before >= first && old.len() - after <= last, "{keys}: {written}");
        assert!(written.contains("# not Phone") && written.contains("# until June"), "{keys}: {written}");
    }
}

/// Who has written out a name that nothing listed begins with means a new field, not one that is merely like it.
#[test]
fn a_name_that_is_written_out_is_offered_before_what_is_like_it() {
    let chosen = |typed: &str| {
        let mut app = full();
        press(&mut app, "2 right a");
        type_text(&mut app, "VIP__c");
        press(&mut app, "enter");
        type_text(&mut app, typed);
        let Some(Overlay::Picker(picker)) = app.overlays.last() else { panic!("the picker is open") };
        picker.selected().map(|item| item.id.clone()).unwrap_or_default()
    };
    assert_eq!(chosen("details.Sttus"), "details.Sttus");
    assert_eq!(chosen("details.SF_St"), "details.SF_Status");
    assert_eq!(chosen("sfstat"), "details.SF_Status");
}
