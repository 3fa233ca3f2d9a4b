//! The loop: waits for input, answers, signals and time; takes them in; draws at most every [`FRAME`].
//!
//! Generic over its backend, its input, and its world, so that a test drives the whole console without a terminal.

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::console::app::App;
use crate::console::app::effect::{Effect, Leave};
use crate::console::app::key::Key;
use crate::console::app::message::{Hit, Msg};
use crate::console::app::toast::Tone;
use crate::console::terminal::Desk;
use crate::console::view;
use crate::console::view::canvas::Canvas;
use crate::console::view::text::common as text;
use crate::console::view::theme::{Theme, ThemeChoice};
use crate::domain::clock::Clock;

/// The shortest time between two frames; a key draws at once.
pub const FRAME: Duration = Duration::from_millis(33);
/// More than a terminal takes into its clipboard.
const LONGEST_COPY: usize = 70_000;
/// Input and answers taken in before the next frame, so that a flood of them can't keep the screen from changing.
const BATCH: usize = 256;

/// Carries out what the console asks of the world; answers come back as messages.
pub trait World {
    /// Begins an effect. Never waits.
    fn perform(&mut self, effect: Effect, answers: &mpsc::UnboundedSender<Msg>);

    /// Ends what runs in this process after the batch in hand.
    fn close(&mut self) -> impl Future<Output = ()>;
}

/// The console with everything around it.
pub struct EventLoop<B: Backend, I, D, W> {
    /// What the screen means.
    pub app: App,
    /// Where it is drawn.
    pub terminal: Terminal<B>,
    /// Keys, mouse, paste, resizes.
    pub input: I,
    /// What belongs to the terminal besides its cells.
    pub desk: D,
    /// Who carries out effects.
    pub world: W,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The looks.
    pub theme: Theme,
    /// The theme to go back to under `Auto`; `NO_COLOR` allows only the one without colours.
    pub colours: Colours,
}

/// Whether colours are allowed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// As the theme says.
    Allowed,
    /// `NO_COLOR` is set.
    Forbidden,
}

/// The console can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal refused something.
    #[error("The terminal could not be used: {0}. Is this a terminal? `forcesync status` works without one.")]
    Terminal(String),
    /// The key map that comes with the program is broken.
    #[error(transparent)]
    Keymap(#[from] crate::console::app::keymap::KeymapError),
}

impl From<io::Error> for ConsoleError {
    fn from(error: io::Error) -> Self {
        Self::Terminal(error.to_string())
    }
}

enum Step {
    Go,
    Leave(Leave),
}

impl<B, I, D, W> EventLoop<B, I, D, W>
where
    B: Backend,
    I: Stream<Item = io::Result<Event>> + Unpin,
    D: Desk,
    W: World,
{
    /// Runs until somebody leaves.
    pub async fn run(&mut self, signals: impl Stream<Item = ()> + Unpin) -> Result<(), ConsoleError> {
        match self.until_left(signals).await {
            Ok(Leave::Abort) => Ok(()),
            Ok(Leave::Quietly | Leave::AfterRun | Leave::AfterBatch) => self.close().await,
            Err(error) => {
                // The terminal is gone. What runs in this process ends in order all the same.
                self.world.close().await;
                Err(error)
            }
        }
    }

    async fn until_left(
        &mut self,
        mut signals: impl Stream<Item = ()> + Unpin,
    ) -> Result<Leave, ConsoleError> {
        let (sender, mut answers) = mpsc::unbounded_channel();
        let mut hits: Vec<(Rect, Hit)> = Vec::new();
        let mut last_frame: Option<DateTime<Utc>> = None;
        let mut dirty = true;
        let mut at_once = true;
        let size = self.terminal.size().map_err(terminal_error)?;
        self.app.size = (size.width, size.height);
        for effect in self.app.first_effects() {
            self.world.perform(effect, &sender);
        }
        loop {
            let now = self.clock.now();
            let frame_due = last_frame.is_none_or(|last| now - last >= frame());
            if dirty && (at_once || frame_due) {
                for effect in self.app.update(Msg::Tick(now)) {
                    self.carry_out(effect, &sender)?;
                }
                hits = self.draw()?;
                last_frame = Some(now);
                dirty = false;
                at_once = false;
            }
            let wake = if dirty { last_frame.map(|last| last + frame()) } else { self.app.next_change() };
            let nap = wake
                .map(|wake| (wake - now).to_std().unwrap_or(Duration::ZERO).max(Duration::from_millis(1)));
            let clock = Arc::clone(&self.clock);
            let sleep = async {
                match nap {
                    Some(nap) => clock.sleep(nap).await,
                    None => std::future::pending().await,
                }
            };
            let mut taken = Vec::new();
            tokio::select! {
                biased;
                event = self.input.next() => {
                    match event {
                        Some(event) => taken.extend(message(event?, &hits)),
                        // The terminal is gone.
                        None => return Ok(Leave::AfterBatch),
                    }
                    while taken.len() < BATCH && let Some(event) = at_hand(&mut self.input).await {
                        taken.extend(message(event?, &hits));
                    }
                    at_once = true;
                }
                Some(answer) = answers.recv() => {
                    taken.push(answer);
                    while taken.len() < BATCH && let Ok(answer) = answers.try_recv() {
                        taken.push(answer);
                    }
                }
                Some(()) = signals.next() => taken.push(Msg::Terminate),
                () = sleep => {}
            }
            let mut left = None;
            let mut effects = self.app.update(Msg::Tick(self.clock.now()));
            for message in taken {
                effects.extend(self.app.update(message));
            }
            for effect in effects {
                match self.carry_out(effect, &sender)? {
                    Step::Go => {}
                    Step::Leave(how) => left = Some(how),
                }
            }
            dirty = true;
            if let Some(how) = left {
                return Ok(how);
            }
        }
    }

    /// Waits for the batch in hand; ctrl+c twice does not.
    async fn close(&mut self) -> Result<(), ConsoleError> {
        if self.app.sync.is_running() {
            self.app.toasts.add(Tone::Info, text::CLOSING, self.clock.now());
            // Without a terminal there is nobody to tell.
            let _ = self.draw();
        }
        let mut interrupts = 0;
        let close = self.world.close();
        tokio::pin!(close);
        loop {
            tokio::select! {
                () = &mut close => return Ok(()),
                event = self.input.next() => match event {
                    Some(Ok(Event::Key(key))) => {
                        let key = Key::from_event(key);
                        if key.ctrl && key.code == crossterm::event::KeyCode::Char('c') {
                            interrupts += 1;
                        }
                        if interrupts >= 2 {
                            return Ok(());
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => {
                        close.await;
                        return Ok(());
                    }
                },
            }
        }
    }

    fn carry_out(
        &mut self,
        effect: Effect,
        sender: &mpsc::UnboundedSender<Msg>,
    ) -> Result<Step, ConsoleError> {
        match effect {
            Effect::Quit(how) => return Ok(Step::Leave(how)),
            Effect::Copy(copied) if copied.len() > LONGEST_COPY => {
                self.app.toasts.add(Tone::Warning, text::TOO_LONG_TO_COPY, self.app.now);
            }
            Effect::Copy(copied) => {
                if let Err(error) = self.desk.copy(&copied) {
                    self.app.toasts.add(Tone::Warning, text::not_copied(&error), self.app.now);
                }
            }
            Effect::Theme(choice) => {
                let choice = match self.colours {
                    Colours::Allowed => choice,
                    Colours::Forbidden => ThemeChoice::Mono,
                };
                self.theme = Theme::built_in(choice);
                self.app.update(Msg::Themed(choice));
            }
            Effect::Mouse(on) => self.desk.mouse(on)?,
            Effect::Suspend => {
                self.desk.suspend()?;
                self.terminal.clear().map_err(terminal_error)?;
            }
            other => self.world.perform(other, sender),
        }
        Ok(Step::Go)
    }

    fn draw(&mut self) -> Result<Vec<(Rect, Hit)>, ConsoleError> {
        let mut hits = Vec::new();
        let (app, theme) = (&self.app, &self.theme);
        self.terminal
            .draw(|frame| {
                let area = frame.area();
                let cursor = {
                    let mut canvas = Canvas::new(frame.buffer_mut(), theme, app.look);
                    view::draw(app, &mut canvas, area);
                    hits = std::mem::take(&mut canvas.hits);
                    canvas.cursor
                };
                if let Some(cursor) = cursor {
                    frame.set_cursor_position(cursor);
                }
            })
            .map_err(terminal_error)?;
        Ok(hits)
    }
}

/// The next event if it is there already. Polled with the task's own waker: the terminal's stream keeps the first waker it is
/// given until an event comes, and one that wakes nobody would leave that event lying.
async fn at_hand<I>(input: &mut I) -> Option<io::Result<Event>>
where
    I: Stream<Item = io::Result<Event>> + Unpin,
{
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match input.poll_next_unpin(context) {
            std::task::Poll::Ready(event) => event,
            std::task::Poll::Pending => None,
        })
    })
    .await
}

fn frame() -> TimeDelta {
    TimeDelta::milliseconds(FRAME.as_millis() as i64)
}

fn terminal_error(error: impl std::fmt::Display) -> ConsoleError {
    ConsoleError::Terminal(error.to_string())
}

/// What an event of the terminal means.
fn message(event: Event, hits: &[(Rect, Hit)]) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(Key::from_event(key))),
        Event::Paste(pasted) => Some(Msg::Paste(pasted)),
        Event::Resize(columns, rows) => Some(Msg::Resize { columns, rows }),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                let at = Position { x: mouse.column, y: mouse.row };
                hits.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, hit)| Msg::Press(*hit))
            }
            MouseEventKind::ScrollDown => Some(Msg::Wheel(3)),
            MouseEventKind::ScrollUp => Some(Msg::Wheel(-3)),
            _ => None,
        },
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}
