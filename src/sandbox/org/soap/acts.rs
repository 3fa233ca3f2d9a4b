//! The two calls that people know as buttons and programs as SOAP: `merge` and `convertLead`.

use super::Ask;
use super::envelope::{element, errors};
use super::records::{MOST_LEADS, MOST_ROWS, id_of, locate, same_object, unknown};
use super::xml::Element;
use crate::sandbox::org::rest::reply::Reply;
use crate::sandbox::org::row_error::RowError;
use crate::sandbox::org::write::Writer;
use crate::sandbox::org::write::convert::{Conversion, Deal, LeadConversion, LeadSource};
use crate::sandbox::org::write::merge::Merged;

impl Ask<'_> {
    pub(super) fn merge(&self) -> Reply {
        let requests: Vec<&Element> =
            self.rows().into_iter().filter(|row| row.child("masterRecord").is_some()).collect();
        if let Some(refused) = self.too_many(MOST_ROWS, requests.len()) {
            return refused;
        }
        let results = self.each(&requests, |writer, request| self.merge_one(writer, request));
        let text: String = results
            .iter()
            .map(|result| match result {
                Ok((id, merged)) => format!(
                    "<result>{}{}<success>true</success>{}</result>",
                    element("id", Some(id)),
                    list("mergedRecordIds", &merged.losers),
                    list("updatedRelatedIds", &merged.related)
                ),
                Err(error) => format!(
                    "<result>{}{}<success>false</success></result>",
                    errors(error),
                    element("id", None)
                ),
            })
            .collect();
        self.reply(&text)
    }

    fn merge_one(&self, writer: &mut Writer<'_>, request: &Element) -> Result<(String, Merged), RowError> {
        let master = request
            .child("masterRecord")
            .ok_or_else(|| RowError::new("MISSING_ARGUMENT", "masterRecord not specified"))?;
        let sent = self.sent_row(master)?;
        let id = sent
            .id
            .as_deref()
            .ok_or_else(|| RowError::new("MISSING_ARGUMENT", "Id not specified in the master record"))?;
        let (object, place) = locate(writer, id).and_then(|found| same_object(found, sent.object, id))?;
        let losers = request
            .all("recordToMergeIds")
            .map(|loser| {
                let id = loser.content.trim();
                let found = locate(writer, id)?;
                same_object(found, object, id).map(|found| found.1)
            })
            .collect::<Result<Vec<u32>, RowError>>()?;
        let merged = writer.merge(object, place, &losers, &sent.fields)?;
        Ok((id_of(writer, (object, place)), merged))
    }

    pub(super) fn convert_lead(&self) -> Reply {
        let requests = self.rows();
        if let Some(refused) = self.too_many(MOST_LEADS, requests.len()) {
            return refused;
        }
        let results = self.each(&requests, |writer, request| convert_one(writer, request));
        let text: String = results
            .iter()
            .map(|result| match result {
                Ok((lead, made)) => format!(
                    "<result>{}{}{}{}<success>true</success></result>",
                    element("accountId", Some(&made.account)),
                    element("contactId", Some(&made.contact)),
                    element("leadId", Some(lead)),
                    element("opportunityId", made.opportunity.as_deref())
                ),
                Err(error) => format!(
                    "<result>{}{}{}{}{}<success>false</success></result>",
                    element("accountId", None),
                    element("contactId", None),
                    errors(error),
                    element("leadId", None),
                    element("opportunityId", None)
                ),
            })
            .collect();
        self.reply(&text)
    }
}

fn list(name: &str, ids: &[String]) -> String {
    ids.iter().map(|id| element(name, Some(id))).collect()
}

fn convert_one(writer: &mut Writer<'_>, request: &Element) -> Result<(String, Conversion), RowError> {
    let id = request
        .text("leadId")
        .ok_or_else(|| RowError::on("MISSING_ARGUMENT", "leadId not specified", "leadId"))?;
    let leads = writer.schema.find("Lead").ok_or_else(|| unknown(id))?;
    let found = locate(writer, id).and_then(|found| same_object(found, leads, id))?;
    let owned = |name: &str| request.text(name).map(str::to_owned);
    let deal = match (owned("opportunityId"), owned("opportunityName")) {
        (Some(id), _) => Deal::Existing(id),
        (None, _) if request.is_true("doNotCreateOpportunity") => Deal::None,
        (None, Some(name)) => Deal::Named(name),
        (None, None) => Deal::New,
    };
    let lead_source =
        if request.is_true("overwriteLeadSource") { LeadSource::Overwrite } else { LeadSource::Keep };
    let wish = LeadConversion {
        account: owned("accountId"),
        contact: owned("contactId"),
        deal,
        // Unlike a person, a program must say which status it means.
        status: Some(owned("convertedStatus").unwrap_or_default()),
        owner: owned("ownerId"),
        lead_source,
    };
    let made = writer.convert_lead(found.1, &wish)?;
    Ok((id_of(writer, found), made))
}
