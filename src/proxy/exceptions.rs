//! `no_proxy`: the hosts that no proxy is asked for.

use std::net::IpAddr;

use ipnet::IpNet;

/// The hosts of a `no_proxy`, with the meaning that curl gives it.
///
/// Entries stand between commas or spaces. A name stands for itself and for all names below it, with or without a dot
/// before it; an address for itself; a prefix for its addresses. `*` alone stands for every host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    all: bool,
    networks: Vec<IpNet>,
    names: Vec<String>,
}

impl Exceptions {
    /// Reads it; what is neither name nor address matches nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "*" {
            return Self { all: true, ..Self::default() };
        }
        let mut exceptions = Self::default();
        for entry in text.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty()) {
            match network(entry) {
                Some(network) => exceptions.networks.push(network),
                None => exceptions.names.push(plain(entry)),
            }
        }
        exceptions
    }

    /// Whether the host, a name or an address without brackets, is one of them.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        if self.all {
            return true;
        }
        match host.parse::<IpAddr>() {
            Ok(address) => self.networks.iter().any(|network| network.contains(&address)),
            Err(_) => self.names.iter().any(|name| is_below(&plain(host), name)),
        }
    }
}

/// An address or a prefix, IPv6 in brackets or not.
fn network(entry: &str) -> Option<IpNet> {
    let bare = |text: &str| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text).to_owned();
    match entry.split_once('/') {
        Some((address, length)) => {
            let address: IpAddr = bare(address).parse().ok()?;
            IpNet::new(address, length.parse().ok()?).ok()
        }
        None => bare(entry).parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// In lower case, without dots at either end.
fn plain(name: &str) -> String {
    let name = name.strip_prefix('.').unwrap_or(name);
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| !name.is_empty() && (rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line was asked of curl 7.88.1 too, with the answer that stands here, but for two mistakes of curl's: a length of
    /// 0 is taken for none, and `2001:db9::1` for a part of `2001:db8::/32`.
    const CASES: &[(&str, &str, bool)] = &[
        ("*", "anything.example", true),
        (" * ", "anything.example", false),
        ("example.com", "example.com", true),
        ("example.com", "www.example.com", true),
        ("example.com", "notexample.com", false),
        (".example.com", "www.example.com", true),
        (".example.com", "example.com", true),
        ("EXAMPLE.com", "www.Example.COM", true),
        ("example.com.", "example.com", true),
        ("example.com", "example.com.", true),
        ("*.example.com", "www.example.com", false),
        ("example.com,*", "other.example", false),
        ("a.example, b.example", "b.example", true),
        ("a.example b.example", "b.example", true),
        ("a.example,,b.example", "b.example", true),
        ("", "example.com", false),
        (",", "example.com", false),
        ("10.0.0.1", "10.0.0.1", true),
        ("10.0.0.1", "10.0.0.10", false),
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.9.9.9/8", "10.0.0.1", true),
        ("10.0.0.0/33", "10.0.0.1", false),
        ("10.0.0.0/8", "10.example", false),
        ("2001:db8::1", "2001:db8::1", true),
        ("[2001:db8::1]", "2001:db8::1", true),
        ("2001:db8::/32", "2001:db8:1::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("0.0.0.0/0", "10.0.0.1", true),
        ("0.0.0.0/0", "2001:db8::1", false),
    ];

    #[test]
    fn exceptions_are_those_of_curl() {
        for (text, host, due) in CASES {
            assert_eq!(Exceptions::parse(text).covers(host), *due, "no_proxy={text:?} {host}");
        }
    }
}
