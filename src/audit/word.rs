//! Words that many formats share: addresses, prefixes, masks, ports, and how a word is cited.

use std::net::{IpAddr, Ipv4Addr};

use crate::prefix::{AddressRange, Family, Prefix};
use crate::text::printable;

/// A word of a configuration as it may stand in a message.
#[must_use]
pub fn cited(word: &str) -> String {
    format!("`{}`", printable(word, 64))
}

/// `address`, `prefix` or `first-last`; bits behind the length of a prefix are cleared, as devices do.
#[must_use]
pub fn address_range(word: &str) -> Option<AddressRange> {
    if let Some((first, last)) = word.split_once('-') {
        return AddressRange::new(first.trim().parse().ok()?, last.trim().parse().ok()?);
    }
    address_or_prefix(word).map(AddressRange::from)
}

/// `address`, `address/length` or, for IPv4, `address/mask`; bits behind the length are cleared.
#[must_use]
pub fn address_or_prefix(word: &str) -> Option<Prefix> {
    let Some((address, length)) = word.split_once('/') else {
        return word.parse().ok().map(Prefix::host);
    };
    let address: IpAddr = address.parse().ok()?;
    let length = match length.parse::<u8>() {
        Ok(length) => length,
        Err(_) => mask_length(length.parse().ok()?)?,
    };
    let longest = if Family::of(address) == Family::V4 { 32 } else { 128 };
    (length <= longest).then(|| Prefix::containing(address, length))
}

/// The length of a prefix from its mask (`255.255.0.0`); none where the ones are not all in front.
#[must_use]
pub fn mask_length(mask: Ipv4Addr) -> Option<u8> {
    let bits = mask.to_bits();
    let length = bits.leading_ones();
    let contiguous = bits.checked_shl(length).unwrap_or(0) == 0;
    contiguous.then(|| u8::try_from(length).expect("at most 32"))
}

/// The length of a prefix from its wildcard (`0.0.255.255`).
#[must_use]
pub fn wildcard_length(wildcard: Ipv4Addr) -> Option<u8> {
    mask_length(Ipv4Addr::from_bits(!wildcard.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Option<String> {
        address_range(word).map(|range| range.to_string())
    }

    #[test]
    fn addresses_prefixes_masks_and_ranges_are_read() {
        for (word, expected) in [
            ("10.0.0.1", "10.0.0.1-10.0.0.1"),
            ("10.0.0.1/24", "10.0.0.0-10.0.0.255"),
            ("10.0.0.0/255.255.254.0", "10.0.0.0-10.0.1.255"),
            ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
            ("2600::/16", "2600::-2600:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("::1", "::1-::1"),
        ] {
            assert_eq!(read(word).as_deref(), Some(expected), "{word}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/255.0.255.0", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "a", "::/129"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wildcard_is_a_mask_turned_over() {
        assert_eq!(wildcard_length([0, 0, 255, 255].into()), Some(16));
        assert_eq!(wildcard_length([0, 0, 0, 0].into()), Some(32));
        assert_eq!(wildcard_length([0, 255, 0, 255].into()), None);
        assert_eq!(mask_length([0, 0, 0, 0].into()), Some(0));
    }
}
