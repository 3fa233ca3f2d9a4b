//! What nobody could confirm, as the settings say.

use crate::domain::profile::Told;

/// How a row of a table, or a customer, is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// The receiver is told.
    Webhook,
    /// By an interface of its own.
    Rest,
    /// Never.
    Never,
}

impl Deletion {
    fn of(word: &str) -> Self {
        match word {
            "rest" => Self::Rest,
            "none" => Self::Never,
            _ => Self::Webhook,
        }
    }
}

/// By which field the receiver of customers recognises them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReceiverKey {
    /// The id of the org.
    ExternalId,
    /// The e-mail address.
    Email,
}

impl ReceiverKey {
    /// Both fields by which customers are known, the one that is ticked first.
    pub(super) fn order(self) -> &'static [&'static str] {
        match self {
            Self::ExternalId => &["externalid", "emailaddress"],
            Self::Email => &["emailaddress", "externalid"],
        }
    }

    pub(super) fn field(self) -> &'static str {
        match self {
            Self::ExternalId => "externalid",
            Self::Email => "emailaddress",
        }
    }
}

/// What of a changed customer its receiver is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReceiverRows {
    /// All that is mapped.
    Whole,
    /// What changed, with its keys and its consent.
    Changes,
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
    pub(super) table_delete: Deletion,
    pub(super) customer_delete: Deletion,
    pub(super) receiver_key: ReceiverKey,
    pub(super) receiver_rows: ReceiverRows,
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
            table_delete: Deletion::of(&told.text("table_delete")),
            customer_delete: Deletion::of(&told.text("customer_delete")),
            receiver_key: match told.text("receiver_key").as_str() {
                "emailaddress" => ReceiverKey::Email,
                _ => ReceiverKey::ExternalId,
            },
            receiver_rows: match told.text("receiver_rows").as_str() {
                "changes" => ReceiverRows::Changes,
                _ => ReceiverRows::Whole,
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
