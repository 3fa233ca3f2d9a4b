//! Whether the admin of the platform is the admin of the org as well, where the platform wants that (F36, F37), and what it wants of a
//! sandbox org (F41).

use crate::connect::platform::OrgWish;
use crate::domain::report::Verdict;
use crate::ops::test_connection::{ConnectionTest, OrgSummary};

/// Compares what the platform wants with the org; without an org that could be looked at, only says so.
pub(crate) fn compare(wish: &OrgWish, org: Option<&OrgSummary>, test: &mut ConnectionTest) {
    let Some(org) = org else {
        if wish.admin.is_some() {
            let sentence =
                "The org could not be asked, so that nobody compared its admin with the platform's.";
            test.say(Verdict::Warning, sentence, None);
        }
        return;
    };
    if let Some(admin) = &wish.admin {
        if org.email.trim().eq_ignore_ascii_case(admin.trim()) {
            test.say(Verdict::Good, format!("{admin} is the admin on both sides."), None);
        } else {
            let message = format!(
                "The same e-mail must be the admin on both sides: {} of the org has {}, the platform's admin is {admin}. Sign in to \
                 Salesforce as that user, or correct admin_email.",
                org.user,
                if org.email.is_empty() { "none" } else { &org.email }
            );
            test.say(Verdict::Bad, message, Some("admin_email"));
        }
        match org.admin {
            Some(true) | None => {}
            Some(false) => {
                let message = format!(
                    "{} is no admin of the org (it may not modify all data); the platform wants an admin on both sides.",
                    org.user
                );
                test.say(Verdict::Bad, message, Some("admin_email"));
            }
        }
    }
    if let (true, Some(sentence)) = (org.sandbox, wish.sandbox) {
        test.say(Verdict::Warning, format!("The org is a sandbox. {sentence}"), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(email: &str, admin: Option<bool>, sandbox: bool) -> OrgSummary {
        OrgSummary {
            id: "00D000000000001EAA".into(),
            name: "Acme".into(),
            edition: "Enterprise Edition".into(),
            sandbox,
            user: "ops@acme.example".into(),
            email: email.into(),
            admin,
            api_budget: None,
        }
    }

    fn said(wish: &OrgWish, org: Option<&OrgSummary>) -> Vec<(Verdict, String)> {
        let mut test = ConnectionTest::default();
        compare(wish, org, &mut test);
        test.lines.into_iter().map(|line| (line.verdict, line.message)).collect()
    }

    fn wish() -> OrgWish {
        OrgWish { admin: Some("Ann@Acme.example".into()), sandbox: Some("Ask the vendor.") }
    }

    #[test]
    fn the_same_address_in_another_case_is_the_same_admin() {
        let lines = said(&wish(), Some(&org("ann@acme.example", Some(true), false)));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0].0, Verdict::Good);
    }

    #[test]
    fn another_address_and_a_user_without_the_rights_of_an_admin_fail() {
        let lines = said(&wish(), Some(&org("bob@acme.example", Some(false), false)));
        assert_eq!(lines.iter().filter(|(verdict, _)| *verdict == Verdict::Bad).count(), 2, "{lines:?}");
        assert!(lines[0].1.contains("bob@acme.example"), "{lines:?}");
    }

    #[test]
    fn a_sandbox_org_is_told_and_an_org_that_was_not_asked_is_a_warning() {
        let lines = said(&wish(), Some(&org("ann@acme.example", None, true)));
        assert!(
            lines
                .iter()
                .any(|(verdict, text)| *verdict == Verdict::Warning && text.contains("Ask the vendor."))
        );
        assert_eq!(said(&wish(), None)[0].0, Verdict::Warning);
        assert!(said(&OrgWish::default(), None).is_empty());
    }
}
