//! A form over the tab: the settings of a mapping, of one pair, or the lines of its translation table.

use crate::console::app::selection::Selection;
use crate::console::view::text::sheet as text;
use crate::domain::consent::ConsentForm;
use crate::domain::criteria::Criteria;
use crate::domain::mapping::{DefaultValue, Direction, Drift, FirstMeeting, Mapping, Pair};
use crate::domain::schema::FieldSchema;
use crate::domain::side::Side;
use crate::domain::transform::rules::{Rules, line, parse_line};
use crate::domain::transform::{Table, Transform};

mod life;
mod words;

use words::{
    consent_word, direction_of, direction_word, first_meeting_word, policy_of, policy_word, transform_word,
};

/// What a sheet edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A mapping.
    Mapping(String),
    /// A pair of a mapping.
    Pair {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
    },
    /// The translation table of a pair.
    Translations {
        /// The mapping.
        mapping: String,
        /// The pair's place.
        pair: usize,
    },
}

impl Target {
    /// The mapping it belongs to.
    pub fn mapping(&self) -> &str {
        match self {
            Self::Mapping(name) => name,
            Self::Pair { mapping, .. } | Self::Translations { mapping, .. } => mapping,
        }
    }
}

/// A sheet.
pub struct Sheet {
    /// What it edits.
    pub target: Target,
    /// The selected row.
    pub selection: Selection,
}

impl Sheet {
    /// A sheet at its first row.
    pub fn new(target: Target) -> Self {
        Self { target, selection: Selection::default() }
    }
}

/// A row of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowId {
    /// Whether runs use the mapping.
    Enabled,
    /// The name of the mapping.
    Name,
    /// Which way records flow.
    Direction,
    /// Condition on the org's records.
    OrgCriteria,
    /// Condition on the platform's records.
    PlatformCriteria,
    /// Whether records are created on the platform.
    CreateOnPlatform,
    /// Whether records are created in the org.
    CreateInOrg,
    /// Fields without which nothing is created in the org (F63).
    SkipWhenBlank,
    /// Values for blank fields on create in the org (F64).
    OrgDefaults,
    /// Values for blank fields on create on the platform.
    PlatformDefaults,
    /// What holds when two records meet for the first time.
    FirstMeeting,
    /// What a deletion does to the other side.
    Deletes,
    /// Which field and value deactivate a record.
    Deactivate,
    /// What becomes of a converted lead's record.
    Conversion,
    /// The tick box that is the queue.
    SyncFlag,
    /// The org's field that holds the platform's id.
    OrgMark,
    /// The platform's field that holds the org's id.
    PlatformMark,
    /// From when on records take part.
    Since,
    /// Leaves out what the integration user changed.
    IgnoreOwn,
    /// Workflows of the platform.
    FireEvents,
    /// Confirmation mails of the platform.
    DoubleOptIn,
    /// Assignment rules of the org.
    AssignmentRules,
    /// Duplicate rules of the org.
    AllowDuplicates,
    /// Chatter feeds of the org.
    FeedTracking,
    /// Workflows of the platform, in an initial sync.
    InitialFireEvents,
    /// Confirmation mails of the platform, in an initial sync.
    InitialDoubleOptIn,
    /// Assignment rules of the org, in an initial sync.
    InitialAssignmentRules,
    /// Duplicate rules of the org, in an initial sync.
    InitialAllowDuplicates,
    /// Chatter feeds of the org, in an initial sync.
    InitialFeedTracking,
    /// The org's field of the pair.
    OrgField,
    /// The platform's field of the pair.
    PlatformField,
    /// Which way the value flows.
    PairDirection,
    /// Whether it belongs to the key.
    Key,
    /// Who wins.
    Policy,
    /// How values are turned.
    Transform,
    /// The fixed value.
    Constant,
    /// The platform's object that a reference leads to.
    Refers,
    /// Rules on the way to the platform.
    RulesToPlatform,
    /// Rules on the way to Salesforce.
    RulesToOrg,
    /// The lines of the table.
    Translations,
    /// How the org's field says consent.
    OrgConsent,
    /// How the platform's field says consent.
    PlatformConsent,
    /// What happens when the target drifts.
    Drift,
    /// Whether what may go wrong is told.
    Doubts,
    /// How often it takes part in automatic runs.
    Every,
    /// A line of a translation table, by its place.
    Translation(usize),
    /// A value of the org's picklist that the table does not list, by its place among them.
    Untranslated(usize),
    /// For values that the table does not list.
    Otherwise,
    /// For values of the platform that the table does not list.
    OtherwiseOrg,
}

/// What Enter does on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Switches.
    Switch,
    /// Picks one of few: word and label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Asks for a text.
    Text,
    /// Picks a field of a side.
    Field(Side),
    /// Opens the translations.
    Opens,
}

/// One row as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub id: RowId,
    /// Its label.
    pub label: String,
    /// What is shown in the place of the label: the name of an id.
    pub shown: Option<String>,
    /// Its value in words.
    pub value: String,
    /// What Enter does.
    pub kind: RowKind,
}

fn row(id: RowId, value: impl Into<String>, kind: RowKind) -> Row {
    Row { id, label: text::label(id).into(), shown: None, value: value.into(), kind }
}

fn switch(id: RowId, on: bool) -> Row {
    row(id, text::yes_no(on), RowKind::Switch)
}

fn choice(id: RowId, word: &str, choices: &'static [(&'static str, &'static str)]) -> Row {
    let label = choices.iter().find(|(known, _)| *known == word).map_or(word, |(_, label)| label);
    row(id, label, RowKind::Choice(choices))
}

/// The rows of a sheet.
/// The picklist is that of the org's field of a translated pair, where it is known.
pub fn rows(target: &Target, mapping: &Mapping, field: Option<&FieldSchema>) -> Vec<Row> {
    match target {
        Target::Mapping(_) => mapping_rows(mapping),
        Target::Pair { pair, .. } => mapping.pairs.get(*pair).map(pair_rows).unwrap_or_default(),
        Target::Translations { pair, .. } => {
            mapping.pairs.get(*pair).map(|pair| translation_rows(pair, field)).unwrap_or_default()
        }
    }
}

fn mapping_rows(mapping: &Mapping) -> Vec<Row> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        switch(RowId::Enabled, mapping.enabled),
        row(RowId::Name, &mapping.name, RowKind::Text),
        choice(RowId::Direction, direction_word(mapping.direction), text::DIRECTIONS),
        row(RowId::Every, optional(&mapping.every), RowKind::Text),
        row(RowId::OrgCriteria, optional(&mapping.org_criteria), RowKind::Text),
        row(RowId::PlatformCriteria, optional(&mapping.platform_criteria), RowKind::Text),
        row(RowId::Since, life::since_text(mapping), RowKind::Text),
        switch(RowId::CreateOnPlatform, mapping.create_on_platform),
        switch(RowId::CreateInOrg, mapping.create_in_org),
        row(RowId::SkipWhenBlank, mapping.skip_create_when_blank.join(", "), RowKind::Text),
        row(RowId::OrgDefaults, defaults_text(mapping, Side::Org), RowKind::Text),
        row(RowId::PlatformDefaults, defaults_text(mapping, Side::Platform), RowKind::Text),
        choice(RowId::FirstMeeting, first_meeting_word(mapping.first_meeting), text::FIRST_MEETINGS),
        choice(RowId::Deletes, life::deletes_word(mapping.deletes), text::DELETES),
        row(RowId::Deactivate, life::deactivation_text(mapping), RowKind::Text),
        choice(RowId::Conversion, life::conversion_word(mapping.conversion), text::CONVERSIONS),
        row(RowId::SyncFlag, optional(&mapping.sync_flag), RowKind::Text),
        row(RowId::OrgMark, optional(&mapping.org_mark), RowKind::Text),
        row(RowId::PlatformMark, optional(&mapping.platform_mark), RowKind::Text),
        switch(RowId::IgnoreOwn, mapping.ignore_own_changes),
        switch(RowId::FireEvents, mapping.side_effects.fire_events),
        switch(RowId::DoubleOptIn, mapping.side_effects.double_opt_in),
        switch(RowId::AssignmentRules, mapping.side_effects.assignment_rules),
        switch(RowId::AllowDuplicates, mapping.side_effects.allow_duplicates),
        switch(RowId::FeedTracking, mapping.side_effects.feed_tracking),
        switch(RowId::InitialFireEvents, mapping.initial_side_effects.fire_events),
        switch(RowId::InitialDoubleOptIn, mapping.initial_side_effects.double_opt_in),
        switch(RowId::InitialAssignmentRules, mapping.initial_side_effects.assignment_rules),
        switch(RowId::InitialAllowDuplicates, mapping.initial_side_effects.allow_duplicates),
        switch(RowId::InitialFeedTracking, mapping.initial_side_effects.feed_tracking),
    ]
}

fn pair_rows(pair: &Pair) -> Vec<Row> {
    let mut rows = vec![
        row(RowId::OrgField, pair.org.join(" + "), RowKind::Field(Side::Org)),
        row(RowId::PlatformField, pair.platform.join(" + "), RowKind::Field(Side::Platform)),
        choice(RowId::PairDirection, direction_word(pair.direction), text::DIRECTIONS),
        switch(RowId::Key, pair.key),
        choice(RowId::Transform, transform_word(&pair.transform), text::TRANSFORMS),
    ];
    match &pair.transform {
        Transform::Copy | Transform::FullName => {}
        Transform::Consent { org, platform } => {
            rows.push(choice(RowId::OrgConsent, consent_word(*org), text::CONSENT_FORMS));
            rows.push(choice(RowId::PlatformConsent, consent_word(*platform), text::CONSENT_FORMS));
        }
        Transform::Table(table) => {
            rows.push(row(RowId::Translations, text::translations(table.entries.len()), RowKind::Opens));
        }
        Transform::Constant(value) => rows.push(row(RowId::Constant, value, RowKind::Text)),
        Transform::Reference(target) => rows.push(row(RowId::Refers, target, RowKind::Text)),
        Transform::Rules(rules) => {
            rows.push(row(RowId::RulesToPlatform, line(&rules.to_platform), RowKind::Text));
            rows.push(row(RowId::RulesToOrg, line(&rules.to_org), RowKind::Text));
        }
    }
    if !pair.transform.is_consent() {
        rows.push(choice(RowId::Policy, policy_word(pair.policy), text::POLICIES));
    }
    let drift = match pair.drift {
        Drift::Leave => "leave",
        Drift::Enforce => "enforce",
    };
    rows.push(choice(RowId::Drift, drift, text::DRIFTS));
    let doubts = if pair.doubts_accepted { "accepted" } else { "told" };
    rows.push(choice(RowId::Doubts, doubts, text::DOUBTS));
    rows
}

fn translation_rows(pair: &Pair, field: Option<&FieldSchema>) -> Vec<Row> {
    let empty = Table::default();
    let table = match &pair.transform {
        Transform::Table(table) => table,
        Transform::Copy
        | Transform::FullName
        | Transform::Consent { .. }
        | Transform::Constant(_)
        | Transform::Reference(_)
        | Transform::Rules(_) => &empty,
    };
    let mut rows: Vec<Row> = table
        .entries
        .iter()
        .enumerate()
        .map(|(place, (org, platform))| Row {
            id: RowId::Translation(place),
            label: org.clone(),
            shown: None,
            value: platform.clone(),
            kind: RowKind::Text,
        })
        .collect();
    // What the org can hold and the table does not know is shown, so that nothing is forgotten (F89).
    let known = |value: &str| table.entries.keys().any(|org| org.trim().eq_ignore_ascii_case(value.trim()));
    let picklist = field.map(|field| field.picklist.as_slice()).unwrap_or_default();
    let left = picklist.iter().enumerate().filter(|(_, value)| !known(value));
    rows.extend(left.map(|(place, value)| Row {
        id: RowId::Untranslated(place),
        label: value.clone(),
        shown: None,
        value: String::new(),
        kind: RowKind::Text,
    }));
    rows.push(row(RowId::Otherwise, table.otherwise.clone().unwrap_or_default(), RowKind::Text));
    if pair.direction != Direction::ToPlatform {
        let back = table.otherwise_org.clone().unwrap_or_default();
        rows.push(row(RowId::OtherwiseOrg, back, RowKind::Text));
    }
    rows
}

/// Puts a value into a row; a sentence where it can't be one.
pub fn put(mapping: &mut Mapping, target: &Target, id: RowId, value: &str) -> Result<(), String> {
    let value = value.trim();
    let optional = || (!value.is_empty()).then(|| value.to_owned());
    let pair = match target {
        Target::Mapping(_) => None,
        Target::Pair { pair, .. } | Target::Translations { pair, .. } => Some(*pair),
    };
    let yes = value == "yes";
    match id {
        RowId::Enabled => mapping.enabled = yes,
        RowId::Name => {
            if value.is_empty() || value.contains(char::is_whitespace) {
                return Err(text::NAME_NEEDED.into());
            }
            value.clone_into(&mut mapping.name);
        }
        RowId::Direction => mapping.direction = direction_of(value),
        RowId::Every => mapping.every = life::every_of(value)?,
        RowId::OrgCriteria | RowId::PlatformCriteria => {
            if !value.is_empty() {
                Criteria::parse(value).map_err(|error| error.to_string())?;
            }
            match id {
                RowId::OrgCriteria => mapping.org_criteria = optional(),
                _ => mapping.platform_criteria = optional(),
            }
        }
        RowId::Since => mapping.since = life::since_of(value)?,
        RowId::CreateOnPlatform => mapping.create_on_platform = yes,
        RowId::CreateInOrg => mapping.create_in_org = yes,
        RowId::SkipWhenBlank => {
            mapping.skip_create_when_blank =
                value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        }
        RowId::OrgDefaults => put_defaults(mapping, Side::Org, value)?,
        RowId::PlatformDefaults => put_defaults(mapping, Side::Platform, value)?,
        RowId::FirstMeeting => {
            mapping.first_meeting = match value {
                "platform_wins" => FirstMeeting::PlatformWins,
                "fill_blanks_only" => FirstMeeting::FillBlanksOnly,
                "ask" => FirstMeeting::Ask,
                _ => FirstMeeting::SalesforceWins,
            }
        }
        RowId::Deletes => mapping.deletes = life::deletes_of(value),
        RowId::Deactivate => mapping.deactivate = life::deactivation_of(value)?,
        RowId::Conversion => mapping.conversion = life::conversion_of(value),
        RowId::SyncFlag => mapping.sync_flag = optional(),
        RowId::OrgMark => mapping.org_mark = optional(),
        RowId::PlatformMark => mapping.platform_mark = optional(),
        RowId::IgnoreOwn => mapping.ignore_own_changes = yes,
        RowId::FireEvents => mapping.side_effects.fire_events = yes,
        RowId::DoubleOptIn => mapping.side_effects.double_opt_in = yes,
        RowId::AssignmentRules => mapping.side_effects.assignment_rules = yes,
        RowId::AllowDuplicates => mapping.side_effects.allow_duplicates = yes,
        RowId::FeedTracking => mapping.side_effects.feed_tracking = yes,
        RowId::InitialFireEvents => mapping.initial_side_effects.fire_events = yes,
        RowId::InitialDoubleOptIn => mapping.initial_side_effects.double_opt_in = yes,
        RowId::InitialAssignmentRules => mapping.initial_side_effects.assignment_rules = yes,
        RowId::InitialAllowDuplicates => mapping.initial_side_effects.allow_duplicates = yes,
        RowId::InitialFeedTracking => mapping.initial_side_effects.feed_tracking = yes,
        RowId::OrgField
        | RowId::PlatformField
        | RowId::PairDirection
        | RowId::Key
        | RowId::Policy
        | RowId::Transform
        | RowId::Constant
        | RowId::Refers
        | RowId::Translations
        | RowId::OrgConsent
        | RowId::PlatformConsent
        | RowId::Drift
        | RowId::Doubts
        | RowId::Translation(_)
        | RowId::Untranslated(_)
        | RowId::Otherwise
        | RowId::OtherwiseOrg => {
            if let Some(pair) = pair.and_then(|place| mapping.pairs.get_mut(place)) {
                put_in_pair(pair, id, value);
            }
        }
        RowId::RulesToPlatform | RowId::RulesToOrg => {
            let rules = parse_line(value).map_err(|error| error.to_string())?;
            let pair = pair.and_then(|place| mapping.pairs.get_mut(place));
            if let Some(Pair { transform: Transform::Rules(known), .. }) = pair {
                match id {
                    RowId::RulesToOrg => known.to_org = rules,
                    _ => known.to_platform = rules,
                }
            }
        }
    }
    Ok(())
}

fn put_in_pair(pair: &mut Pair, id: RowId, value: &str) {
    match id {
        RowId::PairDirection => pair.direction = direction_of(value),
        RowId::Key => pair.key = value == "yes",
        RowId::Policy => pair.policy = policy_of(value),
        RowId::Transform if transform_word(&pair.transform) != value => {
            pair.transform = match value {
                "full_name" => Transform::FullName,
                "consent" => {
                    Transform::Consent { org: ConsentForm::OptOutFlag, platform: ConsentForm::OptOut }
                }
                "table" => Transform::Table(Table::default()),
                "constant" => Transform::Constant(String::new()),
                "reference" => Transform::Reference(String::new()),
                "rules" => Transform::Rules(Rules::default()),
                _ => Transform::Copy,
            };
        }
        RowId::Constant => pair.transform = Transform::Constant(value.to_owned()),
        RowId::Refers => pair.transform = Transform::Reference(value.to_owned()),
        RowId::OrgConsent | RowId::PlatformConsent => {
            if let Transform::Consent { org, platform } = &mut pair.transform {
                let form = match value {
                    "opt_out" => ConsentForm::OptOut,
                    "opt_in" => ConsentForm::OptIn,
                    _ => ConsentForm::OptOutFlag,
                };
                match id {
                    RowId::OrgConsent => *org = form,
                    _ => *platform = form,
                }
            }
        }
        RowId::Drift => {
            pair.drift = match value {
                "enforce" => Drift::Enforce,
                _ => Drift::Leave,
            }
        }
        RowId::Doubts => pair.doubts_accepted = value == "accepted",
        RowId::Otherwise | RowId::OtherwiseOrg => {
            if pair.transform.is_copy() {
                pair.transform = Transform::Table(Table::default());
            }
            if let Transform::Table(table) = &mut pair.transform {
                let fallback = (!value.is_empty()).then(|| value.to_owned());
                match id {
                    RowId::OtherwiseOrg => table.otherwise_org = fallback,
                    _ => table.otherwise = fallback,
                }
            }
        }
        _ => {}
    }
}

/// Puts a line `A = B` into a translation table, in place of another one if it replaces one.
pub fn put_translation(pair: &mut Pair, replaces: Option<&str>, line: &str) -> Result<(), String> {
    let Some((org, platform)) = line.split_once('=') else { return Err(text::TRANSLATION_NEEDED.into()) };
    let (org, platform) = (org.trim(), platform.trim());
    if org.is_empty() || platform.is_empty() {
        return Err(text::TRANSLATION_NEEDED.into());
    }
    if pair.transform.is_copy() {
        pair.transform = Transform::Table(Table::default());
    }
    let Transform::Table(table) = &mut pair.transform else { return Err(text::TRANSLATION_NEEDED.into()) };
    let known = table.entries.keys().find(|key| key.trim().eq_ignore_ascii_case(org)).cloned();
    if known.is_some() && known.as_deref() != replaces {
        return Err(text::translation_known(org));
    }
    if let Some(old) = replaces {
        table.entries.remove(old);
    }
    table.entries.insert(org.to_owned(), platform.to_owned());
    Ok(())
}

fn defaults_text(mapping: &Mapping, side: Side) -> String {
    let lines: Vec<String> = mapping
        .default
        .iter()
        .filter(|default| default.side == side)
        .map(|default| format!("{} = {}", default.field, default.value))
        .collect();
    lines.join("; ")
}

fn put_defaults(mapping: &mut Mapping, side: Side, text_of_all: &str) -> Result<(), String> {
    let mut defaults = Vec::new();
    for part in text_of_all.split(';').filter(|part| !part.trim().is_empty()) {
        match part.split_once('=') {
            Some((field, value)) if !field.trim().is_empty() && !value.trim().is_empty() => {
                defaults.push(DefaultValue {
                    side,
                    field: field.trim().to_owned(),
                    value: value.trim().to_owned(),
                });
            }
            Some(_) | None => return Err(text::DEFAULTS_NEEDED.into()),
        }
    }
    mapping.default.retain(|default| default.side != side);
    mapping.default.extend(defaults);
    Ok(())
}
