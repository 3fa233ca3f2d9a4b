//! Records held against bases as they are stored: most hold what they last held, and to find that out takes no copy of either.

use crate::domain::canonical::is_canonical_text;
use crate::domain::codec::{Damaged, Held, Reader};
use crate::domain::compiled::{CompiledPair, fold};
use crate::domain::record::Record;
use crate::domain::schema::FieldKind;
use crate::domain::side::Side;
use crate::domain::transform::Transform;
use crate::domain::value::Value;

impl CompiledPair {
    /// Whether a record holds the `count` canonical values that stand next in the reader, which moves behind them; `None` if one of the
    /// fields was not returned. The same as [`CompiledPair::holds`] of those values.
    pub fn holds_stored(
        &self,
        side: Side,
        record: &Record,
        reader: &mut Reader<'_>,
        count: u64,
    ) -> Result<Option<bool>, Damaged> {
        if matches!(self.spec.transform, Transform::Constant(_)) {
            let values: Vec<Value> = (0..count)
                .map(|_| Ok(reader.value()?.unwrap_or_default()))
                .collect::<Result<_, Damaged>>()?;
            return Ok(self.holds(side, record, &values));
        }
        let (mut same, mut returned) = (self.places[side].len() as u64 == count, true);
        let mut places = self.places[side].iter().zip(&self.forms[side]);
        for _ in 0..count {
            let held = reader.held()?;
            let Some((place, form)) = places.next() else { continue };
            let Some(value) = record.values.get(*place).and_then(Option::as_ref) else {
                returned = false;
                continue;
            };
            same &= match (value, held) {
                (Value::Text(raw), Held::Text(folded)) if form.kind != FieldKind::Bool => {
                    is_canonical_text(*form, raw, folded)
                }
                (_, held) => fold(*form, value) == held.into_value(),
            };
        }
        // More fields than values: one that was not returned says more than the difference.
        returned &= places.all(|(place, _)| record.values.get(*place).is_some_and(Option::is_some));
        Ok(returned.then_some(same))
    }
}
