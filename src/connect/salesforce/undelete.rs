//! Brings records back from the recycle bin. REST has no word for it, so it goes by SOAP, in the session that is there anyway.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::errors;
use super::id;
use super::session::{Door, Request};
use crate::domain::port::{PortClass, PortError, RowClass, RowError, RowResult};
use crate::domain::record::RecordId;

/// The org takes so many in one call.
pub(super) const MOST: usize = 200;

/// Brings records back; one answer an id, in their order. One that is not in the bin any more is refused.
pub(super) async fn undelete(door: &Door, ids: &[RecordId]) -> Result<Vec<RowResult>, PortError> {
    let mut results = Vec::with_capacity(ids.len());
    for some in ids.chunks(MOST) {
        // What is no id is letters and digits no more: it stands blank, and the org refuses it in its place.
        let mut operation = String::from("<p:undelete>");
        for id in some {
            operation.push_str("<p:ids>");
            operation.push_str(id::full_id(id.as_str()).as_ref().map_or("", RecordId::as_str));
            operation.push_str("</p:ids>");
        }
        operation.push_str("</p:undelete>");
        let request = Request::soap("undelete records", operation);
        match door.send(&request).await {
            Ok(reply) => {
                let answers = read(&String::from_utf8_lossy(&reply.body)).ok_or_else(unreadable)?;
                let mut answers = answers.into_iter();
                results.extend(some.iter().map(|id| row_result(id, answers.next())));
            }
            // Bringing back what is back already is refused, so that whoever asks again does no harm.
            Err(error) if error.outcome_unknown() => results.extend(some.iter().map(|_| RowResult::Unknown)),
            Err(error) => return Err(error.told("undeleting records")),
        }
    }
    Ok(results)
}

fn unreadable() -> PortError {
    PortError::new(
        PortClass::Protocol,
        "UNREADABLE_REPLY",
        "The reply of Salesforce to undeleting records is no XML. Check that the address is that of an org.",
    )
}

fn row_result(id: &RecordId, answer: Option<Answer>) -> RowResult {
    match answer {
        Some(answer) if answer.success => RowResult::Done { id: id.clone(), created: false, record: None },
        Some(answer) => RowResult::Refused(RowError {
            class: errors::row_class(&answer.code, &answer.message, &[]),
            code: answer.code,
            message: answer.message,
            fields: Vec::new(),
        }),
        None => RowResult::Refused(RowError {
            code: "UNKNOWN".into(),
            message: "Salesforce said nothing about this record.".into(),
            fields: Vec::new(),
            class: RowClass::Data,
        }),
    }
}

/// What the org says about one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answer {
    success: bool,
    code: String,
    message: String,
}

/// The `result` elements in their order; `None` for what is no XML.
fn read(text: &str) -> Option<Vec<Answer>> {
    let mut reader = Reader::from_str(text);
    let (mut answers, mut answer, mut current) = (Vec::new(), Answer::default(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                current.clear();
                if AsRef::<str>::as_ref(&start.local_name()) == "result" {
                    answer = Answer::default();
                }
            }
            Event::Text(piece) => current.push_str(&piece.xml10_content()),
            Event::End(end) => {
                let name = end.local_name();
                match AsRef::<str>::as_ref(&name) {
                    "success" => answer.success = current.trim() == "true",
                    "statusCode" => current.trim().clone_into(&mut answer.code),
                    "message" => current.trim().clone_into(&mut answer.message),
                    "result" => answers.push(std::mem::take(&mut answer)),
                    _ => {}
                }
                current.clear();
            }
            Event::Eof => return Some(answers),
            Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_has_its_own_answer() {
        let text = "<e:Envelope xmlns:e=\"x\"><e:Body><undeleteResponse>\
                    <result><id>003</id><success>true</success></result>\
                    <result><errors><message>gone for good</message><statusCode>UNDELETE_FAILED</statusCode></errors>\
                    <success>false</success></result></undeleteResponse></e:Body></e:Envelope>";
        let answers = read(text).unwrap();
        assert_eq!(answers.iter().map(|answer| answer.success).collect::<Vec<_>>(), [true, false]);
        assert_eq!(
            (answers[1].code.as_str(), answers[1].message.as_str()),
            ("UNDELETE_FAILED", "gone for good")
        );
    }
}
