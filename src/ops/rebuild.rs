//! Replaces a damaged state database: it is set aside, and the links are found again by reading both sides. Nothing is written
//! to either of them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::report::{IssueQuery, IssueRow};
use crate::domain::side::PerSide;
use crate::engine::matching::rebuild::UNDER_WAY;
use crate::ops::error::{OpClass, OpError};
use crate::ops::read;
use crate::ops::runner::WorkspaceRunner;
use crate::ops::session::Session;
use crate::store::{Reader, StoreError};
use crate::workspace::lock::EngineLock;

/// At most so many ambiguous records are listed; the issues have all of them.
const LISTED: usize = 1_000;

/// What the state database is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent,
    /// It can't be used, and this is why.
    Damaged(String),
    /// An earlier rebuild did not come to its end.
    Unfinished,
    /// Nothing is wrong with it.
    Sound,
}

/// What a rebuild found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// Where the damaged files are now.
    pub set_aside: Vec<PathBuf>,
    /// The org of this workspace.
    pub org: Option<String>,
    /// Whether the org was pinned already: in the settings, or in what could still be read of the old database.
    pub org_known: bool,
    /// Links by the other side's id that a record carries.
    pub by_mark: u64,
    /// Links by key.
    pub by_key: u64,
    /// Links of records whose counterpart is gone.
    pub closed: u64,
    /// Records that are on one side only.
    pub alone: PerSide<u64>,
    /// Records that are no sole match for each other.
    pub ambiguous: u64,
    /// The first of them.
    pub listed: Vec<IssueRow>,
    /// The command that goes on from here.
    pub next: &'static str,
}

/// Looks at the database without changing it.
pub async fn state(session: &Session) -> Result<State, OpError> {
    let path = session.workspace().state_db.clone();
    let looked = tokio::task::spawn_blocking(move || look(&path)).await;
    match looked {
        Ok(state) => Ok(state?),
        Err(error) => Err(OpError::failed(format!("The state database could not be examined: {error}."))),
    }
}

fn look(path: &Path) -> Result<State, StoreError> {
    if !path.metadata().is_ok_and(|found| found.len() > 0) {
        return Ok(State::Absent);
    }
    let reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(StoreError::Damaged(why)) => return Ok(State::Damaged(why)),
        Err(error) => return Err(error),
    };
    match reader.integrity() {
        Ok(found) => {
            if let Some(first) = found.into_iter().next() {
                return Ok(State::Damaged(first));
            }
        }
        Err(StoreError::Damaged(why)) => return Ok(State::Damaged(why)),
        Err(error) => return Err(error),
    }
    match reader.remembered(UNDER_WAY) {
        Ok(Some(word)) if !word.is_empty() => Ok(State::Unfinished),
        Ok(_) => Ok(State::Sound),
        // A file in which our tables are missing is none of ours.
        Err(error) => Ok(State::Damaged(error.to_string())),
    }
}

/// The org that the old database was pinned to, if that can still be read.
fn pinned(path: &Path) -> Option<String> {
    Reader::open(path).ok()?.remembered("org").ok()?.filter(|org| !org.is_empty())
}

/// Sets the database aside where it is damaged, and finds all links again in a new one.
pub async fn rebuild(session: &Session) -> Result<RebuildReport, OpError> {
    let workspace = session.workspace().clone();
    // Nobody else may open the old file, or begin a run, meanwhile.
    let lock = EngineLock::acquire(&workspace.lock)?;
    let state = state(session).await?;
    if state == State::Sound {
        return Err(OpError::failed(format!(
            "{} is sound, so nothing was rebuilt: a rebuild would lose what both sides last held. To look for records that were \
             missed, run an initial sync; it writes nothing that is already equal.",
            workspace.state_db.display()
        ))
        .code("database_sound"));
    }
    let settings_pin = session.settings().salesforce.org_id;
    let old_pin = pinned(&workspace.state_db);
    let runner = WorkspaceRunner::new(session.apart());
    // Before anything is moved it must be sure that both sides can be read, and that the org is the right one.
    let org = runner.org().await?;
    let known = old_pin.or(settings_pin);
    if let (Some(known), Some(found)) = (&known, &org)
        && known != found
    {
        return Err(OpError::new(
            OpClass::Blocked,
            format!(
                "These settings lead to the org {found}, but this workspace belongs to {known}; nothing was changed. Correct the \
                 connection, or make a new workspace for the other org."
            ),
        )
        .code("other_org"));
    }
    let set_aside = match state {
        // Where the file itself is gone, its companions may still lie there.
        State::Damaged(_) | State::Absent => {
            let stamp = session.clock().now().format("%Y%m%dT%H%M%SZ").to_string();
            move_away(&workspace.state_db, &stamp)?
        }
        State::Unfinished | State::Sound => Vec::new(),
    };
    session.forget_reader();
    let rebuilt = runner.rebuild(org.clone()).await?;
    drop(runner);
    drop(lock);
    let listed = if rebuilt.ambiguous == 0 {
        Vec::new()
    } else {
        read::issues(session, IssueQuery { limit: LISTED, ..IssueQuery::default() }).await?
    };
    Ok(RebuildReport {
        set_aside,
        org,
        org_known: known.is_some(),
        by_mark: rebuilt.by_mark,
        by_key: rebuilt.by_key,
        closed: rebuilt.closed,
        alone: rebuilt.alone,
        ambiguous: rebuilt.ambiguous,
        listed,
        next: if rebuilt.links() > 0 { "forcesync sync instant" } else { "forcesync sync initial" },
    })
}

/// Renames the database and its two companions; the companions first, so that no new database meets an old log.
fn move_away(path: &Path, stamp: &str) -> Result<Vec<PathBuf>, OpError> {
    let mut moved = Vec::new();
    for companion in ["-wal", "-shm", ""] {
        let mut from = path.as_os_str().to_owned();
        from.push(companion);
        let from = PathBuf::from(from);
        let mut to = path.as_os_str().to_owned();
        to.push(format!(".damaged-{stamp}{companion}"));
        let to = PathBuf::from(to);
        match std::fs::rename(&from, &to) {
            Ok(()) => moved.push(to),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(OpError::failed(format!(
                    "{} could not be set aside: {error}. Check the rights of the folder.",
                    from.display()
                )));
            }
        }
    }
    Ok(moved)
}
