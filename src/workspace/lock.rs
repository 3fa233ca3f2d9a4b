//! One engine a workspace.
