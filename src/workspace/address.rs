//! Addresses of services: HTTPS, or plain HTTP to this machine alone.

use reqwest::Url;

/// An address that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is none.
    #[error("“{0}” is no web address: write one such as https://acme.my.salesforce.com")]
    NotAnAddress(String),
    /// It would send secrets in the clear.
    #[error("“{0}” is not encrypted: plain HTTP is only allowed to this machine (localhost); write https://")]
    NotEncrypted(String),
    /// It carries a user name or password.
    #[error("the address carries a user name or password: remove it, secrets are kept apart")]
    CarriesSecret,
}

/// The address with `https://` where it names no scheme, without a slash at its end.
pub fn with_scheme(text: &str) -> String {
    let text = text.trim();
    let text = if text.ends_with("://") { text } else { text.trim_end_matches('/') };
    if text.contains("://") { text.to_owned() } else { format!("https://{text}") }
}

/// Whether secrets may be sent to this address.
pub fn check(text: &str) -> Result<(), AddressError> {
    let wrong = || AddressError::NotAnAddress(text.to_owned());
    let url = Url::parse(&with_scheme(text)).map_err(|_unparsable| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::CarriesSecret);
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(AddressError::NotEncrypted(text.to_owned())),
        _ => Err(wrong()),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://acme.my.salesforce.com")]
    #[case("app2.salesmanago.com")]
    #[case("http://127.0.0.1:8080")]
    #[case("http://localhost:1")]
    #[case("http://[::1]:8080/")]
    fn encrypted_or_local_addresses_are_fine(#[case] text: &str) {
        assert_eq!(check(text), Ok(()));
    }

    #[rstest]
    #[case("http://acme.example", "not encrypted")]
    #[case("http://127.0.0.1.acme.example", "not encrypted")]
    #[case("ftp://acme.example", "no web address")]
    #[case("https://", "no web address")]
    #[case("two words", "no web address")]
    #[case("https://ann:secret@acme.example", "user name or password")]
    fn other_addresses_are_refused(#[case] text: &str, #[case] message: &str) {
        let error = check(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(!error.contains("secret@"), "{error}");
    }

    #[test]
    fn a_missing_scheme_means_https() {
        assert_eq!(with_scheme(" app2.salesmanago.com/ "), "https://app2.salesmanago.com");
    }
}
