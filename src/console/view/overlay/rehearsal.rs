//! The lines of a rehearsal: how it ended, what does not come to rest, what became of each mapping, and what could not be copied.

use crate::console::app::model::Load;
use crate::console::view::text::rehearsal as text;
use crate::console::view::theme::Meaning;
use crate::domain::rehearsal::Rehearsal;

use super::reading::Line;

pub(super) fn lines(told: &str, done: &Load<Box<Rehearsal>>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut say = |words: String, meaning| lines.push((String::new(), words, meaning));
    let rehearsal = match done {
        Load::Waiting => {
            say(if told.is_empty() { text::BEGINNING } else { told }.to_owned(), Meaning::Text);
            say(text::WAIT.to_owned(), Meaning::Muted);
            return lines;
        }
        Load::Failed(reason) => {
            say(reason.clone(), Meaning::Error);
            return lines;
        }
        Load::Ready(rehearsal) => rehearsal,
    };
    let verdict = if rehearsal.quiet { Meaning::Success } else { Meaning::Error };
    say(rehearsal.sentence(), verdict);
    let runs: Vec<String> = rehearsal.runs.iter().map(text::run).collect();
    say(format!("{}.", runs.join(", ")), Meaning::Muted);
    if let Some(edited) = rehearsal.edited {
        say(edited.sentence(), Meaning::Muted);
    }
    for value in &rehearsal.unsettled {
        say(format!("{}: {}", value.mapping, value.who()), Meaning::Error);
        for push in &value.writes {
            say(format!("  run {}  {}", push.run, push.sentence()), Meaning::Text);
        }
    }
    for mapping in &rehearsal.mappings {
        say(format!("{}: {}", mapping.title, text::mapping(mapping)), Meaning::Text);
        for group in &mapping.issues {
            say(format!("  {} {} ({})", group.code, group.cause, group.records), Meaning::Warning);
        }
    }
    for what in &rehearsal.uncopied {
        say(what.sentence(), Meaning::Warning);
    }
    say(text::NOT_SAVED.to_owned(), Meaning::Muted);
    lines
}
