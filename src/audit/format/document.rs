//! Rule sets that are JSON: reading them, and what clouds share.

use serde_json::Value;

use super::{ParseError, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{Action, AddressSet, Applies, Destination, Match, Place, Question, Rule};
use crate::prefix::special_purpose_space;

/// The document of each file, with the file.
pub(super) fn documents(files: &[SourceFile]) -> Result<Vec<(&SourceFile, Value)>, ParseError> {
    files.iter().map(|file| Ok((file, document(file)?))).collect()
}

/// The document of a file; a mark at its beginning, which Windows writes, is passed over.
fn document(file: &SourceFile) -> Result<Value, ParseError> {
    serde_json::from_str(file.text.trim_start_matches('\u{feff}')).map_err(|error| {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        file.error_at(line.max(1), error.column().max(1), format!("this is no JSON: {error}"))
    })
}

/// Whether it is JSON, from its first sign, and has one of these in it.
pub(super) fn is_json_with(text: &str, marks: &[&str]) -> bool {
    let begins = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    begins && marks.iter().any(|mark| text.contains(mark))
}

/// The entries of an array; nothing where there is none.
pub(super) fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text; none where it is absent or something else.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// A text or an array of texts; `Err` where it is something else.
pub(super) fn texts<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v str>, ()> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().ok_or(())).collect(),
        Some(_) => Err(()),
    }
}

/// A rule that stands in no line of its own.
pub(super) fn rule(file: u16, name: &str, destination: Destination, rest: Applies, action: Action) -> Rule {
    let does = match action {
        Action::Accept => "allow",
        Action::Deny => "deny",
        _ => "unknown",
    };
    let rule = Rule::new(Place { file, line: 0 }, Match { destination, rest }, action);
    Rule { name: Some(name.into()), text: Some(format!("{does} {name}").into()), ..rule }
}

/// What all of these stand for; what is no address is unknown.
pub(super) fn addresses<'v>(words: impl IntoIterator<Item = &'v str>) -> Destination {
    let (mut ranges, mut unknown) = (Vec::new(), None);
    for word in words {
        match address_range(word) {
            Some(range) => ranges.push(range),
            None => unknown = unknown.or(Some(format!("{} is no address", cited(word)))),
        }
    }
    let known = Destination::from(ranges.into_iter().collect::<AddressSet>());
    unknown.map_or(known.clone(), |why| known.union(&Destination::unknown(why)))
}

/// Addresses that are not of the internet, none of which is known for certain.
pub(super) fn private(why: &str) -> Destination {
    let space = AddressSet::from(&special_purpose_space());
    Destination { surely: AddressSet::none().into(), perhaps: Some((space.into(), why.into())) }
}

/// Whether this one of several rule sets is judged: those that the question names, or all.
pub(super) fn chosen(question: &Question, all: &[&str], name: &str) -> bool {
    question.sides.contains_key(name) || !all.iter().any(|name| question.sides.contains_key(*name))
}
