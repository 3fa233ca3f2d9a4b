//! The results of a job that wrote, each joined to its row by the key column: their order says nothing.

use std::collections::HashMap;

use super::decode::{Decoder, Row};
use crate::connect::salesforce::errors::plain_words;
use crate::connect::salesforce::id;
use crate::domain::record::RecordId;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Written.
    Done { id: RecordId, created: bool },
    /// Refused.
    Refused { code: String, message: String, fields: Vec<String> },
    /// The job did not get to it.
    Untouched,
}

/// Which of the three files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Successful,
    Failed,
    Unprocessed,
}

impl File {
    pub(super) const ALL: [Self; 3] = [Self::Successful, Self::Failed, Self::Unprocessed];

    /// The last part of its path.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Successful => "successfulResults/",
            Self::Failed => "failedResults/",
            Self::Unprocessed => "unprocessedrecords/",
        }
    }
}

/// Joins the rows of files to the rows of an upload.
pub(super) struct Joiner {
    rows: HashMap<String, usize>,
    key: String,
    /// By row of the upload.
    pub(super) outcomes: Vec<Option<Outcome>>,
}

impl Joiner {
    /// `keys` are what stands in the column `key`, by row of the upload.
    pub(super) fn new(key: &str, keys: impl IntoIterator<Item = Option<String>>) -> Self {
        let keys: Vec<Option<String>> = keys.into_iter().collect();
        let outcomes = vec![None; keys.len()];
        let rows = keys.into_iter().enumerate().filter_map(|(row, key)| Some((key?, row))).collect();
        Self { rows, key: key.to_owned(), outcomes }
    }

    /// A reader for one file, to be fed with its pieces.
    pub(super) fn file(&mut self, file: File) -> Reading<'_> {
        Reading { joiner: self, file, decoder: Decoder::new(), columns: None }
    }

    fn put(&mut self, key: &str, outcome: Outcome) {
        let row = self.rows.get(key).and_then(|row| self.outcomes.get_mut(*row));
        if let Some(slot) = row {
            *slot = Some(outcome);
        }
    }
}

#[derive(Clone, Copy)]
struct Columns {
    id: Option<usize>,
    created: Option<usize>,
    error: Option<usize>,
    key: Option<usize>,
}

/// A file on its way in.
pub(super) struct Reading<'a> {
    joiner: &'a mut Joiner,
    file: File,
    decoder: Decoder,
    columns: Option<Columns>,
}

impl Reading<'_> {
    /// Takes in a piece; an empty one is the end.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), super::decode::Broken> {
        let (joiner, file, columns) = (&mut *self.joiner, self.file, &mut self.columns);
        self.decoder.feed(piece, |row| {
            let Some(columns) = columns else {
                *columns = Some(header(row, &joiner.key));
                return;
            };
            let fields: Vec<&str> = row.fields().collect();
            let at =
                |place: Option<usize>| place.and_then(|place| fields.get(place)).copied().unwrap_or_default();
            let outcome = match file {
                File::Successful => Outcome::Done {
                    id: id::from_api(at(columns.id)),
                    created: at(columns.created).eq_ignore_ascii_case("true"),
                },
                File::Failed => refused(at(columns.error)),
                File::Unprocessed => Outcome::Untouched,
            };
            joiner.put(at(columns.key), outcome);
        })
    }
}

fn header(row: &Row<'_>, key: &str) -> Columns {
    let names: Vec<&str> = row.fields().map(|name| name.trim_start_matches('\u{feff}')).collect();
    let find = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    Columns { id: find("sf__Id"), created: find("sf__Created"), error: find("sf__Error"), key: find(key) }
}

/// Reads `CODE:message:fields --`; a message may hold colons itself.
fn refused(text: &str) -> Outcome {
    let text = text.trim().trim_end_matches("--").trim_end();
    let (code, rest) = text.split_once(':').unwrap_or((text, ""));
    let (message, fields) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))
    };
    let names: Vec<&str> = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    // What stands behind the last colon may be a part of the message.
    let (message, names) = if names.iter().all(is_name) { (message, names) } else { (rest, Vec::new()) };
    let code = code.trim();
    let known =
        !code.is_empty() && code.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    Outcome::Refused {
        code: if known { code.to_owned() } else { "UNKNOWN".into() },
        message: plain_words(if known { message } else { text }),
        fields: names.into_iter().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn results_find_their_rows_whatever_their_order() {
        let keys = ["a", "b", "c", "d"].map(|key| Some(key.to_owned()));
        let mut joiner = Joiner::new("Mark__c", keys);
        let done = "\"sf__Id\",\"sf__Created\",\"LastName\",\"mark__c\"\n\"003000000000003AAA\",\"false\",\"x\",\"c\"\n\"003000000000001AAA\",\"true\",\"y\",\"a\"\n";
        let mut reading = joiner.file(File::Successful);
        for piece in done.as_bytes().chunks(7) {
            reading.feed(piece).unwrap();
        }
        reading.feed(&[]).unwrap();
        let mut reading = joiner.file(File::Failed);
        reading.feed(b"sf__Id,sf__Error,Mark__c\n,\"REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --\",b\n").unwrap();
        let mut reading = joiner.file(File::Unprocessed);
        reading.feed(b"LastName,Mark__c\nz,nobody\n").unwrap();
        assert!(matches!(&joiner.outcomes[0], Some(Outcome::Done { created: true, .. })));
        assert!(
            matches!(&joiner.outcomes[1], Some(Outcome::Refused { code, .. }) if code == "REQUIRED_FIELD_MISSING")
        );
        assert!(
            matches!(&joiner.outcomes[2], Some(Outcome::Done { created: false, id }) if id.as_str().starts_with("003000000000003"))
        );
        assert_eq!(joiner.outcomes[3], None);
    }

    #[rstest]
    #[case("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --", "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", &["LastName"])]
    #[case("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--", "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", &[])]
    #[case("INVALID_FIELD:Bad value for: a, b! --", "INVALID_FIELD", "Bad value for: a, b!", &[])]
    #[case("FIELD_CUSTOM_VALIDATION_EXCEPTION:Say when: now:Email, Phone --", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say when: now", &["Email", "Phone"])]
    #[case("something odd", "UNKNOWN", "something odd", &[])]
    fn an_error_is_read_in_its_parts(
        #[case] text: &str,
        #[case] code: &str,
        #[case] message: &str,
        #[case] fields: &[&str],
    ) {
        let fields = fields.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(refused(text), Outcome::Refused { code: code.into(), message: message.into(), fields });
    }
}
