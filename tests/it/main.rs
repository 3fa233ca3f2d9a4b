//! The integration tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on has failed; the allowances of .clippy.toml do not reach its helpers"
)]

mod account_name;
mod audit;
mod binary_bad_input;
mod binary_engine;
mod binary_mapping;
mod binary_stage;
mod binary_terminal;
mod browser_sign_in;
mod budget;
mod bulk;
mod config_code;
mod config_mistakes;
mod conflicts;
mod console_criteria;
mod console_drift;
mod console_inbox;
mod console_mapping;
mod console_plan;
mod console_rehearse;
mod console_rules;
mod console_sample;
mod console_sign_in;
mod console_snapshots;
mod console_stage;
mod console_update;
mod console_whole;
mod console_why;
mod crash;
mod criteria_members;
mod drift;
mod equal_stamps;
mod facts;
mod fault_table;
mod going_forward;
mod history;
mod http_histories;
mod issues;
mod learndot;
mod named_ids;
mod novoed;
mod plan;
mod read_again;
mod rebuild;
mod rehearse;
mod requirements;
mod salesforce_bulk;
mod salesforce_faults;
mod salesforce_reading;
mod salesforce_sign_in;
mod salesforce_support;
mod salesforce_writing;
mod salesmanago_account;
mod salesmanago_faults;
mod salesmanago_odd_servers;
mod salesmanago_read;
mod salesmanago_sign_in;
mod salesmanago_write;
mod sample;
mod scenario;
mod scenario_csv;
mod scenario_deployteq;
mod scenario_life;
mod scenario_receivers;
mod scenario_stage;
mod simulation;
mod spotio;
mod spotio_webhooks;
mod undo_records;
mod unmoved;
mod wire;
