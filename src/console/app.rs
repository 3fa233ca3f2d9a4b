//! What the screen means: state, actions, update. Pure: no terminal, no I/O, no clock; time arrives in [`message::Msg`].
//!
//! [`App::update`] takes what happened and returns what shall be done outside. `view` draws an [`App`] and changes nothing.

pub mod action;
pub mod availability;
pub mod connection;
pub mod effect;
pub mod fuzzy;
pub mod history;
pub mod key;
pub mod keymap;
pub mod leave;
pub mod logs;
pub mod mapping;
pub mod message;
pub mod model;
pub mod overlay;
pub mod perform;
pub mod route;
pub mod selection;
pub mod sync;
pub mod tab;
pub mod text_input;
pub mod toast;
pub mod update;

use chrono::{DateTime, TimeDelta, Utc};

use crate::console::app::connection::ConnectionTab;
use crate::console::app::effect::Effect;
use crate::console::app::keymap::{Context, Keymap};
use crate::console::app::logs::LogsTab;
use crate::console::app::mapping::MappingTab;
use crate::console::app::model::{Access, Engine, OrgSummary, Zone};
use crate::console::app::overlay::Overlay;
use crate::console::app::sync::SyncTab;
use crate::console::app::tab::Tab;
use crate::console::app::toast::Toasts;
use crate::console::view::theme::ThemeChoice;
use crate::domain::side::PerSide;
use crate::workspace::problems::{Problem, Severity};
use crate::workspace::settings::Settings;

/// How the console looks, whatever it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// No frames, no animation, ASCII only.
    pub plain: bool,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// The theme in use.
    pub theme: ThemeChoice,
}

/// What the console starts from.
#[derive(Debug, Default)]
pub struct Start {
    /// The settings as they are in the file.
    pub settings: Settings,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
    /// The folder of the workspace, for people.
    pub folder: String,
    /// Whether anything may be changed.
    pub access: Access,
    /// How it looks.
    pub look: Look,
    /// The zone of shown times.
    pub zone: Zone,
    /// The keys.
    pub keymap: Keymap,
    /// The present moment.
    pub now: DateTime<Utc>,
}

/// The state of the whole console.
pub struct App {
    /// The present moment, as last told.
    pub now: DateTime<Utc>,
    /// The zone of shown times.
    pub zone: Zone,
    /// Size of the terminal: columns and rows.
    pub size: (u16, u16),
    /// The folder of the workspace.
    pub folder: String,
    /// Whether anything may be changed.
    pub access: Access,
    /// How it looks.
    pub look: Look,
    /// The keys.
    pub keymap: Keymap,
    /// The settings as they are in the file.
    pub settings: Settings,
    /// What is wrong with them.
    pub problems: Vec<Problem>,
    /// The tab that is open.
    pub tab: Tab,
    /// Connection Settings.
    pub connection: ConnectionTab,
    /// Mapping Settings.
    pub mapping: MappingTab,
    /// Synchronization Information.
    pub sync: SyncTab,
    /// Logs.
    pub logs: LogsTab,
    /// What lies over the tab, the top last.
    pub overlays: Vec<Overlay>,
    /// Messages.
    pub toasts: Toasts,
    /// Whether each side has ever passed a test with saved settings (F79).
    pub unlocked: PerSide<bool>,
    /// The org of the last test.
    pub org: Option<OrgSummary>,
    /// The org's API calls of today as a test or a run last saw them.
    pub api_budget: Option<(u64, u64)>,
    /// Where the engine is.
    pub engine: Engine,
    /// When ctrl+c was pressed last.
    pub interrupted: Option<DateTime<Utc>>,
    /// Whether the program is about to end, and how.
    pub leaving: leave::Leaving,
}

impl App {
    /// A console at its start.
    pub fn new(start: Start) -> Self {
        let mut app = Self {
            now: start.now,
            zone: start.zone,
            size: (80, 24),
            folder: start.folder,
            access: start.access,
            look: start.look,
            keymap: start.keymap,
            connection: ConnectionTab::new(&start.settings),
            mapping: MappingTab::new(&start.settings),
            settings: start.settings,
            problems: start.problems,
            tab: Tab::Connection,
            sync: SyncTab::default(),
            logs: LogsTab::default(),
            overlays: Vec::new(),
            toasts: Toasts::default(),
            unlocked: PerSide::default(),
            org: None,
            api_budget: None,
            engine: Engine::Looking,
            interrupted: None,
            leaving: leave::Leaving::default(),
        };
        app.connection.note_problems(&app.problems);
        app.review_mappings();
        // What could not be understood in the file is said at once; what is only missing waits for its form.
        if app.problems.iter().any(|problem| problem.severity == Severity::Error) {
            app.open_problems();
        }
        app
    }

    /// What is asked for at the start.
    pub fn first_effects(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::SecretPlaces, Effect::Unlocked];
        effects.extend(self.reading_effects());
        effects.push(Effect::Attach);
        effects
    }

    /// Everything that is read from the state database.
    pub fn reading_effects(&self) -> Vec<Effect> {
        vec![
            Effect::ReadStatus,
            Effect::ReadRuns { before: None },
            Effect::ReadIssueGroups,
            self.logs.read_afresh(),
        ]
    }

    /// The context in which a key is looked up.
    pub fn context(&self) -> Context {
        match self.overlays.last() {
            Some(overlay) => overlay.context(),
            None if self.is_typing() => Context::Typing,
            None => Context::of(self.tab),
        }
    }

    /// Whether keys are text in the tab itself.
    pub fn is_typing(&self) -> bool {
        match self.tab {
            Tab::Connection => self.connection.editing.is_some(),
            Tab::Mapping => self.mapping.filtering,
            Tab::Sync => false,
            Tab::Logs => self.logs.filtering.is_some(),
        }
    }

    /// Whether a tab holds edits that are not saved.
    pub fn unsaved(&self, tab: Tab) -> bool {
        match tab {
            Tab::Connection => self.connection.draft.now().differs(&self.settings),
            Tab::Mapping => self.mapping.differs(&self.settings),
            Tab::Sync | Tab::Logs => false,
        }
    }

    /// When something on the screen changes by itself next; `None` lets the loop sleep.
    pub fn next_change(&self) -> Option<DateTime<Utc>> {
        let toast = self.toasts.next_change();
        let moving = (self.connection.is_testing() || self.sync.is_running()).then(|| {
            self.now + if self.look.plain { TimeDelta::seconds(1) } else { TimeDelta::milliseconds(250) }
        });
        // Without an engine nobody tells that something has changed, so that the lists are looked at now and then.
        let look_again = (!self.engine.answers() && matches!(self.tab, Tab::Sync | Tab::Logs))
            .then(|| self.sync.looked + TimeDelta::seconds(5));
        let waits = self.overlays.iter().any(|overlay| matches!(overlay, Overlay::SignIn(_)));
        let counting_down = waits.then(|| self.now + TimeDelta::seconds(1));
        [toast, moving, look_again, counting_down, self.mapping.count_due].into_iter().flatten().min()
    }
}
