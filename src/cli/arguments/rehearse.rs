//! What can be typed behind `rehearse`.

use clap::Args;

/// Try the mappings out on a copy of some records, on this machine alone.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Records of each mapping that are copied, from 1 to 2000
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub records: usize,
    /// Only this mapping, switched on or off (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub mapping: Vec<String>,
}
