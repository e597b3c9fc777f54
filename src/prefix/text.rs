//! Prefixes as text. IPv4 is read and written here: the standard library takes three times as long, which is felt with a
//! million of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// Reads `address/length`, without regard to bits behind the length.
///
/// `ipnet`'s own reader takes `013.0.0.0`, which is 13 to some programs and 11 to others; this one and the standard
/// library's refuse it.
pub(super) fn read(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let length = read_length(length)?;
    let address = read_v4(address).map_or_else(|| address.parse().map(IpAddr::V6).ok(), |v4| Some(v4.into()))?;
    IpNet::new(address, length).ok()
}

fn read_v4(text: &str) -> Option<Ipv4Addr> {
    let (mut octets, mut complete, mut digits) = ([0_u8; 4], 0, 0_u8);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits == 0 || octets[complete] != 0 => {
                octets[complete] = octets[complete].checked_mul(10)?.checked_add(byte - b'0')?;
                digits += 1;
            }
            b'.' if digits > 0 && complete < 3 => (complete, digits) = (complete + 1, 0),
            _ => return None,
        }
    }
    (complete == 3 && digits > 0).then(|| octets.into())
}

/// A number up to 128 without leading zeros.
fn read_length(text: &str) -> Option<u8> {
    match *text.as_bytes() {
        [ones @ b'0'..=b'9'] => Some(ones - b'0'),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
        [b'1', tens @ b'0'..=b'2', ones @ b'0'..=b'9'] => Some(100 + (tens - b'0') * 10 + ones - b'0'),
        _ => None,
    }
}

/// Writes `address/length`.
pub(super) fn write(net: IpNet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match net {
        IpNet::V4(net) => write_v4(net, f),
        IpNet::V6(net) => fmt::Display::fmt(&net, f),
    }
}

/// The longest text is `255.255.255.255/32`.
fn write_v4(net: Ipv4Net, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut text, mut length) = ([0; 18], 0);
    let mut push = |byte| {
        text[length] = byte;
        length += 1;
    };
    for (number, end) in net.addr().octets().into_iter().zip(*b".../") {
        push_decimal(number, &mut push);
        push(end);
    }
    push_decimal(net.prefix_len(), &mut push);
    f.write_str(str::from_utf8(&text[..length]).expect("digits are text"))
}

fn push_decimal(number: u8, push: &mut impl FnMut(u8)) {
    if number >= 100 {
        push(b'0' + number / 100);
    }
    if number >= 10 {
        push(b'0' + number / 10 % 10);
    }
    push(b'0' + number % 10);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Shown(IpNet);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(self.0, f)
        }
    }

    proptest! {
        #[test]
        fn every_prefix_is_written_as_the_standard_library_does(address in any::<IpAddr>(), length in 0_u8..=128) {
            let length = if address.is_ipv4() { length % 33 } else { length };
            let net = IpNet::new(address, length).unwrap();
            prop_assert_eq!(Shown(net).to_string(), format!("{address}/{length}"));
            prop_assert_eq!(read(&format!("{address}/{length}")), Some(net));
        }

        #[test]
        fn an_address_is_read_where_the_standard_library_reads_one(text in "[0-9]{0,4}(\\.[0-9a-f:]{0,4}){2,4}") {
            prop_assert_eq!(read(&format!("{text}/8")).map(|net| net.addr()), text.parse().ok());
        }
    }

    #[test]
    fn every_octet_and_length_comes_back() {
        for number in 0..=255 {
            let text = format!("{number}.0.{number}.{}/{}", 255 - number, number % 33);
            assert_eq!(Shown(read(&text).unwrap()).to_string(), text);
        }
        for wrong in ["1.2.3.4/", "1.2.3.4/08", "1.2.3.4/256", "1.2.3.4/+8", "1.2.3.4//8", "256.0.0.0/8", "1..3.4/8"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
