use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::prefix::Prefix;

fn written(format: RuleFormat, name: &str, text: &str) -> String {
    let prefixes = if format.capability().families == Families::V4Only { &LISTED[..2] } else { &LISTED[..] };
    let listed = prefixes.iter().map(|prefix| (prefix.parse::<Prefix>().expect("a prefix"), text.to_owned()));
    let request = Request {
        format,
        name,
        source: text,
        origin: text,
        selected: &Selected::new(listed),
        intent: Intent::Replace,
        ports: &[443],
        hosts: &[],
        max_entries: None,
        overflow: Overflow::Fail,
    };
    let mut out = String::new();
    format.write(&request.rules().expect("it fits"), &mut out).expect("a String takes everything");
    out
}

const LISTED: [&str; 4] = ["13.32.0.0/15", "56.125.47.0/32", "2600:9000:2000::/36", "2600:9000::1/128"];

/// How often each character occurs that means something in any syntax.
fn signs(text: &str) -> BTreeMap<char, usize> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._:/,-".contains(c);
    text.chars().filter(|c| !plain(*c)).fold(BTreeMap::new(), |mut signs, sign| {
        *signs.entry(sign).or_default() += 1;
        signs
    })
}

/// Letters and digits in place of what becomes nothing, so that both have a comment or none.
fn harmless(text: &str) -> &str {
    if clean(text, 100).is_empty() { "" } else { "a" }
}

#[test]
fn every_format_has_a_name_of_its_own() {
    for &format in RuleFormat::ALL {
        assert_eq!(RuleFormat::named(format.name()), Some(format));
        assert!(format.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        assert!(!format.title().is_empty() && !format.capability().validated_by.is_empty(), "{format}");
    }
    assert!(RuleFormat::ALL.len() > 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_name_and_no_comment_changes_what_a_rule_does(name in ".*|[\"'`$(){}\\[\\];<>&|\\\\#%!\n\r-]*", text in ".{0,80}|[\"'`$(){}\\[\\];<>&|\\\\#%!\n\r-]*") {
        for &format in RuleFormat::ALL {
            let (hostile, plain) = (written(format, &name, &text), written(format, "a", harmless(&text)));
            prop_assert!(hostile.is_ascii(), "{}", format);
            prop_assert_eq!(signs(&hostile), signs(&plain), "{}", format);
        }
    }
}
