//! Record ids: three characters of prefix, a fixed part, a counter, and the three characters that make an id safe
//! where case is lost. A row's place in its table follows from its id without a look-up.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// What all ids of the sandbox carry behind their prefix: the "instance" they were minted on.
const INSTANCE: &str = "Fs00000";
/// Characters of the counter.
const COUNTER: usize = 5;

/// The 18-character id of the row at `index` of the table with this prefix.
pub(super) fn mint(prefix: &str, index: u32) -> String {
    let mut id = String::with_capacity(18);
    id.push_str(prefix);
    id.push_str(INSTANCE);
    let mut counter = [b'0'; COUNTER];
    let mut rest = u64::from(index) + 1;
    for place in counter.iter_mut().rev() {
        *place = DIGITS.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    id.extend(counter.iter().map(|byte| char::from(*byte)));
    let suffix = suffix(&id);
    id.push_str(&suffix);
    id
}

/// The three characters that go behind a 15-character id.
pub(super) fn suffix(id15: &str) -> String {
    id15.as_bytes()
        .chunks(5)
        .take(3)
        .map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0_usize, |bits, (place, _)| bits | (1 << place));
            char::from(SUFFIX.get(bits).copied().unwrap_or(b'A'))
        })
        .collect()
}

/// The 18-character form of an id in either form; an 18-character one that lost its case gets it back. `None` when it
/// is no id.
pub(super) fn normalise(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match id.len() {
        15 => Some(format!("{id}{}", suffix(id))),
        18 => {
            let (body, tail) = (id.get(..15)?, id.get(15..)?.to_ascii_uppercase());
            if suffix(body) == tail {
                return Some(format!("{body}{tail}"));
            }
            let restored = restore_case(body, &tail)?;
            Some(format!("{restored}{tail}"))
        }
        _ => None,
    }
}

fn restore_case(body: &str, tail: &str) -> Option<String> {
    let mut restored = String::with_capacity(18);
    for (group, mark) in body.as_bytes().chunks(5).zip(tail.bytes()) {
        let bits = SUFFIX.iter().position(|candidate| *candidate == mark)?;
        for (place, byte) in group.iter().enumerate() {
            let upper = bits & (1 << place) != 0;
            if upper && !byte.is_ascii_alphabetic() {
                return None;
            }
            restored.push(char::from(if upper {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            }));
        }
    }
    Some(restored)
}

/// Prefix and row index of an id that this sandbox minted; `None` for ids of elsewhere.
pub(super) fn locate(id18: &str) -> Option<(&str, u32)> {
    let prefix = id18.get(..3)?;
    if id18.get(3..10)? != INSTANCE {
        return None;
    }
    let mut counter = 0_u64;
    for byte in id18.get(10..15)?.bytes() {
        let digit = DIGITS.iter().position(|candidate| *candidate == byte)?;
        counter = counter * 62 + digit as u64;
    }
    u32::try_from(counter.checked_sub(1)?).ok().map(|index| (prefix, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ids_get_their_known_suffix() {
        for (id, tail) in [
            ("70130000001tcyI", "AAQ"),
            ("00558000001N0Ke", "AAK"),
            ("80120000000tEst", "AAE"),
            ("00190000001pPvH", "AAU"),
            ("003RO0000035WQg", "YAM"),
            ("a0D30000001n7Pi", "EAI"),
        ] {
            assert_eq!(suffix(id), tail, "{id}");
        }
    }

    #[test]
    fn an_id_that_lost_its_case_gets_it_back() {
        assert_eq!(normalise("003ro0000035wqgyam").as_deref(), Some("003RO0000035WQgYAM"));
    }

    #[test]
    fn minted_ids_lead_back_to_their_row() {
        for index in [0, 1, 61, 62, 999_999] {
            let id = mint("003", index);
            assert_eq!(id.len(), 18);
            assert_eq!(normalise(&id).as_deref(), Some(id.as_str()));
            assert_eq!(locate(&id), Some(("003", index)));
        }
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for text in ["", "003", "003Fs0000000001AA", "003Fs00000000-1AAA", "ééééééé12345678"] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
