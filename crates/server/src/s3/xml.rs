//! XML from stores, read into a small tree within bounds.
//!
//! A store is configured by the operator, but what it answers may come from anybody on the way, and names in it from
//! anybody at all. So: no document type, no entities but the five of XML and character references, and bounds on
//! bytes, elements and depth. Namespaces and attributes say nothing that S3 needs and are skipped.

use std::fmt;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Longest document, in bytes. A page of 1,000 uploads, with the longest keys escaped as badly as can be, is half of it.
pub(super) const MAX_LEN: usize = 8 << 20;

/// Most elements. Each of a list's 1,000 entries has a dozen.
const MAX_ELEMENTS: usize = 50_000;

/// Elements inside one another, at most. S3's own documents have five.
const MAX_DEPTH: usize = 16;

/// What is wrong with a document. Nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(super) enum XmlError {
    /// Not XML, or not whole.
    Malformed,
    /// More bytes, elements or depth than any answer of S3 has.
    TooLarge,
    /// A document type or an entity of its own.
    Forbidden,
    /// Another root than was expected.
    Root,
    /// An element that must be there, once, and of a certain form, is not.
    Element(&'static str),
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the answer is not XML"),
            Self::TooLarge => f.write_str("the answer is larger than any of S3"),
            Self::Forbidden => f.write_str("the answer defines entities"),
            Self::Root => f.write_str("the answer is of another kind"),
            Self::Element(name) => write!(f, "the answer has no {name}, several, or one that makes no sense"),
        }
    }
}

impl std::error::Error for XmlError {}

/// An element with its text and its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root of a document.
    ///
    /// # Errors
    /// [`XmlError`].
    pub(super) fn parse(document: &[u8]) -> Result<Self, XmlError> {
        if document.len() > MAX_LEN {
            return Err(XmlError::TooLarge);
        }
        // S3 trickles white space while it puts an object together, and some write it before the declaration.
        let text = std::str::from_utf8(document).map_err(|_| XmlError::Malformed)?.trim_ascii();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        let mut n_elements = 0;
        loop {
            let event = reader.read_event().map_err(|_| XmlError::Malformed)?;
            match event {
                Event::Start(ref start) | Event::Empty(ref start) => {
                    n_elements += 1;
                    if open.len() == MAX_DEPTH || n_elements > MAX_ELEMENTS {
                        return Err(XmlError::TooLarge);
                    }
                    let name = start.local_name().into_inner().to_owned();
                    let element = Self { name, ..Self::default() };
                    match event {
                        Event::Empty(_) => close(element, &mut open, &mut root)?,
                        _ => open.push(element),
                    }
                }
                Event::End(_) => {
                    let element = open.pop().ok_or(XmlError::Malformed)?;
                    close(element, &mut open, &mut root)?;
                }
                Event::Text(text) => add_text(&text.xml10_content(), &mut open)?,
                Event::CData(text) => add_text(&text.xml10_content(), &mut open)?,
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|_| XmlError::Malformed)?;
                    let name = reference.into_inner();
                    match character {
                        Some(character) => add_text(character.encode_utf8(&mut [0; 4]), &mut open)?,
                        None => add_text(resolve_predefined_entity(&name).ok_or(XmlError::Forbidden)?, &mut open)?,
                    }
                }
                Event::DocType(_) => return Err(XmlError::Forbidden),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        root.filter(|_| open.is_empty()).ok_or(XmlError::Malformed)
    }

    /// As [`Self::parse`], of a document whose root is called `name`.
    ///
    /// # Errors
    /// [`XmlError`].
    pub(super) fn parse_root(document: &[u8], name: &str) -> Result<Self, XmlError> {
        let root = Self::parse(document)?;
        if root.name == name { Ok(root) } else { Err(XmlError::Root) }
    }

    /// The element's name, without a prefix.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && self.text.trim_ascii().is_empty()
    }

    /// All children of that name, in order.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The child of that name, if there is one.
    ///
    /// # Errors
    /// [`XmlError::Element`] when there are several: nobody could say which of them counts.
    pub(super) fn child(&self, name: &'static str) -> Result<Option<&Self>, XmlError> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (child, None) => Ok(child),
            _ => Err(XmlError::Element(name)),
        }
    }

    /// The text of the child of that name, if there is one.
    ///
    /// # Errors
    /// [`XmlError::Element`].
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, XmlError> {
        Ok(self.child(name)?.map(|child| child.text.as_str()))
    }

    /// The text of the one child of that name.
    ///
    /// # Errors
    /// [`XmlError::Element`].
    pub(super) fn needed(&self, name: &'static str) -> Result<&str, XmlError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or(XmlError::Element(name))
    }

    /// The one child of that name as a whole number. No sign, no exponent, and nothing that `u64` does not hold.
    ///
    /// # Errors
    /// [`XmlError::Element`].
    pub(super) fn number(&self, name: &'static str) -> Result<u64, XmlError> {
        let text = self.needed(name)?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number).ok_or(XmlError::Element(name))
    }

    /// Whether the child of that name says `true`; no when there is none.
    ///
    /// # Errors
    /// [`XmlError::Element`].
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, XmlError> {
        match self.text(name)? {
            Some("true") => Ok(true),
            Some("false") | None => Ok(false),
            Some(_) => Err(XmlError::Element(name)),
        }
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

fn add_text(text: &str, open: &mut [Element]) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim_ascii().is_empty() => {}
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn parse(document: &str) -> Result<Element, XmlError> {
        Element::parse(document.as_bytes())
    }

    #[test]
    fn names_texts_and_references_are_read() {
        let root = parse(
            "\n\n <?xml version='1.0' encoding='utf-8'?>\n<a:Result xmlns:a=\"urn:x\">\n <!-- c -->\
             <ETag>&quot;ab&#45;&#x31;&quot;</ETag><Key>a &amp; b/<![CDATA[<c>]]></Key><Empty/><Part>1</Part><Part>2</Part>\
             </a:Result>\n",
        )
        .unwrap();
        assert_eq!(root.name(), "Result");
        assert_eq!(root.needed("ETag"), Ok("\"ab-1\""));
        assert_eq!(root.needed("Key"), Ok("a & b/<c>"));
        assert_eq!((root.text("Empty"), root.needed("Empty")), (Ok(Some("")), Err(XmlError::Element("Empty"))));
        assert_eq!(root.all("Part").count(), 2);
        assert_eq!(root.text("Part"), Err(XmlError::Element("Part")));
        assert_eq!(root.text("Absent"), Ok(None));
    }

    #[test]
    fn numbers_and_flags_have_one_form() {
        let root = parse(
            "<r><a>18446744073709551615</a><b>+1</b><c>18446744073709551616</c><d>1e3</d><e>yes</e><f>true</f></r>",
        )
        .unwrap();
        assert_eq!(root.number("a"), Ok(u64::MAX));
        for name in ["b", "c", "d", "e", "z"] {
            assert_eq!(root.number(name), Err(XmlError::Element(name)));
        }
        assert_eq!(
            (root.flag("f"), root.flag("z"), root.flag("e")),
            (Ok(true), Ok(false), Err(XmlError::Element("e")))
        );
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        let wide = format!("<a>{}</a>", "<b/>".repeat(50_000));
        let long = format!("<a>{}</a>", "b".repeat(MAX_LEN));
        let laughs = r#"<!DOCTYPE r [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><r>&b;</r>"#;
        let file = r#"<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r>&f;</r>"#;
        for (document, error) in [
            ("", XmlError::Malformed),
            ("no XML", XmlError::Malformed),
            ("<a>", XmlError::Malformed),
            ("<a></b>", XmlError::Malformed),
            ("</a>", XmlError::Malformed),
            ("<a/><b/>", XmlError::Malformed),
            ("<a/>b", XmlError::Malformed),
            ("<a>&#xffffffffff;</a>", XmlError::Malformed),
            ("<a>& b</a>", XmlError::Malformed),
            ("<!DOCTYPE html><html></html>", XmlError::Forbidden),
            ("<a>&unknown;</a>", XmlError::Forbidden),
            (laughs, XmlError::Forbidden),
            (file, XmlError::Forbidden),
            (&deep, XmlError::TooLarge),
            (&wide, XmlError::TooLarge),
            (&long, XmlError::TooLarge),
        ] {
            assert_eq!(parse(document).unwrap_err(), error, "{}", &document[..document.len().min(60)]);
        }
        assert_eq!(Element::parse(b"<a>\xff</a>"), Err(XmlError::Malformed));
        assert_eq!(Element::parse_root(b"<Error/>", "Tagging"), Err(XmlError::Root));
    }
}
