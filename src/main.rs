//! The forcesync binary.

fn main() {}
