//! Judges settings that could be read: does what they say make sense? All findings at once.
//!
//! What only the services can tell (does a field exist, may it be written) is judged elsewhere against their describes.

mod allowed;
mod connections;
mod fields;
mod mappings;
mod pairs;
mod push;
#[cfg(test)]
mod tests;

use super::problems::{Problem, Severity};
use super::settings::Settings;

/// Everything that is wrong with settings, or still missing, or worth a look.
pub fn validate(settings: &Settings) -> Vec<Problem> {
    let mut findings = Findings(Vec::new());
    connections::judge(settings, &mut findings);
    mappings::judge(&settings.mappings, &mut findings);
    allowed::judge(settings, &mut findings);
    push::judge(settings, &mut findings);
    findings.0
}

/// What was found so far.
struct Findings(Vec<Problem>);

impl Findings {
    fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(Severity::Error, path, message));
    }

    fn unfinished(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(Severity::Unfinished, path, message));
    }

    fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem::new(Severity::Warning, path, message));
    }
}
