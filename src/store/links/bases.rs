//! What each side last held, and its bytes in the database.

use crate::domain::codec::{self, Reader};
use crate::domain::side::{PerSide, Side};
use crate::domain::value::Value;
use crate::store::StoreError;

/// What each side last held, per pair number. Canonical values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bases(pub Vec<(i64, PerSide<Vec<Value>>)>);

impl Bases {
    /// The base of a pair.
    pub fn get(&self, pair: i64) -> Option<&PerSide<Vec<Value>>> {
        self.0.iter().find(|(number, _)| *number == pair).map(|(_, base)| base)
    }

    /// Sets the base of a pair.
    pub fn set(&mut self, pair: i64, base: PerSide<Vec<Value>>) {
        match self.0.iter_mut().find(|(number, _)| *number == pair) {
            Some((_, old)) => *old = base,
            None => self.0.push((pair, base)),
        }
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 24);
        for (pair, base) in &self.0 {
            codec::put_number(&mut out, *pair as u64);
            // Most often both sides hold the same; then it is stored once.
            let same = base.org == base.platform;
            codec::put_number(&mut out, (base.org.len() as u64) << 1 | u64::from(same));
            for value in &base.org {
                codec::put(&mut out, Some(value));
            }
            if !same {
                codec::put_number(&mut out, base.platform.len() as u64);
                for value in &base.platform {
                    codec::put(&mut out, Some(value));
                }
            }
        }
        out
    }

    /// Whether each of these pairs has a base that its judge accepts; for whoever needs no copy of them. A judge is given the pair's
    /// place, and the stored values.
    pub fn all_stored(
        bytes: &[u8],
        pairs: &[i64],
        mut judge: impl FnMut(usize, Stored<'_>) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let (mut reader, mut accepted) = (Reader::new(bytes), 0);
        while !reader.is_done() {
            let number = reader.number()? as i64;
            let head = reader.number()?;
            let org = (reader, head >> 1);
            (0..head >> 1).try_for_each(|_| reader.skip())?;
            let mut platform = org;
            if head & 1 == 0 {
                let count = reader.number()?;
                platform = (reader, count);
                (0..count).try_for_each(|_| reader.skip())?;
            }
            // They stand in the order in which the mapping has them, unless it was changed.
            let place = match pairs.get(accepted) {
                Some(pair) if *pair == number => Some(accepted),
                Some(_) | None => pairs.iter().position(|pair| *pair == number),
            };
            let Some(place) = place else { continue };
            if !judge(place, Stored(PerSide { org, platform }))? {
                return Ok(false);
            }
            accepted += 1;
        }
        Ok(accepted == pairs.len())
    }

    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader::new(bytes);
        let mut bases = Vec::new();
        while !reader.is_done() {
            let pair = reader.number()? as i64;
            let head = reader.number()?;
            let org = values(&mut reader, head >> 1)?;
            let platform = if head & 1 == 1 {
                org.clone()
            } else {
                let count = reader.number()?;
                values(&mut reader, count)?
            };
            bases.push((pair, PerSide { org, platform }));
        }
        Ok(Self(bases))
    }
}

/// A base as it is stored: where the values of each side stand, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a>(PerSide<(Reader<'a>, u64)>);

impl<'a> Stored<'a> {
    /// Where the values of a side stand, and how many there are.
    pub fn of(&self, side: Side) -> (Reader<'a>, u64) {
        self.0[side]
    }

    /// A copy of the base.
    pub fn to_base(self) -> Result<PerSide<Vec<Value>>, StoreError> {
        let [org, platform] =
            [self.0.org, self.0.platform].map(|(mut reader, count)| values(&mut reader, count));
        Ok(PerSide { org: org?, platform: platform? })
    }
}

fn values(reader: &mut Reader<'_>, count: u64) -> Result<Vec<Value>, StoreError> {
    // One or two mostly; a damaged count is no reason to ask for more.
    let mut values = Vec::with_capacity(count.min(4) as usize);
    for _ in 0..count {
        values.push(reader.value()?.unwrap_or_default());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_survive_their_byte_form() {
        let bases = Bases(vec![
            (1, PerSide { org: vec!["a".into()], platform: vec!["a".into()] }),
            (900, PerSide { org: vec!["Ann".into(), "Lee".into()], platform: vec!["Ann Lee".into()] }),
            (7, PerSide { org: vec![], platform: vec![Value::Null] }),
        ]);
        assert_eq!(Bases::decode(&bases.encode()).unwrap(), bases);
    }
}
