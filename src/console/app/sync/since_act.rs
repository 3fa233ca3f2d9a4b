//! Changing the date of the last synchronization (F57): it says what that means, takes a date, and wants the workspace's name typed out.

use crate::console::app::App;
use crate::console::app::effect::Effect;
use crate::console::app::overlay::Overlay;
use crate::console::app::overlay::prompt::{Asked, Prompt};
use crate::console::view::text::sync as text;
use crate::domain::command::{Command, ReadAgain};
use crate::ops::read_again::{WHAT_IT_DOES, moment};

impl App {
    /// Asks for the date; the present one stands there.
    pub(crate) fn ask_since(&mut self) {
        let now = self.sync.status.ready().and_then(|status| status.last_synchronization);
        let now = now.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        let help = format!("{}\n{}", WHAT_IT_DOES.join("\n"), text::SINCE_HELP);
        self.overlays.push(Overlay::Prompt(Prompt::new(text::LAST, help, &now, Asked::Since)));
    }

    /// Takes over the date, and asks for the name; a sentence where it is none.
    pub(crate) fn put_since(&self, typed: &str) -> Result<Prompt, String> {
        let since = moment(typed, self.now).map_err(|error| error.message)?;
        let told = since.format("%-d %b %Y %H:%M UTC").to_string();
        let wanted = ReadAgain { since, skip: false };
        let help = text::since_confirm(&told, &self.workspace_name());
        Ok(Prompt::new(text::LAST, help, "", Asked::SinceConfirmed(wanted)))
    }

    /// Takes the typed name, if it is the workspace's.
    pub(crate) fn confirm_since(&self, wanted: ReadAgain, typed: &str) -> Result<Vec<Effect>, String> {
        let name = self.workspace_name();
        if typed.trim() != name {
            return Err(text::not_the_name(&name));
        }
        Ok(vec![Effect::Ask(Command::ReadAgain(wanted))])
    }
}
