//! What a test of the connection looks at: the key, the types, their stages and required fields, the owners, the map.

use super::service::{Ask, Failure, Patience};
use super::view::View;
use super::workflow::{RecordType, Workflow};
use super::{Examined, Spotio};
use crate::domain::port::{PortClass, PortError};
use crate::domain::report::Verdict;

impl Spotio {
    pub(super) async fn look_around(&self) -> Result<Examined, PortError> {
        let mut examined = Examined::default();
        let sent = self.service.now();
        let clock = Ask::get("users", "/api/users").with_patience(Patience::Person);
        let began = self.service.send(&clock).await.map_err(Failure::into_port)?.began;
        examined.good(format!("The key is accepted at {}.", self.service.base()));
        let workflow = self.read_workflow(Patience::Person).await?;
        let lead = workflow.named(&self.names.lead_type);
        let account = workflow.named(&self.names.account_type);
        for (name, found, setting) in
            [(&self.names.lead_type, lead, "lead_type"), (&self.names.account_type, account, "account_type")]
        {
            if let Some(kind) = found {
                examined.good(described(kind));
            } else {
                let known: Vec<&str> = workflow.types.iter().map(|kind| kind.name.as_str()).collect();
                let message = format!("There is no record type “{name}”; there are {}.", known.join(", "));
                // One of the two is enough: records are leads or accounts, not both.
                let verdict = if lead.or(account).is_some() { Verdict::Warning } else { Verdict::Bad };
                examined.line(verdict, message, Some(setting));
            }
        }
        for kind in
            lead.into_iter().chain(account.filter(|account| lead.is_none_or(|lead| lead.id != account.id)))
        {
            if let Some(line) = required(kind) {
                examined.good(line);
            }
        }
        self.owners(&workflow, &mut examined);
        for (view, kind) in [(View::Lead, lead), (View::Account, account)] {
            let Some(kind) = kind else { continue };
            match self.counted(view, Some(false)).await {
                Ok(0) => examined.good(format!("Every {} has an address.", kind.name)),
                Ok(number) => examined.good(format!(
                    "{}: {number} without an address; they are kept and synchronized, but do not show on the map.",
                    kind.name
                )),
                Err(error) if matches!(error.class, PortClass::Blocked | PortClass::Settings | PortClass::Protocol) => {
                    examined.line(Verdict::Warning, format!("Records can't be counted: {}", error.message), None);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(since) = self.names.activities_since {
            examined
                .good(format!("Activities made since {} become tasks.", since.format("%Y-%m-%d %H:%M UTC")));
        } else {
            examined.unfinished = true;
            examined.line(
                Verdict::Warning,
                "From which day on activities become tasks is not said; fill in “Activities from”, usually with today.",
                Some("activities_since"),
            );
        }
        examined.clock(began.map(|server| server - sent), self.overlap_seconds);
        Ok(examined)
    }

    fn owners(&self, workflow: &Workflow, examined: &mut Examined) {
        let active = workflow.users.iter().filter(|user| !user.suspended);
        let (known, unknown): (Vec<_>, Vec<_>) = active.partition(|user| !user.external.is_empty());
        if unknown.is_empty() {
            examined.good(format!("All {} users are known by their id in Salesforce.", known.len()));
        } else {
            let names: Vec<&str> = unknown.iter().take(5).map(|user| user.email.as_str()).collect();
            let more = if unknown.len() > names.len() { ", …" } else { "" };
            examined.line(
                Verdict::Warning,
                format!(
                    "{} of {} users have no external user id, so records of theirs keep the owner that they have in Salesforce: {}{more}.",
                    unknown.len(),
                    known.len() + unknown.len(),
                    names.join(", ")
                ),
                None,
            );
        }
        if let Some(email) = &self.names.default_owner
            && workflow.user_with(email).is_none()
        {
            examined.line(
                Verdict::Bad,
                format!("The default owner “{email}” is no user of SPOTIO."),
                Some("default_owner"),
            );
        }
    }
}

fn described(kind: &RecordType) -> String {
    let own = kind.fields.iter().filter(|field| !field.has_role()).count();
    let stages: Vec<&str> = kind.stages.iter().map(|stage| stage.name.as_str()).collect();
    format!(
        "{}: {} fields, {own} of them your own; stages {}.",
        kind.name,
        kind.fields.len(),
        stages.join(", ")
    )
}

/// The fields that SPOTIO requires, always or in some stages.
fn required(kind: &RecordType) -> Option<String> {
    let named = |id: &String| kind.stage(id).map_or_else(|| id.clone(), |stage| stage.name.clone());
    let needed: Vec<String> = kind
        .fields
        .iter()
        .filter_map(|field| {
            if field.required {
                return Some(field.name.clone());
            }
            let stages: Vec<String> = field.required_in.iter().map(named).collect();
            (!stages.is_empty()).then(|| format!("{} (in {})", field.name, stages.join(", ")))
        })
        .collect();
    (!needed.is_empty()).then(|| format!("{} requires {}.", kind.name, needed.join(", ")))
}
