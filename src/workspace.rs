//! The settings file, secrets and paths of a workspace.
