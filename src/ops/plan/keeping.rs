//! Forgetting, naming and importing plans: what the engine does for [`PlanDeed`], since it alone writes the state database.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::domain::command::Reply;
use crate::domain::plan::saved::{PlanDeed, PlanHead, PlanLine};
use crate::ops::error::OpError;
use crate::ops::plan::file::{Event, Record};
use crate::store::{Store, StoreError, plans};

/// Lines kept in one transaction.
const PAGE: usize = 1_000;

/// The longest line that is read; a record with more in it is no plan's.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Does it.
pub(crate) async fn done(store: &Store, deed: &PlanDeed) -> Result<Reply, OpError> {
    match deed {
        PlanDeed::Forget { number } => {
            let number = *number;
            if store.write(move |db| plans::forget(db, number)).await? {
                Ok(Reply::Accepted)
            } else {
                Err(no_plan(number))
            }
        }
        PlanDeed::Name { number, name } => {
            let (number, name) = (*number, name.clone());
            if store.write(move |db| plans::name(db, number, name.as_deref())).await? {
                Ok(Reply::Kept { plan: number })
            } else {
                Err(no_plan(number))
            }
        }
        PlanDeed::Import { file } => import(store, file).await.map(|plan| Reply::Kept { plan }),
    }
}

fn no_plan(number: i64) -> OpError {
    OpError::settings(format!("There is no plan {number}. `forcesync plan list` lists those there are."))
        .code("no_plan")
}

/// Takes a plan from a file. What its lines say is not believed: they only name which of the engine's own decisions are to be done.
async fn import(store: &Store, path: &Path) -> Result<i64, OpError> {
    let unreadable = |error: &std::io::Error| {
        OpError::settings(format!("{} could not be read: {error}.", path.display())).code("plan_file")
    };
    let mut file = BufReader::new(File::open(path).map_err(|error| unreadable(&error))?);
    let mut number = 1;
    let Some(Record::Head(head)) = next(&mut file, path, number)? else {
        return Err(not_a_plan(path, number, "the head of a plan is expected"));
    };
    let head = PlanHead { name: None, applied: None, ..*head };
    let kept = head.clone();
    let plan = store.write(move |db| plans::begin(db, &kept)).await?;
    let copied = async {
        let mut lines = 0;
        loop {
            let mut page: Vec<PlanLine> = Vec::new();
            while page.len() < PAGE {
                number += 1;
                match next(&mut file, path, number)? {
                    None => break,
                    Some(Record::Line(line)) => {
                        lines += 1;
                        page.push(PlanLine { number: lines, outcome: None, why: None, ..*line });
                    }
                    Some(Record::Head(_)) => {
                        return Err(not_a_plan(path, number, "there is a second head"));
                    }
                }
            }
            if page.is_empty() {
                return Ok::<_, OpError>(lines);
            }
            store.write(move |db| page.iter().try_for_each(|line| plans::put_line(db, plan, line))).await?;
        }
    };
    let lines = match copied.await {
        Ok(lines) => lines,
        Err(error) => {
            // Half a plan is none.
            let _: Result<bool, StoreError> = store.write(move |db| plans::forget(db, plan)).await;
            return Err(error);
        }
    };
    let head = PlanHead { plan, lines: u64::try_from(lines).unwrap_or(0), ..head };
    store
        .write(move |db| {
            plans::set_head(db, &head)?;
            plans::prune(db, None)
        })
        .await?;
    Ok(plan)
}

fn next(file: &mut impl BufRead, path: &Path, number: u64) -> Result<Option<Record>, OpError> {
    let mut text = String::new();
    let read = file
        .by_ref()
        .take(LONGEST)
        .read_line(&mut text)
        .map_err(|error| not_a_plan(path, number, &error.to_string()))?;
    if read == 0 || text.trim().is_empty() {
        return Ok(None);
    }
    let event: Event =
        serde_json::from_str(&text).map_err(|error| not_a_plan(path, number, &error.to_string()))?;
    Ok(Some(event.into()))
}

fn not_a_plan(path: &Path, line: u64, why: &str) -> OpError {
    OpError::settings(format!(
        "{}, line {line}: {why}. A plan's file is what `forcesync plan --save FILE` writes.",
        path.display()
    ))
    .code("plan_file")
}
