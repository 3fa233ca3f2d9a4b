//! Forgets a person (law E16, N27): every value that this workspace keeps goes; nothing is written to either side.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::connect::salesforce::id::full_id;
use crate::domain::command::{Command, Reply};
use crate::domain::forget::Forgotten;
use crate::ops::engine::{EngineClient, Place};
use crate::ops::error::{OpClass, OpError};
use crate::ops::session::Session;

/// What a person should know before saying yes.
pub const WHAT_IT_DOES: [&str; 4] = [
    "Every value of this person goes: from bases, history, log, issues, plans and log files of this workspace.",
    "Nothing is written to Salesforce or the platform: delete the records there yourself.",
    "Empty tombstones with both ids stay, so that no run matches, creates or changes these records again.",
    "It can't be undone. Files that were exported are yours to delete.",
];

/// Forgets a person by a record of either side.
pub async fn forget(
    session: &Session,
    engine: &EngineClient,
    object: &str,
    id: &str,
) -> Result<Forgotten, OpError> {
    let id = match full_id(id) {
        Some(full) if id.trim().len() == 15 => full.as_str().to_owned(),
        _ => id.trim().to_owned(),
    };
    match engine.ask(Command::Forget { object: object.to_owned(), id }).await? {
        Reply::Forgotten { mut erased, texts } => {
            let folder = session.workspace().log_folder.clone();
            let cleaned = tokio::task::spawn_blocking(move || clean_log_files(&folder, &texts)).await;
            match cleaned {
                Ok(Ok(lines)) => erased.log_file_lines = lines,
                Ok(Err(error)) => {
                    return Err(OpError::failed(format!(
                        "The database is clean, but the log files could not be ({error}); delete the folder {}.",
                        session.workspace().log_folder.display()
                    )));
                }
                Err(error) => {
                    return Err(OpError::failed(format!("The log files could not be read: {error}.")));
                }
            }
            Ok(erased)
        }
        Reply::Refused { message } => {
            let class = match engine.place() {
                Place::Socket { .. } => OpClass::Busy,
                Place::InProcess => OpClass::Failed,
            };
            Err(OpError::new(class, message))
        }
        Reply::Accepted
        | Reply::Started { .. }
        | Reply::Status { .. }
        | Reply::Moved { .. }
        | Reply::Kept { .. } => Err(OpError::failed("The engine answered something else than it was asked.")),
    }
}

/// Takes the lines out of the log files that name the person. A file is written over in place, since whoever logs keeps it
/// open.
fn clean_log_files(folder: &Path, texts: &[String]) -> std::io::Result<u64> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(0) };
    let wanted: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    let mut gone = 0;
    for entry in entries {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let mut file = std::fs::File::options().read(true).write(true).open(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let content = String::from_utf8_lossy(&bytes);
        let mut kept = String::with_capacity(content.len());
        let before = gone;
        for line in content.split_inclusive('\n') {
            let folded = line.to_lowercase();
            if wanted.iter().any(|text| folded.contains(text.as_str())) {
                gone += 1;
            } else {
                kept.push_str(line);
            }
        }
        if gone > before {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(kept.as_bytes())?;
            file.set_len(kept.len() as u64)?;
            file.sync_all()?;
        }
    }
    Ok(gone)
}
