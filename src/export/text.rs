//! Text and names as every device takes them.

use super::rules::{Group, Rules};
use crate::prefix::Prefix;

/// What names a device takes.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// The most bytes.
    pub longest: usize,
    /// The characters besides letters and digits; the first of them stands for what is not taken.
    pub others: &'static str,
    /// Whether letters are lower case.
    pub lower: bool,
}

/// Whether objects may be called so: what every device takes once it is cut to its length.
#[must_use]
pub fn is_object_name(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    plain && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() <= 63
}

impl Naming {
    /// Letters, digits, `-`, `_` and `.`, as most devices take them.
    #[must_use]
    pub const fn of(longest: usize) -> Self {
        Self { longest, others: "-_.", lower: false }
    }

    /// Letters, digits and `_`, as programming languages take them.
    #[must_use]
    pub const fn identifier(longest: usize) -> Self {
        Self { longest, others: "_", lower: false }
    }

    /// Lower case, digits and `-`, as DNS labels are.
    #[must_use]
    pub const fn label(longest: usize) -> Self {
        Self { longest, others: "-", lower: true }
    }

    /// The base and what tells it from its siblings; the base is cut where both are too long.
    #[must_use]
    pub fn name(&self, base: &str, suffix: &str) -> String {
        let suffix = self.taken(suffix);
        let mut name = self.taken(base);
        name.truncate(self.longest.saturating_sub(suffix.len()));
        // A name that was cut at a separator would be refused where a name ends in a letter or a digit.
        name.truncate(name.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
        name + &suffix
    }

    /// The name of the object of a group.
    #[must_use]
    pub fn group(&self, rules: &Rules, group: &Group<'_>) -> String {
        self.name(rules.name(), &group.suffix())
    }

    /// The name of an object for one prefix: made of the prefix, so that no other entry can change it.
    #[must_use]
    pub fn prefix(&self, rules: &Rules, prefix: Prefix) -> String {
        let text: String = prefix.to_string().replace(':', "_").replace('/', "-");
        self.name(rules.name(), &format!("-{text}"))
    }

    /// ASCII alone, so that bytes are characters.
    fn taken(&self, text: &str) -> String {
        let stand_in = self.others.chars().next().unwrap_or('_');
        let keep = |c: char| if c.is_ascii_alphanumeric() || self.others.contains(c) { c } else { stand_in };
        let name = text.chars().map(keep).collect::<String>();
        if self.lower { name.to_ascii_lowercase() } else { name }
    }
}

/// Text that is harmless in every syntax: anything else than letters, digits, space and `._:/,-` becomes `_`, and it
/// begins with a letter or a digit.
///
/// No device's comment needs more, and what no syntax knows as special needs no escaping in any.
#[must_use]
pub fn clean(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " ._:/,-".contains(c) { c } else { '_' };
    let text: String = text.chars().map(plain).skip_while(|c| !c.is_ascii_alphanumeric()).take(longest).collect();
    text.trim_end().to_owned()
}

/// A name that begins with a letter; `cloudfront` where nothing is left.
#[must_use]
pub(super) fn base_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = text.chars().map(plain).take(63).collect();
    match name.trim_start_matches(|c: char| !c.is_ascii_alphabetic()) {
        "" => "cloudfront".to_owned(),
        name => name.to_owned(),
    }
}

/// What can stand in a host name; the name itself was judged where it came in.
pub(super) fn host_name(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_what_tells_them_apart() {
        assert_eq!(Naming::of(31).name("CloudFront list", "-v4"), "CloudFront-list-v4");
        assert_eq!(Naming::identifier(12).name("cloudfront-allowlist", "-v6"), "cloudfron_v6");
        assert_eq!(Naming::label(14).name("Cloud-Front", "-2of3"), "cloud-fro-2of3");
        assert_eq!(Naming::label(11).name("Cloud-Front", "-2of3"), "cloud-2of3");
    }

    #[test]
    fn hostile_text_is_plain_text() {
        assert_eq!(clean("=a\"\n$(b)%;\u{fc}#'`\\", 99), "a____b________");
        assert_eq!(clean("  long text  ", 5), "long");
        assert_eq!(base_name("\n9;"), "cloudfront");
        assert_eq!(base_name("7-acme list"), "acme_list");
    }
}
