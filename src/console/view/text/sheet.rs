//! Words of the sheets: settings of a mapping and of a pair.

use crate::console::app::overlay::sheet::{RowId, Target};
use crate::console::view::text::numbers::things;

/// Words and labels of directions.
pub const DIRECTIONS: &[(&str, &str)] =
    &[("both", "both ways"), ("to_platform", "Salesforce to platform"), ("to_org", "platform to Salesforce")];
/// Words and labels of policies.
pub const POLICIES: &[(&str, &str)] = &[
    ("salesforce_wins", "Salesforce wins"),
    ("platform_wins", "platform wins"),
    ("newest_wins", "newest wins"),
    ("keep_non_blank", "filled wins over blank"),
    ("ask", "ask: park it for a person"),
];
/// Words and labels of first meetings.
pub const FIRST_MEETINGS: &[(&str, &str)] = &[
    ("salesforce_wins", "Salesforce wins"),
    ("platform_wins", "platform wins"),
    ("fill_blanks_only", "only blanks are filled"),
    ("ask", "ask: park it for a person"),
];
/// Words and labels of deletes.
pub const DELETES: &[(&str, &str)] = &[
    ("ignore", "the other record stays"),
    ("deactivate", "the other record is deactivated"),
    ("propagate", "the other record is deleted too"),
];
/// Words and labels of conversions.
pub const CONVERSIONS: &[(&str, &str)] = &[
    ("default", "as suits the key"),
    ("hand_over", "the contact takes the record over"),
    ("two_records", "lead and contact have one each"),
];
/// How a deactivation is written.
pub const DEACTIVATION_NEEDED: &str = "Write it as: platform Field = value, or: org Field = value.";
/// Words and labels of transforms.
pub const TRANSFORMS: &[(&str, &str)] = &[
    ("copy", "as it stands"),
    ("full_name", "first and last name ⇄ one name"),
    ("consent", "consent (opt-in, opt-out)"),
    ("table", "translations"),
    ("constant", "a fixed value"),
    ("reference", "leads to another record"),
    ("rules", "rules: case, dates, numbers, joining …"),
];
/// Words and labels of consent forms.
pub const CONSENT_FORMS: &[(&str, &str)] = &[
    ("opt_out_flag", "true: opted out; false: nobody said"),
    ("opt_out", "true: opted out; false: opted in"),
    ("opt_in", "Y or true: opted in"),
];
/// Words and labels of doubts.
pub const DOUBTS: &[(&str, &str)] = &[("told", "are told"), ("accepted", "are accepted")];
/// Words and labels of drift.
pub const DRIFTS: &[(&str, &str)] =
    &[("leave", "leave it until the source changes"), ("enforce", "write the source's value again")];

/// A name is needed.
pub const NAME_NEEDED: &str = "A mapping needs a name without blanks.";
/// The name is taken.
pub const NAME_TAKEN: &str = "Another mapping has this name.";
/// A pair needs one field at least.
pub const LAST_FIELD: &str =
    "A pair keeps one field on either side; D on the list of pairs removes the pair.";
/// How translations are written.
pub const TRANSLATION_NEEDED: &str = "Write it as: Salesforce value = platform value.";
/// How defaults are written.
pub const DEFAULTS_NEEDED: &str = "Write it as: Field = value; OtherField = value.";
/// A prompt.
pub const TRANSLATION: &str = "Translation";
/// A prompt.
pub const TRANSLATION_HELP: &str = "Salesforce value = platform value, such as: Gold = 3";
/// How rules are written.
const RULES_HELP: &str = "One behind the other: trim | lower | truncate 40. Others: upper, title, email, phone +49, number 2, comma, date dd.MM.yyyy, read_date, zone Europe/Amsterdam, day, bool, words Y N, join_list, split_list, join, split, template \"{1} {2}\", default, blank, prefix, unprefix, replace. Empty: the other way's rules are taken back.";
/// A question.
pub const REMOVE_TRANSLATION: &str = "Remove the translation?";
/// How to add.
pub const ADD_TRANSLATION: &str = "a adds a line, D removes one";

/// A question.
pub fn remove_translation(org: &str, platform: &str) -> String {
    format!("1 translation: {org} = {platform}.")
}

/// The value has a line already.
pub fn translation_known(org: &str) -> String {
    format!("{org} has a translation already; open that line to change it.")
}

/// How many lines a table has.
pub fn translations(count: usize) -> String {
    things(count as u64, "value", "values")
}

/// What a start must look like.
pub const SINCE_NEEDED: &str =
    "Type now, a day such as 2026-11-22, or a moment such as 2026-11-22T08:30:00Z.";

/// The title of the picker of names.
pub const WHOSE: &str = "Which one of Salesforce?";
/// Its columns.
pub const NAMES_HEADS: [&str; 3] = ["Name", "Kind", "Known as"];

/// Ids can't be shown by their names.
pub fn no_names(reason: &str) -> String {
    format!("The names of these ids can't be read, so type the ids: {reason}")
}

/// A switch in words.
pub fn yes_no(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

/// The title of a sheet.
pub fn title(target: &Target) -> String {
    match target {
        Target::Mapping(name) => format!("Mapping {name}"),
        Target::Pair { mapping, pair } => format!("{mapping}: pair {}", pair + 1),
        Target::Translations { mapping, pair } => format!("{mapping}: translations of pair {}", pair + 1),
    }
}

/// The label of a row.
pub fn label(id: RowId) -> &'static str {
    match id {
        RowId::Enabled => "Used by runs",
        RowId::Name => "Name",
        RowId::Direction | RowId::PairDirection => "Direction",
        RowId::OrgCriteria => "Salesforce criteria",
        RowId::PlatformCriteria => "Platform criteria",
        RowId::CreateOnPlatform => "Create on platform",
        RowId::CreateInOrg => "Create in Salesforce",
        RowId::SkipWhenBlank => "Skip if blank",
        RowId::OrgDefaults => "Salesforce defaults",
        RowId::PlatformDefaults => "Platform defaults",
        RowId::FirstMeeting => "First meeting",
        RowId::Deletes => "Deleted elsewhere",
        RowId::Deactivate => "Deactivate by",
        RowId::Conversion => "Converted lead",
        RowId::SyncFlag => "Sync flag",
        RowId::OrgMark => "Salesforce id field",
        RowId::PlatformMark => "Platform id field",
        RowId::Since => "Going forward since",
        RowId::IgnoreOwn => "Ignore own changes",
        RowId::FireEvents => "Platform workflows",
        RowId::DoubleOptIn => "Confirmation mail",
        RowId::AssignmentRules => "Assignment rules",
        RowId::AllowDuplicates => "Allow duplicates",
        RowId::FeedTracking => "Chatter feeds",
        RowId::InitialFireEvents => "First: workflows",
        RowId::InitialDoubleOptIn => "First: confirm mail",
        RowId::InitialAssignmentRules => "First: assignment",
        RowId::InitialAllowDuplicates => "First: duplicates",
        RowId::InitialFeedTracking => "First: Chatter",
        RowId::OrgField => "Salesforce field",
        RowId::PlatformField => "Platform field",
        RowId::Key => "Key",
        RowId::Policy => "Both changed",
        RowId::Transform => "Transform",
        RowId::Constant => "Fixed value",
        RowId::Refers => "Leads to",
        RowId::Translations => "Translations",
        RowId::RulesToPlatform => "Rules to platform",
        RowId::RulesToOrg => "Rules to Salesforce",
        RowId::OrgConsent => "Salesforce says it",
        RowId::PlatformConsent => "Platform says it",
        RowId::Every => "Takes part every",
        RowId::Drift => "Target drifts",
        RowId::Doubts => "Doubts",
        RowId::Translation(_) | RowId::Untranslated(_) => "",
        RowId::Otherwise => "any other value",
        RowId::OtherwiseOrg => "any other, way back",
    }
}

/// One line of help for a row.
pub fn help(id: RowId) -> &'static str {
    match id {
        RowId::Enabled => "A mapping that is off keeps its links and takes no part in runs.",
        RowId::Name => "Unique in the workspace, without blanks.",
        RowId::Direction => "Narrows the directions of all its pairs.",
        RowId::OrgCriteria => "As in SOQL: IsConverted = false AND Email is not blank. Empty: all records.",
        RowId::PlatformCriteria => "As in SOQL, with fields of the platform. Empty: all records.",
        RowId::CreateOnPlatform => "Whether a record that only Salesforce has is created on the platform.",
        RowId::CreateInOrg => "Whether a platform record that nobody claims becomes this object.",
        RowId::SkipWhenBlank => {
            "Fields of Salesforce; where one is blank, nothing is created (Company of leads)."
        }
        RowId::OrgDefaults => "On create in Salesforce, where the value is blank: Company = unknown",
        RowId::PlatformDefaults => "On create on the platform, where the value is blank: field = value",
        RowId::FirstMeeting => "What holds when two different values meet for the first time.",
        RowId::Deletes => "What follows when one of two linked records is deleted.",
        RowId::Deactivate => "The field and value that deactivate a record: platform Field = value",
        RowId::Conversion => "What becomes of the platform's record when a lead is converted.",
        RowId::SyncFlag => {
            "A checkbox of Salesforce; only ticked records are carried over, then it is unticked. Empty: all changes."
        }
        RowId::OrgMark => "A unique external-id field of Salesforce that holds the platform's id.",
        RowId::PlatformMark => "The platform's field that holds the Salesforce id.",
        RowId::Since => {
            "Only what changes from then on takes part: now, a day, or a moment. Empty: all records."
        }
        RowId::IgnoreOwn => "Dangerous: also hides what automation changed in the same transaction.",
        RowId::FireEvents => "Whether the platform's workflows and rules fire on our writes.",
        RowId::DoubleOptIn => "Whether the platform sends new contacts its confirmation mail.",
        RowId::AssignmentRules => "Whether assignment rules of Salesforce run on our writes.",
        RowId::AllowDuplicates => "Whether a record is saved even where a duplicate rule would stop it.",
        RowId::FeedTracking => "Whether changes of tracked fields are told in Chatter feeds.",
        RowId::InitialFireEvents => {
            "The same for an initial sync: whether the platform's workflows and rules fire."
        }
        RowId::InitialDoubleOptIn => {
            "The same for an initial sync: whether new contacts get the confirmation mail."
        }
        RowId::InitialAssignmentRules => "The same for an initial sync: whether assignment rules run.",
        RowId::InitialAllowDuplicates => {
            "The same for an initial sync: whether duplicate rules are passed over."
        }
        RowId::InitialFeedTracking => "The same for an initial sync: whether Chatter feeds tell it.",
        RowId::OrgField | RowId::PlatformField => {
            "Enter picks another field, a adds one more to it, D takes the last one out."
        }
        RowId::PairDirection => "Which way this value may flow.",
        RowId::Key => {
            "Says that two records are the same when no link exists yet; several together count as one."
        }
        RowId::Policy => "Who wins when both sides changed differently since the last synchronization.",
        RowId::Transform => "How a value is turned into the other side's.",
        RowId::Constant => "The value that the receiving side gets.",
        RowId::Refers => {
            "The platform's object; the record that is linked with it is told to the other side."
        }
        RowId::Translations => "Which Salesforce value is which platform value.",
        RowId::OrgConsent | RowId::PlatformConsent => "How this field says yes and no.",
        RowId::Every => {
            "How often it takes part in automatic runs, such as 1h or 1d. Empty, or shorter than their interval: in each."
        }
        RowId::Doubts => "What may go wrong with this pair: told among the problems, or accepted as it is.",
        RowId::Drift => "For one-way pairs: what happens when the target was changed over there.",
        RowId::Translation(_) => "Enter changes it, D removes it, a adds one.",
        RowId::Untranslated(_) => "The picklist has it and no line translates it. Enter writes one.",
        RowId::Otherwise => "The platform's value for what is not listed; empty makes it an issue.",
        RowId::OtherwiseOrg => "Salesforce's value for what is not listed; empty makes it an issue.",
        RowId::RulesToPlatform | RowId::RulesToOrg => RULES_HELP,
    }
}
