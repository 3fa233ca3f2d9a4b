//! Looks around, as patiently as a person who waits: the key, the courses and their modes, how fresh the data are, the session.

use chrono::DateTime;

use super::NovoEd;
use super::feed::{Answers, DataSet, ago};
use super::service::Patience;
use crate::connect::platform::{Examined, OrgWish};
use crate::domain::port::PortError;
use crate::domain::report::Verdict;

/// So many courses are named.
const NAMED: usize = 5;

impl NovoEd {
    pub(super) async fn look_around(&self) -> Result<Examined, PortError> {
        let mut examined = Examined::default();
        let sent = self.service.now();
        let (offerings, began) = self.read_offerings(Patience::Person).await?;
        examined.good(format!(
            "The key is accepted at {}; {} courses.",
            self.service.base(),
            offerings.len()
        ));
        for set in [DataSet::Users, DataSet::Enrollments] {
            let place = self.begin(self.names.data_since.timestamp_millis());
            let drained = self.drain(set, place, Patience::Person, &mut Answers::new()).await?;
            let column = self.names.column(set.word(), "updated_at");
            let newest = drained.rows.iter().filter_map(|row| self.moment_in(row, column)).max();
            match newest.and_then(DateTime::from_timestamp_millis) {
                Some(newest) => examined.good(format!(
                    "{}: read; the newest change is of {} ({}).",
                    set.word(),
                    newest.format("%Y-%m-%d %H:%M:%S UTC"),
                    ago(newest, self.service.now())
                )),
                None => examined.good(format!("{}: read; there are none.", set.word())),
            }
        }
        match (offerings.past(), self.names.past_offerings) {
            (0, _) => {}
            (past, true) => examined.good(format!("Past offerings are brought, too: {past}.")),
            (past, false) => examined.good(format!("Past offerings stay out (past_offerings): {past}.")),
        }
        self.modes(&offerings.testing(), offerings.tells_production(), &mut examined);
        if self.names.connected_on.is_none() {
            examined.unfinished = true;
            examined.line(
                Verdict::Bad,
                "The day of the connection is missing (connected_on); without it nobody can tell past offerings.",
                Some("connected_on"),
            );
        }
        if self.names.admin_email.is_none() {
            let sentence = "The admin's e-mail is not filled in, so nobody compares it with the Salesforce user's (admin_email).";
            examined.line(Verdict::Warning, sentence, Some("admin_email"));
        }
        examined.org = OrgWish {
            admin: self.names.admin_email.clone(),
            sandbox: Some(
                "NovoEd has to make a configuration of its own for a sandbox or test org; ask its support.",
            ),
        };
        if self.names.session_check {
            self.see_session(Patience::Person).await?;
            examined.good("The admin is signed in to NovoEd.");
        }
        examined.clock(began.map(|server| server - sent), self.overlap_seconds);
        Ok(examined)
    }

    /// F40: which courses are not in production mode.
    fn modes(&self, testing: &[&str], told: bool, examined: &mut Examined) {
        let only = self.names.production_only;
        if testing.is_empty() {
            if told {
                examined.good("All courses are in production mode.");
            }
            return;
        }
        let named = testing.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if testing.len() > NAMED { " and others" } else { "" };
        let courses = if testing.len() == 1 { "course is" } else { "courses are" };
        let sentence = format!("{} {courses} not in production mode: {named}{more}.", testing.len());
        if only {
            examined.good(format!("{sentence} Such courses stay out (production_only)."));
        } else {
            let advice =
                "Such courses are brought as well; see the course basics page, or switch production_only on.";
            examined.line(Verdict::Warning, format!("{sentence} {advice}"), Some("production_only"));
        }
    }
}
