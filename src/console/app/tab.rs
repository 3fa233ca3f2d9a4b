//! The four tabs.

/// One of the four tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tab {
    /// Connection Settings.
    #[default]
    Connection,
    /// Mapping Settings.
    Mapping,
    /// Synchronization Information.
    Sync,
    /// Logs.
    Logs,
}

impl Tab {
    /// All four in order.
    pub const ALL: [Self; 4] = [Self::Connection, Self::Mapping, Self::Sync, Self::Logs];

    /// Its place, from 0.
    pub fn place(self) -> usize {
        match self {
            Self::Connection => 0,
            Self::Mapping => 1,
            Self::Sync => 2,
            Self::Logs => 3,
        }
    }

    /// The tab after this one, around the end.
    pub fn next(self) -> Self {
        match self {
            Self::Connection => Self::Mapping,
            Self::Mapping => Self::Sync,
            Self::Sync => Self::Logs,
            Self::Logs => Self::Connection,
        }
    }

    /// The tab before this one, around the start.
    pub fn previous(self) -> Self {
        match self {
            Self::Connection => Self::Logs,
            Self::Mapping => Self::Connection,
            Self::Sync => Self::Mapping,
            Self::Logs => Self::Sync,
        }
    }
}
