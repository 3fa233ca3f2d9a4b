//! The whole console: a fake key stream in, a screen out, with a fake world and with the real one behind a sandbox.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use forcesync::console::app::effect::Effect;
use forcesync::console::app::keymap::Keymap;
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::{Access, Zone};
use forcesync::console::app::{App, Look, Start};
use forcesync::console::effects::Workshop;
use forcesync::console::event_loop::{Colours, EventLoop, World};
use forcesync::console::terminal::Desk;
use forcesync::console::view::theme::{Theme, ThemeChoice};
use forcesync::domain::clock::Clock;
use forcesync::domain::progress::{EngineState, Progress};
use forcesync::ops;
use forcesync::ops::sandbox::Wanted;
use forcesync::ops::session::{Missing, OpenOptions, Session};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use tokio::sync::mpsc;

use crate::console_stage::{full, text_of};

/// How long a test waits for the screen to say something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A screen that can be looked at while the console draws on it.
#[derive(Clone)]
struct Screen {
    backend: Arc<Mutex<TestBackend>>,
    frames: Arc<Mutex<usize>>,
    changed: Arc<tokio::sync::Notify>,
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        let backend = Arc::new(Mutex::new(TestBackend::new(columns, rows)));
        Self { backend, frames: Arc::default(), changed: Arc::default() }
    }

    fn text(&self) -> String {
        text_of(self.backend.lock().unwrap().buffer())
    }

    fn frames(&self) -> usize {
        *self.frames.lock().unwrap()
    }

    async fn says(&self, words: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let changed = self.changed.notified();
                if self.text().contains(words) {
                    return;
                }
                changed.await;
            }
        });
        assert!(waited.await.is_ok(), "the screen never said “{words}”:\n{}", self.text());
    }
}

impl Backend for Screen {
    type Error = std::convert::Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.backend.lock().unwrap().draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.backend.lock().unwrap().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.backend.lock().unwrap().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.backend.lock().unwrap().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.backend.lock().unwrap().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.backend.lock().unwrap().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        self.backend.lock().unwrap().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.backend.lock().unwrap().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.backend.lock().unwrap().window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        *self.frames.lock().unwrap() += 1;
        self.changed.notify_waiters();
        self.backend.lock().unwrap().flush()
    }
}

struct NoDesk;

impl Desk for NoDesk {
    fn copy(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn mouse(&mut self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A world that hands its line to the test and answers nothing by itself.
#[derive(Clone, Default)]
struct Silent {
    answers: Arc<Mutex<Option<mpsc::UnboundedSender<Msg>>>>,
}

impl World for Silent {
    fn perform(&mut self, _effect: Effect, answers: &mpsc::UnboundedSender<Msg>) {
        *self.answers.lock().unwrap() = Some(answers.clone());
    }

    async fn close(&mut self) {}
}

struct Keys(mpsc::UnboundedSender<io::Result<Event>>);

impl Keys {
    fn press(&self, keys: &str) {
        for key in keys.split(' ') {
            let key = forcesync::console::app::key::Key::parse(key).unwrap();
            let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
            self.0.send(Ok(Event::Key(KeyEvent::new(key.code, modifiers)))).unwrap();
        }
    }

    fn type_text(&self, text: &str) {
        for letter in text.chars() {
            let event = Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
            self.0.send(Ok(event)).unwrap();
        }
    }
}

type Input = std::pin::Pin<Box<dyn futures_util::Stream<Item = io::Result<Event>> + Send>>;

fn keys() -> (Keys, Input) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let input = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    (Keys(sender), Box::pin(input))
}

fn console<W: World>(
    app: App,
    world: W,
    clock: Arc<dyn Clock>,
) -> (EventLoop<Screen, Input, NoDesk, W>, Keys, Screen) {
    let screen = Screen::new(100, 30);
    let (keys, input) = keys();
    let console = EventLoop {
        app,
        terminal: Terminal::new(screen.clone()).unwrap(),
        input,
        desk: NoDesk,
        world,
        clock,
        theme: Theme::built_in(ThemeChoice::Dark),
        colours: Colours::Allowed,
    };
    (console, keys, screen)
}

#[tokio::test]
async fn keys_walk_the_tabs_and_q_leaves() {
    let (mut console, keys, screen) = console(full(), Silent::default(), ops::clock());
    let user = async {
        screen.says("[1 Connection Settings]").await;
        keys.press("2");
        screen.says("[2 Mapping Settings]").await;
        keys.press("4 /");
        keys.type_text("q");
        screen.says("/ q").await;
        keys.press("esc q");
    };
    let (left, ()) = tokio::join!(console.run(futures_util::stream::pending()), user);
    left.unwrap();
}

#[tokio::test]
async fn a_signal_to_end_leaves_in_order() {
    let (mut console, _keys, _screen) = console(full(), Silent::default(), ops::clock());
    console.run(futures_util::stream::iter([()])).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_numbers_is_not_a_flood_of_frames() {
    let world = Silent::default();
    let line = Arc::clone(&world.answers);
    let (mut console, keys, screen) = console(full(), world, ops::clock());
    let user = async {
        screen.says("[1 Connection Settings]").await;
        let answers = line.lock().unwrap().clone().unwrap();
        let before = screen.frames();
        let began = tokio::time::Instant::now();
        for place in 0..100_000_u64 {
            let progress = Progress { state: EngineState::Running, read: place, ..Progress::default() };
            answers.send(Msg::Progress(Box::new(progress))).unwrap();
            if place % 1_000 == 0 {
                tokio::task::yield_now().await;
            }
        }
        keys.press("3");
        screen.says("[3 Synchronization Information]").await;
        let frames = screen.frames() - before;
        let allowed = began.elapsed().as_millis() as usize / 33 + 4;
        assert!(frames <= allowed, "{frames} frames, {allowed} allowed");
        keys.press("ctrl+c ctrl+c");
    };
    let (left, ()) = tokio::join!(console.run(futures_util::stream::pending()), user);
    left.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_keys_lead_from_a_fresh_demo_to_a_finished_first_sync() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ops::clock();
    let wanted = Wanted {
        records: 60,
        workspace: Some(folder.path().join("demo")),
        life_per_second: 0.0,
        ..demo_population()
    };
    let sandbox = ops::sandbox::start(&wanted, Arc::clone(&clock)).await.unwrap();
    let options = OpenOptions {
        workspace: Some(folder.path().join("demo")),
        access: forcesync::ops::session::Access::ReadWrite,
        missing: Missing::Refuse,
    };
    let session = Session::open(&options, Arc::clone(&clock)).unwrap();
    let app = App::new(Start {
        settings: session.settings(),
        problems: session.problems(),
        folder: "demo".into(),
        access: Access::ReadWrite,
        look: Look::default(),
        zone: Zone::Universal,
        keymap: Keymap::built_in().unwrap(),
        now: clock.now(),
    });
    let (mut console, keys, screen) = console(app, Workshop::new(session), clock);
    let user = async {
        screen.says("[1 Connection Settings]").await;
        keys.press("t");
        screen.says("Salesforce: the test passed").await;
        keys.press("right t");
        screen.says("SALESmanago: the test passed").await;
        keys.press("I");
        screen.says("Kick off an initial sync?").await;
        keys.press("y");
        screen.says("done today").await;
        keys.press("q");
    };
    let (left, ()) = tokio::join!(console.run(futures_util::stream::pending()), user);
    left.unwrap();
    sandbox.stop().await;
}

fn demo_population() -> Wanted {
    Wanted {
        platform: "salesmanago".into(),
        records: 0,
        seed: 1,
        port: None,
        tls: None,
        life_per_second: 0.0,
        person_accounts: false,
        real_pace: false,
        workspace: None,
    }
}
