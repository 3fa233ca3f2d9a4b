//! What a sandbox says when it is ready: where and how to sign in on both sides, and what is planted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SandboxOptions;
use super::people::Planted;
use super::steer::Steering;

/// The `ready` object, the first line of `forcesync sandbox --json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// Always `ready`.
    pub event: String,
    /// The workspace that was written; null when none was.
    pub workspace: Option<String>,
    /// The org.
    pub salesforce: ReadySalesforce,
    /// The platform.
    pub platform: ReadyPlatform,
    /// What is planted.
    pub planted: Planted,
    /// The file with the certificate authority to trust, in a sandbox with TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

/// How to sign in to the org.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadySalesforce {
    /// Its address, for signing in and for everything else.
    pub url: String,
    /// The integration user.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Its security token, to be put behind the password.
    pub security_token: String,
    /// The connected app.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// A session that is open already.
    pub access_token: String,
}

/// How to sign in to the platform, by the names of the settings file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadyPlatform {
    /// Which platform it is.
    pub kind: String,
    /// Its address.
    pub url: String,
    /// Its settings and secrets.
    #[serde(flatten)]
    pub sign_in: Map<String, Value>,
}

impl ReadyPlatform {
    /// One of its settings or secrets; blank where it has no such one.
    pub fn get(&self, name: &str) -> &str {
        self.sign_in.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Ready {
    pub(super) fn of(
        steering: &Steering,
        options: &SandboxOptions,
        org_url: &str,
        platform_url: &str,
    ) -> Self {
        Self {
            event: "ready".into(),
            workspace: None,
            salesforce: ReadySalesforce {
                url: org_url.into(),
                username: options.org.username.clone(),
                password: options.org.password.clone(),
                security_token: options.org.security_token.clone(),
                client_id: options.org.client_id.clone(),
                client_secret: options.org.client_secret.clone(),
                access_token: steering.org.access_token(),
            },
            platform: ReadyPlatform {
                kind: options.platform.clone(),
                url: platform_url.into(),
                sign_in: steering.platform.sign_in(platform_url),
            },
            planted: steering.planted.clone(),
            ca_file: None,
        }
    }
}
