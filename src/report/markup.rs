//! Text as it may stand in HTML and XML.

/// Text that stays text between tags and in quoted attributes, of HTML and of XML 1.0.
///
/// XML has no form at all for most control characters (XML 1.0, section 2.2): they become U+FFFD, and so do the
/// characters that change the direction of writing, which would show a name as another one.
pub(crate) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => line.push_str("&lt;"),
            '>' => line.push_str("&gt;"),
            '&' => line.push_str("&amp;"),
            '"' => line.push_str("&quot;"),
            '\'' => line.push_str("&#39;"),
            '\n' | '\t' => line.push(' '),
            odd if odd.is_control() || turns_around(odd) || is_no_character(odd) => line.push('\u{fffd}'),
            other => line.push(other),
        }
    }
    line
}

fn turns_around(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_no_character(letter: char) -> bool {
    matches!(letter, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_opens_a_tag_or_ends_an_attribute() {
        assert_eq!(escaped("<a b=\"c\" d='e'>&\n"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp; ");
        assert_eq!(escaped("\u{1b}\u{0}\u{85}\u{202e}\u{fffe}ü"), "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}ü");
    }
}
