//! The steps of a run. Knows the ports and the store, no platform by name.
