//! A SOAP message as a tree of elements, by local name: prefixes are the client's business.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// No message that means anything is deeper.
const DEEPEST: usize = 32;

/// An element with what is in it.
#[derive(Debug, Default)]
pub(in crate::sandbox::org) struct Element {
    /// The local name.
    pub(in crate::sandbox::org) name: String,
    /// The namespace that the element itself declares for its own prefix, if it does.
    pub(in crate::sandbox::org) namespace: Option<String>,
    /// The local part of `xsi:type`.
    pub(in crate::sandbox::org) kind: Option<String>,
    /// Whether it says `xsi:nil`.
    pub(in crate::sandbox::org) is_nil: bool,
    /// All text directly in it.
    pub(in crate::sandbox::org) content: String,
    pub(in crate::sandbox::org) children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub(in crate::sandbox::org) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(in crate::sandbox::org) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; nothing when it is absent, nil or empty.
    pub(in crate::sandbox::org) fn text(&self, name: &str) -> Option<&str> {
        let child = self.child(name).filter(|child| !child.is_nil)?;
        Some(child.content.trim()).filter(|text| !text.is_empty())
    }

    /// Whether a child says `true`.
    pub(in crate::sandbox::org) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text == "true" || text == "1")
    }
}

fn begun(start: &BytesStart<'_>) -> Element {
    let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
    let prefix = start.name().prefix().map(|prefix| prefix.as_ref().to_owned());
    let own = prefix.map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
    for attribute in start.attributes().flatten() {
        let value = attribute.value.trim();
        match attribute.key.local_name().as_ref() {
            "nil" => element.is_nil = value == "true" || value == "1",
            "type" => element.kind = Some(value.rsplit(':').next().unwrap_or(value).to_owned()),
            _ => {}
        }
        if attribute.key.as_ref() == own {
            element.namespace = Some(value.to_owned());
        }
    }
    element
}

/// The root of a message, or nothing when it is not well-formed.
pub(in crate::sandbox::org) fn parse(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let done = match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() == DEEPEST {
                    return None;
                }
                open.push(begun(&start));
                None
            }
            Event::Empty(start) => Some(begun(&start)),
            Event::End(_) => open.pop(),
            Event::Text(piece) => {
                if let Some(element) = open.last_mut() {
                    element.content.push_str(&piece.xml10_content());
                }
                None
            }
            Event::CData(piece) => {
                if let Some(element) = open.last_mut() {
                    element.content.push_str(&piece);
                }
                None
            }
            Event::GeneralRef(reference) => {
                let letter = match reference.resolve_char_ref().ok()? {
                    Some(letter) => Some(letter),
                    None => named(&reference),
                };
                open.last_mut()?.content.push(letter?);
                None
            }
            // A document type could define entities without end; no SOAP message has one.
            Event::DocType(_) | Event::Eof => return None,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => None,
        };
        if let Some(done) = done {
            match open.last_mut() {
                Some(parent) => parent.children.push(done),
                None => return Some(done),
            }
        }
    }
}

fn named(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_whatever_their_prefix_and_quoting() {
        let text = "<?xml version='1.0'?><s:Envelope><s:Body><u:login xmlns:u=\"urn:x\"><u:username>a@b.c</u:username><password xmlns='y'>p&lt;&amp;&#39;w</password><note><![CDATA[<&>]]></note></u:login></s:Body></s:Envelope>";
        let root = parse(text).unwrap();
        let login = &root.child("Body").unwrap().children[0];
        assert_eq!((login.name.as_str(), login.namespace.as_deref()), ("login", Some("urn:x")));
        assert_eq!(login.text("username"), Some("a@b.c"));
        assert_eq!(login.text("password"), Some("p<&'w"));
        assert_eq!(login.text("note"), Some("<&>"));
    }

    #[test]
    fn nothing_is_not_the_same_as_empty_text() {
        let root = parse("<a xmlns:xsi='i'><b xsi:nil='true'/><c xsi:type='ens:Lead'></c></a>").unwrap();
        assert!(root.child("b").unwrap().is_nil);
        assert_eq!(root.child("c").unwrap().kind.as_deref(), Some("Lead"));
        assert_eq!(root.text("c"), None);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let deep = "<a>".repeat(100);
        for text in
            ["", "no xml", "<a>", "<a></b>", "<!DOCTYPE x [<!ENTITY y 'z'>]><a>&y;</a>", "<a>&y;</a>", &deep]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
