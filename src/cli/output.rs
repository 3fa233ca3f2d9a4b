//! The only way anything is printed: data to stdout, everything else to stderr.
//!
//! A reader that goes away (`| head`) is no error: what is left is dropped in silence, and whoever prints without end can ask
//! [`Output::is_closed`].

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::ops::error::OpError;

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Both standard streams.
#[derive(Debug)]
pub struct Output {
    format: Format,
    closed: AtomicBool,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    event: &'static str,
    code: &'a str,
    message: &'a str,
}

impl Output {
    /// Prints in that format.
    pub fn new(format: Format) -> Self {
        Self { format, closed: AtomicBool::new(false) }
    }

    /// How data is printed.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether data is printed as JSON.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether nobody reads stdout any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether a person sits at both ends, so that questions make sense.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Prints a line for people; nothing with `--json`.
    pub fn text(&self, line: impl Display) {
        if self.format == Format::Text {
            self.write(format!("{line}\n").as_bytes());
        }
    }

    /// Prints an object; nothing without `--json`.
    pub fn object(&self, object: &impl Serialize) {
        if self.format == Format::Json {
            match serde_json::to_vec(object) {
                Ok(mut line) => {
                    line.push(b'\n');
                    self.write(&line);
                }
                Err(error) => tracing::error!(%error, "An object could not be printed."),
            }
        }
    }

    /// Prints bytes as they are, whatever the format.
    pub fn write(&self, bytes: &[u8]) {
        if self.is_closed() {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        if stdout.write_all(bytes).and_then(|()| stdout.flush()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Tells something that is no data.
    pub fn note(&self, line: impl Display) {
        // Where even stderr is gone there is nobody left to tell.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// Tells a program that the command line was wrong; people have been told already.
    pub fn usage_error(&self, error: &clap::Error) {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        self.object(&ErrorObject { event: "error", code: "usage", message });
    }

    /// Tells why something did not work.
    pub fn error(&self, error: &OpError) {
        self.object(&ErrorObject { event: "error", code: &error.code, message: &error.message });
        self.note(format_args!("forcesync: {}", crate::cli::safe_text::safe(&error.message)));
    }
}
