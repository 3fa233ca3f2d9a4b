//! Signs in on both sides and looks whether everything would work: connections, rights, mappings.

use crate::domain::compiled::{self, compile};
use crate::domain::criteria::Criteria;
use crate::domain::drift::{Effect, judge};
use crate::domain::mapping::Mapping;
use crate::domain::outcome::{RunKind, RunResult};
use crate::domain::report::{CheckLine, Verdict};
use crate::domain::schema::ObjectSchema;
use crate::domain::side::{PerSide, Side};
use crate::domain::side_effects;
use crate::ops::error::{OpClass, OpError};
use crate::ops::run::events;
use crate::ops::session::Session;
use crate::ops::{describe, objects, read, test_connection};
use crate::workspace::settings::Settings;

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// What was looked at.
    pub lines: Vec<CheckLine>,
    /// Whether a side refused in a way that trying again would not change.
    pub blocked: bool,
    /// Whether the settings themselves are wrong.
    pub settings_wrong: bool,
    /// Whether runs leave something out: a pair whose field was lost, a mapping that nobody has accepted.
    pub left_out: bool,
}

impl CheckReport {
    /// The exit code of the command that did this check.
    pub fn exit_code(&self) -> u8 {
        let bad = self.lines.iter().any(|line| line.verdict == Verdict::Bad);
        match (self.blocked, self.settings_wrong, bad) {
            (true, _, _) => OpClass::Blocked.exit_code(),
            (false, true, _) => OpClass::Settings.exit_code(),
            (false, false, true) => OpClass::Failed.exit_code(),
            // As a run would end.
            (false, false, false) if self.left_out => RunResult::PartlyFailed.exit_code(),
            (false, false, false) => 0,
        }
    }

    fn push(&mut self, verdict: Verdict, subject: &str, message: String, field: Option<String>) {
        self.lines.push(CheckLine { verdict, subject: subject.into(), message, field });
    }
}

/// Checks settings, both sides, and every mapping against what both sides describe.
pub async fn check(session: &Session) -> Result<CheckReport, OpError> {
    let mut report = CheckReport::default();
    let settings = session.settings();
    for problem in session.problems() {
        let verdict = if problem.blocks() { Verdict::Bad } else { Verdict::Warning };
        report.settings_wrong |= problem.blocks();
        report.push(verdict, "settings", problem.to_string(), Some(problem.path));
    }
    if !report.settings_wrong {
        report.push(
            Verdict::Good,
            "settings",
            format!("{} is fine.", session.settings_file().display()),
            None,
        );
    }
    let mut reached = PerSide { org: false, platform: false };
    for side in Side::BOTH {
        let test = test_connection::test(session, side, &settings, &[]).await;
        reached[side] = test.trouble.is_none();
        report.blocked |= test.blocked;
        report.settings_wrong |= test.trouble == Some(OpClass::Settings);
        report.lines.extend(test.lines);
    }
    if reached.org && reached.platform {
        if let Err(error) = wanted_in_org(session, &settings, &mut report).await {
            report.push(Verdict::Bad, "objects", error.message, None);
        }
        if let Err(error) = check_mappings(session, &settings, &mut report).await {
            report.push(Verdict::Bad, "mappings", error.message, None);
        }
    } else {
        let message = "The mappings could not be checked, because a side could not be reached.".to_owned();
        report.push(Verdict::Warning, "mappings", message, None);
    }
    Ok(report)
}

/// The objects and fields that the platform's mappings want in the org and that no org has by itself (N26).
async fn wanted_in_org(
    session: &Session,
    settings: &Settings,
    report: &mut CheckReport,
) -> Result<(), OpError> {
    for missing in objects::missing(session, settings).await? {
        report.push(Verdict::Warning, "objects", missing.sentence(), None);
    }
    Ok(())
}

async fn check_mappings(
    session: &Session,
    settings: &Settings,
    report: &mut CheckReport,
) -> Result<(), OpError> {
    if settings.mappings.is_empty() {
        let message = "There is no mapping yet. The console proposes some under Mapping Settings.".to_owned();
        report.push(Verdict::Warning, "mappings", message, None);
        return Ok(());
    }
    let schemas = schemas(session, &settings.mappings).await?;
    let mut fitting = Vec::new();
    for mapping in settings.mappings.iter().filter(|mapping| mapping.enabled) {
        let accepted = read::accepted_schemas(session, &mapping.name).await?;
        let judged = judge(mapping, accepted.as_ref(), &schemas);
        let place = settings.mappings.iter().position(|known| known.name == mapping.name).unwrap_or(0);
        for finding in &judged.findings {
            let verdict = match finding.effect {
                Effect::Stops => {
                    match finding.cause {
                        compiled::Cause::Right => report.blocked = true,
                        compiled::Cause::Settings => report.settings_wrong = true,
                    }
                    Verdict::Bad
                }
                Effect::Parks => {
                    report.left_out = true;
                    Verdict::Warning
                }
                Effect::Warns => Verdict::Warning,
                Effect::Tells => Verdict::Good,
            };
            let pair = mapping.pairs.iter().position(|pair| pair.identity() == finding.pair);
            let field = match pair {
                Some(pair) => format!("mapping[{place}].pair[{pair}]"),
                None => format!("mapping[{place}]"),
            };
            let subject = format!("mapping {}", mapping.name);
            report.push(verdict, &subject, crate::ops::error::sentence(&finding.message), Some(field));
        }
        // A mapping that is left out was told; the others are looked at as they will run.
        if judged.problems.is_empty() && judged.runs() {
            fitting.push(judged.mapping);
        } else if !judged.problems.is_empty() {
            fitting.push(mapping.clone());
        }
    }
    let (compiled, problems) = compile(&fitting, &schemas);
    for problem in &problems {
        let verdict = match problem.severity {
            compiled::Severity::Error => {
                match problem.cause {
                    compiled::Cause::Right => report.blocked = true,
                    compiled::Cause::Settings => report.settings_wrong = true,
                }
                Verdict::Bad
            }
            compiled::Severity::Warning => Verdict::Warning,
        };
        let place = settings.mappings.iter().position(|mapping| mapping.name == problem.mapping);
        let field = place.map(|place| match problem.pair {
            Some(pair) => format!("mapping[{place}].pair[{pair}]"),
            None => format!("mapping[{place}]"),
        });
        let subject = format!("mapping {}", problem.mapping);
        report.push(verdict, &subject, crate::ops::error::sentence(&problem.message), field);
    }
    for mapping in &compiled.mappings {
        let subject = format!("mapping {}", mapping.spec.name);
        let pairs = mapping.pairs.len();
        report.push(
            Verdict::Good,
            &subject,
            format!("{}: {pairs} pair{} ready.", mapping.title(), if pairs == 1 { "" } else { "s" }),
            None,
        );
    }
    let status = read::status(session).await?;
    for name in &status.unaccepted {
        let message = format!(
            "Nobody has accepted it as it is written since its settings were changed outside the console, so automatic runs leave \
             it out. Look at it in Mapping Settings and accept it there, or run `forcesync mapping accept {name}`."
        );
        report.left_out = true;
        report.push(Verdict::Warning, &format!("mapping {name}"), message, None);
    }
    if let Some(unequal) = status.unequal {
        let (message, verdict) = if unequal.confirmed {
            (format!("This workspace joins a {}, as a person confirmed.", unequal.what), Verdict::Good)
        } else {
            (
                format!("This workspace joins a {}; the first run asks for its name.", unequal.what),
                Verdict::Warning,
            )
        };
        report.push(verdict, "workspace", message, None);
    }
    for (kind, when) in [(RunKind::Initial, "an initial sync"), (RunKind::Instant, "the other runs")] {
        let effects = side_effects::of_run(&settings.mappings, kind, events(settings));
        for line in side_effects::sentences(&effects) {
            report.push(Verdict::Good, "side effects", format!("Of {when}: {line}"), None);
        }
    }
    Ok(())
}

/// The descriptions that mappings are checked against: their objects, and the org's parents that paths lead to.
pub(crate) async fn schemas(
    session: &Session,
    mappings: &[Mapping],
) -> Result<PerSide<Vec<ObjectSchema>>, OpError> {
    let mut schemas = PerSide::<Vec<ObjectSchema>>::default();
    for side in Side::BOTH {
        let mut names: Vec<String> = mappings.iter().map(|mapping| mapping.object(side).to_owned()).collect();
        if side == Side::Org {
            for mapping in mappings {
                let criteria = mapping.criteria(side).and_then(|text| Criteria::parse(text).ok());
                let fields = mapping
                    .pairs
                    .iter()
                    .flat_map(|pair| pair.org.iter().cloned())
                    .chain(criteria.iter().flat_map(Criteria::fields));
                names.extend(
                    fields.filter_map(|field| field.split_once('.').map(|(parent, _)| parent.into())),
                );
            }
        }
        names.sort();
        names.dedup();
        let found = describe::objects(session, side, &names).await?;
        schemas[side] = found.iter().map(|schema| schema.as_ref().clone()).collect();
    }
    Ok(schemas)
}
