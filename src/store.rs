//! The state database: SQLite in WAL mode, one file a workspace.
