//! The lines of who enters and who leaves by other criteria.

use crate::console::app::App;
use crate::console::app::model::Load;
use crate::console::view::overlay::reading::Line;
use crate::console::view::text::scope as text;
use crate::console::view::theme::Meaning;
use crate::domain::scope::{Movers, ScopeChange, Way};
use crate::domain::side::Side;

pub(super) fn lines(app: &App, changes: &Load<Vec<ScopeChange>>) -> Vec<Line> {
    let plain = |words: &str, meaning: Meaning| (String::new(), words.to_owned(), meaning);
    let changes = match changes {
        Load::Ready(changes) => changes,
        Load::Waiting => return vec![plain(text::LOOKING, Meaning::Muted)],
        Load::Failed(reason) => return vec![plain(reason, Meaning::Error)],
    };
    let mut lines = Vec::new();
    for change in changes {
        let side = match change.side {
            Side::Org => "Salesforce",
            Side::Platform => app.settings.platform.kind.label(),
        };
        let criteria = |criteria: &Option<String>| criteria.clone().unwrap_or_else(|| text::ALL.to_owned());
        lines.push(plain(&format!("{}, criteria of {side}", change.mapping), Meaning::Title));
        lines.push(("from".into(), criteria(&change.before), Meaning::Text));
        lines.push(("to".into(), criteria(&change.after), Meaning::Text));
        lines.push(plain("", Meaning::Text));
        if !change.moves() {
            lines.push(plain(text::NOBODY, Meaning::Success));
        }
        for way in [Way::Enters, Way::Leaves] {
            let movers = change.movers(way);
            if movers.count() > 0 {
                lines.push(plain(&text::movers(way, movers), Meaning::Accent));
            }
        }
        lines.push(plain(&text::stays(change.stays), Meaning::Text));
        if !change.whole {
            lines.push(plain(&text::not_whole(change.read), Meaning::Warning));
        }
        // What it means before who it is: the list may be long.
        for consequence in &change.consequences {
            lines.push(plain(consequence, Meaning::Muted));
        }
        lines.push(plain("", Meaning::Text));
        for (way, sign) in [(Way::Enters, "+"), (Way::Leaves, "-")] {
            members(change.movers(way), sign, &mut lines);
        }
        lines.push(plain("", Meaning::Text));
    }
    lines.push(plain(text::NOT_SAVED, Meaning::Muted));
    lines
}

fn members(movers: &Movers, sign: &str, lines: &mut Vec<Line>) {
    for member in &movers.shown {
        let name = if member.label.is_empty() { "–" } else { &member.label };
        let linked = if member.counterpart.is_some() { ", linked" } else { "" };
        lines.push((String::new(), format!("{sign} {name}  {}{linked}", member.id), Meaning::Text));
    }
    let more = movers.count().saturating_sub(movers.shown.len() as u64);
    if more > 0 {
        lines.push((String::new(), format!("  {}", text::more(more)), Meaning::Muted));
    }
}
