//! Takes a run back (law E16): what it would mean, and what it left as it was.

use crate::domain::undo::{UndoChange, UndoLeft, UndoPreview};
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
        let created = preview.created.org + preview.created.platform;
        let why = if created > 0 {
            format!("it only created records ({created}), which have to be deleted by hand")
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

/// What an undo that only looked would write, one after the other.
pub async fn planned(session: &Session, run: i64, mut each: impl FnMut(&UndoChange)) -> Result<u64, OpError> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = read(session, move |reader| reader.undo_planned(run, after, PAGE)).await?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = *last;
        for (_, line) in page {
            for change in line.changes {
                count += 1;
                each(&UndoChange {
                    mapping: line.mapping.clone(),
                    ids: line.ids.clone(),
                    side: change.to,
                    fields: change.fields,
                    old: change.old,
                    new: change.new,
                });
            }
        }
    }
}
