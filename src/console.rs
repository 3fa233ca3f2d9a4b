//! The console: four tabs on a terminal.
//!
//! [`app`] is what the screen means and is pure; [`view`] is how it looks; [`event_loop`] waits and draws; [`effects`] carries
//! out what the app asks for by calling `ops`; [`terminal`] takes the terminal and gives it back.

pub mod app;
pub mod effects;
pub mod event_loop;
pub mod terminal;
pub mod view;

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::EventStream;
use etcetera::BaseStrategy;
use futures_util::Stream;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::console::app::keymap::Keymap;
use crate::console::app::model::{Access, Zone};
use crate::console::app::toast::Tone;
use crate::console::app::{App, Look, Start};
use crate::console::effects::Workshop;
use crate::console::event_loop::{Colours, ConsoleError, EventLoop};
use crate::console::terminal::TerminalGuard;
use crate::console::view::theme::{Theme, ThemeChoice};
use crate::ops::session::Session;

/// How the console is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConsoleOptions {
    /// No way to change something.
    pub read_only: bool,
    /// No frames, no animation, ASCII only.
    pub plain: bool,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// Which theme.
    pub theme: ThemeChoice,
}

/// How long the terminal may take to tell its background.
const THEME_ANSWER: Duration = Duration::from_millis(200);

/// Opens the console on a workspace and stays until somebody leaves.
pub async fn run(session: Session, options: ConsoleOptions) -> Result<(), ConsoleError> {
    if !stdout().is_terminal() {
        return Err(ConsoleError::Terminal("standard output goes elsewhere".into()));
    }
    let colours = colours();
    let mut notes = Vec::new();
    let keymap = keymap(&mut notes)?;
    let choice = match (colours, options.theme) {
        (Colours::Forbidden, _) => ThemeChoice::Mono,
        (Colours::Allowed, ThemeChoice::Auto) => by_background(),
        (Colours::Allowed, chosen) => chosen,
    };
    let theme = own_theme(colours, options.theme, &mut notes).unwrap_or_else(|| Theme::built_in(choice));
    let read_only = options.read_only || session.access() == crate::ops::session::Access::ReadOnly;
    let plain = options.plain || std::env::var("TERM").is_ok_and(|term| term == "linux" || term == "dumb");
    let mut app = App::new(Start {
        settings: session.settings(),
        problems: session.problems(),
        folder: session.folder().display().to_string(),
        access: if read_only { Access::ReadOnly } else { Access::ReadWrite },
        look: Look { plain, mouse: options.mouse, theme: choice },
        zone: Zone::Local,
        keymap,
        now: session.clock().now(),
    });
    for note in notes {
        app.toasts.add(Tone::Warning, note, app.now);
    }
    let signals = signals()?;
    let desk = TerminalGuard::take(options.mouse)?;
    let terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
    let clock = Arc::clone(session.clock());
    let mut console = EventLoop {
        app,
        terminal,
        input: EventStream::new(),
        desk,
        world: Workshop::new(session),
        clock,
        theme,
        colours,
    };
    let ended = console.run(signals).await;
    let EventLoop { terminal, desk, world, .. } = console;
    // The guard gives the terminal back, cursor and all. The terminal's own end would print to stderr what it could not do, and
    // where stderr is gone too that ends the process on the spot, before anybody has tidied up.
    drop(desk);
    let _kept = std::mem::ManuallyDrop::new(terminal);
    drop(world);
    ended
}

/// `NO_COLOR` with any text in it forbids colours (no-color.org).
fn colours() -> Colours {
    match std::env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => Colours::Forbidden,
        Some(_) | None => Colours::Allowed,
    }
}

/// Asks the terminal for its background, before its input is ours, so that the answer can't end up in a field.
fn by_background() -> ThemeChoice {
    let mut options = terminal_colorsaurus::QueryOptions::default();
    options.timeout = THEME_ANSWER;
    match terminal_colorsaurus::theme_mode(options) {
        Ok(terminal_colorsaurus::ThemeMode::Light) => ThemeChoice::Light,
        Ok(terminal_colorsaurus::ThemeMode::Dark) | Err(_) => ThemeChoice::Dark,
    }
}

fn own_folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.config_dir().join("forcesync"))
}

/// The key map that comes along, with a person's own over it. A broken own one is told and left out.
fn keymap(notes: &mut Vec<String>) -> Result<Keymap, ConsoleError> {
    let mut keymap = Keymap::built_in()?;
    if let Some(path) = own_folder().map(|folder| folder.join("keymap.toml"))
        && let Ok(text) = std::fs::read_to_string(&path)
    {
        match Keymap::parse(&text) {
            Ok(own) => keymap.patch(own),
            Err(error) => notes.push(format!("{}: {error}", path.display())),
        }
    }
    notes.extend(keymap.shadowing());
    Ok(keymap)
}

/// A person's own theme, where there is one and no other is asked for.
fn own_theme(colours: Colours, choice: ThemeChoice, notes: &mut Vec<String>) -> Option<Theme> {
    if colours == Colours::Forbidden || choice != ThemeChoice::Auto {
        return None;
    }
    let path = own_folder()?.join("theme.toml");
    let text = std::fs::read_to_string(&path).ok()?;
    match Theme::parse(&text) {
        Ok(theme) => Some(theme),
        Err(error) => {
            notes.push(format!("{}: {}", path.display(), error.message()));
            None
        }
    }
}

/// SIGTERM and SIGHUP, as a stream: the shell and the system ask for an orderly end.
#[cfg(unix)]
fn signals() -> Result<impl Stream<Item = ()> + Unpin, ConsoleError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(Box::pin(futures_util::stream::poll_fn(move |context| {
        if terminate.poll_recv(context).is_ready() || hang_up.poll_recv(context).is_ready() {
            std::task::Poll::Ready(Some(()))
        } else {
            std::task::Poll::Pending
        }
    })))
}

#[cfg(not(unix))]
fn signals() -> Result<impl Stream<Item = ()> + Unpin, ConsoleError> {
    Ok(futures_util::stream::pending())
}
