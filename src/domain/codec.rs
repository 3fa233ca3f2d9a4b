//! A compact byte form of values, for bases and staged records in the state database.

use chrono::{DateTime, NaiveDate};

use crate::domain::value::Value;

/// Bytes that are no encoded value; the database was damaged or written by something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored value can't be read; the state database may be damaged (run `forcesync doctor`)")]
pub struct Damaged;

const ABSENT: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const NUMBER: u8 = 4;
const TEXT: u8 = 5;
const DATE: u8 = 6;
const MOMENT: u8 = 7;
const SET: u8 = 8;

/// Appends a number in as few bytes as it needs.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a value, or the sign that a field was not returned.
pub fn put(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None => out.push(ABSENT),
        Some(Value::Null) => out.push(NULL),
        Some(Value::Bool(false)) => out.push(FALSE),
        Some(Value::Bool(true)) => out.push(TRUE),
        Some(Value::Number(text)) => {
            out.push(NUMBER);
            put_bytes(out, text.as_bytes());
        }
        Some(Value::Text(text)) => {
            out.push(TEXT);
            put_bytes(out, text.as_bytes());
        }
        Some(Value::Date(day)) => {
            out.push(DATE);
            put_number(out, zigzag(i64::from(chrono::Datelike::num_days_from_ce(day))));
        }
        Some(Value::Moment(moment)) => {
            out.push(MOMENT);
            put_number(out, zigzag(moment.timestamp_micros()));
        }
        Some(Value::Set(values)) => {
            out.push(SET);
            put_number(out, values.len() as u64);
            for text in values {
                put_bytes(out, text.as_bytes());
            }
        }
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

/// A value that was read, with its text where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// A text.
    Text(&'a str),
    /// Any other value; blank too where a field was not returned.
    Other(Value),
}

impl Held<'_> {
    /// The value.
    pub fn into_value(self) -> Value {
        match self {
            Self::Text(text) => Value::text(text),
            Self::Other(value) => value,
        }
    }
}

/// Reads what [`put`] wrote.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.rest.split_first().ok_or(Damaged)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next number.
    pub fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// The next text.
    pub fn text(&mut self) -> Result<Box<str>, Damaged> {
        self.plain_text().map(Into::into)
    }

    fn plain_text(&mut self) -> Result<&'a str, Damaged> {
        std::str::from_utf8(self.bytes()?).or(Err(Damaged))
    }

    fn bytes(&mut self) -> Result<&'a [u8], Damaged> {
        let length = usize::try_from(self.number()?).or(Err(Damaged))?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next value, with its text where it stands.
    pub fn held(&mut self) -> Result<Held<'a>, Damaged> {
        if self.rest.first() == Some(&TEXT) {
            self.byte()?;
            return self.plain_text().map(Held::Text);
        }
        Ok(Held::Other(self.value()?.unwrap_or_default()))
    }

    /// Passes over the next value.
    pub fn skip(&mut self) -> Result<(), Damaged> {
        match self.byte()? {
            ABSENT | NULL | FALSE | TRUE => {}
            NUMBER | TEXT => {
                self.bytes()?;
            }
            DATE | MOMENT => {
                self.number()?;
            }
            SET => {
                for _ in 0..self.number()? {
                    self.bytes()?;
                }
            }
            _ => return Err(Damaged),
        }
        Ok(())
    }

    /// The next value; `None` is a field that was not returned.
    pub fn value(&mut self) -> Result<Option<Value>, Damaged> {
        Ok(Some(match self.byte()? {
            ABSENT => return Ok(None),
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            NUMBER => Value::Number(self.plain_text()?.into()),
            TEXT => Value::text(self.plain_text()?),
            DATE => {
                let days = i32::try_from(unzigzag(self.number()?)).or(Err(Damaged))?;
                Value::Date(NaiveDate::from_num_days_from_ce_opt(days).ok_or(Damaged)?)
            }
            MOMENT => {
                Value::Moment(DateTime::from_timestamp_micros(unzigzag(self.number()?)).ok_or(Damaged)?)
            }
            SET => {
                let count = self.number()?;
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.text()?);
                }
                Value::Set(values)
            }
            _ => return Err(Damaged),
        }))
    }
}

/// The values of a record as bytes.
pub fn encode(values: &[Option<Value>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len() * 12);
    for value in values {
        put(&mut out, value.as_ref());
    }
    out
}

/// The values of a record from bytes; fields beyond the end were not returned.
pub fn decode(bytes: &[u8], fields: usize) -> Result<Vec<Option<Value>>, Damaged> {
    let mut reader = Reader::new(bytes);
    let mut values = Vec::with_capacity(fields);
    for _ in 0..fields {
        values.push(if reader.is_done() { None } else { reader.value()? });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            Just(None),
            Just(Some(Value::Null)),
            any::<bool>().prop_map(|flag| Some(Value::Bool(flag))),
            "\\PC{0,40}".prop_map(|text| Some(Value::text(text))),
            "[0-9]{1,9}".prop_map(|text| Some(Value::Number(text.into()))),
            (-700_000i32..700_000)
                .prop_map(|days| NaiveDate::from_num_days_from_ce_opt(days).map(Value::Date)),
            (-4_000_000_000i64..4_000_000_000)
                .prop_map(|seconds| DateTime::from_timestamp(seconds, 0).map(Value::Moment)),
            prop::collection::vec("\\PC{0,8}".prop_map(Box::from), 0..4)
                .prop_map(|texts| Some(Value::Set(texts))),
        ]
    }

    proptest! {
        #[test]
        fn what_was_put_is_read(values in prop::collection::vec(any_value(), 0..12)) {
            prop_assert_eq!(decode(&encode(&values), values.len()).unwrap(), values);
        }

        #[test]
        fn what_was_put_is_read_where_it_stands_and_passed_over(values in prop::collection::vec(any_value(), 0..12)) {
            let bytes = encode(&values);
            let (mut reader, mut skipping) = (Reader::new(&bytes), Reader::new(&bytes));
            for value in values {
                prop_assert_eq!(reader.held().unwrap().into_value(), value.unwrap_or_default());
                skipping.skip().unwrap();
                prop_assert_eq!(reader.rest, skipping.rest);
            }
            prop_assert!(skipping.is_done());
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes, 8);
        }
    }
}
