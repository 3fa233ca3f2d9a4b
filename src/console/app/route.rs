//! Where a key goes: the overlay on top, else the tab, else everywhere. Never to two places.

use chrono::TimeDelta;

use crate::console::app::App;
use crate::console::app::action::{Action, Scope};
use crate::console::app::effect::{Effect, Leave};
use crate::console::app::key::Key;
use crate::console::app::message::Hit;
use crate::console::app::overlay::Overlay;
use crate::console::app::tab::Tab;
use crate::console::app::toast::Tone;
use crate::console::view::text::common as text;

/// How long the first ctrl+c waits for the second.
const INTERRUPT: TimeDelta = TimeDelta::seconds(3);

impl App {
    /// A key was pressed.
    pub fn key(&mut self, key: Key) -> Vec<Effect> {
        // Above everything else, so that no field can swallow it.
        if key.ctrl && key.code == crossterm::event::KeyCode::Char('c') {
            return self.interrupt();
        }
        let context = self.context();
        if let Some(action) = self.keymap.action(context, key) {
            return self.act(action);
        }
        match self.overlays.last_mut() {
            Some(overlay) => overlay.typed(key).map(|answer| self.consequence(answer)).unwrap_or_default(),
            None if context.takes_text() => self.typed(key),
            None => Vec::new(),
        }
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        match self.interrupted {
            Some(first) if self.now - first < INTERRUPT => vec![Effect::Quit(Leave::Abort)],
            _ => {
                self.interrupted = Some(self.now);
                self.toasts.add(Tone::Warning, text::INTERRUPT, self.now);
                Vec::new()
            }
        }
    }

    /// A key that is text was pressed in a field of the tab.
    fn typed(&mut self, key: Key) -> Vec<Effect> {
        match self.tab {
            Tab::Connection => {
                self.connection.typed(key);
                Vec::new()
            }
            Tab::Mapping => {
                self.mapping.filter.press(key);
                Vec::new()
            }
            Tab::Sync => Vec::new(),
            Tab::Logs => self.logs.typed(key),
        }
    }

    /// Text was pasted. Where nothing is typed it does nothing, whatever it says.
    pub fn paste(&mut self, pasted: &str) -> Vec<Effect> {
        if let Some(overlay) = self.overlays.last_mut() {
            if let Overlay::SignIn(sheet) = overlay {
                let waits = sheet.waiting().is_some();
                return if waits { vec![Effect::SignInPasted(pasted.to_owned())] } else { Vec::new() };
            }
            overlay.paste(pasted);
            return Vec::new();
        }
        if !self.is_typing() {
            self.toasts.add(Tone::Info, text::PASTE_NOWHERE, self.now);
            return Vec::new();
        }
        match self.tab {
            Tab::Connection => self.connection.paste(pasted),
            Tab::Mapping => self.mapping.filter.paste(pasted),
            Tab::Sync => {}
            Tab::Logs => return self.logs.paste(pasted),
        }
        Vec::new()
    }

    /// The mouse pressed something.
    pub fn press(&mut self, hit: Hit) -> Vec<Effect> {
        match hit {
            Hit::Action(action) => self.act(action),
            Hit::OverlayRow(row) => {
                let can_be_pressed = self.overlays.last_mut().is_some_and(|overlay| overlay.select(row));
                if can_be_pressed { self.act(Action::Open) } else { Vec::new() }
            }
            _ if !self.overlays.is_empty() => Vec::new(),
            Hit::Tab(tab) => self.go_to(tab),
            Hit::Field(field) => self.press_field(field),
            Hit::Row { list, row } => match self.tab {
                Tab::Connection => Vec::new(),
                Tab::Mapping => self.press_mapping_row(list, row),
                Tab::Sync => self.press_sync_row(list, row),
                Tab::Logs => self.press_log_row(row),
            },
        }
    }

    /// The wheel turned.
    pub fn wheel(&mut self, lines: i16) -> Vec<Effect> {
        let action = if lines < 0 { Action::Up } else { Action::Down };
        let mut effects = Vec::new();
        for _ in 0..lines.unsigned_abs().min(10) {
            effects.extend(self.act(action));
        }
        effects
    }

    /// Does an action, wherever it came from: the overlay on top first.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        if !self.overlays.is_empty() {
            return self.act_on_overlay(action);
        }
        self.act_on_tab(action)
    }

    /// Does an action without an overlay; goes to its tab first where it belongs to another one.
    pub fn act_on_tab(&mut self, action: Action) -> Vec<Effect> {
        if let Err(reason) = self.available(action) {
            self.toasts.add(Tone::Info, reason, self.now);
            return Vec::new();
        }
        let mut effects = match action.scope() {
            Scope::On(tab) if tab != self.tab && !shared_with(action, self.tab) => self.go_to(tab),
            Scope::On(_) | Scope::Anywhere | Scope::Movement | Scope::Answer => Vec::new(),
        };
        effects.extend(self.perform(action));
        effects
    }

    /// Opens a tab.
    pub fn go_to(&mut self, tab: Tab) -> Vec<Effect> {
        if self.tab == tab {
            return Vec::new();
        }
        self.connection.leave_field();
        self.mapping.filtering = false;
        self.logs.filtering = None;
        self.tab = tab;
        match tab {
            Tab::Connection => Vec::new(),
            Tab::Mapping => self.needed_schemas(),
            Tab::Sync => vec![Effect::ReadStatus, Effect::ReadIssueGroups],
            Tab::Logs => {
                if self.logs.following {
                    vec![self.logs.read_newer()]
                } else {
                    Vec::new()
                }
            }
        }
    }
}

/// Whether another tab than its own can do the action as well.
fn shared_with(action: Action, tab: Tab) -> bool {
    matches!((action, tab), (Action::Why | Action::Drift, Tab::Sync) | (Action::Plan, Tab::Mapping))
}
