//! Record ids: 15 characters where case matters, or 18 with a suffix that spells the case.

use crate::domain::record::RecordId;

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character form of an id; `None` for a text that is no id. The case of an 18-character id that was lower-cased on its
/// way is restored from its suffix.
pub fn full_id(text: &str) -> Option<RecordId> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    match bytes.len() {
        15 => {
            let mut full = text.to_owned();
            full.push_str(&suffix(bytes)?);
            Some(RecordId::new(full))
        }
        18 => {
            let (body, check) = bytes.split_at_checked(15)?;
            if suffix(body)?.as_bytes() == check {
                return Some(RecordId::new(text));
            }
            let restored = restore_case(body, check)?;
            Some(RecordId::new(format!("{restored}{}", suffix(restored.as_bytes())?)))
        }
        _ => None,
    }
}

/// An id as the API answered it: always 18 characters there, taken as it is if it is no id at all.
pub(super) fn from_api(text: &str) -> RecordId {
    if text.len() == 18 { RecordId::new(text) } else { full_id(text).unwrap_or_else(|| RecordId::new(text)) }
}

fn suffix(body: &[u8]) -> Option<String> {
    body.chunks(5)
        .map(|five| {
            let bits = five.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            let index = bits.fold(0_usize, |sum, (place, _)| sum | (1 << place));
            SUFFIX.get(index).copied().map(char::from)
        })
        .collect()
}

fn restore_case(body: &[u8], check: &[u8]) -> Option<String> {
    let mut restored = String::with_capacity(18);
    for (five, mark) in body.chunks(5).zip(check) {
        let bits = SUFFIX.iter().position(|known| *known == mark.to_ascii_uppercase())?;
        for (place, byte) in five.iter().enumerate() {
            let upper = bits & (1 << place) != 0;
            if upper && byte.is_ascii_digit() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_characters_get_the_published_suffixes() {
        let vectors = [
            ("70130000001tcyI", "AAQ"),
            ("00558000001N0Ke", "AAK"),
            ("80120000000test", "AAA"),
            ("80120000000tEst", "AAE"),
            ("00190000001pPvH", "AAU"),
            ("003RO0000035WQg", "YAM"),
            ("a0D30000001n7Pi", "EAI"),
        ];
        for (short, suffix) in vectors {
            assert_eq!(full_id(short), Some(RecordId::new(format!("{short}{suffix}"))));
        }
    }

    #[test]
    fn a_lower_cased_id_gets_its_case_back() {
        let id = "003RO0000035WQgYAM";
        assert_eq!(full_id(&id.to_lowercase()), Some(id.into()));
        assert_eq!(full_id(id), Some(id.into()));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "003", "003RO0000035WQ'", "003RO0000035WQgYAMX", "ü03RO0000035WQ", "003ro0000035wqg999"]
        {
            assert_eq!(full_id(text), None, "{text}");
        }
    }
}
