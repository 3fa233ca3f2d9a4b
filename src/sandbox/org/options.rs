//! How an org is founded, and the door for faults of single rows.

use super::schema::ExtraSchema;

/// Decides whether the org refuses a row that it would otherwise take.
pub trait RowFaults: Send + Sync {
    /// A fault for this write, as code and message. `operation` is `insert`, `update` or `delete`.
    fn row(&self, object: &str, operation: &str) -> Option<(String, String)>;
}

/// What an org is like.
#[derive(Clone)]
pub struct OrgOptions {
    /// Tokens follow from it.
    pub seed: u64,
    /// `OrganizationType`, such as `Enterprise Edition`.
    pub edition: String,
    /// The org's name.
    pub organization_name: String,
    /// Whether it is a sandbox of another org: it says so, and its users are unknown at `login.salesforce.com` (those of any other org
    /// at `test.salesforce.com`).
    pub is_sandbox: bool,
    /// Whether accounts can be people.
    pub person_accounts: bool,
    /// API calls in 24 hours.
    pub daily_limit: u64,
    /// Custom objects and fields beyond the installed package.
    pub extra_schema: Vec<ExtraSchema>,
    /// The integration user's name.
    pub username: String,
    /// Its password.
    pub password: String,
    /// What goes behind the password.
    pub security_token: String,
    /// The app's consumer key.
    pub client_id: String,
    /// The app's consumer secret.
    pub client_secret: String,
    /// The addresses to which the app lets a browser come back.
    pub callback_urls: Vec<String>,
    /// The scopes that the app offers.
    pub app_scopes: Vec<String>,
    /// Whether the app wants its secret in the web server flow and when a session is renewed.
    pub require_secret: bool,
    /// Behave as `login.salesforce.com` does: refuse client credentials.
    pub generic_login_host: bool,
    /// Whether SOAP `login` is switched on.
    pub soap_login: bool,
    /// Whether the username-password flow is switched on.
    pub password_flow: bool,
    /// Whether saving a contact or lead with a known e-mail is refused as a duplicate.
    pub duplicate_rule: bool,
}

impl Default for OrgOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            edition: "Enterprise Edition".to_owned(),
            organization_name: "Northwind Outdoor".to_owned(),
            is_sandbox: false,
            person_accounts: false,
            daily_limit: 100_000,
            extra_schema: Vec::new(),
            username: "integration@northwind.example".to_owned(),
            password: "Sandbox-Passw0rd".to_owned(),
            security_token: "SeCuRiTyToKeN123".to_owned(),
            client_id: "3MVG9forcesync.sandbox.consumer.key".to_owned(),
            client_secret: "5A2C0FFEE0SANDBOX0CONSUMER0SECRET".to_owned(),
            callback_urls: vec!["http://localhost:8717/callback".to_owned()],
            app_scopes: ["api", "id", "web", "refresh_token"].map(str::to_owned).to_vec(),
            require_secret: true,
            generic_login_host: false,
            soap_login: true,
            password_flow: true,
            duplicate_rule: false,
        }
    }
}
