//! What stands behind the question mark of an address. Old phones write it in ISO 8859-1, later ones in UTF-8.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Parameters that are looked at; a page has fewer.
const MOST: usize = 16;

/// Names and values, in their order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(MOST);
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first parameter of this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(&text.replace('+', " ")).collect();
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    }
}

/// Parameters with their question mark, or nothing.
pub(super) fn write<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_code_pages_are_read() {
        let query = Query::parse("device=SEP1&name=M%FCller+%26+Co&Number=&name=other&x");
        assert_eq!(query.value("name"), Some("Müller & Co"));
        assert_eq!((query.value("number"), query.value("x"), query.value("y")), (Some(""), Some(""), None));
        assert_eq!(Query::parse("name=M%C3%BCller").value("name"), Some("Müller"));
        assert_eq!(Query::parse("name=%").value("name"), Some("%"));
        assert_eq!(Query::parse(&"a=1&".repeat(1000)).0.len(), MOST);
        assert_eq!(
            write([("name", "Müller & Co"), ("page", "2")].into_iter()),
            "?name=M%C3%BCller%20%26%20Co&page=2"
        );
    }
}
