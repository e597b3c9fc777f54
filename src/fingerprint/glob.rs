//! Texts with gaps: the one kind of pattern that fingerprints are written in.

use serde::Deserialize;

/// A text in which `*` stands for any text, compared without regard to case.
///
/// Matching looks at each character of the text once for each part, so that no text is slow to match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Glob {
    /// What stands between the stars, in lower case; one part alone has to be the whole text.
    parts: Vec<String>,
}

impl Glob {
    /// Whether it matches a text that is in lower case already.
    #[must_use]
    pub fn matches(&self, lower_case: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|whole| whole == lower_case);
        };
        let inner = lower_case.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
        inner.is_some_and(|inner| in_order(inner, middle))
    }
}

fn in_order(text: &str, parts: &[String]) -> bool {
    let after = |rest: &mut usize, part: &String| {
        let found = text[*rest..].find(part.as_str())?;
        *rest += found + part.len();
        Some(())
    };
    parts.iter().try_fold(0, |mut rest, part| after(&mut rest, part).map(|()| rest)).is_some()
}

impl From<String> for Glob {
    fn from(text: String) -> Self {
        Self { parts: text.to_lowercase().split('*').map(str::to_owned).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (glob, text, due) in [
            ("Zscaler", "zscaler", true),
            ("Zscaler", "zscaler inc.", false),
            ("Zscaler*", "zscaler inc.", true),
            ("Zscaler*", "zscaler", true),
            ("*.goskope.com", "ca.corp.goskope.com", true),
            ("*.goskope.com", "goskope.com", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*b*", "b a", false),
            ("*a*b*", "a b", true),
            ("*a*a*a*", "aa", false),
            ("*Ж*", "жук", true),
        ] {
            assert_eq!(Glob::from(glob.to_owned()).matches(text), due, "{glob} {text}");
        }
    }
}
