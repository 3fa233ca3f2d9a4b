//! CSV on its way in, fed in pieces of any size: a row comes out as soon as its last byte is there.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The longest row: 400,000 characters of data at up to four bytes each, its quotes, and room.
const LONGEST_ROW: usize = 8 << 20;

/// Rows are handed out as the texts of their fields.
pub(super) struct Decoder {
    reader: Reader,
    bytes: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    ended: usize,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// A row that is longer than any may be.
    #[error("a row of the results is longer than any may be")]
    TooLong,
    /// Bytes that are no UTF-8.
    #[error("the results are not in UTF-8")]
    NoText,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            reader: ReaderBuilder::new().build(),
            bytes: vec![0; 8 << 10],
            filled: 0,
            ends: vec![0; 64],
            ended: 0,
        }
    }

    /// Takes in a piece and hands out the rows that it completes. An empty piece is the end of the file.
    pub(super) fn feed(&mut self, mut piece: &[u8], mut row: impl FnMut(&Row<'_>)) -> Result<(), Broken> {
        let last = piece.is_empty();
        loop {
            // No input means the end to the reader, also in the middle of a row.
            if piece.is_empty() && !last {
                return Ok(());
            }
            let (Some(bytes), Some(ends)) =
                (self.bytes.get_mut(self.filled..), self.ends.get_mut(self.ended..))
            else {
                return Err(Broken::TooLong);
            };
            let (result, read, written, fields) = self.reader.read_record(piece, bytes, ends);
            piece = piece.get(read..).unwrap_or_default();
            self.filled += written;
            self.ended += fields;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.bytes.len() >= LONGEST_ROW => {
                    return Err(Broken::TooLong);
                }
                ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    let text = self.bytes.get(..self.filled).unwrap_or_default();
                    let text = std::str::from_utf8(text).map_err(|_bytes| Broken::NoText)?;
                    row(&Row { text, ends: self.ends.get(..self.ended).unwrap_or_default() });
                    (self.filled, self.ended) = (0, 0);
                }
                ReadRecordResult::End => return Ok(()),
            }
        }
    }
}

/// One row.
pub(super) struct Row<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The fields in their order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (text, ends) = (self.text, self.ends);
        ends.iter().scan(0, move |from, end| {
            let field = text.get(*from..*end).unwrap_or_default();
            *from = *end;
            Some(field)
        })
    }

    /// How many fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(file: &[u8], piece: usize) -> Vec<Vec<String>> {
        let mut decoder = Decoder::new();
        let mut rows = Vec::new();
        let mut take = |row: &Row<'_>| rows.push(row.fields().map(str::to_owned).collect());
        for piece in file.chunks(piece) {
            decoder.feed(piece, &mut take).unwrap();
        }
        decoder.feed(&[], &mut take).unwrap();
        rows
    }

    #[test]
    fn rows_come_out_the_same_however_the_file_is_cut() {
        let file = "Id,Name\n1,\"Two\nlines, \"\"quoted\"\"\"\r\n2,Zoë\n3,\n".as_bytes();
        let whole = rows(file, file.len());
        assert_eq!(whole[1], ["1", "Two\nlines, \"quoted\""]);
        assert_eq!(whole[3], ["3", ""]);
        assert_eq!(whole.len(), 4);
        for piece in 1..file.len() {
            assert_eq!(rows(file, piece), whole, "in pieces of {piece} bytes");
        }
    }

    #[test]
    fn a_last_row_without_a_line_end_counts() {
        assert_eq!(rows(b"Id\n1\n2", 3), [["Id"], ["1"], ["2"]]);
        assert_eq!(rows(b"", 1), Vec::<Vec<String>>::new());
    }

    #[test]
    fn long_rows_with_many_fields_find_room() {
        let file = format!("{}\n{}\n", vec!["x".repeat(3000); 300].join(","), "y");
        let rows = rows(file.as_bytes(), 1000);
        assert_eq!((rows[0].len(), rows[0][299].len()), (300, 3000));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(Decoder::new().feed(b"Id\n\xff\n", |_row| {}), Err(Broken::NoText));
    }
}
