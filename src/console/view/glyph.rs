//! Signs beside the words: a set for Unicode terminals and one of plain ASCII. No state is told by a sign or colour alone.

use crate::domain::report::Verdict;

/// The signs in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// The selected row.
    pub pointer: &'static str,
    /// Went well.
    pub good: &'static str,
    /// Somebody should look.
    pub warning: &'static str,
    /// Did not work.
    pub bad: &'static str,
    /// Unsaved.
    pub unsaved: &'static str,
    /// Running.
    pub running: &'static str,
    /// Held.
    pub paused: &'static str,
    /// Key of a mapping.
    pub key: &'static str,
    /// Something opens here.
    pub folded: &'static str,
    /// Something is open here.
    pub unfolded: &'static str,
    /// Between the sides.
    pub both: &'static str,
    /// To the platform.
    pub to_platform: &'static str,
    /// To the org.
    pub to_org: &'static str,
    /// Between things on one line.
    pub dot: &'static str,
    /// The done part of a gauge.
    pub full: &'static str,
    /// The rest of a gauge.
    pub rest: &'static str,
    /// A secret.
    pub mask: char,
    /// A switch that is on.
    pub on: &'static str,
    /// A switch that is off.
    pub off: &'static str,
    /// Eight heights of a sparkline, lowest first.
    pub heights: [&'static str; 8],
    /// Frames of the spinner; one means that nothing moves.
    pub spinner: &'static [&'static str],
    /// Something can be chosen here.
    pub choose: &'static str,
}

/// For terminals that show Unicode.
pub const UNICODE: Glyphs = Glyphs {
    pointer: "▸",
    good: "✔",
    warning: "⚠",
    bad: "✘",
    unsaved: "•",
    running: "▶",
    paused: "‖",
    key: "●",
    folded: "▸",
    unfolded: "▾",
    both: "⇄",
    to_platform: "→",
    to_org: "←",
    dot: "·",
    full: "█",
    rest: "░",
    mask: '•',
    on: "[x]",
    off: "[ ]",
    heights: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    spinner: &["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"],
    choose: "▾",
};

/// For `--plain`, screen readers and terminals without the signs.
pub const ASCII: Glyphs = Glyphs {
    pointer: ">",
    good: "ok",
    warning: "warning",
    bad: "failed",
    unsaved: "*",
    running: ">",
    paused: "=",
    key: "key",
    folded: "+",
    unfolded: "-",
    both: "<->",
    to_platform: "->",
    to_org: "<-",
    dot: "-",
    full: "#",
    rest: ".",
    mask: '*',
    on: "[x]",
    off: "[ ]",
    heights: ["_", "_", ".", ".", "-", "-", "=", "#"],
    spinner: &["..."],
    choose: "v",
};

impl Glyphs {
    /// The sign of a verdict.
    pub fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Good => self.good,
            Verdict::Warning => self.warning,
            Verdict::Bad => self.bad,
        }
    }

    /// The arrow of a direction.
    pub fn arrow(&self, direction: crate::domain::mapping::Direction) -> &'static str {
        use crate::domain::mapping::Direction;
        match direction {
            Direction::Both => self.both,
            Direction::ToPlatform => self.to_platform,
            Direction::ToOrg => self.to_org,
        }
    }
}
