//! The command line: parses and prints, one file a subcommand.
