//! What the console's tests stand on: a state full of data, a picture of it as text, and a session typed key by key.

mod inboxes;

use chrono::{DateTime, TimeDelta, Utc};
use forcesync::console::app::action::Action;
use forcesync::console::app::effect::Effect;
use forcesync::console::app::key::Key;
use forcesync::console::app::keymap::Keymap;
use forcesync::console::app::message::{Msg, SettingsRead};
use forcesync::console::app::model::{Access, Engine, OrgSummary, SecretPlace, TestReport, Zone};
use forcesync::console::app::{App, Look, Start};
use forcesync::console::view::canvas::Canvas;
use forcesync::console::view::draw;
use forcesync::console::view::theme::{Theme, ThemeChoice};
use forcesync::domain::drift::{DriftKind, Effect as Hit, Finding};
use forcesync::domain::outcome::{Counts, RunKind, RunResult, SideCounts};
use forcesync::domain::progress::{EngineState, MappingProgress, Phase, Progress};
use forcesync::domain::record::RecordId;
use forcesync::domain::report::{
    CheckLine, DriftRow, FactRow, FirstSync, Level, RunRow, StatusReport, Unequal, Verdict,
};
use forcesync::domain::schema::{FieldKind, FieldSchema, ObjectSchema};
use forcesync::domain::side::{PerSide, Side};
use forcesync::workspace::secrets::SecretName;
use forcesync::workspace::settings::Settings;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use inboxes::groups;
pub use inboxes::{conflicts, deletion, issue_form, issue_opened, issues};

/// What must never be drawn, copied or logged.
pub const SECRET: &str = "hunter2-marker";

/// The present moment of all pictures: 2026-11-22 14:05:12 UTC.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_356_312, 0).unwrap()
}

const SETTINGS: &str = r#"
[workspace]
name = "acme-eu"

[salesforce]
environment = "production"
my_domain = "https://acme.my.salesforce.com"
sign_in = "username_password"
username = "sync@acme.example"
client_id = "3MVG9lKcPoNINVBIPJjdw1J9LLM82Hn"

[platform]
kind = "salesmanago"

[platform.salesmanago]
endpoint = "https://app2.salesmanago.com"
client_id = "2rdofxpi6y4nohsy"
owner = "ann@acme.example"
account_name = "Web leads"
account_id = "001xx000003DGb2AAG"

[schedule]
every = "5m"

[[mapping]]
name = "contact"
org_object = "Contact"
platform_object = "contact"
org_criteria = "Email != null"

[[mapping.pair]]
org = "Email"
platform = "email"
key = true
policy = "newest_wins"

[[mapping.pair]]
org = ["FirstName", "LastName"]
platform = "name"
transform = "full_name"

[[mapping.pair]]
org = "MobilePhone"
platform = "phone"

[[mapping.pair]]
org = "HasOptedOutOfEmail"
platform = "optedOut"
transform = { consent = { org = "opt_out_flag", platform = "opt_out" } }

[[mapping.pair]]
org = "Status__c"
platform = "details.SF_Status"
direction = "to_platform"
transform = { table = { entries = { Gold = "3", Silver = "2" } } }

[[mapping]]
name = "lead"
org_object = "Lead"
platform_object = "contact"
enabled = false

[[mapping.pair]]
org = "Email"
platform = "email"
key = true
"#;

/// The settings of all pictures.
pub fn settings() -> Settings {
    toml::from_str(SETTINGS).unwrap()
}

/// A console of a new workspace: nothing set, nothing known.
pub fn empty() -> App {
    stage(Settings::default(), Look::default())
}

fn stage(settings: Settings, look: Look) -> App {
    App::new(Start {
        settings,
        problems: Vec::new(),
        folder: "/home/ann/acme".into(),
        access: Access::ReadWrite,
        look,
        zone: Zone::Universal,
        keymap: Keymap::built_in().unwrap(),
        now: now(),
    })
}

/// A console of these settings, both sides of which have passed a test.
pub fn console_of(settings: Settings) -> App {
    let mut app = stage(settings, Look::default());
    app.update(Msg::Unlocked(PerSide { org: true, platform: true }));
    app
}

/// A console in full use: both sides tested, two mappings, runs, issues, a log.
pub fn full() -> App {
    full_with(Look::default())
}

/// As [`full`], with another look.
pub fn full_with(look: Look) -> App {
    let mut app = stage(settings(), look);
    app.update(Msg::Tick(now()));
    let places = vec![
        (SecretName::SalesforcePassword, SecretPlace::Keyring),
        (SecretName::SalesforceSecurityToken, SecretPlace::Absent),
        (SecretName::SalesforceClientSecret, SecretPlace::Vault),
        (SecretName::SalesmanagoApiSecret, SecretPlace::Environment),
    ];
    app.update(Msg::SecretPlaces(places));
    app.update(Msg::Engine(Engine::Here));
    app.update(Msg::Unlocked(PerSide { org: true, platform: true }));
    app.update(Msg::Tested(Side::Org, Ok(org_test())));
    app.update(Msg::Tested(Side::Platform, Ok(platform_test())));
    for (side, object) in [(Side::Org, "Contact"), (Side::Platform, "contact")] {
        let answer = Ok(schema(side));
        app.update(Msg::Described { side, object: object.into(), answer });
    }
    app.update(Msg::Status(Ok(Box::new(status()))));
    app.update(Msg::IssueGroups(Ok(groups())));
    app.update(Msg::Runs { before: None, answer: Ok(runs()) });
    let generation = app.logs.generation;
    let purpose = forcesync::console::app::effect::LogPurpose::Fresh;
    app.update(Msg::Log { purpose, generation, answer: Ok(facts()) });
    while app.toasts.dismiss() {}
    app
}

/// As [`full`], with a run on its way.
pub fn running() -> App {
    let mut app = full();
    start_running(&mut app);
    app
}

/// Puts a run on its way: four looks at it, a second apart.
pub fn start_running(app: &mut App) {
    for second in 0..4_u64 {
        let at = now() + TimeDelta::seconds(second as i64);
        app.update(Msg::Tick(at));
        app.update(Msg::Progress(Box::new(progress(100 + second * 412))));
    }
}

fn progress(done: u64) -> Progress {
    let counts = Counts {
        read: 1_560,
        unchanged: 912,
        skipped: 1,
        salesforce: SideCounts { created: 3, updated: 88, deleted: 0, calls: 5 },
        platform: SideCounts { created: 0, updated: 200, deleted: 0, calls: 2 },
        ..Counts::default()
    };
    Progress {
        state: EngineState::Running,
        run: Some(118),
        kind: Some(RunKind::Instant),
        phase: Phase::Writing,
        started: Some(now()),
        mappings: vec![
            MappingProgress {
                mapping: "contact".into(),
                title: "Contact ⇄ contact".into(),
                done,
                total: Some(1_560),
                counts,
            },
            MappingProgress {
                mapping: "lead".into(),
                title: "Lead ⇄ contact".into(),
                total: Some(240),
                ..MappingProgress::default()
            },
        ],
        counts,
        api_budget: Some((12_410, 100_000)),
        automatic: true,
        next_automatic: Some(now() + TimeDelta::seconds(190)),
        facts: 7,
        ..Progress::default()
    }
}

fn check(verdict: Verdict, message: &str, field: Option<&str>) -> CheckLine {
    CheckLine { verdict, subject: "salesforce".into(), message: message.into(), field: field.map(Into::into) }
}

fn org_test() -> TestReport {
    TestReport {
        passed: true,
        lines: vec![
            check(Verdict::Good, "Signed in as sync@acme.example.", None),
            check(Verdict::Good, "Contact: read, create, update.", None),
            check(Verdict::Warning, "Lead: no field permission on Company__c.", None),
        ],
        owners: Vec::new(),
        org: Some(OrgSummary {
            id: "00Dxx0000001gEREAY".into(),
            name: "Acme GmbH".into(),
            edition: "Enterprise Edition".into(),
            sandbox: false,
            user: "sync@acme.example".into(),
        }),
        api_budget: Some((12_410, 100_000)),
    }
}

fn platform_test() -> TestReport {
    TestReport {
        passed: true,
        lines: vec![check(Verdict::Good, "2 owners found.", None)],
        owners: vec!["ann@acme.example".into(), "bob@acme.example".into()],
        org: None,
        api_budget: None,
    }
}

/// What a failed test says, with a field to blame.
pub fn failed_test() -> TestReport {
    TestReport {
        passed: false,
        lines: vec![check(
            Verdict::Bad,
            "INVALID_LOGIN: the user name or password is wrong; check both, and the security token.",
            Some("salesforce.password"),
        )],
        ..TestReport::default()
    }
}

fn field(name: &str, label: &str, kind: FieldKind, length: Option<u32>) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        label: label.into(),
        kind,
        length,
        createable: true,
        updateable: true,
        ..FieldSchema::default()
    }
}

fn schema(side: Side) -> ObjectSchema {
    let (name, fields) = match side {
        Side::Org => (
            "Contact",
            vec![
                field("Email", "Email", FieldKind::Email, Some(80)),
                field("FirstName", "First Name", FieldKind::Text, Some(40)),
                FieldSchema { required: true, ..field("LastName", "Last Name", FieldKind::Text, Some(80)) },
                field("MobilePhone", "Mobile", FieldKind::Phone, Some(40)),
                field("HasOptedOutOfEmail", "Email Opt Out", FieldKind::Bool, None),
                field("Status__c", "Status", FieldKind::Picklist, Some(255)),
                FieldSchema {
                    createable: false,
                    updateable: false,
                    ..field("VIP__c", "VIP", FieldKind::Bool, None)
                },
            ],
        ),
        Side::Platform => (
            "contact",
            vec![
                field("email", "E-mail", FieldKind::Email, Some(254)),
                field("name", "Name", FieldKind::Text, Some(255)),
                field("phone", "Phone", FieldKind::Phone, None),
                field("optedOut", "Opted out", FieldKind::Bool, None),
                field("details.SF_Status", "SF_Status", FieldKind::Text, None),
            ],
        ),
    };
    ObjectSchema {
        name: name.into(),
        label: name.into(),
        createable: true,
        updateable: true,
        readable: true,
        fields,
    }
}

pub fn status() -> StatusReport {
    StatusReport {
        first_sync: FirstSync::Done { at: now() - TimeDelta::days(10) },
        issues: 2,
        issue_groups: 1,
        pending: 0,
        conflicts: 0,
        links: 20_119,
        last_synchronization: Some(now() - TimeDelta::minutes(1)),
        last_update: Some(now() - TimeDelta::minutes(25)),
        last_run: None,
        ..StatusReport::default()
    }
}

/// The status of a workspace in which much is not as it was accepted.
pub fn drifted() -> StatusReport {
    let mapping = settings().mappings[0].clone();
    let finding = |place: usize, kind: DriftKind, effect: Hit, message: &str| DriftRow {
        drift: place as i64 + 1,
        finding: Finding {
            mapping: mapping.name.clone(),
            side: Side::Org,
            object: mapping.org_object.clone(),
            field: mapping.pairs[place].org.first().cloned().unwrap_or_default(),
            pair: mapping.pairs[place].identity(),
            name: mapping.pairs[place].name(),
            kind,
            effect,
            cause: forcesync::domain::compiled::Cause::Right,
            message: message.into(),
        },
        acceptable: kind == DriftKind::Shorter,
        since: now() - TimeDelta::hours(1),
        run: 117,
    };
    StatusReport {
        drift: vec![
            finding(
                2,
                DriftKind::FieldGone,
                Hit::Parks,
                "Salesforce does not show the field to this user any more",
            ),
            finding(4, DriftKind::Shorter, Hit::Parks, "The field takes 20 characters now; it took 40"),
        ],
        unaccepted: vec![mapping.name.clone()],
        unequal: Some(Unequal { what: "sandbox org and a live platform".into(), confirmed: false }),
        ..status()
    }
}

fn runs() -> Vec<RunRow> {
    let row = |run: i64, kind, minutes: i64, result, counts: Counts| RunRow {
        run,
        kind,
        started: now() - TimeDelta::minutes(minutes),
        finished: Some(now() - TimeDelta::minutes(minutes) + TimeDelta::seconds(4)),
        result: Some(result),
        message: None,
        counts,
        mappings: Vec::new(),
    };
    let updated = |updated: u64, failed: u64| Counts {
        read: updated + failed,
        failed,
        salesforce: SideCounts { updated, calls: 3, ..SideCounts::default() },
        ..Counts::default()
    };
    vec![
        row(117, RunKind::Automatic, 5, RunResult::Succeeded, updated(12, 0)),
        row(116, RunKind::Automatic, 10, RunResult::Succeeded, Counts::default()),
        row(115, RunKind::Initial, 60, RunResult::PartlyFailed, updated(1_204, 2)),
    ]
}

/// A log line.
pub fn fact(sequence: i64, level: Level, message: &str) -> FactRow {
    FactRow {
        sequence,
        at: now() - TimeDelta::seconds(60 - sequence),
        level,
        run: Some(117),
        mapping: Some("contact".into()),
        ids: PerSide { org: Some(RecordId::from("003xx000004TmiQAAS")), platform: None },
        message: message.into(),
        detail: Some(serde_json::json!({ "call": "POST /composite/sobjects", "status": 200 })),
    }
}

fn facts() -> Vec<FactRow> {
    vec![
        fact(3, Level::Warn, "Lead 00Qxx0000012345AAA: REQUIRED_FIELD_MISSING Company."),
        fact(2, Level::Info, "Contact: 1,560 changes read in 1 call."),
        fact(1, Level::Info, "Run started: instant, since 14:00:02."),
    ]
}

/// Presses keys, spelt as in the key map and separated by blanks; gives all effects.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.split(' ').flat_map(|key| app.update(Msg::Key(Key::parse(key).unwrap()))).collect()
}

/// Types a text.
pub fn type_text(app: &mut App, text: &str) {
    for letter in text.chars() {
        app.update(Msg::Key(Key::plain(crossterm::event::KeyCode::Char(letter))));
    }
}

/// Does an action.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    app.act(action)
}

/// Tells the console that its settings were saved.
pub fn saved(app: &mut App, part: forcesync::console::app::effect::Part, settings: Settings) -> Vec<Effect> {
    app.update(Msg::Saved(part, Ok(Box::new(SettingsRead { settings, problems: Vec::new() }))))
}

/// The cells of a console.
pub fn cells(app: &App, columns: u16, rows: u16, theme: ThemeChoice) -> Buffer {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::built_in(theme);
    let mut canvas = Canvas::new(&mut buffer, &theme, app.look);
    draw(app, &mut canvas, area);
    buffer
}

/// A console as text, one line a row, without blanks at their ends.
pub fn picture(app: &mut App, columns: u16, rows: u16) -> String {
    app.update(Msg::Resize { columns, rows });
    text_of(&cells(app, columns, rows, ThemeChoice::Dark))
}

/// The text of cells.
pub fn text_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width.max(1));
    let lines: Vec<String> = buffer
        .content
        .chunks(width)
        .map(|row| {
            let mut line = String::new();
            let mut skip = 0;
            for cell in row {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
                line.push_str(cell.symbol());
            }
            line.trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

/// Which styles stand where, one line a row, runs of the same style joined; for comparing themes.
pub fn styles_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width.max(1));
    let mut lines = Vec::new();
    for row in buffer.content.chunks(width) {
        let mut pieces: Vec<(Style, String)> = Vec::new();
        for cell in row {
            match pieces.last_mut() {
                Some((style, text)) if *style == cell.style() => text.push_str(cell.symbol()),
                _ => pieces.push((cell.style(), cell.symbol().to_owned())),
            }
        }
        let line: Vec<String> = pieces
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(style, text)| format!("{}{}", short(style), text.trim()))
            .collect();
        lines.push(line.join(" "));
    }
    lines.join("\n")
}

fn short(style: Style) -> String {
    let mut words = Vec::new();
    if let Some(colour) = style.fg.filter(|colour| *colour != ratatui::style::Color::Reset) {
        words.push(format!("{colour:?}"));
    }
    if !style.add_modifier.is_empty() {
        words.push(format!("{:?}", style.add_modifier));
    }
    if words.is_empty() { String::new() } else { format!("<{}>", words.join(" ")) }
}
