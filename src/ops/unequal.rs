//! A sandbox org joined to a live account of the platform, or the reverse (law E17): one of the two is not what it looks like, so the
//! first write waits until a person has typed the workspace's name, and the workspace stays marked.

use crate::domain::report::Unequal;
use crate::ops::budget;
use crate::ops::error::{OpClass, OpError};
use crate::store::{Reader, StoreError};
use crate::workspace::settings::{Account, PlatformKind, Settings};

/// Under which name the state database keeps whether the org is a sandbox.
pub(crate) const ORG_KIND: &str = "org_kind";

/// Under which name it keeps which joining was confirmed.
pub(crate) const CONFIRMED: &str = "unequal_confirmed";

/// The text under [`ORG_KIND`].
pub(crate) fn keep_kind(org: &str, sandbox: bool) -> String {
    format!("{org} {}", if sandbox { "sandbox" } else { "live" })
}

/// Whether that org is a sandbox, where the text is about it.
pub(crate) fn kept_kind(kept: &str, org: &str) -> Option<bool> {
    let (about, kind) = kept.split_once(' ')?;
    (about == org).then_some(kind == "sandbox")
}

/// What is unequal, if something is.
pub(crate) fn what(settings: &Settings, sandbox: bool) -> Option<&'static str> {
    let address = settings.platform.address();
    let account = match settings.platform.account() {
        Some(account) => account,
        // Files belong to no service.
        None if address.trim().is_empty() => return None,
        None if !budget::is_on_this_machine(&address) => Account::Live,
        // An emulated account belongs to an emulated org as it is.
        None if settings
            .salesforce
            .sign_in_address()
            .is_some_and(|address| budget::is_on_this_machine(&address)) =>
        {
            return None;
        }
        None => Account::Test,
    };
    match (sandbox, account) {
        (true, Account::Live) => Some("sandbox org and a live platform"),
        (false, Account::Test) => Some("live org and a test platform"),
        (true, Account::Test) | (false, Account::Live) => None,
    }
}

/// The text under [`CONFIRMED`]: another org or account asks again.
pub(crate) fn join(settings: &Settings, org: &str, what: &str) -> String {
    if settings.platform.kind != PlatformKind::SALESMANAGO {
        return format!("{what}|{org}|{}|{}", settings.platform.kind, settings.platform.address());
    }
    let platform = &settings.platform.salesmanago;
    format!("{what}|{org}|{}|{}|{}", platform.endpoint, platform.client_id, platform.owner)
}

/// Why nothing is written.
pub(crate) fn refusal(what: &str, name: &str, platform: PlatformKind) -> OpError {
    OpError::new(
        OpClass::Blocked,
        format!(
            "This workspace joins a {what}. Nothing was written. If that is meant, type its name: press I or s in the console, or \
             add `--confirm-workspace {name}` once. If the platform's account is not what it seems, say so in the settings \
             (account = \"test\" or \"live\" under [platform.{platform}])"
        ),
    )
    .code("confirm_workspace")
}

/// What the status tells.
pub(crate) fn of(settings: &Settings, reader: &Reader) -> Result<Option<Unequal>, StoreError> {
    let Some(kept) = reader.remembered(ORG_KIND)? else { return Ok(None) };
    let Some((org, kind)) = kept.split_once(' ') else { return Ok(None) };
    let Some(what) = what(settings, kind == "sandbox") else { return Ok(None) };
    let confirmed =
        reader.remembered(CONFIRMED)?.is_some_and(|confirmed| confirmed == join(settings, org, what));
    Ok(Some(Unequal { what: what.into(), confirmed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(org: &str, platform: &str, account: Option<Account>) -> Settings {
        let mut settings = Settings::default();
        settings.salesforce.my_domain = org.into();
        settings.platform.salesmanago.endpoint = platform.into();
        settings.platform.salesmanago.account = account;
        settings
    }

    #[test]
    fn e17_a_sandbox_with_a_live_account_is_unequal_and_so_is_the_reverse() {
        let far = ("https://acme.my.salesforce.com", "https://app2.salesmanago.com");
        assert!(what(&settings(far.0, far.1, None), true).is_some());
        assert!(what(&settings(far.0, far.1, None), false).is_none());
        assert!(what(&settings(far.0, far.1, Some(Account::Test)), false).is_some());
        assert!(what(&settings(far.0, far.1, Some(Account::Test)), true).is_none());
        assert!(what(&settings(far.0, "http://127.0.0.1:8080", None), false).is_some());
        assert!(what(&settings("http://127.0.0.1:8079", "http://127.0.0.1:8080", None), false).is_none());
        assert!(what(&settings("http://127.0.0.1:8079", "http://127.0.0.1:8080", None), true).is_none());
    }
}
