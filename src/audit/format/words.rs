//! Lines of configurations as words.

/// The words of a line; a quoted text is one word, without its quotes. The column where a quote begins that never ends
/// is the error.
///
/// Escapes stay as they are written: names are compared with names of the same file.
pub(super) fn words(line: &str) -> Result<Vec<&str>, usize> {
    let (mut words, mut rest) = (Vec::new(), line.trim_start());
    while !rest.is_empty() {
        let (word, behind) = match rest.as_bytes()[0] {
            b'"' => quoted(rest).ok_or_else(|| column(line, rest))?,
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word);
        rest = behind.trim_start();
    }
    Ok(words)
}

/// The word, and what stands behind the quote that ends it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let end = closing(text.as_bytes())?;
    Some((&text[1..end], &text[end + 1..]))
}

/// Where the quote ends that the text begins with; a backslash takes the next sign its meaning.
pub(super) fn closing(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().enumerate().skip(1).find_map(|(index, &byte)| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(index)
    })
}

/// In which column of a line a part of it begins, from 1.
pub(super) fn column(line: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize) + 1
}

/// The members of a list: `[ a b ]`, or the words themselves.
pub(super) fn listed<'w, 'a>(words: &'w [&'a str]) -> &'w [&'a str] {
    match words {
        ["[", members @ .., "]"] => members,
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_one_word() {
        assert_eq!(words(" set  name \"a b\" [ x ]").unwrap(), ["set", "name", "a b", "[", "x", "]"]);
        assert_eq!(words(r#"comment "say \"no\" \\" end"#).unwrap(), ["comment", r#"say \"no\" \\"#, "end"]);
        assert_eq!(words("  ").unwrap(), [""; 0]);
        assert_eq!(words("set name \"open"), Err(10));
    }

    #[test]
    fn brackets_are_left_out() {
        assert_eq!(listed(&["[", "a", "b", "]"]), ["a", "b"]);
        assert_eq!(listed(&["a"]), ["a"]);
    }
}
