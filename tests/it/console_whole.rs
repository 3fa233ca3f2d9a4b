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

/// Quits; where a run is still on its way, once it has ended.
const QUIT_AFTER_RUN: &str = "q f";

/// A console and its user, until the user has left it.
async fn together<T>(console: impl Future<Output = T>, user: impl Future<Output = ()>, screen: &Screen) -> T {
    let both = async { tokio::join!(console, user).0 };
    let left = tokio::time::timeout(PATIENCE * 3, both).await;
    left.unwrap_or_else(|_| panic!("the console was never left:\n{}", screen.text()))
}

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
    let left = together(console.run(futures_util::stream::pending()), user, &screen).await;
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
    let left = together(console.run(futures_util::stream::pending()), user, &screen).await;
    left.unwrap();
}

/// A console on a fresh sandbox whose settings were changed beforehand.
struct Demo {
    sandbox: ops::sandbox::Running,
    _folder: tempfile::TempDir,
    session: Session,
    clock: Arc<dyn Clock>,
}

impl Demo {
    async fn new(change: impl FnOnce(&mut forcesync::workspace::settings::Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ops::clock();
        let workspace = Some(folder.path().join("demo"));
        let wanted =
            Wanted { records: 60, workspace: workspace.clone(), life_per_second: 0.0, ..demo_population() };
        let sandbox = ops::sandbox::start(&wanted, Arc::clone(&clock)).await.unwrap();
        let access = forcesync::ops::session::Access::ReadWrite;
        let options = OpenOptions { workspace, access, missing: Missing::Refuse };
        let session = Session::open(&options, Arc::clone(&clock)).unwrap();
        let mut settings = session.settings();
        change(&mut settings);
        if settings != session.settings() {
            ops::save_settings::save(&session, settings, Vec::new()).await.unwrap();
        }
        Self { sandbox, _folder: folder, session, clock }
    }

    fn console(&self) -> (EventLoop<Screen, Input, NoDesk, Workshop>, Keys, Screen) {
        let app = App::new(Start {
            settings: self.session.settings(),
            problems: self.session.problems(),
            folder: "demo".into(),
            access: Access::ReadWrite,
            look: Look::default(),
            zone: Zone::Universal,
            keymap: Keymap::built_in().unwrap(),
            now: self.clock.now(),
        });
        console(app, Workshop::new(self.session.clone()), Arc::clone(&self.clock))
    }

    /// A contact of both sides: its id in the org and its e-mail.
    fn somebody(&self) -> (String, String) {
        let sandbox = self.sandbox.sandbox();
        let rows = sandbox.org().rows("Contact");
        let linked = rows.iter().find(|row| {
            row["HasOptedOutOfEmail"] == serde_json::json!(false)
                && row["Email"].as_str().is_some_and(|email| sandbox.salesmanago().contact(email).is_some())
        });
        let text = |field: &str| linked.unwrap()[field].as_str().unwrap().to_owned();
        (text("Id"), text("Email"))
    }

    fn org_update(&self, id: &str, fields: &serde_json::Value) {
        let org = self.sandbox.sandbox().org();
        org.admin_update("Contact", id, fields.as_object().unwrap(), &org.person_user_id()).unwrap();
    }

    fn platform_upsert(&self, fields: &serde_json::Value) {
        self.sandbox.sandbox().salesmanago().admin_upsert(fields.as_object().unwrap()).unwrap();
    }
}

/// The keys from the start to the end of the first sync.
async fn first_sync(keys: &Keys, screen: &Screen) {
    // A test needs to know that the secrets are there.
    screen.says("in vault").await;
    keys.press("t");
    screen.says("Salesforce: the test passed").await;
    keys.press("right t");
    screen.says("SALESmanago: the test passed").await;
    keys.press("I");
    screen.says("Kick off an initial sync?").await;
    keys.press("y");
    screen.says("done today").await;
    // What the run left is read before everybody knows that it has ended.
    screen.says("idle").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_keys_lead_from_a_fresh_demo_to_a_finished_first_sync() {
    let demo = Demo::new(|_| {}).await;
    let (mut console, keys, screen) = demo.console();
    let user = async {
        first_sync(&keys, &screen).await;
        keys.press(QUIT_AFTER_RUN);
    };
    let left = together(console.run(futures_util::stream::pending()), user, &screen).await;
    left.unwrap();
    demo.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_is_decided_from_its_panel_and_written() {
    let demo = Demo::new(|settings| {
        for pair in settings.mappings.iter_mut().flat_map(|mapping| &mut mapping.pairs) {
            if pair.org == ["Fax"] {
                pair.policy = forcesync::domain::mapping::Policy::Ask;
            }
        }
    })
    .await;
    let (id, email) = demo.somebody();
    let (mut console, keys, screen) = demo.console();
    let user = async {
        first_sync(&keys, &screen).await;
        demo.org_update(&id, &serde_json::json!({"Fax": "+32 9 111"}));
        demo.platform_upsert(&serde_json::json!({"email": email, "fax": "+32 9 222"}));
        keys.press("s");
        screen.says("1 conflict").await;
        keys.press("c");
        screen.says("“+32 9 111”").await;
        keys.press("p");
        screen.says("make it the rule").await;
        keys.press("enter");
        screen.says("No open conflicts").await;
        keys.press("esc");
        keys.press(QUIT_AFTER_RUN);
    };
    let left = together(console.run(futures_util::stream::pending()), user, &screen).await;
    left.unwrap();
    assert_eq!(demo.sandbox.sandbox().org().row("Contact", &id).unwrap()["Fax"], "+32 9 222");
    demo.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_value_of_a_refused_record_is_edited_in_its_form_and_reaches_both_sides() {
    let demo = Demo::new(|_| {}).await;
    let (id, email) = demo.somebody();
    let (mut console, keys, screen) = demo.console();
    let user = async {
        first_sync(&keys, &screen).await;
        demo.platform_upsert(&serde_json::json!({"email": email, "fax": "1".repeat(60)}));
        keys.press("s");
        screen.says("STRING_TOO_LONG").await;
        keys.press("tab tab enter");
        // The cause stands there before the records are read.
        screen.says(&id).await;
        keys.press("enter");
        screen.says("(edit)").await;
        keys.press("enter");
        screen.says("fax in SALESmanago").await;
        keys.press("ctrl+u");
        keys.type_text("+32 9 444");
        keys.press("enter");
        screen.says("No open issues").await;
        keys.press("esc");
        keys.press(QUIT_AFTER_RUN);
    };
    let left = together(console.run(futures_util::stream::pending()), user, &screen).await;
    left.unwrap();
    assert_eq!(demo.sandbox.sandbox().org().row("Contact", &id).unwrap()["Fax"], "+32 9 444");
    assert_eq!(demo.sandbox.sandbox().salesmanago().contact(&email).unwrap()["fax"], "+32 9 444");
    demo.sandbox.stop().await;
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
        package: true,
        workspace: None,
    }
}
