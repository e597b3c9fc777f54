//! The functions on host names and addresses. What asks a name server is given the answer.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Servers take URLs of some 8,000 characters; the worst expression on such a text is matched within a tenth of a second.
const LONGEST_TEXT: usize = 8 << 10;

/// Whether the host is a name without a domain.
#[must_use]
pub fn is_plain_host_name(host: &str) -> bool {
    !host.contains(['.', ':'])
}

/// Whether the host ends with the domain.
#[must_use]
pub fn dns_domain_is(host: &str, domain: &str) -> bool {
    host.to_ascii_lowercase().ends_with(&domain.to_ascii_lowercase())
}

/// Whether the host is the given one, or its first label.
#[must_use]
pub fn local_host_or_domain_is(host: &str, full: &str) -> bool {
    let (host, full) = (host.to_ascii_lowercase(), full.to_ascii_lowercase());
    full.strip_prefix(&host).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// How many dots the host has.
#[must_use]
pub fn dns_domain_levels(host: &str) -> usize {
    host.matches('.').count()
}

/// Whether the text matches a shell expression: `*` stands for any text, `?` for one character, `[a-z]` for one of a set
/// and `[^a-z]` for one outside it.
///
/// Takes no longer than the product of both lengths; texts that are longer than any URL match nothing.
#[must_use]
pub fn sh_exp_match(text: &str, expression: &str) -> bool {
    if text.len().max(expression.len()) > LONGEST_TEXT {
        return false;
    }
    let (text, parts): (Vec<char>, Vec<Part>) = (text.chars().collect(), parts(expression));
    let (mut at, mut part) = (0, 0);
    // The part behind the last star, and where in the text it was tried.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::AnyText) => {
                part += 1;
                star = Some((part, at));
            }
            Some(one) if one.takes(text[at]) => {
                at += 1;
                part += 1;
            }
            _ => {
                let Some((behind, tried)) = star else { return false };
                star = Some((behind, tried + 1));
                (at, part) = (tried + 1, behind);
            }
        }
    }
    parts[part..].iter().all(|rest| matches!(rest, Part::AnyText))
}

/// A part of a shell expression.
enum Part {
    AnyText,
    AnyLetter,
    Letter(char),
    Set { within: bool, ranges: Vec<(char, char)> },
}

impl Part {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::AnyText => false,
            Self::AnyLetter => true,
            Self::Letter(wanted) => *wanted == letter,
            Self::Set { within, ranges } => ranges.iter().any(|&(from, to)| (from..=to).contains(&letter)) == *within,
        }
    }
}

fn parts(expression: &str) -> Vec<Part> {
    let (mut parts, mut rest) = (Vec::new(), expression);
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        parts.push(match letter {
            '*' => Part::AnyText,
            '?' => Part::AnyLetter,
            '[' => match rest.split_once(']').filter(|(inside, _)| !inside.is_empty()) {
                Some((inside, after)) => {
                    rest = after;
                    set(inside)
                }
                None => Part::Letter('['),
            },
            other => Part::Letter(other),
        });
    }
    parts
}

/// What stands in brackets.
fn set(inside: &str) -> Part {
    let bare = inside.strip_prefix(['^', '!']);
    let letters: Vec<char> = bare.unwrap_or(inside).chars().collect();
    let (mut rest, mut ranges) = (letters.as_slice(), Vec::new());
    while let Some((&first, after)) = rest.split_first() {
        let (last, after) = match after {
            ['-', last, after @ ..] => (*last, after),
            _ => (first, after),
        };
        ranges.push((first, last));
        rest = after;
    }
    Part::Set { within: bare.is_none(), ranges }
}

/// Whether the IPv4 address and the pattern are equal in the bits of the mask.
#[must_use]
pub fn is_in_net(address: Ipv4Addr, pattern: &str, mask: &str) -> bool {
    let (Ok(pattern), Ok(mask)) = (pattern.parse::<Ipv4Addr>(), mask.parse::<Ipv4Addr>()) else { return false };
    address & mask == pattern & mask
}

/// Whether the address is in the prefix.
#[must_use]
pub fn is_in_net_ex(address: IpAddr, prefix: &str) -> bool {
    prefix.parse::<IpNet>().is_ok_and(|prefix| prefix.contains(&address))
}

/// The four bytes of an IPv4 address as JavaScript's bit operations make them one signed number; 0 for anything else.
#[must_use]
pub fn convert_addr(text: &str) -> i32 {
    text.parse::<Ipv4Addr>().map_or(0, |address| i32::from_be_bytes(address.octets()))
}

/// The addresses of a list with `;` between them, IPv6 before IPv4, each in its order; empty if one is no address.
#[must_use]
pub fn sort_ip_address_list(list: &str) -> String {
    let parsed: Result<Vec<IpAddr>, _> = list.split(';').map(|text| text.trim().parse()).collect();
    let Ok(mut addresses) = parsed else { return String::new() };
    addresses.sort_by_key(|address| (address.is_ipv4(), *address));
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_by_their_names() {
        assert!(is_plain_host_name("intranet"));
        assert!(!is_plain_host_name("www.example.com") && !is_plain_host_name("::1"));
        assert!(dns_domain_is("www.Example.com", ".example.COM") && dns_domain_is("notexample.com", "example.com"));
        assert!(!dns_domain_is("www", ".example.com"));
        assert!(local_host_or_domain_is("www.example.com", "www.example.com"));
        assert!(local_host_or_domain_is("www", "www.example.com"));
        assert!(!local_host_or_domain_is("www.other.com", "www.example.com"));
        assert!(!local_host_or_domain_is("w", "www.example.com"));
        assert_eq!(["www", "www.example.com"].map(dns_domain_levels), [0, 2]);
    }

    #[test]
    fn shell_expressions_match_the_whole_text() {
        for (text, expression, due) in [
            ("http://x.example/a/b.html", "*/a/*", true),
            ("http://x.example/a", "*/b/*", false),
            ("www.example.com", "*.example.com", true),
            ("www.example.com", "www.example", false),
            ("wwwXexample.com", "www.example.com", false),
            ("abc", "a?c", true),
            ("ac", "a?c", false),
            ("", "*", true),
            ("", "?", false),
            ("", "", true),
            ("ab", "a[b]", true),
            ("a[b]", "a[b]", false),
            ("a5", "a[0-9]", true),
            ("ax", "a[0-9]", false),
            ("ax", "a[^0-9]", true),
            ("a5", "a[!0-9]", false),
            ("a-", "a[x-]", true),
            ("a[", "a[", true),
            ("a[]", "a[]", true),
            ("web17.example", "web[1-9]*.example", true),
            ("aab", "*ab", true),
            ("mississippi", "m*issip*i", true),
            ("жук", "ж?к", true),
        ] {
            assert_eq!(sh_exp_match(text, expression), due, "{text} {expression}");
        }
        let worst = |length: usize| (format!("*{}b", "a".repeat(length / 2)), "a".repeat(length));
        let ((slow, text), (too_long, longer)) = (worst(LONGEST_TEXT), worst(LONGEST_TEXT + 1));
        assert!(!sh_exp_match(&text, &slow) && !sh_exp_match(&longer, &too_long));
        assert!(sh_exp_match(&text, "*") && !sh_exp_match(&longer, "*"));
    }

    #[test]
    fn addresses_are_compared_in_the_bits_of_a_mask() {
        let address = Ipv4Addr::new(198, 95, 249, 79);
        for (pattern, mask, due) in [
            ("198.95.249.79", "255.255.255.255", true),
            ("198.95.0.0", "255.255.0.0", true),
            ("198.96.0.0", "255.255.0.0", false),
            ("198.95.0.0", "nonsense", false),
            ("198.95.0.0/16", "255.255.0.0", false),
        ] {
            assert_eq!(is_in_net(address, pattern, mask), due, "{pattern} {mask}");
        }
        assert!(is_in_net_ex("2001:db8::1".parse().unwrap(), "2001:db8::/32"));
        assert!(!is_in_net_ex("2001:db8::1".parse().unwrap(), "10.0.0.0/8"));
        assert!(!is_in_net_ex(address.into(), "198.95.0.0"));
        assert_eq!(convert_addr("104.16.41.2"), 1_745_889_538);
        assert_eq!(convert_addr("192.168.0.1"), -1_062_731_775);
        assert_eq!(convert_addr("x"), 0);
    }

    #[test]
    fn addresses_are_sorted_by_family() {
        assert_eq!(sort_ip_address_list("10.2.3.9;2001:4898::2;::1;127.0.0.1"), "::1;2001:4898::2;10.2.3.9;127.0.0.1");
        assert_eq!(sort_ip_address_list("10.2.3.9;x"), "");
        assert_eq!(sort_ip_address_list(""), "");
    }
}
