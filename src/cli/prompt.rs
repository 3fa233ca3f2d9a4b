//! Questions to a person: a line, or a secret without echo.

use std::io::{BufRead, IsTerminal, Read, Write};

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use secrecy::SecretString;

use crate::cli::context::Context;
use crate::ops::error::{OpClass, OpError};
use crate::ops::secrets;
use crate::ops::session::Session;

/// Longer than any password, key or token, shorter than a file piped in by mistake.
const LONGEST_SECRET: u64 = 64 * 1024;

/// Asks for a line.
pub(super) async fn line(question: &'static str) -> Result<String, OpError> {
    blocking(move || {
        let mut stderr = std::io::stderr().lock();
        write!(stderr, "{question}").and_then(|()| stderr.flush())?;
        drop(stderr);
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        Ok(answer)
    })
    .await
}

/// A secret: asked for without echo on a terminal, else all of stdin less one line end.
pub(super) async fn secret(question: String) -> Result<SecretString, OpError> {
    let text =
        blocking(move || if std::io::stdin().is_terminal() { ask(&question) } else { piped() }).await?;
    if text.is_empty() {
        return Err(OpError::settings("The value is empty; nothing was stored."));
    }
    Ok(SecretString::from(text))
}

/// Asks for the vault's passphrase where that is needed and a person is there to be asked.
pub(super) async fn unlock(session: &Session, context: &Context) -> Result<(), OpError> {
    if context.output.can_ask() && secrets::needs_passphrase(session).await? {
        let passphrase = secret("Passphrase of the vault: ".into()).await?;
        secrets::unlock(session, passphrase).await?;
    }
    Ok(())
}

async fn blocking(
    read: impl FnOnce() -> std::io::Result<String> + Send + 'static,
) -> Result<String, OpError> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => {
            Err(OpError::new(OpClass::Cancelled, "Nothing was stored."))
        }
        Ok(Err(error)) => Err(OpError::failed(format!("The value could not be read: {error}."))),
        Err(error) => Err(OpError::failed(format!("The value could not be read: {error}."))),
    }
}

fn piped() -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text)? as u64;
    if read == LONGEST_SECRET {
        return Err(std::io::Error::other("it is longer than 64 kB, so it is hardly a secret"));
    }
    let without_end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text);
    Ok(without_end.to_owned())
}

/// Puts the terminal back however the asking ends.
struct Raw;

impl Raw {
    fn enter() -> std::io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = crossterm::terminal::disable_raw_mode();
        let _ = writeln!(std::io::stderr().lock());
    }
}

fn ask(question: &str) -> std::io::Result<String> {
    // Raw before the question: whoever sees it can type at once without an echo.
    let _raw = Raw::enter()?;
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question}").and_then(|()| stderr.flush())?;
    drop(stderr);
    let mut text = String::new();
    loop {
        match crossterm::event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let control = key.modifiers.contains(KeyModifiers::CONTROL);
                match key.code {
                    KeyCode::Enter => return Ok(text),
                    KeyCode::Char('c' | 'd') if control => return Err(std::io::ErrorKind::Interrupted.into()),
                    KeyCode::Char('u') if control => text.clear(),
                    KeyCode::Char(one) if !control => text.push(one),
                    KeyCode::Backspace => {
                        text.pop();
                    }
                    KeyCode::Esc => return Err(std::io::ErrorKind::Interrupted.into()),
                    _ => {}
                }
            }
            Event::Paste(pasted) => text.push_str(&pasted),
            _ => {}
        }
    }
}
