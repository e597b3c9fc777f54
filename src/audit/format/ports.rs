//! Ports, as devices write them.

/// A port by its number or by the name that devices have for it; none where the name is another.
pub(super) fn port(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    NAMES.iter().find(|(name, _)| *name == text).map(|(_, port)| *port)
}

/// Whether a port is in `443`, `443-445` or `https`; none where that is none of these.
pub(super) fn in_range(text: &str, asked: u16) -> Option<bool> {
    match text.split_once(['-', ':']).filter(|_| port(text).is_none()) {
        Some((first, last)) => Some((port(first.trim())?..=port(last.trim())?).contains(&asked)),
        None => Some(port(text)? == asked),
    }
}

/// Whether a port is in a list of such; none where a part of it is not understood.
pub(super) fn in_list(text: &str, asked: u16) -> Option<bool> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| in_range(part, asked)).try_fold(false, |any, part| Some(any | part?))
}

/// The names of TCP ports that Cisco's, Juniper's and other command lines take.
const NAMES: [(&str, u16); 58] = [
    ("afs", 1483),
    ("aol", 5190),
    ("bgp", 179),
    ("chargen", 19),
    ("cifs", 3020),
    ("citrix-ica", 1494),
    ("cmd", 514),
    ("ctiqbe", 2748),
    ("daytime", 13),
    ("discard", 9),
    ("domain", 53),
    ("dns", 53),
    ("echo", 7),
    ("exec", 512),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("h323", 1720),
    ("hostname", 101),
    ("http", 80),
    ("https", 443),
    ("ident", 113),
    ("imap", 143),
    ("imap4", 143),
    ("imaps", 993),
    ("irc", 194),
    ("kerberos", 88),
    ("klogin", 543),
    ("kshell", 544),
    ("ldap", 389),
    ("ldaps", 636),
    ("login", 513),
    ("lotusnotes", 1352),
    ("lpd", 515),
    ("msrpc", 135),
    ("netbios-ssn", 139),
    ("nfs", 2049),
    ("nntp", 119),
    ("ntp", 123),
    ("pcanywhere-data", 5631),
    ("pim-auto-rp", 496),
    ("pop2", 109),
    ("pop3", 110),
    ("pop3s", 995),
    ("pptp", 1723),
    ("rsh", 514),
    ("rtsp", 554),
    ("sip", 5060),
    ("smtp", 25),
    ("sqlnet", 1521),
    ("ssh", 22),
    ("sunrpc", 111),
    ("tacacs", 49),
    ("talk", 517),
    ("telnet", 23),
    ("whois", 43),
    ("www", 80),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_ranges() {
        assert_eq!(
            [port("443"), port("https"), port("nonsense"), port("70000"), port("")],
            [Some(443), Some(443), None, None, None]
        );
        assert_eq!(in_list("80,440-450", 443), Some(true));
        assert_eq!(in_list("80, 8443", 443), Some(false));
        assert_eq!(in_range("www-https", 443), Some(true));
        assert_eq!(in_range("ftp-data", 443), Some(false));
        assert_eq!(in_list("80,what", 443), None);
        assert_eq!(in_list("443-", 443), None);
    }
}
