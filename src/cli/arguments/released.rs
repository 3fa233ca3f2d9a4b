//! What a person releases of the brakes beforehand, by number: the same flags for every run that writes.

use clap::Args;

use crate::domain::command::Allowances;

/// How much of each braked kind may be done beyond its brake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct Released {
    /// Let this many records be created beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_creates: Option<u64>,
    /// Let this many records be changed beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_updates: Option<u64>,
    /// Let this many records be deleted or deactivated beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_deletes: Option<u64>,
    /// Let this many values be blanked beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_blanks: Option<u64>,
    /// Let this many people be opted out beyond the brake
    #[arg(long, value_name = "N")]
    pub allow_opt_outs: Option<u64>,
}

impl From<Released> for Allowances {
    fn from(released: Released) -> Self {
        Self {
            creates: released.allow_creates,
            updates: released.allow_updates,
            blanks: released.allow_blanks,
            deletes: released.allow_deletes,
            opt_outs: released.allow_opt_outs,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use crate::cli::arguments::{Arguments, Command};
    use crate::domain::command::Allowances;
    use crate::engine::brake::Braked;

    #[rstest]
    #[case(&["sync", "instant"])]
    #[case(&["sync", "initial"])]
    #[case(&["undo", "7"])]
    #[case(&["audit", "--heal"])]
    #[case(&["apply", "7"])]
    fn every_brake_has_its_flag_on_every_command_that_writes(#[case] words: &[&str]) {
        for kind in Braked::ALL {
            let line = ["forcesync"].iter().chain(words).copied().chain([kind.sentence().1, "24"]);
            let allow: Allowances = match Arguments::try_parse_from(line).unwrap().command {
                Some(Command::Sync(sync)) => sync.released.into(),
                Some(Command::Undo(undo)) => undo.released.into(),
                Some(Command::Apply(apply)) => apply.released.into(),
                Some(Command::Audit(audit)) => audit.released.into(),
                other => panic!("{other:?}"),
            };
            assert_eq!(allow, kind.allowing(24), "{words:?} {}", kind.word());
        }
    }
}
