//! `forcesync why`: explains a record.

use crate::cli::arguments::Why;
use crate::cli::context::Context;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::side::PerSide;
use crate::domain::why::WhyQuery;
use crate::domain::why::telling::{Words, tell};
use crate::ops::error::OpError;
use crate::ops::session::Access;
use crate::ops::why::why;

pub(super) async fn run(arguments: Why, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let query = WhyQuery { object: Some(arguments.object), id: arguments.id, field: arguments.field };
    let records = why(&session, query).await?;
    for record in &records {
        context.output.object(record);
    }
    let settings = session.settings();
    let names = Words {
        sides: PerSide { org: "Salesforce", platform: settings.platform.kind.label() },
        moment: &words::moment,
    };
    for line in tell(&records, &names) {
        let indent = " ".repeat(line.depth * 2);
        context.output.text(format_args!("{indent}{}", safe(&line.text)));
    }
    Ok(0)
}
