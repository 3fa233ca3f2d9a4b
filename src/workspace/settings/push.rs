//! `[[push]]`: the steps by which campaigns of the platform send changes to Salesforce; `[inbound]`: where such lines come in while
//! `forcesync run` lives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One step, as one “Salesforce Synchronize” of a campaign (F125).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushStep {
    /// By what it is called.
    pub name: String,
    /// The object of Salesforce that is updated, such as `Contact` (F126).
    pub object: String,
    /// The key of a line that holds the record's id in Salesforce. It has to be named where the key of the mapping is another field
    /// (F128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The fields of Salesforce that a line may say something about (F127).
    pub fields: Vec<String>,
}

/// Where pushed lines come in besides the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboundSettings {
    /// A folder with one folder for each step; files of JSON lines that appear there are pushed. Relative to the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// A port of this machine's loopback that takes signed posts; none if 0.
    #[serde(skip_serializing_if = "is_off")]
    pub port: u16,
}

fn is_off(port: &u16) -> bool {
    *port == 0
}

impl InboundSettings {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
