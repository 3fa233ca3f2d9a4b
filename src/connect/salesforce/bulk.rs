//! Bulk API 2.0: jobs that read or write many rows as CSV, streamed both ways.
//!
//! `job` speaks about jobs, `query` reads by one (its pages by `page`, its place in the mark by `place`), `ingest` writes by one
//! (its results by `outcome`), `encode` and `decode` are the CSV. Which way is taken is chosen by [`crate::domain::cost`].

mod decode;
mod encode;
mod ingest;
mod job;
mod outcome;
mod page;
mod place;
mod query;

pub(super) use ingest::{carry_out, conclude, fits, prepare};
pub(super) use query::{Reads, Way, begin};
