//! Issues and log lines as files: CSV that a spreadsheet opens without harm, or JSON lines.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::domain::record::RecordId;
use crate::domain::report::{FactRow, IssueRow};
use crate::ops::error::OpError;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated, with a head.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

const ISSUE_HEAD: [&str; 14] = [
    "issue",
    "open",
    "mapping",
    "label",
    "salesforce_id",
    "platform_id",
    "refused_by",
    "code",
    "cause",
    "message",
    "fields",
    "since",
    "last_seen",
    "tries",
];
const FACT_HEAD: [&str; 8] =
    ["sequence", "at", "level", "run", "mapping", "salesforce_id", "platform_id", "message"];

/// Takes rows and gives bytes, or writes them to a file of its own.
#[derive(Debug)]
pub struct Sink {
    form: Form,
    file: Option<(PathBuf, File)>,
    head_written: bool,
}

impl Sink {
    /// Writes to a new file, or gives the bytes back where there is none. A file that exists is not overwritten.
    pub fn open(path: Option<&Path>, form: Form) -> Result<Self, OpError> {
        let file = path.map(|path| create(path).map(|file| (path.to_owned(), file))).transpose()?;
        Ok(Self { form, file, head_written: false })
    }

    /// Takes issues.
    pub fn issues(&mut self, rows: &[IssueRow]) -> Result<Vec<u8>, OpError> {
        let cells = |row: &IssueRow| {
            vec![
                row.issue.to_string(),
                row.open.to_string(),
                row.mapping.clone(),
                row.label.clone(),
                id(row.ids.org.as_ref()),
                id(row.ids.platform.as_ref()),
                row.side.to_string(),
                row.code.clone(),
                row.cause.clone(),
                row.message.clone(),
                row.fields.join(" "),
                row.since.to_rfc3339(),
                row.last_seen.to_rfc3339(),
                row.tries.to_string(),
            ]
        };
        self.rows(rows, &ISSUE_HEAD, cells)
    }

    /// Takes log lines.
    pub fn facts(&mut self, rows: &[FactRow]) -> Result<Vec<u8>, OpError> {
        let cells = |row: &FactRow| {
            vec![
                row.sequence.to_string(),
                row.at.to_rfc3339(),
                row.level.word().to_owned(),
                row.run.map(|run| run.to_string()).unwrap_or_default(),
                row.mapping.clone().unwrap_or_default(),
                id(row.ids.org.as_ref()),
                id(row.ids.platform.as_ref()),
                row.message.clone(),
            ]
        };
        self.rows(rows, &FACT_HEAD, cells)
    }

    /// Ends the file.
    pub fn finish(self) -> Result<Vec<u8>, OpError> {
        match self.file {
            Some((path, mut file)) => {
                file.flush().and_then(|()| file.sync_all()).map_err(|error| unwritable(&path, &error))?;
                Ok(Vec::new())
            }
            None => Ok(Vec::new()),
        }
    }

    fn rows<R: Serialize>(
        &mut self,
        rows: &[R],
        head: &[&str],
        cells: impl Fn(&R) -> Vec<String>,
    ) -> Result<Vec<u8>, OpError> {
        let bytes = match self.form {
            Form::JsonLines => json_lines(rows),
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                let mut written = Ok(());
                if !self.head_written {
                    written = writer.write_record(head);
                }
                for row in rows {
                    written = written
                        .and_then(|()| writer.write_record(cells(row).iter().map(|cell| harmless(cell))));
                }
                self.head_written = true;
                written
                    .map_err(|error| error.to_string())
                    .and_then(|()| writer.into_inner().map_err(|error| error.to_string()))
            }
        }
        .map_err(|error| OpError::failed(format!("The rows could not be written: {error}.")))?;
        match &mut self.file {
            Some((path, file)) => {
                file.write_all(&bytes).map_err(|error| unwritable(path, &error))?;
                Ok(Vec::new())
            }
            None => Ok(bytes),
        }
    }
}

fn json_lines<R: Serialize>(rows: &[R]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, row).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn id(id: Option<&RecordId>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula: what starts like one gets an apostrophe in front.
fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}")
        }
        _ => cell.to_owned(),
    }
}

/// Makes a file that only its owner can read; one that exists is not overwritten.
pub(super) fn create(path: &Path) -> Result<File, OpError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            OpError::settings(format!("{} exists already; name another file.", path.display()))
        }
        _ => unwritable(path, &error),
    })
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> OpError {
    OpError::failed(format!(
        "{} could not be written: {error}. Check the folder and the free space.",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rstest::rstest;

    use super::*;
    use crate::domain::side::{PerSide, Side};

    fn issue(message: &str) -> IssueRow {
        IssueRow {
            issue: 1,
            mapping: "contact".into(),
            ids: PerSide::default(),
            side: Side::Org,
            label: "Ann, Lee".into(),
            code: "X".into(),
            cause: "y".into(),
            message: message.into(),
            fields: vec!["Email".into()],
            run: 1,
            since: DateTime::UNIX_EPOCH,
            last_seen: DateTime::UNIX_EPOCH,
            tries: 1,
            open: true,
            snoozed_until: None,
        }
    }

    #[rstest]
    #[case("=cmd|' /C calc'!A0")]
    #[case("+1")]
    #[case("-1")]
    #[case("@SUM(A1)")]
    #[case("\t=1")]
    fn no_cell_is_a_formula(#[case] message: &str) {
        let mut sink = Sink::open(None, Form::Csv).unwrap();
        let bytes = sink.issues(&[issue(message)]).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(row.get(9).unwrap(), format!("'{message}"));
        assert_eq!(row.get(3).unwrap(), "Ann, Lee");
    }

    #[test]
    fn the_head_comes_once_and_json_lines_have_none() {
        let mut csv = Sink::open(None, Form::Csv).unwrap();
        let first = csv.issues(&[issue("a")]).unwrap();
        let second = csv.issues(&[issue("b")]).unwrap();
        assert!(first.starts_with(b"issue,open,") && second.starts_with(b"1,true,"));
        let mut json = Sink::open(None, Form::JsonLines).unwrap();
        assert!(json.issues(&[issue("a")]).unwrap().starts_with(b"{\"issue\":1"));
    }

    #[test]
    fn a_file_that_exists_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issues.csv");
        std::fs::write(&path, "mine").unwrap();
        let error = Sink::open(Some(&path), Form::Csv).unwrap_err();
        assert!(error.message.contains("exists already"));
    }
}
