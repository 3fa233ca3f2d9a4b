//! What a long-running forcesync adds: the headless engine and its local socket.

pub mod inbound;
pub mod run;
pub mod socket;
