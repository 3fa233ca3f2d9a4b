//! One use case a file; called by the console and the command line alike.
