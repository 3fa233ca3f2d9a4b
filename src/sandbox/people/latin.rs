//! Plain Latin letters out of names, for e-mail addresses and host names.

/// The name in lower-case ASCII letters and digits; what has no counterpart is left out.
pub fn plain(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            result.push(character);
        } else {
            result.push_str(counterpart(character));
        }
    }
    result
}

fn counterpart(character: char) -> &'static str {
    match character {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' | 'ă' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' => "d",
        'ð' | 'þ' => "th",
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ů' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diacritics_become_plain_letters_and_other_scripts_vanish() {
        assert_eq!(plain("Świętosława"), "swietoslawa");
        assert_eq!(plain("D'Arcy-Groß"), "darcygross");
        assert_eq!(plain("İnönü"), "inoenue");
        assert_eq!(plain("王"), "");
    }
}
