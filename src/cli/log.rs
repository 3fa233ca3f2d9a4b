//! `forcesync log`: the facts, oldest of the wanted ones first, and with `--follow` the new ones as they come.

use std::time::Duration;

use crate::cli::arguments::Log;
use crate::cli::context::Context;
use crate::cli::interrupts::Interrupts;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::report::{FactRow, LogQuery};
use crate::ops::error::OpError;
use crate::ops::read;
use crate::ops::session::Access;

/// How often new lines are looked for.
const PERIOD: Duration = Duration::from_millis(300);

pub(super) async fn run(arguments: Log, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let query = LogQuery {
        level: Some(arguments.level.into()),
        run: arguments.run,
        mapping: arguments.mapping.clone(),
        text: arguments.search.clone(),
        limit: arguments.limit,
        ..LogQuery::default()
    };
    let mut last = 0;
    let mut print = |rows: Vec<FactRow>| {
        let mut rows = rows;
        rows.sort_by_key(|row| row.sequence);
        for row in &rows {
            last = last.max(row.sequence);
            context.output.object(row);
            context.output.text(line(row));
        }
        last
    };
    let mut after = print(read::log(&session, query.clone()).await?);
    if !arguments.follow {
        return Ok(0);
    }
    let interrupts = Interrupts::listen()?;
    loop {
        tokio::select! {
            () = interrupts.reached(1) => return Ok(0),
            () = context.clock.sleep(PERIOD) => {}
        }
        if context.output.is_closed() {
            return Ok(0);
        }
        let query = LogQuery { after: Some(after), limit: 10_000, ..query.clone() };
        after = after.max(print(read::log(&session, query).await?));
    }
}

fn line(row: &FactRow) -> String {
    let run = row.run.map(|run| format!("run {run}  ")).unwrap_or_default();
    let mapping = row.mapping.as_deref().map(|mapping| format!("{mapping}: ")).unwrap_or_default();
    format!(
        "{}  {:<5}  {run}{}{}",
        words::moment(row.at),
        row.level.word(),
        safe(&mapping),
        safe(&row.message)
    )
}
