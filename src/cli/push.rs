//! `forcesync push STEP [FILE|-]`: what a campaign has seen, as JSON lines; a line for each comes out with the streams it leaves by.

use std::io::BufRead;

use crate::cli::arguments::Push;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::domain::push::{PushOutcome, PushedLine};
use crate::ops::engine::attach;
use crate::ops::error::OpError;
use crate::ops::push;
use crate::ops::session::Access;

pub(super) async fn run(arguments: Push, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadWrite)?;
    let step = push::step(&session, &arguments.step)?;
    let texts = read(&arguments)?;
    prompt::unlock(&session, context).await?;
    let engine = attach(&session).await?;
    let mut code = 0;
    let mut number = 1;
    for handful in texts.chunks(push::HANDFUL) {
        let pushed = match push::push(&session, &engine, &step, number, handful).await {
            Ok(pushed) => pushed,
            Err(error) => {
                engine.close().await;
                return Err(error);
            }
        };
        for line in &pushed.lines {
            tell(line, context);
            code = worse(code, line.outcome);
        }
        number += handful.len();
    }
    engine.close().await;
    Ok(code)
}

/// The lines of the input, without the blank ones.
fn read(arguments: &Push) -> Result<Vec<String>, OpError> {
    let trouble = |error: std::io::Error| {
        OpError::failed(format!("{} can't be read: {error}.", arguments.file.display())).code("input")
    };
    let lines: Vec<String> = if arguments.file.as_os_str() == "-" {
        std::io::stdin().lock().lines().collect::<Result<_, _>>().map_err(trouble)?
    } else {
        let text = std::fs::read_to_string(&arguments.file).map_err(trouble)?;
        text.lines().map(str::to_owned).collect()
    };
    Ok(lines.into_iter().filter(|line| !line.trim().is_empty()).collect())
}

fn tell(line: &PushedLine, context: &Context) {
    context.output.object(line);
    context.output.text(format_args!(
        "{:>5}  {:<18}  {}{}",
        line.line,
        safe(line.id.as_deref().unwrap_or("–")),
        line.streams.join(", "),
        line.message.as_deref().map(|message| format!("   {}", safe(message))).unwrap_or_default()
    ));
}

/// Limited is told before failed, as in a run.
fn worse(code: u8, outcome: PushOutcome) -> u8 {
    match outcome {
        PushOutcome::Limited => 4,
        PushOutcome::Failed if code == 0 => 3,
        PushOutcome::Failed | PushOutcome::Succeeded | PushOutcome::Skipped => code,
    }
}
