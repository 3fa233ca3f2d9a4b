//! What crosses the local socket: one JSON object a line, in both directions.
//!
//! A client sends a [`Command`] and gets a [`Reply`](crate::domain::command::Reply); or it
//! sends `{"command":"watch"}` and from then on only listens to [`Event`]s.

use serde::{Deserialize, Serialize};

use crate::domain::command::{Command, RunReport};
use crate::domain::progress::Progress;

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Request {
    /// A command of the engine.
    Command(Box<Command>),
    /// The wish to listen.
    Watch(Watch),
}

/// The wish to listen: `{"command":"watch"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Watch {
    /// Send events from now on.
    Watch,
}

/// What a listener is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The present numbers; at most a few times a second.
    Progress {
        /// All of them.
        progress: Box<Progress>,
    },
    /// A run has ended.
    Finished {
        /// How.
        report: Box<RunReport>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::RunRequest;
    use crate::domain::outcome::RunKind;

    #[test]
    fn a_command_and_the_wish_to_listen_are_told_apart() {
        let watch: Request = serde_json::from_str(r#"{"command":"watch"}"#).unwrap();
        assert_eq!(watch, Request::Watch(Watch::Watch));
        let pause: Request = serde_json::from_str(r#"{"command":"pause"}"#).unwrap();
        assert_eq!(pause, Request::Command(Box::new(Command::Pause)));
    }

    #[test]
    fn a_start_survives_the_wire() {
        let start = Request::Command(Box::new(Command::Start(RunRequest::new(RunKind::Initial))));
        let text = serde_json::to_string(&start).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), start);
    }
}
