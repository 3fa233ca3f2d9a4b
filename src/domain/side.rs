//! The two sides of a synchronization.

use std::fmt;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// The Salesforce org, or the platform beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The Salesforce org.
    Org,
    /// The other system.
    Platform,
}

impl Side {
    /// Both sides, the org first.
    pub const BOTH: [Self; 2] = [Self::Org, Self::Platform];

    /// The side that is not this one.
    pub fn other(self) -> Self {
        match self {
            Self::Org => Self::Platform,
            Self::Platform => Self::Org,
        }
    }

    /// The word used in the database and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::Platform => "platform",
        }
    }

    /// What people call it.
    pub fn place(self) -> &'static str {
        match self {
            Self::Org => "Salesforce",
            Self::Platform => "the platform",
        }
    }

    /// The number used in the database.
    pub fn number(self) -> i64 {
        match self {
            Self::Org => 0,
            Self::Platform => 1,
        }
    }

    /// The side of a database number; anything but 0 is the platform.
    pub fn from_number(number: i64) -> Self {
        if number == 0 { Self::Org } else { Self::Platform }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// One thing for each side, indexed by [`Side`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PerSide<T> {
    /// What belongs to the org.
    pub org: T,
    /// What belongs to the platform.
    pub platform: T,
}

impl<T> PerSide<T> {
    /// Makes both from a function of the side.
    pub fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        Self { org: make(Side::Org), platform: make(Side::Platform) }
    }

    /// Borrows both.
    pub fn as_ref(&self) -> PerSide<&T> {
        PerSide { org: &self.org, platform: &self.platform }
    }

    /// Turns both into something else.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> PerSide<U> {
        PerSide { org: turn(self.org), platform: turn(self.platform) }
    }
}

impl<T> Index<Side> for PerSide<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        match side {
            Side::Org => &self.org,
            Side::Platform => &self.platform,
        }
    }
}

impl<T> IndexMut<Side> for PerSide<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Org => &mut self.org,
            Side::Platform => &mut self.platform,
        }
    }
}
