//! The forms in which devices write addresses.
//!
//! Bits behind a length or a mask are cleared, as devices do: what is written is what they match, not what somebody meant.

use std::net::{IpAddr, Ipv4Addr};

use crate::audit::word::{address_or_prefix, mask_length};
use crate::prefix::{AddressRange, Family, Prefix};

/// A single address.
pub(super) fn host(text: &str) -> Option<AddressRange> {
    let address = text.parse().ok()?;
    AddressRange::new(address, address)
}

/// An address with a length or a mask behind a slash.
pub(super) fn prefix(text: &str) -> Option<AddressRange> {
    text.contains('/').then(|| address_or_prefix(text))?.map(AddressRange::from)
}

/// An address and a netmask, which is contiguous.
pub(super) fn netmask(address: &str, mask: &str) -> Option<AddressRange> {
    let (address, mask): (Ipv4Addr, Ipv4Addr) = (address.parse().ok()?, mask.parse().ok()?);
    Some(Prefix::containing(address.into(), mask_length(mask)?).into())
}

/// First and last address.
pub(super) fn between(first: &str, last: &str) -> Option<AddressRange> {
    AddressRange::new(first.trim().parse().ok()?, last.trim().parse().ok()?)
}

/// All addresses of a family.
pub(super) fn all(family: Family) -> AddressRange {
    let zero: IpAddr = if family == Family::V4 { [0; 4].into() } else { [0; 16].into() };
    Prefix::containing(zero, 0).into()
}

/// The most ranges that a mask with holes is written out as.
const MOST_OF_WILDCARD: u32 = 4096;

/// What an address with a mask whose ones are of no account stands for; `Err` has the smallest network that holds all of
/// it, where the mask has too many holes to write them out.
pub(super) fn wildcard(address: &str, wildcard: &str) -> Option<Result<Vec<AddressRange>, AddressRange>> {
    let (address, wildcard): (Ipv4Addr, Ipv4Addr) = (address.parse().ok()?, wildcard.parse().ok()?);
    let (fixed, free) = (address.to_bits() & !wildcard.to_bits(), wildcard.to_bits());
    let tail = free.trailing_ones();
    let holes = free.checked_shr(tail).unwrap_or(0).checked_shl(tail).unwrap_or(0);
    if holes.count_ones() > MOST_OF_WILDCARD.ilog2() {
        let length = u8::try_from(free.leading_zeros()).expect("at most 32");
        return Some(Err(Prefix::containing(address.into(), length).into()));
    }
    let low = 1_u32.checked_shl(tail).map_or(u32::MAX, |size| size - 1);
    let range = |part: u32| AddressRange::new(v4(fixed | part), v4(fixed | part | low));
    Some(Ok(subsets(holes).filter_map(range).collect()))
}

fn v4(bits: u32) -> IpAddr {
    Ipv4Addr::from_bits(bits).into()
}

/// Every number that has no bit but those of the mask, in order.
fn subsets(mask: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(0_u32), move |&part| Some(part.wrapping_sub(mask) & mask).filter(|&next| next != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(range: Option<AddressRange>) -> String {
        range.map_or_else(|| "none".to_owned(), |range| range.to_string())
    }

    #[test]
    fn each_form_is_the_same_range() {
        let ranges = [
            prefix("192.0.2.0/24"),
            prefix("192.0.2.9/255.255.255.0"),
            netmask("192.0.2.9", "255.255.255.0"),
            between("192.0.2.0", "192.0.2.255"),
        ];
        for range in ranges {
            assert_eq!(shown(range), "192.0.2.0-192.0.2.255");
        }
        assert_eq!(shown(netmask("10.0.0.0", "255.0.255.0")), "none");
        assert_eq!(shown(Some(all(Family::V4))), "0.0.0.0-255.255.255.255");
    }

    #[test]
    fn a_wildcard_with_holes_is_written_out() {
        let ranges = |address, mask| {
            wildcard(address, mask).unwrap().map(|ranges| ranges.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(ranges("10.0.0.0", "0.0.0.255"), Ok(vec!["10.0.0.0-10.0.0.255".to_owned()]));
        let two = ["10.0.5.0-10.0.5.255", "10.1.5.0-10.1.5.255"].map(str::to_owned).to_vec();
        assert_eq!(ranges("10.0.5.0", "0.1.0.255"), Ok(two));
        assert_eq!(ranges("0.0.0.0", "255.255.255.255"), Ok(vec!["0.0.0.0-255.255.255.255".to_owned()]));
        assert_eq!(
            ranges("10.0.0.1", "0.255.255.0").map_err(|all| all.to_string()),
            Err("10.0.0.0-10.255.255.255".into())
        );
        assert_eq!(ranges("10.0.0.0", "0.0.0.1").unwrap(), ["10.0.0.0-10.0.0.1"]);
    }
}
