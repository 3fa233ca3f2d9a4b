//! What a long-running forcesync adds: the socket and its commands.
