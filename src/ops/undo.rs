//! Takes a run back (law E16): what it would mean, and what it left as it was.

use crate::domain::plan::{Action, Line};
use crate::domain::side::Side;
use crate::domain::undo::{UndoChange, UndoLeft, UndoPreview, UndoRecord, UndoStep};
use crate::ops::error::OpError;
use crate::ops::read::read;
use crate::ops::session::Session;

/// Rows read at once.
const PAGE: usize = 500;

/// What history tells about a run that is to be taken back; refuses where there is nothing to take back.
pub async fn preview(session: &Session, run: i64) -> Result<UndoPreview, OpError> {
    let preview = read(session, move |reader| reader.undo_preview(run)).await?.ok_or_else(|| {
        OpError::settings(format!("There is no run {run}. `forcesync runs` lists those there are."))
            .code("no_run")
    })?;
    if preview.is_empty() {
        let why = if preview.deleted.platform > 0 {
            format!("it only deleted records ({}) that no recycle bin has", preview.deleted.platform)
        } else if preview.forgotten > 0 {
            "what it wrote is past retention".to_owned()
        } else {
            "it changed no values".to_owned()
        };
        return Err(
            OpError::settings(format!("Run {run} can't be taken back: {why}.")).code("nothing_to_undo")
        );
    }
    Ok(preview)
}

/// What stands in a planned line.
fn steps(line: &Line) -> Vec<UndoStep> {
    let record = |side: Side| UndoRecord { mapping: line.mapping.clone(), ids: line.ids.clone(), side };
    match line.action {
        Action::Delete { on } => vec![UndoStep::WouldDelete(record(on))],
        Action::Restore { on } => vec![UndoStep::WouldRestore(record(on))],
        Action::Create { .. } | Action::Merge | Action::Skip { .. } | Action::Refuse { .. } => line
            .changes
            .iter()
            .map(|change| {
                UndoStep::WouldWrite(UndoChange {
                    mapping: line.mapping.clone(),
                    ids: line.ids.clone(),
                    side: change.to,
                    fields: change.fields.to_vec(),
                    old: change.old.clone(),
                    new: change.new.clone(),
                })
            })
            .collect(),
    }
}

/// The first so many things that an undo would do or left as they are, for a screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoPage {
    /// What it would do, if it only looked.
    pub planned: Vec<UndoStep>,
    /// What it left as it is.
    pub left: Vec<UndoLeft>,
    /// Whether there is more of either.
    pub more: bool,
}

/// The first page of what an undo would do and of what it left.
pub async fn page(session: &Session, run: i64) -> Result<UndoPage, OpError> {
    let lines = read(session, move |reader| reader.undo_planned(run, 0, PAGE)).await?;
    let left = read(session, move |reader| reader.undo_left(run, 0, PAGE)).await?;
    let more = lines.len() == PAGE || left.len() == PAGE;
    Ok(UndoPage {
        planned: lines.into_iter().flat_map(|(_, line)| steps(&line)).collect(),
        left: left.into_iter().map(|(_, left)| left).collect(),
        more,
    })
}

/// What an undo left as it is, one after the other.
pub async fn left(session: &Session, run: i64, mut each: impl FnMut(&UndoLeft)) -> Result<u64, OpError> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = read(session, move |reader| reader.undo_left(run, after, PAGE)).await?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = *last;
        count += page.len() as u64;
        for (_, left) in &page {
            each(left);
        }
    }
}

/// What an undo that only looked would do, one after the other.
pub async fn planned(session: &Session, run: i64, mut each: impl FnMut(&UndoStep)) -> Result<u64, OpError> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = read(session, move |reader| reader.undo_planned(run, after, PAGE)).await?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = *last;
        for (_, line) in page {
            for step in steps(&line) {
                count += 1;
                each(&step);
            }
        }
    }
}
