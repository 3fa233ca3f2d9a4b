//! A frame of the console while a run goes on: what the engine says is taken in, a key is pressed, the screen is drawn.
//!
//! `cargo bench --bench frame`. At most 30 frames a second are drawn, so that a frame may take 3.3 ms of a core to stay under a
//! tenth of it; a key has 16 ms to the screen (design §7). Beside it stands the mere filling of the same cells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod common;

use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use forcesync::console::app::key::Key;
use forcesync::console::app::keymap::Keymap;
use forcesync::console::app::message::Msg;
use forcesync::console::app::model::{Access, Engine, Zone};
use forcesync::console::app::{App, Look, Start};
use forcesync::console::view::canvas::Canvas;
use forcesync::console::view::draw;
use forcesync::console::view::theme::{Theme, ThemeChoice};
use forcesync::domain::outcome::{Counts, RunKind};
use forcesync::domain::progress::{EngineState, MappingProgress, Phase, Progress};
use forcesync::workspace::settings::Settings;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

const FRAMES: u64 = 3_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_356_312, 0).unwrap()
}

fn progress(done: u64) -> Progress {
    let counts = Counts { read: 1_600_000, unchanged: done, ..Counts::default() };
    let one = |name: &str| MappingProgress {
        mapping: name.into(),
        title: format!("{name} ⇄ contact"),
        done,
        total: Some(1_000_000),
        counts,
    };
    Progress {
        state: EngineState::Running,
        run: Some(1),
        kind: Some(RunKind::Initial),
        phase: Phase::Writing,
        started: Some(now()),
        mappings: vec![one("contact"), one("lead")],
        counts,
        read: 1_600_000,
        api_budget: Some((12_410, 100_000)),
        ..Progress::default()
    }
}

fn app() -> App {
    let mut app = App::new(Start {
        settings: Settings::default(),
        problems: Vec::new(),
        folder: "/home/ann/acme".into(),
        access: Access::ReadWrite,
        look: Look::default(),
        zone: Zone::Universal,
        keymap: Keymap::built_in().unwrap(),
        now: now(),
    });
    app.update(Msg::Engine(Engine::Here));
    app.update(Msg::Status(Ok(Box::default())));
    app
}

fn main() {
    println!("{:30} {:>10} {:>10} {:>14}", "frame", "median µs", "p99 µs", "core at 30/s");
    for (columns, rows) in [(80, 24), (120, 40), (240, 80)] {
        for tab in ["1", "3"] {
            let mut app = app();
            app.update(Msg::Resize { columns, rows });
            app.update(Msg::Key(Key::parse(tab).unwrap()));
            let theme = Theme::built_in(ThemeChoice::Dark);
            let area = Rect::new(0, 0, columns, rows);
            let mut times: Vec<f64> = (0..FRAMES)
                .map(|frame| {
                    let at = now() + TimeDelta::milliseconds(frame as i64 * 33);
                    let start = Instant::now();
                    app.update(Msg::Tick(at));
                    app.update(Msg::Progress(Box::new(progress(frame * 300))));
                    app.update(Msg::Key(Key::parse("down").unwrap()));
                    let mut buffer = Buffer::empty(area);
                    draw(&app, &mut Canvas::new(&mut buffer, &theme, Look::default()), area);
                    black_box(&buffer);
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
            println!(
                "{:30} {median:10.0} {late:10.0} {:12.1} %",
                format!("tab {tab}, {columns}×{rows}"),
                median * 30.0 / 1e4
            );
        }
        let area = Rect::new(0, 0, columns, rows);
        let took = common::median(|| {
            black_box(Buffer::filled(area, Cell::new("x")));
        });
        println!("{:30} {:10.0}", format!("cells filled, {columns}×{rows}"), took.as_secs_f64() * 1e6);
    }
}
