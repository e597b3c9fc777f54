//! Lines for rules that were read from JSON.

use std::collections::HashMap;

use crate::audit::{Place, Policy};

/// Gives rules the text that `nft -a list ruleset` has for their handles, and the line of the file that has the same text.
///
/// What nft writes differently from how it was written (a name for a number, a variable) keeps its text and has no line.
pub fn locate(policy: &mut Policy, listing: &str, original: &str) {
    let texts = texts_by_chain(listing);
    let lines = lines_by_text(original);
    for chain in &mut policy.chains {
        let Some(texts) = texts.get(&chain.name) else { continue };
        for rule in &mut chain.rules {
            let Some(text) = rule.name.as_deref().and_then(|handle| texts.get(handle)) else { continue };
            rule.text = Some((*text).into());
            if let Some(Some(line)) = lines.get(&normal(text)) {
                rule.place = Place { file: 0, line: *line };
            }
        }
    }
}

/// What stands before `# handle N`, by chain, as the policy calls it, and handle.
fn texts_by_chain(listing: &str) -> HashMap<String, HashMap<&str, &str>> {
    let (mut texts, mut table, mut chain) = (HashMap::<_, HashMap<_, _>>::new(), "", String::new());
    for line in listing.lines() {
        let Some((text, handle)) = line.rsplit_once(" # ") else { continue };
        let text = text.trim();
        match text.strip_suffix('{').map(str::trim).and_then(|opened| opened.split_once(' ')) {
            Some(("table", name)) => table = name,
            Some(("chain", name)) => chain = format!("{table} {name}"),
            Some(_) => chain.clear(),
            None => _ = texts.entry(chain.clone()).or_default().insert(handle.trim(), text),
        }
    }
    texts
}

/// The lines of a file by what they say; none for what stands in several.
fn lines_by_text(original: &str) -> HashMap<String, Option<u32>> {
    let mut lines = HashMap::new();
    for (line, text) in (1..).zip(original.lines()) {
        lines.entry(normal(text)).and_modify(|known| *known = None).or_insert(Some(line));
    }
    lines
}

/// Without quotation marks, indentation and the figures of counters.
fn normal(text: &str) -> String {
    let mut words = text.split_ascii_whitespace().peekable();
    let mut normal = String::with_capacity(text.len());
    while let Some(word) = words.next() {
        if word == "packets" && normal.ends_with("counter ") {
            words.nth(2);
            continue;
        }
        normal.extend(word.chars().filter(|letter| !['"', ';'].contains(letter)));
        normal.push(' ');
    }
    normal
}
