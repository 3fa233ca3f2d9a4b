//! `forcesync audit`: looks for records that no run has dealt with; `--heal` lets a run of its own deal with them.

use serde::Serialize;

use crate::cli::arguments::{Audit, Released};
use crate::cli::context::Context;
use crate::cli::follow::follow;
use crate::cli::interrupts::Interrupts;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::domain::audit::{AuditReport, Hole};
use crate::domain::command::RunRequest;
use crate::domain::grouped::grouped;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::record::RecordId;
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::ops::{audit, run};

/// One hole as an object.
#[derive(Serialize)]
struct HoleLine<'a> {
    event: &'static str,
    #[serde(flatten)]
    hole: &'a Hole,
}

/// The result as an object.
#[derive(Serialize)]
struct ReportLine<'a> {
    event: &'static str,
    holes: u64,
    #[serde(flatten)]
    report: &'a AuditReport,
}

pub(super) async fn run(arguments: Audit, context: &Context) -> Result<u8, OpError> {
    if !arguments.heal && arguments.released != Released::default() {
        return Err(OpError::settings(
            "An audit writes nothing, so there is nothing to release; say --heal too.",
        ));
    }
    let session = context.open(Access::ReadWrite)?;
    run::examine(&session, &audit::audit())?;
    prompt::unlock(&session, context).await?;
    let interrupts = Interrupts::listen()?;
    let engine = attach(&session).await?;
    run::examine_secrets(&session, &engine).await?;
    let number = run::start(&engine, audit::audit()).await?;
    let mut code = follow(&session, &engine, number, RunKind::Audit, &interrupts, context).await?;
    let found = audit::latest(&session).await?.filter(|(report, _)| report.run == number);
    if let Some((report, holes)) = &found {
        tell(report, holes, context);
        let mendable = holes.iter().any(|hole| hole.kind.heals());
        if arguments.heal && mendable && [0, RunResult::PartlyFailed.exit_code()].contains(&code) {
            let allow = arguments.released.into();
            let number = run::start(&engine, RunRequest { allow, ..audit::heal() }).await?;
            let healed = follow(&session, &engine, number, RunKind::Heal, &interrupts, context).await?;
            // What only a person can mend is left.
            code = if healed == 0 && report.gone > 0 { code } else { healed };
        }
    }
    engine.close().await;
    Ok(code)
}

fn tell(report: &AuditReport, holes: &[Hole], context: &Context) {
    let output = &context.output;
    for hole in holes {
        output.object(&HoleLine { event: "hole", hole });
        let ids: Vec<&str> =
            [&hole.ids.org, &hole.ids.platform].into_iter().flatten().map(RecordId::as_str).collect();
        output.text(format_args!("{}  {}  {}", safe(&hole.mapping), ids.join(" ⇄ "), safe(&hole.why)));
    }
    for looked in &report.looked {
        output.text(format_args!(
            "{} ({}): {} records counted in {} windows that agree, {} read",
            safe(&looked.object),
            looked.side.place(),
            grouped(looked.counted),
            looked.windows_alike,
            grouped(looked.read)
        ));
    }
    for gap in &report.gaps {
        output.text(safe(gap));
    }
    output.object(&ReportLine { event: "audit", holes: report.holes(), report });
    let sentence = report.sentence();
    output.text(format_args!(
        "Audit: {sentence}; {} stood out and are accounted for.",
        grouped(report.explained)
    ));
}
