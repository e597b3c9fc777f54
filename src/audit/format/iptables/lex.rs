//! Words of a line as `iptables-save` and `ipset save` quote them.

use std::borrow::Cow;

/// The words of a line; none where a quotation does not end.
pub(super) fn words(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut words = Vec::with_capacity(16);
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(rest) => quoted(rest)?,
            None => plain(rest),
        };
        words.push(word);
        rest = behind.trim_start();
    }
    Some(words)
}

fn plain(text: &str) -> (Cow<'_, str>, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (Cow::Borrowed(&text[..end]), &text[end..])
}

/// Up to the closing quotation mark; a backslash takes what follows as it is.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if text.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let (mut word, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Cow::Owned(word), &text[at + 1..])),
            '\\' => word.push(letters.next()?.1),
            other => word.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotations_are_one_word() {
        let line = r#"-A FORWARD --comment "he said \"x\" \\ y" -j "LOG""#;
        assert_eq!(words(line).unwrap(), ["-A", "FORWARD", "--comment", r#"he said "x" \ y"#, "-j", "LOG"]);
        assert_eq!(words("  ").unwrap().len(), 0);
        assert_eq!(words(r#"a "b"#), None);
        assert_eq!(words(r#"a "b\"#), None);
    }
}
