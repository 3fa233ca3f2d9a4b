//! CSV on its way out: which columns, the rows piece by piece, and where an upload is cut.

use std::ops::Range;

use crate::connect::salesforce::convert::{Cell, cell};
use crate::domain::port::{WriteBatch, WriteKind, WriteRow};
use crate::domain::schema::FieldKind;

/// What empties a field; the same text can't be written by a job.
const BLANK: &str = "#N/A";
/// The most characters that a job takes in a field.
const LONGEST_FIELD: usize = 32_000;
/// The most characters that a job takes in a row.
const LONGEST_ROW: usize = 400_000;
/// How large the pieces of an upload are, about.
const PIECE: usize = 64 << 10;

/// A column: its place in the batch's selection, or the record's id.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Field { place: usize, name: String, kind: FieldKind },
}

/// How a batch becomes CSV.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    columns: Vec<Column>,
    /// The column by which results are joined.
    key: usize,
}

impl Sheet {
    /// The columns that any row of the batch fills. `None` where rows could not be told apart by a column.
    pub(super) fn new(batch: &WriteBatch, fields: &[Option<(String, FieldKind)>]) -> Option<Self> {
        let used =
            |place: usize| batch.rows.iter().any(|row| row.values.get(place).is_some_and(Option::is_some));
        let mut columns = Vec::new();
        if batch.kind != WriteKind::Create {
            columns.push(Column::Id);
        }
        if batch.kind != WriteKind::Delete {
            for (place, field) in fields.iter().enumerate() {
                if let Some((name, kind)) = field.as_ref().filter(|_| used(place)) {
                    columns.push(Column::Field { place, name: name.clone(), kind: *kind });
                }
            }
        }
        let mark = batch.mark.as_deref();
        let key = columns.iter().position(|column| match column {
            Column::Id => true,
            Column::Field { name, .. } => mark.is_some_and(|mark| name.eq_ignore_ascii_case(mark)),
        })?;
        Some(Self { columns, key })
    }

    /// The name of the column by which results are joined.
    pub(super) fn key_name(&self) -> &str {
        self.columns.get(self.key).map_or("Id", Column::name)
    }

    /// What stands in that column for a row; `None` where nothing does.
    pub(super) fn key_of(&self, row: &WriteRow) -> Option<String> {
        match self.columns.get(self.key)?.cell(row)? {
            Cell::Blank => None,
            Cell::Text(text) => Some(text.into_owned()),
        }
    }

    /// Whether a job can say what this row says.
    pub(super) fn can_say(&self, row: &WriteRow) -> bool {
        let mut length = 0;
        let sayable = self.columns.iter().all(|column| match column.cell(row) {
            Some(Cell::Text(text)) => {
                let characters = text.chars().count();
                length += characters + 1;
                characters <= LONGEST_FIELD && text != BLANK
            }
            Some(Cell::Blank) | None => true,
        });
        sayable && length <= LONGEST_ROW && self.key_of(row).is_some()
    }

    fn put_header(&self, out: &mut Vec<u8>) {
        for (at, column) in self.columns.iter().enumerate() {
            put(out, at, column.name());
        }
        out.push(b'\n');
    }

    fn put_row(&self, out: &mut Vec<u8>, row: &WriteRow) {
        for (at, column) in self.columns.iter().enumerate() {
            match column.cell(row) {
                None => put(out, at, ""),
                Some(Cell::Blank) => put(out, at, BLANK),
                Some(Cell::Text(text)) => put(out, at, &text),
            }
        }
        out.push(b'\n');
    }

    /// Cuts rows so that no upload is larger than `most` bytes; a row that is larger alone stands alone.
    pub(super) fn cut(&self, rows: &[WriteRow], most: usize) -> Vec<Range<usize>> {
        let mut line = Vec::new();
        self.put_header(&mut line);
        let header = line.len();
        let mut ranges = Vec::new();
        let (mut from, mut size) = (0, header);
        for (place, row) in rows.iter().enumerate() {
            line.clear();
            self.put_row(&mut line, row);
            if size + line.len() > most && place > from {
                ranges.push(from..place);
                (from, size) = (place, header);
            }
            size += line.len();
        }
        if from < rows.len() {
            ranges.push(from..rows.len());
        }
        ranges
    }

    /// The file in pieces.
    pub(super) fn pieces<'a>(&'a self, rows: &'a [WriteRow]) -> impl Iterator<Item = Vec<u8>> + 'a {
        let mut rows = rows.iter();
        let mut begun = false;
        std::iter::from_fn(move || {
            let mut out = Vec::with_capacity(PIECE + 4096);
            if !begun {
                begun = true;
                self.put_header(&mut out);
            }
            while out.len() < PIECE {
                let Some(row) = rows.next() else { break };
                self.put_row(&mut out, row);
            }
            Some(out).filter(|out| !out.is_empty())
        })
    }
}

impl Column {
    fn name(&self) -> &str {
        match self {
            Self::Id => "Id",
            Self::Field { name, .. } => name,
        }
    }

    fn cell<'r>(&self, row: &'r WriteRow) -> Option<Cell<'r>> {
        match self {
            Self::Id => Some(Cell::Text(row.id.as_ref()?.as_str().into())),
            Self::Field { place, kind, .. } => Some(cell(row.values.get(*place)?.as_ref()?, *kind)),
        }
    }
}

/// Writes a field, in quotes where it needs them.
fn put(out: &mut Vec<u8>, at: usize, text: &str) {
    if at > 0 {
        out.push(b',');
    }
    let plain = !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        && !text.starts_with([' ', '\t'])
        && !text.ends_with([' ', '\t']);
    if plain {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mapping::SideEffects;
    use crate::domain::record::{RecordId, Selection};
    use crate::domain::value::Value;

    fn batch(kind: WriteKind, rows: Vec<(Option<&str>, Vec<Option<Value>>)>) -> WriteBatch {
        let rows = rows.into_iter().map(|(id, values)| WriteRow {
            id: id.map(RecordId::new),
            values,
            key: Vec::new(),
        });
        WriteBatch {
            object: "Contact".into(),
            kind,
            selection: Selection::new(["LastName", "Flag__c", "Title", "Mark__c"]),
            rows: rows.collect(),
            read_back: Selection::default(),
            mark: (kind == WriteKind::Create).then(|| "Mark__c".into()),
            consent: Vec::new(),
            effects: SideEffects::default(),
        }
    }

    fn sheet(batch: &WriteBatch) -> Option<Sheet> {
        let kinds = [FieldKind::Text, FieldKind::Bool, FieldKind::Text, FieldKind::Text];
        let names = batch.selection.names().iter().map(ToString::to_string);
        let fields: Vec<_> = names.zip(kinds).map(Some).collect();
        Sheet::new(batch, &fields)
    }

    fn file(batch: &WriteBatch) -> String {
        let pieces: Vec<u8> = sheet(batch).unwrap().pieces(&batch.rows).flatten().collect();
        String::from_utf8(pieces).unwrap()
    }

    #[test]
    fn what_is_left_alone_is_empty_and_what_is_emptied_says_so() {
        let batch = batch(
            WriteKind::Update,
            vec![
                (Some("003A"), vec![Some(Value::text("O\"Neil, Jr")), Some(Value::Null), None, None]),
                (Some("003B"), vec![None, None, None, None]),
                (Some("003C"), vec![Some(Value::Null), Some(Value::Bool(true)), None, None]),
                (Some("003D"), vec![Some(Value::text(" Two\nlines")), None, None, None]),
            ],
        );
        assert_eq!(
            file(&batch),
            "Id,LastName,Flag__c\n003A,\"O\"\"Neil, Jr\",false\n003B,,\n003C,#N/A,true\n003D,\" Two\nlines\",\n"
        );
    }

    #[test]
    fn creates_are_joined_by_their_mark_and_without_one_not_at_all() {
        let mut batch = batch(
            WriteKind::Create,
            vec![(None, vec![Some(Value::text("A")), None, None, Some(Value::text("m1"))])],
        );
        let sheet_of = sheet(&batch).unwrap();
        assert_eq!(sheet_of.key_name(), "Mark__c");
        assert_eq!(sheet_of.key_of(&batch.rows[0]).as_deref(), Some("m1"));
        batch.mark = None;
        assert!(sheet(&batch).is_none());
    }

    #[test]
    fn a_text_that_would_empty_a_field_can_not_be_said() {
        let batch = batch(
            WriteKind::Update,
            vec![
                (Some("003A"), vec![Some(Value::text("#N/A")), None, None, None]),
                (Some("003B"), vec![Some(Value::text("x".repeat(32_001))), None, None, None]),
                (Some("003C"), vec![Some(Value::text("fine")), None, None, None]),
            ],
        );
        let sheet = sheet(&batch).unwrap();
        let sayable: Vec<bool> = batch.rows.iter().map(|row| sheet.can_say(row)).collect();
        assert_eq!(sayable, [false, false, true]);
    }

    #[test]
    fn an_upload_is_cut_at_its_limit_and_no_row_is_lost() {
        let rows =
            (0..50).map(|_row| (Some("003A"), vec![Some(Value::text("0123456789")), None, None, None]));
        let batch = batch(WriteKind::Update, rows.collect());
        let sheet = sheet(&batch).unwrap();
        // A header of 12 bytes, rows of 16.
        let ranges = sheet.cut(&batch.rows, 100);
        assert_eq!(ranges.first(), Some(&(0..5)));
        assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), 50);
        assert_eq!(sheet.cut(&batch.rows, 1).len(), 50);
        assert_eq!(sheet.cut(&batch.rows, 1 << 20).first(), Some(&(0..50)));
    }
}
