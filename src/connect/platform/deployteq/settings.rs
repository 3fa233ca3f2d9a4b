//! What nobody could confirm, as the settings say.

use crate::domain::profile::Told;

/// How a row of a table is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableDelete {
    /// The receiver is told.
    Webhook,
    /// By the data model's own interface.
    Rest,
    /// Never.
    Never,
}

/// Names, addresses and switches of one portal.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) rest_path: String,
    pub(super) soap_path: String,
    pub(super) customer_id: String,
    pub(super) row_id: String,
    /// Whether changes of customers are found by reading all of them.
    pub(super) poll: bool,
    pub(super) data_model: bool,
    pub(super) data_model_endpoint: String,
    pub(super) data_model_scope: String,
    pub(super) table_delete: TableDelete,
    pub(super) token_endpoint: String,
    pub(super) events_endpoint: String,
    pub(super) events_scope: String,
    pub(super) metrics: Vec<String>,
    pub(super) moment_key: Vec<String>,
    pub(super) leave_out_machines: bool,
    pub(super) moments_days: i64,
    pub(super) delay_minutes: i64,
    pub(super) online_url: Option<String>,
}

impl Names {
    pub(super) fn read(told: &Told<'_>) -> Self {
        let address = |name: &str| {
            let given = told.text(name);
            let given = given.trim_end_matches('/');
            if given.is_empty() || given.contains("://") {
                given.to_owned()
            } else {
                format!("https://{given}")
            }
        };
        let number = |name: &str| i64::try_from(told.whole(name)).unwrap_or(0);
        Self {
            rest_path: told.text("rest_path").trim_end_matches('/').to_owned(),
            soap_path: told.text("soap_path"),
            customer_id: told.text("customer_id"),
            row_id: told.text("row_id"),
            poll: told.text("customer_changes") == "poll",
            data_model: told.flag("data_model"),
            data_model_endpoint: address("data_model_endpoint"),
            data_model_scope: told.text("data_model_scope"),
            table_delete: match told.text("table_delete").as_str() {
                "rest" => TableDelete::Rest,
                "none" => TableDelete::Never,
                _ => TableDelete::Webhook,
            },
            token_endpoint: address("token_endpoint"),
            events_endpoint: address("events_endpoint"),
            events_scope: told.text("events_scope"),
            metrics: told.texts("metrics"),
            moment_key: told.texts("moment_key"),
            leave_out_machines: told.flag("leave_out_machines"),
            moments_days: number("moments_days").max(1),
            delay_minutes: number("moments_delay_minutes"),
            online_url: told.some_text("online_url"),
        }
    }
}
