//! Everything a person can do: the one vocabulary of keys, palette, footer, help, mouse and tests.

use crate::console::app::tab::Tab;

/// Where an action makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Anywhere,
    /// Moves through lists and forms.
    Movement,
    /// On one tab; chosen from the palette, it goes there first.
    On(Tab),
    /// Only as the answer to a question.
    Answer,
}

macro_rules! actions {
    ($($name:ident, $word:literal, $scope:expr, $title:literal, $twin:expr;)*) => {
        /// One thing a person can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $title] $name,)*
        }

        impl Action {
            /// All of them, in the order of help and palette.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the key map.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it does, for help and palette.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Where it makes sense.
            pub fn scope(self) -> Scope {
                match self { $(Self::$name => $scope,)* }
            }

            /// The command that does the same, where there is one.
            pub fn twin(self) -> Option<&'static str> {
                match self { $(Self::$name => $twin,)* }
            }
        }
    };
}

actions! {
    Test, "test", Scope::On(Tab::Connection), "Test this side with the values on the screen", Some("forcesync connection test");
    SignIn, "sign_in", Scope::On(Tab::Connection), "Sign in with Salesforce, in the browser", Some("forcesync connection sign-in");
    Reveal, "reveal", Scope::On(Tab::Connection), "View the typed secret while its field is focused", None;
    Propose, "propose", Scope::On(Tab::Mapping), "Add the default mappings", None;
    Suggest, "suggest", Scope::On(Tab::Mapping), "Suggest pairs of fields that belong together", None;
    Duplicate, "duplicate", Scope::On(Tab::Mapping), "Copy the mapping or the pair", None;
    MoveUp, "move_up", Scope::On(Tab::Mapping), "Move the mapping or the pair up", None;
    MoveDown, "move_down", Scope::On(Tab::Mapping), "Move the mapping or the pair down", None;
    Direction, "direction", Scope::On(Tab::Mapping), "Change the direction of the pair", None;
    Policy, "policy", Scope::On(Tab::Mapping), "Change who wins when both sides changed", None;
    Translations, "translations", Scope::On(Tab::Mapping), "Edit the value translations of the pair", None;
    Criteria, "criteria", Scope::On(Tab::Mapping), "Choose which records take part (criteria)", Some("forcesync mapping count");
    AddOr, "add_or", Scope::On(Tab::Mapping), "Add a condition of which it is enough that it holds (or)", None;
    Negate, "negate", Scope::On(Tab::Mapping), "Turn a condition of the criteria, or a group, into its opposite", None;
    AsText, "as_text", Scope::On(Tab::Mapping), "Edit the criteria as text", None;
    Sample, "sample", Scope::On(Tab::Mapping), "Pull a record and see what becomes of it, pair by pair", Some("forcesync mapping sample");
    Accept, "accept", Scope::On(Tab::Mapping), "Accept the mapping as it is written and as both sides are now", Some("forcesync mapping accept");
    Drift, "drift", Scope::On(Tab::Mapping), "Show what both sides changed since it was accepted", Some("forcesync drift");
    Scope, "scope", Scope::On(Tab::Mapping), "Show who enters and leaves by the edited criteria", Some("forcesync plan --scope");
    Rehearse, "rehearse", Scope::On(Tab::Mapping), "Try the edited mappings out on a copy of some records", Some("forcesync rehearse");
    AllFields, "all_fields", Scope::On(Tab::Mapping), "Switch between mapped pairs and all fields", Some("forcesync mapping show");
    StartInitial, "start_initial", Scope::On(Tab::Sync), "Kick off an initial sync", Some("forcesync sync initial");
    StartInstant, "start_instant", Scope::On(Tab::Sync), "Kick off an instant sync", Some("forcesync sync instant");
    Plan, "plan", Scope::On(Tab::Sync), "Show what a run would do, before anything is written", Some("forcesync plan");
    ApplyPlan, "apply_plan", Scope::On(Tab::Sync), "Do what the plan says, and nothing else", Some("forcesync apply");
    SavePlan, "save_plan", Scope::On(Tab::Sync), "Keep the plan under a name", Some("forcesync plan --save");
    Audit, "audit", Scope::On(Tab::Sync), "Look for records that no run has dealt with", Some("forcesync audit");
    Heal, "heal", Scope::On(Tab::Sync), "Deal with what the last audit found", Some("forcesync audit --heal");
    Automatic, "automatic", Scope::On(Tab::Sync), "Switch automatic synchronization", Some("forcesync run");
    Interval, "interval", Scope::On(Tab::Sync), "Set the interval of automatic synchronization", None;
    ReadAgain, "read_again", Scope::On(Tab::Sync), "Set the date of the last synchronization back", Some("forcesync read-again");
    Pause, "pause", Scope::On(Tab::Sync), "Pause or resume the run", Some("forcesync pause");
    Stop, "stop", Scope::On(Tab::Sync), "Stop the run after the batch in hand", Some("forcesync cancel");
    Retry, "retry", Scope::On(Tab::Sync), "Try the issue, or the whole group, again", Some("forcesync issues retry");
    RetryAll, "retry_all", Scope::On(Tab::Sync), "Try all records that are shown again", Some("forcesync issues retry --code");
    Release, "release", Scope::On(Tab::Sync), "Release the brake that holds the run, by its number", Some("forcesync sync --allow-deletes");
    Conflicts, "conflicts", Scope::On(Tab::Sync), "Open the conflicts", Some("forcesync conflicts");
    TakeSalesforce, "take_salesforce", Scope::On(Tab::Sync), "Choose what Salesforce holds", Some("forcesync conflicts resolve N --take salesforce");
    TakePlatform, "take_platform", Scope::On(Tab::Sync), "Choose what the platform holds", Some("forcesync conflicts resolve N --take platform");
    KeepBase, "keep_base", Scope::On(Tab::Sync), "Choose what both held when last in step", Some("forcesync conflicts resolve N --take base");
    EditValue, "edit_value", Scope::On(Tab::Sync), "Type the value that both sides shall hold", Some("forcesync issues edit");
    KeepRecord, "keep_record", Scope::On(Tab::Sync), "Keep the record whose counterpart was deleted", Some("forcesync conflicts resolve N --keep");
    TakeAllSalesforce, "take_all_salesforce", Scope::On(Tab::Sync), "Decide all shown conflicts for Salesforce", Some("forcesync conflicts resolve --all --take salesforce");
    TakeAllPlatform, "take_all_platform", Scope::On(Tab::Sync), "Decide all shown conflicts for the platform", Some("forcesync conflicts resolve --all --take platform");
    EditMapping, "edit_mapping", Scope::On(Tab::Sync), "Go to the issue's pair in Mapping Settings", Some("forcesync mapping show");
    Snooze, "snooze", Scope::On(Tab::Sync), "Hide the issue for a while", Some("forcesync issues snooze");
    SnoozeAll, "snooze_all", Scope::On(Tab::Sync), "Hide all records that are shown for a while", Some("forcesync issues snooze --code");
    Forget, "forget", Scope::On(Tab::Sync), "Forget the person of the record, for good", Some("forcesync forget");
    ShowSnoozed, "show_snoozed", Scope::On(Tab::Sync), "Show snoozed issues too, or hide them", Some("forcesync issues list --snoozed");
    UndoRun, "undo_run", Scope::On(Tab::Sync), "Take the selected run back", Some("forcesync undo");
    Level, "level", Scope::On(Tab::Logs), "Show the next higher level only", Some("forcesync log --level");
    LogMapping, "log_mapping", Scope::On(Tab::Logs), "Show the lines of one mapping", Some("forcesync log --mapping");
    LogRun, "log_run", Scope::On(Tab::Logs), "Show the lines of one run", Some("forcesync log --run");
    Follow, "follow", Scope::On(Tab::Logs), "Follow new lines", Some("forcesync log --follow");
    Why, "why", Scope::On(Tab::Logs), "Explain why the record holds what it holds", Some("forcesync why");
    MakeObjects, "make_objects", Scope::On(Tab::Connection), "Make the objects and fields that the mappings want in the org", Some("forcesync objects create");
    SetInactive, "set_inactive", Scope::On(Tab::Logs), "Set the record inactive on the platform", Some("forcesync deactivate");
    Export, "export", Scope::Anywhere, "Export what is shown to a file", Some("forcesync issues export");
    TabConnection, "tab_connection", Scope::Anywhere, "Go to Connection Settings", None;
    TabMapping, "tab_mapping", Scope::Anywhere, "Go to Mapping Settings", None;
    TabSync, "tab_sync", Scope::Anywhere, "Go to Synchronization Information", Some("forcesync status");
    TabLogs, "tab_logs", Scope::Anywhere, "Go to Logs", Some("forcesync log");
    Save, "save", Scope::Anywhere, "Save the settings", None;
    Undo, "undo", Scope::Anywhere, "Undo the last edit", None;
    Redo, "redo", Scope::Anywhere, "Redo the edit", None;
    Discard, "discard", Scope::Anywhere, "Discard the unsaved edits of this tab", None;
    Add, "add", Scope::Anywhere, "Add", None;
    Delete, "delete", Scope::Anywhere, "Remove the selected thing", None;
    Toggle, "toggle", Scope::Anywhere, "Toggle", None;
    Filter, "filter", Scope::Anywhere, "Filter this list", None;
    Copy, "copy", Scope::Anywhere, "Copy the selected thing", None;
    CopyJson, "copy_json", Scope::Anywhere, "Copy the selected row as JSON", None;
    Refresh, "refresh", Scope::Anywhere, "Read everything again", None;
    Check, "check", Scope::Anywhere, "Check both sides and all mappings", Some("forcesync check");
    Problems, "problems", Scope::Anywhere, "Show what is wrong with the settings file", Some("forcesync config validate");
    ThemeDark, "theme_dark", Scope::Anywhere, "Use the dark theme", None;
    ThemeLight, "theme_light", Scope::Anywhere, "Use the light theme", None;
    ThemeMono, "theme_mono", Scope::Anywhere, "Use the theme without colours", None;
    Mouse, "mouse", Scope::Anywhere, "Switch the mouse on or off", Some("forcesync --no-mouse");
    Help, "help", Scope::Anywhere, "Help", None;
    Palette, "palette", Scope::Anywhere, "All actions", Some("forcesync keys");
    Suspend, "suspend", Scope::Anywhere, "Suspend to the shell", None;
    Quit, "quit", Scope::Anywhere, "Quit", None;
    NextTab, "next_tab", Scope::Anywhere, "Next tab", None;
    PreviousTab, "previous_tab", Scope::Anywhere, "Previous tab", None;
    NextPane, "next_pane", Scope::Movement, "Next field or pane", None;
    PreviousPane, "previous_pane", Scope::Movement, "Previous field or pane", None;
    Up, "up", Scope::Movement, "Up", None;
    Down, "down", Scope::Movement, "Down", None;
    Left, "left", Scope::Movement, "Left", None;
    Right, "right", Scope::Movement, "Right", None;
    PageUp, "page_up", Scope::Movement, "A page up", None;
    PageDown, "page_down", Scope::Movement, "A page down", None;
    First, "first", Scope::Movement, "To the first", None;
    Last, "last", Scope::Movement, "To the last", None;
    Open, "open", Scope::Movement, "Open, edit, or press", None;
    Back, "back", Scope::Movement, "One step back", None;
    Yes, "yes", Scope::Answer, "Yes", None;
    No, "no", Scope::Answer, "No", None;
}

impl Action {
    /// The action of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.word() == word)
    }
}
