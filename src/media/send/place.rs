//! Where an answer has the id or the URL of what was uploaded, and the addresses that are made with it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::percent_encoded;
use crate::endpoint::{EndpointUrl, EndpointUrlError};
use crate::text::printable;

/// Where the answer to an upload has the id: `$.media.id`, `$.items[0].url` or `header:location`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place {
    text: String,
    way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Header(String),
    Json(Vec<Step>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Why a text names no place in an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in an answer: expected $.key.key[0] or header:NAME")]
pub struct PlaceError(String);

/// A longer id is none.
const LONGEST_ID: usize = 4000;

impl Place {
    /// What stands there.
    #[must_use]
    pub fn find(&self, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> Option<String> {
        let found = match &self.way {
            Way::Header(name) => header(name)?,
            Way::Json(steps) => walk(&serde_json::from_slice(body).ok()?, steps)?,
        };
        (1..=LONGEST_ID).contains(&found.len()).then_some(found)
    }
}

fn walk(value: &Value, steps: &[Step]) -> Option<String> {
    let next = |value: &'_ Value, step: &Step| match step {
        Step::Key(key) => value.get(key).cloned(),
        Step::Index(index) => value.get(index).cloned(),
    };
    let found = steps.iter().try_fold(value.clone(), |value, step| next(&value, step))?;
    match found {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl TryFrom<String> for Place {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        let wrong = || PlaceError(printable(&text, 80));
        let way = match text.split_once(':') {
            Some(("header", name)) if is_header(name) => Way::Header(name.to_ascii_lowercase()),
            _ => Way::Json(steps(text.strip_prefix('$').ok_or_else(wrong)?).ok_or_else(wrong)?),
        };
        Ok(Self { text, way })
    }
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `.key`, `[0]`, one after another.
fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, left) = if let Some(key) = rest.strip_prefix('.') {
            let end = key.find(['.', '[']).unwrap_or(key.len());
            (Step::Key(key[..end].to_owned()), &key[end..])
        } else {
            let (index, left) = rest.strip_prefix('[')?.split_once(']')?;
            (Step::Index(index.parse().ok()?), left)
        };
        if step == Step::Key(String::new()) {
            return None;
        }
        steps.push(step);
        rest = left;
    }
    Some(steps)
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.text
    }
}

/// A URL with `{name}`, the name of the file, and `{id}`, what the answer to the upload gave, to be filled in.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(String);

/// What is filled in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filling<'a> {
    /// The file's name.
    pub name: &'a str,
    /// What the answer gave.
    pub id: Option<&'a str>,
}

impl Template {
    /// The URL with everything filled in; what begins with `{id}` is a URL that the answer gave.
    ///
    /// # Errors
    /// When that is no URL, as when the answer gave another kind of text.
    pub fn fill(&self, filling: Filling<'_>) -> Result<EndpointUrl, EndpointUrlError> {
        let id = filling.id.unwrap_or("");
        let id = if self.is_given() { id.to_owned() } else { percent_encoded(id) };
        EndpointUrl::parse(&self.0.replace("{name}", &percent_encoded(filling.name)).replace("{id}", &id))
    }

    /// Whether the answer decides where it leads.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.starts_with("{id}")
    }

    /// Whether the file's name is a part of it.
    #[must_use]
    pub fn names_file(&self) -> bool {
        self.0.contains("{name}")
    }

    /// Whether what the answer gave is a part of it.
    #[must_use]
    pub fn wants_id(&self) -> bool {
        self.0.contains("{id}")
    }

    /// The template without its query, which may hold a signature: for reports.
    #[must_use]
    pub fn shown(&self) -> String {
        printable(self.0.split(['?', '#']).next().unwrap_or(""), 200)
    }
}

impl TryFrom<String> for Template {
    type Error = EndpointUrlError;

    fn try_from(text: String) -> Result<Self, EndpointUrlError> {
        let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        if authority.is_some_and(|authority| authority.contains('{')) {
            let reason = "the host stands for itself".to_owned();
            return Err(EndpointUrlError::Syntax { text: printable(&text, 80), reason });
        }
        let template = Self(text);
        let id = if template.is_given() { "https://host.invalid/" } else { "id" };
        template.fill(Filling { name: "name", id: Some(id) })?;
        Ok(template)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.shown()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_id_is_found_in_a_body_or_a_header() {
        let body = br#"{"media":[{"id":"a1","n":7}],"url":"https://h/x"}"#;
        let header = |name: &str| (name == "location").then(|| "/files/7".to_owned());
        for (text, found) in [
            ("$.media[0].id", Some("a1")),
            ("$.media[0].n", Some("7")),
            ("$.url", Some("https://h/x")),
            ("header:Location", Some("/files/7")),
            ("header:etag", None),
            ("$.media", None),
            ("$.media[1].id", None),
        ] {
            assert_eq!(place(text).find(header, body).as_deref(), found, "{text}");
        }
        assert_eq!(place("$.id").find(header, b"<html>"), None);
        assert_eq!(place("$[0]").find(header, b"[\"x\"]").as_deref(), Some("x"));
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for wrong in ["", "id", "$media", "$..id", "$.a[", "$.a[x]", "header:", "header:a b"] {
            assert!(Place::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn templates_are_filled_and_never_show_their_query() {
        let template = |text: &str| Template::try_from(text.to_owned()).unwrap();
        let filling = Filling { name: "a b.jpeg", id: Some("../x?y") };
        let url = template("https://h/{name}?sig=hidden").fill(filling).unwrap();
        assert_eq!(url.target(), "/a%20b.jpeg?sig=hidden");
        assert_eq!(template("https://h/m/{id}").fill(filling).unwrap().target(), "/m/..%2Fx%3Fy");
        let given = template("{id}");
        assert!(given.is_given() && given.fill(filling).is_err());
        let filling = Filling { id: Some("https://cdn/x?s=1"), ..filling };
        assert_eq!(given.fill(filling).unwrap().target(), "/x?s=1");
        assert!(!format!("{:?}", template("https://h/?sig=hidden")).contains("hidden"));
        for wrong in ["", "https://{id}.example/", "https://{name}/", "h/{name}", "ftp://h/", "https://u:p@h/"] {
            assert!(Template::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
