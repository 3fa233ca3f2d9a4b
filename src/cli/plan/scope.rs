//! `forcesync plan --scope`: who would enter and who would leave the mappings if their criteria changed.

use serde::Serialize;

use crate::cli::arguments::Plan;
use crate::cli::context::Context;
use crate::cli::prompt;
use crate::cli::safe_text::safe;
use crate::cli::words;
use crate::domain::mapping::Mapping;
use crate::domain::scope::{Member, ScopeChange, Way};
use crate::domain::side::Side;
use crate::ops::error::OpError;
use crate::ops::session::{Access, Session};
use crate::ops::{drift, scope};
use crate::workspace::file::SettingsFile;

/// Records that are printed for people unless they want all.
const FIRST: usize = 20;
/// The exit code where somebody enters or leaves, as that of a plan.
const CHANGES: u8 = 10;

/// One record.
#[derive(Serialize)]
struct MemberLine<'a> {
    event: &'static str,
    mapping: &'a str,
    side: Side,
    #[serde(flatten)]
    member: &'a Member,
}

/// One side of one mapping.
#[derive(Serialize)]
struct ScopeLine<'a> {
    event: &'static str,
    #[serde(flatten)]
    change: &'a ScopeChange,
}

pub(super) async fn run(arguments: Plan, context: &Context) -> Result<u8, OpError> {
    let session = context.open(Access::ReadOnly)?;
    let wanted = wanted(&arguments, &session)?;
    prompt::unlock(&session, context).await?;
    let shown = if arguments.lines.counts {
        0
    } else if arguments.lines.all || context.output.is_json() {
        usize::MAX
    } else {
        FIRST
    };
    let mut moves = false;
    for (before, after) in &wanted {
        for change in scope::look(&session, before, after, shown).await? {
            moves |= change.moves();
            tell(&change, context);
        }
    }
    if wanted.is_empty() {
        context.output.text("The criteria mean the same: nobody enters or leaves.");
    } else {
        context.output.text("\nNothing was written.");
    }
    Ok(if moves { CHANGES } else { 0 })
}

/// The mappings whose criteria would change, each as it is and as it would be.
fn wanted(arguments: &Plan, session: &Session) -> Result<Vec<(Mapping, Mapping)>, OpError> {
    drift::known(session, &arguments.mapping)?;
    let before = session.settings();
    let after = match (&arguments.with, arguments.mapping.as_slice()) {
        (Some(file), _) => {
            if !file.is_file() {
                let name = file.display();
                return Err(OpError::settings(format!("There is no file {name}: name a settings file.")));
            }
            let file = SettingsFile::load(file)?;
            if let Some(problem) = file.problems().iter().find(|problem| problem.blocks()) {
                return Err(OpError::settings(format!("{}: {problem}", file.path().display())));
            }
            file.settings().clone()
        }
        (None, [name]) if arguments.org_criteria.is_some() || arguments.platform_criteria.is_some() => {
            let mut after = before.clone();
            let known = after.mappings.iter_mut().find(|mapping| mapping.name.eq_ignore_ascii_case(name));
            if let Some(mapping) = known {
                let text = |typed: &Option<String>, known: &Option<String>| match typed {
                    Some(text) if text.trim().is_empty() => None,
                    Some(text) => Some(text.clone()),
                    None => known.clone(),
                };
                mapping.org_criteria = text(&arguments.org_criteria, &mapping.org_criteria);
                mapping.platform_criteria = text(&arguments.platform_criteria, &mapping.platform_criteria);
            }
            after
        }
        (None, _) => {
            return Err(OpError::settings(
                "Say what changes: --mapping NAME with --org-criteria or --platform-criteria, or --with FILE for the criteria of \
                 another settings file.",
            ));
        }
    };
    let of_those = |(_, mapping): &(Mapping, Mapping)| {
        arguments.mapping.is_empty()
            || arguments.mapping.iter().any(|name| name.eq_ignore_ascii_case(&mapping.name))
    };
    Ok(scope::changed(&before, &after).into_iter().filter(of_those).collect())
}

fn tell(change: &ScopeChange, context: &Context) {
    let output = &context.output;
    let text = |criteria: &Option<String>| criteria.clone().unwrap_or_else(|| "all records".into());
    output.text(safe(&format!(
        "{}, criteria of {}: {} → {}",
        change.mapping,
        change.side.place(),
        text(&change.before),
        text(&change.after)
    )));
    for (way, event, sign) in [(Way::Enters, "enters", "+"), (Way::Leaves, "leaves", "-")] {
        let movers = change.movers(way);
        let verb = match (way, movers.count()) {
            (_, 1) => event,
            (Way::Enters, _) => "enter",
            (Way::Leaves, _) => "leave",
        };
        output.text(format_args!(
            "  {} {verb}, {} of them linked",
            words::count_of(movers.count(), "record"),
            words::number(movers.linked)
        ));
        for member in &movers.shown {
            output.object(&MemberLine { event, mapping: &change.mapping, side: change.side, member });
            let linked = if member.counterpart.is_some() { "linked" } else { "" };
            output.text(safe(&format!("    {sign} {}  {:<40} {linked}", member.id, member.label)));
        }
        let more = movers.count().saturating_sub(movers.shown.len() as u64);
        if more > 0 && !movers.shown.is_empty() {
            output.text(format_args!("    … and {} more; --all prints every one.", words::number(more)));
        }
    }
    output.object(&ScopeLine { event: "scope", change });
    output.text(format_args!("  {} stay", words::count_of(change.stays, "record")));
    if !change.whole {
        output.text(format_args!(
            "  Only the first {} were looked at; there are more.",
            words::count_of(change.read, "record")
        ));
    }
    for line in &change.consequences {
        output.text(format_args!("  {line}"));
    }
}
