//! Nouns and pure rules; no input or output.
