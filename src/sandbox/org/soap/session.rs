//! Calls about the session itself: who am I, what time is it, goodbye.

use super::Ask;
use super::envelope::{element, escape};
use crate::sandbox::org::Org;
use crate::sandbox::org::moment;
use crate::sandbox::org::rest::reply::Reply;

impl Ask<'_> {
    pub(super) fn logout(&self) -> Reply {
        self.org.sessions().revoke(&self.token);
        self.reply("")
    }

    pub(super) fn invalidate_sessions(&self) -> Reply {
        let mut results = String::new();
        for token in self.operation.all("sessionIds") {
            let ended = self.org.sessions().revoke(token.content.trim());
            results.push_str(if ended {
                "<result><success>true</success></result>"
            } else {
                "<result><success>false</success></result>"
            });
        }
        self.reply(&results)
    }

    pub(super) fn server_timestamp(&self) -> Reply {
        let at = moment::moment_text(self.now).replace("+0000", "Z");
        self.reply(&format!("<result>{}</result>", element("timestamp", Some(&at))))
    }

    pub(super) fn own_user(&self) -> Reply {
        self.reply(&format!("<result>{}</result>", user_info(self.org, &self.user)))
    }
}

/// What the org tells of a user.
pub(super) fn user_info(org: &Org, user: &str) -> String {
    let row = org.user_row(user).unwrap_or_default();
    let text = |name: &str| row.get(name).and_then(|value| value.as_str()).map(escape).unwrap_or_default();
    format!(
        "<accessibilityMode>false</accessibilityMode><chatterExternal>false</chatterExternal><currencySymbol>€</currencySymbol><orgAttachmentFileSizeLimit>26214400</orgAttachmentFileSizeLimit><orgDefaultCurrencyIsoCode>EUR</orgDefaultCurrencyIsoCode><orgDefaultCurrencyLocale>en_GB</orgDefaultCurrencyLocale><orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments><orgHasPersonAccounts>{}</orgHasPersonAccounts><organizationId>{}</organizationId><organizationMultiCurrency>false</organizationMultiCurrency><organizationName>{}</organizationName><profileId>{}</profileId><roleId xsi:nil=\"true\"/><sessionSecondsValid>7200</sessionSecondsValid><userDefaultCurrencyIsoCode xsi:nil=\"true\"/><userEmail>{}</userEmail><userFullName>{}</userFullName><userId>{user}</userId><userLanguage>{}</userLanguage><userLocale>{}</userLocale><userName>{}</userName><userTimeZone>{}</userTimeZone><userType>Standard</userType><userUiSkin>Theme3</userUiSkin>",
        org.options.person_accounts,
        org.org_id(),
        escape(&org.options.organization_name),
        text("ProfileId"),
        text("Email"),
        text("Name"),
        text("LanguageLocaleKey"),
        text("LocaleSidKey"),
        text("Username"),
        text("TimeZoneSidKey"),
    )
}
