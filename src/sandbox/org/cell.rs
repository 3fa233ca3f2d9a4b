//! Values of a row: [`Cell`] while a row is being worked on, [`CellRef`] when read in place, [`Row`] as it is kept. A row
//! is one block of bytes (which fields are set, where each starts, the values), so that a million rows fit in memory
//! and a read touches one place.

/// An owned value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// Days since 1970.
    Date(i32),
    /// Milliseconds since 1970.
    Moment(i64),
    /// Milliseconds since midnight.
    Time(u32),
}

/// A value read in place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CellRef<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Date(i32),
    Moment(i64),
    Time(u32),
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub(super) fn borrow(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Bool(flag) => CellRef::Bool(*flag),
            Self::Number(number) => CellRef::Number(*number),
            Self::Text(text) => CellRef::Text(text),
            Self::Date(days) => CellRef::Date(*days),
            Self::Moment(ms) => CellRef::Moment(*ms),
            Self::Time(ms) => CellRef::Time(*ms),
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        self.borrow().as_text()
    }
}

impl<'a> CellRef<'a> {
    pub(super) fn to_cell(self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Bool(flag) => Cell::Bool(flag),
            Self::Number(number) => Cell::Number(number),
            Self::Text(text) => Cell::Text(text.to_owned()),
            Self::Date(days) => Cell::Date(days),
            Self::Moment(ms) => Cell::Moment(ms),
            Self::Time(ms) => Cell::Time(ms),
        }
    }

    pub(super) fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Date(_)
            | Self::Moment(_)
            | Self::Time(_) => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        self == Self::Null
    }

    pub(super) fn is_true(self) -> bool {
        self == Self::Bool(true)
    }
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const NUMBER: u8 = 3;
const TEXT: u8 = 4;
const DATE: u8 = 5;
const MOMENT: u8 = 6;
const TIME: u8 = 7;

/// A row as it is kept. Layout: number of bitmap bytes (2), bitmap of fields that are set, the end of each set field's
/// bytes (4 each), then the fields: a tag and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row(Box<[u8]>);

impl Row {
    pub(super) fn encode(cells: &[Cell]) -> Self {
        let bitmap_length = cells.len().div_ceil(8);
        let mut bitmap = vec![0_u8; bitmap_length];
        let mut ends: Vec<u32> = Vec::new();
        let mut values: Vec<u8> = Vec::with_capacity(256);
        for (place, cell) in cells.iter().enumerate() {
            match cell {
                Cell::Null => continue,
                Cell::Bool(flag) => values.push(if *flag { TRUE } else { FALSE }),
                Cell::Number(number) => {
                    values.push(NUMBER);
                    values.extend_from_slice(&number.to_le_bytes());
                }
                Cell::Text(text) => {
                    values.push(TEXT);
                    values.extend_from_slice(text.as_bytes());
                }
                Cell::Date(days) => {
                    values.push(DATE);
                    values.extend_from_slice(&days.to_le_bytes());
                }
                Cell::Moment(ms) => {
                    values.push(MOMENT);
                    values.extend_from_slice(&ms.to_le_bytes());
                }
                Cell::Time(ms) => {
                    values.push(TIME);
                    values.extend_from_slice(&ms.to_le_bytes());
                }
            }
            if let Some(byte) = bitmap.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
            ends.push(values.len() as u32);
        }
        let mut bytes = Vec::with_capacity(2 + bitmap_length + ends.len() * 4 + values.len());
        bytes.extend_from_slice(&(bitmap_length as u16).to_le_bytes());
        bytes.extend_from_slice(&bitmap);
        for end in ends {
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        bytes.extend_from_slice(&values);
        Self(bytes.into_boxed_slice())
    }

    /// The value of the field at `place`.
    pub(super) fn get(&self, place: usize) -> CellRef<'_> {
        self.read(place).unwrap_or(CellRef::Null)
    }

    fn read(&self, place: usize) -> Option<CellRef<'_>> {
        let (head, rest) = self.0.split_first_chunk::<2>()?;
        let (bitmap, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*head)))?;
        let byte = *bitmap.get(place / 8)?;
        let bit = 1_u8 << (place % 8);
        if byte & bit == 0 {
            return None;
        }
        let before: u32 = bitmap.get(..place / 8)?.iter().map(|byte| byte.count_ones()).sum();
        let rank = (before + (byte & (bit - 1)).count_ones()) as usize;
        let total: u32 = bitmap.iter().map(|byte| byte.count_ones()).sum();
        let (ends, values) = rest.split_at_checked(total as usize * 4)?;
        let end_at = |rank: usize| {
            ends.get(rank * 4..rank * 4 + 4)?
                .first_chunk::<4>()
                .map(|bytes| u32::from_le_bytes(*bytes) as usize)
        };
        let start = if rank == 0 { 0 } else { end_at(rank - 1)? };
        let (tag, value) = values.get(start..end_at(rank)?)?.split_first()?;
        Some(match *tag {
            TRUE => CellRef::Bool(true),
            FALSE => CellRef::Bool(false),
            NUMBER => CellRef::Number(f64::from_le_bytes(*value.first_chunk()?)),
            TEXT => CellRef::Text(std::str::from_utf8(value).ok()?),
            DATE => CellRef::Date(i32::from_le_bytes(*value.first_chunk()?)),
            MOMENT => CellRef::Moment(i64::from_le_bytes(*value.first_chunk()?)),
            TIME => CellRef::Time(u32::from_le_bytes(*value.first_chunk()?)),
            _ => CellRef::Null,
        })
    }

    /// All values, for a row of `count` fields.
    pub(super) fn decode(&self, count: usize) -> Vec<Cell> {
        (0..count).map(|place| self.get(place).to_cell()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_back_what_was_put_in() {
        let mut cells = vec![Cell::Null; 70];
        cells[0] = Cell::text("003");
        cells[7] = Cell::Bool(true);
        cells[8] = Cell::Bool(false);
        cells[9] = Cell::Number(-12.5);
        cells[33] = Cell::text("Zoë 😀");
        cells[64] = Cell::Date(-1);
        cells[65] = Cell::Moment(1_700_000_000_000);
        cells[69] = Cell::Time(86_399_000);
        let row = Row::encode(&cells);
        assert_eq!(row.decode(70), cells);
        assert_eq!(row.get(1_000), CellRef::Null);
    }
}
