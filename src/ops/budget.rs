//! The budgets of calls of both sides: where their use is shared, and how much is left.

use std::path::Path;

pub use crate::connect::budget::Gauge;

use crate::connect::budget::{Budget, Ledger, Rules};
use crate::domain::side::{PerSide, Side};
use crate::ops::session::Session;
use crate::workspace::environment::Variables;
use crate::workspace::paths::{short_hash, state_folder};
use crate::workspace::settings::{PlatformKind, Settings};

/// The file in which workspaces share the use of a side's account: named after the org's id, or after the address and the account.
///
/// What listens on this machine is a sandbox that lives no longer than its workspace, so its file lies there, unless
/// `FORCESYNC_STATE_DIR` says otherwise.
pub(crate) fn ledger(settings: &Settings, side: Side, workspace: &Path) -> Ledger {
    let variables = Variables::of_process();
    let (address, account) = account(settings, side);
    let name = format!("budget-{}-{}.json", side.word(), short_hash(&account));
    let named = variables.path("FORCESYNC_STATE_DIR").is_some();
    let folder = if named || !is_on_this_machine(&address) { state_folder(&variables) } else { None };
    Ledger {
        path: folder.as_deref().unwrap_or(workspace).join(name),
        workspace: short_hash(&workspace.to_string_lossy()),
    }
}

/// The address of a side, and a text that stands for its account.
fn account(settings: &Settings, side: Side) -> (String, String) {
    match side {
        Side::Org => {
            let given = &settings.salesforce;
            let address = given.sign_in_address().unwrap_or_default();
            let account = match &given.org_id {
                Some(org) => org.clone(),
                None => format!("{address} {}", given.username.trim().to_lowercase()),
            };
            (address, account)
        }
        Side::Platform => {
            let given = settings.platform.address();
            let address = given.trim().trim_end_matches('/').trim_end_matches("/api").to_lowercase();
            let account = if settings.platform.kind == PlatformKind::SALESMANAGO {
                format!("{address} {}", settings.platform.salesmanago.client_id.trim())
            } else {
                format!("{} {address}", settings.platform.kind)
            };
            (address, account)
        }
    }
}

/// Whether an address leads to this machine itself, as that of an emulated service does.
pub(crate) fn is_on_this_machine(address: &str) -> bool {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    if host.starts_with("[::1]") {
        return true;
    }
    let host = host.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// How much of both sides' limits is used, as far as it is known without a call.
pub fn gauges(session: &Session) -> PerSide<Gauge> {
    let (settings, now) = (session.settings(), session.clock().now());
    PerSide::from_fn(|side| {
        let (owner, reserve_percent, per_hour, per_day) = match side {
            Side::Org => ("the org", settings.salesforce.api_reserve_percent, 0, 0),
            Side::Platform => {
                let (given, kind) = (&settings.platform, settings.platform.kind);
                if kind == PlatformKind::SALESMANAGO {
                    let given = &given.salesmanago;
                    let limits = (given.calls_per_hour.into(), given.calls_per_day.into());
                    (kind.label(), given.reserve_percent, limits.0, limits.1)
                } else {
                    let told = given.told();
                    let reserve = u8::try_from(told.whole("reserve_percent")).unwrap_or(100);
                    (kind.label(), reserve, told.whole("calls_per_hour"), told.whole("calls_per_day"))
                }
            }
        };
        let rules = Rules {
            side,
            owner,
            reserve_percent,
            reserve_setting: "",
            per_hour,
            per_day,
            logins_per_hour: 0,
        };
        Budget::new(rules, Some(ledger(&settings, side, session.folder()))).gauge(now)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8080", true)]
    #[case("https://localhost/api", true)]
    #[case("http://[::1]:99", true)]
    #[case("https://127.example.com", false)]
    #[case("https://acme.my.salesforce.com", false)]
    #[case("", false)]
    fn a_sandbox_is_known_by_its_address(#[case] address: &str, #[case] here: bool) {
        assert_eq!(is_on_this_machine(address), here, "{address}");
    }

    #[test]
    fn workspaces_of_one_org_share_one_file_and_other_orgs_have_another() {
        let mut settings = Settings::default();
        settings.salesforce.org_id = Some("00D000000000001EAA".into());
        let file = |settings: &Settings, folder: &str| ledger(settings, Side::Org, Path::new(folder));
        let (one, two) = (file(&settings, "/one"), file(&settings, "/two"));
        assert_eq!(one.path, two.path);
        assert_ne!(one.workspace, two.workspace);
        settings.salesforce.org_id = Some("00D000000000002EAA".into());
        assert_ne!(file(&settings, "/one").path, one.path);
        assert_ne!(ledger(&settings, Side::Platform, Path::new("/one")).path, one.path);
    }
}
