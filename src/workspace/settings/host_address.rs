//! An address to use for a host name, such as `login.example=127.0.0.1:8443`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address to use for a host name instead of asking the name service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostAddress {
    /// The name.
    pub host: String,
    /// Where it is.
    pub address: SocketAddr,
}

/// A text that names no address for a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” names no address for a host: write host=address:port, such as acme.example=127.0.0.1:8443")]
pub struct HostAddressError(String);

impl FromStr for HostAddress {
    type Err = HostAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('=')
            .and_then(|(host, address)| {
                let host = host.trim();
                let fine = !host.is_empty()
                    && !host
                        .contains(|character: char| character.is_whitespace() || "/:@".contains(character));
                fine.then_some(Self { host: host.to_owned(), address: address.trim().parse().ok()? })
            })
            .ok_or_else(|| HostAddressError(text.to_owned()))
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.host, self.address)
    }
}

impl TryFrom<String> for HostAddress {
    type Error = HostAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HostAddress> for String {
    fn from(address: HostAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_an_address_with_a_port() {
        let found: HostAddress = "acme.example=[::1]:8443".parse().unwrap();
        assert_eq!(found.host, "acme.example");
        assert_eq!(found.to_string(), "acme.example=[::1]:8443");
        for text in ["acme.example", "=127.0.0.1:1", "acme.example=127.0.0.1", "https://a=127.0.0.1:1"] {
            assert!(text.parse::<HostAddress>().is_err(), "{text}");
        }
    }
}
