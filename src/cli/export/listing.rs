//! `--list-formats`: what each format is, and what its device can do.

use std::fmt::Write as _;

use serde::Serialize;

use crate::export::{Capability, RuleFormat};
use crate::text::grouped;

/// Schema `egressd.export-formats/1`.
pub(super) fn json() -> String {
    let formats = RuleFormat::ALL.iter().map(|format| Described {
        name: format.name(),
        title: format.title(),
        capability: format.capability(),
    });
    let document = Document { schema: "egressd.export-formats/1", formats: formats.collect() };
    let mut text = serde_json::to_string_pretty(&document).expect("the document holds nothing that JSON cannot");
    text.push('\n');
    text
}

/// A line for each.
pub(super) fn text() -> String {
    let mut text = format!("{:<22} {:<24} what is written\n", "format", "most entries");
    for format in RuleFormat::ALL {
        let limit = format.capability().limit;
        let limit =
            limit.map_or_else(String::new, |limit| format!("{} in a {}", grouped(limit.entries as u128), limit.of));
        writeln!(text, "{:<22} {limit:<24} {}", format.name(), format.title()).expect("a String takes everything");
    }
    text
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    formats: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    name: &'static str,
    title: &'static str,
    #[serde(flatten)]
    capability: &'static Capability,
}
