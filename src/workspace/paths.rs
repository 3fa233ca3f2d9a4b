//! Where everything of a workspace is.
/// A workspace.
pub struct Workspace;
