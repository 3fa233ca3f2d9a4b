//! Takes the settings out of the workspace: the file as it stands, with its comments, and never a secret.

use std::path::Path;

use crate::ops::error::OpError;
use crate::ops::session::Session;
use crate::workspace::file::SettingsFile;
use crate::workspace::private_file;

/// What became of a file that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// It is new, or was written again.
    Written,
    /// It said the same already.
    Same,
}

/// What happens to a file that is there and says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// It is left alone.
    Kept,
    /// It is replaced.
    Replaced,
}

/// The settings as text. The same settings give the same text. A file in which something can't be read is not handed on: nobody knows
/// whether that is a secret that was typed into the wrong place.
pub fn text(session: &Session) -> Result<String, OpError> {
    let file = SettingsFile::load(session.settings_file())?;
    if let Some(problem) = file.problems().iter().find(|problem| problem.blocks()) {
        let path = session.settings_file().display();
        return Err(OpError::settings(format!("{path}: {problem} Nothing was exported; mend that first.")));
    }
    Ok(file.text().to_owned())
}

/// Writes the settings to a file.
pub fn write(text: &str, path: &Path, present: Present) -> Result<Exported, OpError> {
    match std::fs::read(path) {
        Ok(found) if found == text.as_bytes() => return Ok(Exported::Same),
        Ok(_) if present == Present::Kept => {
            return Err(OpError::settings(format!(
                "{} exists already and says something else: name another file, or add --force to replace it.",
                path.display()
            )));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(OpError::failed(format!("{} can't be written: {error}.", path.display())));
        }
    }
    private_file::replace(path, text.as_bytes())?;
    Ok(Exported::Written)
}
