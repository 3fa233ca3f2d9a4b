//! Names of the tabs.

use crate::console::app::tab::Tab;

/// The full name, shown from 96 columns on and as the title inside below that.
pub fn full(tab: Tab) -> &'static str {
    match tab {
        Tab::Connection => "Connection Settings",
        Tab::Mapping => "Mapping Settings",
        Tab::Sync => "Synchronization Information",
        Tab::Logs => "Logs",
    }
}

/// The short name for narrow terminals.
pub fn short(tab: Tab) -> &'static str {
    match tab {
        Tab::Connection => "Connection",
        Tab::Mapping => "Mapping",
        Tab::Sync => "Sync Info",
        Tab::Logs => "Logs",
    }
}

/// What the tab is for, in the help overlay.
pub fn about(tab: Tab) -> &'static str {
    match tab {
        Tab::Connection => include_str!("../../../../assets/help/connection.txt"),
        Tab::Mapping => include_str!("../../../../assets/help/mapping.txt"),
        Tab::Sync => include_str!("../../../../assets/help/sync.txt"),
        Tab::Logs => include_str!("../../../../assets/help/logs.txt"),
    }
}
