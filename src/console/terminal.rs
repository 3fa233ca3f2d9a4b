//! Takes the terminal and gives it back: one guard, and a panic hook that restores first.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// What belongs to the terminal besides its cells.
pub trait Desk {
    /// Puts a text into the terminal's clipboard (OSC 52, which works over ssh, too).
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Captures the mouse, or lets it go.
    fn mouse(&mut self, on: bool) -> io::Result<()>;
    /// Gives the terminal back, stops the process until the shell wakes it, and takes the terminal again.
    fn suspend(&mut self) -> io::Result<()>;
}

/// Whether the terminal is ours at the moment, so that it is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Holds the terminal; dropping it gives the terminal back.
pub struct TerminalGuard {
    mouse: bool,
}

impl TerminalGuard {
    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Self> {
        restore_before_panics();
        enter(mouse)?;
        Ok(Self { mouse })
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

impl Desk for TerminalGuard {
    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    fn suspend(&mut self) -> io::Result<()> {
        restore();
        stop_this_process()?;
        enter(self.mouse)
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse {
        execute!(io::stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back. Errors are of no use here: there is nothing left to tell them to.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

/// A panic message belongs on a usable screen: the terminal is restored first, then the former hook speaks.
fn restore_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            former(panic);
        }));
    });
}

/// What the shell does on ctrl+z in other programs. In raw mode the key reaches us instead of the terminal's driver.
#[cfg(unix)]
fn stop_this_process() -> io::Result<()> {
    std::process::Command::new("kill").args(["-TSTP", &std::process::id().to_string()]).status().map(|_| ())
}

#[cfg(not(unix))]
fn stop_this_process() -> io::Result<()> {
    Ok(())
}
