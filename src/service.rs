//! What a long-running forcesync adds: the headless engine and its local socket.

pub mod run;
pub mod socket;
