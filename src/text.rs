//! Text for people: foreign text made harmless, numbers made readable.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

/// Foreign text as it may stand in a message or on a terminal.
///
/// What does not print is escaped, control characters and changes of writing direction included. Of a text with more
/// than `longest` characters the middle is left out.
#[must_use]
pub fn printable(text: &str, longest: usize) -> String {
    let Some((head, tail)) = ends(text, longest) else {
        return escaped(text);
    };
    format!("{}…{}", escaped(head), escaped(tail))
}

/// A number with a comma between groups of three digits.
#[must_use]
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 range`, `2 ranges`.
#[must_use]
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u128), if number == 1 { one } else { many })
}

/// An error with its causes, in one line.
#[must_use]
pub fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Bytes as digits, two each, as checksums are written.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The lines of a text, none longer than `width` characters unless a single word is; `indent` stands before all but the
/// first.
#[must_use]
pub fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            lines.push('\n');
            lines.push_str(indent);
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += letters;
    }
    lines
}

/// A number in JSON: up to 2^53, which every reader holds exactly, as one, and above it as a string of decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u128);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(count) if count <= 1 << 53 => serializer.serialize_u64(count),
            _ => serializer.collect_str(&self.0),
        }
    }
}

/// Beginning and end, half of `longest` each, when the text is longer than that.
fn ends(text: &str, longest: usize) -> Option<(&str, &str)> {
    text.char_indices().nth(longest)?;
    let half = longest / 2;
    let head = text.char_indices().nth(half)?.0;
    let tail = text.char_indices().rev().nth(half.checked_sub(1)?)?.0;
    Some((&text[..head], &text[tail..]))
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, character| {
        match character {
            '"' | '\'' => line.push(character),
            other => line.extend(other.escape_debug()),
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_print_is_escaped() {
        assert_eq!(printable("a\n\u{1b}[31m\u{202e}ü'\"", 99), "a\\n\\u{1b}[31m\\u{202e}ü'\"");
    }

    #[test]
    fn the_middle_of_a_long_text_is_left_out() {
        assert_eq!(printable("0123456789", 10), "0123456789");
        assert_eq!(printable("0123456789a", 10), "01234…6789a");
        assert_eq!(printable("ööööööööööö", 4), "öö…öö");
        assert!(printable(&"\u{7}".repeat(1 << 20), 60).len() < 600);
    }

    #[test]
    fn words_are_wrapped_and_kept() {
        assert_eq!(wrapped("one two  three", 7, "> "), "one two\n> three");
        assert_eq!(wrapped("extraordinary is it", 5, ""), "extraordinary\nis it");
        assert_eq!(wrapped("öö öö", 5, ""), "öö öö");
        assert_eq!(wrapped(" ", 5, "> "), "");
    }

    #[test]
    fn digits_come_in_threes() {
        assert_eq!([0, 999, 1_000, 2_674_368].map(grouped), ["0", "999", "1,000", "2,674,368"]);
    }
}
