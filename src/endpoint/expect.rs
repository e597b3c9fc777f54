//! What an endpoint is expected to answer, held against what it did.

use std::net::IpAddr;

use super::{Endpoint, HttpDetail, Inside, TransferDetail};
use crate::observe::{DnsFailure, Failure, HttpFailure, TransferFailure};
use crate::prefix::{Prefix, PrefixSet, special_purpose};

impl Endpoint {
    /// What is wrong with the addresses that a resolver gives.
    ///
    /// An address that was asked for by number is the admin's own word.
    #[must_use]
    pub fn misled_by(&self, answers: &[IpAddr], published: &PrefixSet) -> Option<Failure> {
        let inside = self.must_be_in == Inside::Cloudfront;
        let bogon = |address: &&IpAddr| if inside { is_special(**address) } else { is_nowhere(**address) };
        let outside = |address: &&IpAddr| inside && !published.holds(translated(**address));
        let bogon = answers.iter().find(bogon).map(|address| DnsFailure::Bogon(*address));
        let outside = || answers.iter().find(outside).map(|address| DnsFailure::OutsideRanges(*address));
        bogon.or_else(outside).map(Failure::from)
    }

    /// What is wrong with the head of an answer.
    ///
    /// A server that proved who it is means what it says, unless the page is a product's that is known: pages of others
    /// are taken for a block page only where nobody proved anything.
    #[must_use]
    pub fn misanswered_by(&self, head: &HttpDetail, authenticated: bool) -> Option<Failure> {
        let status = head.status?;
        let foreign_page = head.product.is_some() || (head.is_page() && !authenticated && !head.is_from_cloudfront());
        let other = |failure: HttpFailure| if foreign_page { HttpFailure::BlockPage } else { failure };
        match status {
            413 if self.body().is_some() => return Some(TransferFailure::RefusedSize.into()),
            415 if self.body().is_some() => return Some(TransferFailure::RefusedType.into()),
            _ if !self.expects(status) => return Some(other(HttpFailure::Status(status)).into()),
            _ => {}
        }
        let kept = |(name, value): (&String, &String)| {
            head.header(&name.to_ascii_lowercase()).is_some_and(|kept| kept.eq_ignore_ascii_case(value))
        };
        let wrong = !self.expect_header.iter().all(kept)
            || (self.must_be_in == Inside::Cloudfront && !head.is_from_cloudfront());
        (wrong || head.product.is_some()).then(|| other(HttpFailure::WrongServer).into())
    }

    /// Whether somebody who proved nothing, and was asked for nothing but `/`, denies access: his home page is no denial.
    #[must_use]
    pub fn denied_by(&self, head: &HttpDetail) -> Option<Failure> {
        // Forbidden, unavailable for legal reasons, and a portal that wants a login (RFC 9110, RFC 7725, RFC 6585).
        let denied = head.product.is_some() || matches!(head.status, Some(403 | 451 | 511));
        denied.then(|| HttpFailure::BlockPage.into())
    }

    /// What is wrong with a body that passed.
    #[must_use]
    pub fn changed(&self, head: &HttpDetail, transfer: &TransferDetail, authenticated: bool) -> Option<Failure> {
        if transfer.cut_short {
            return None;
        }
        let length = self.expect_bytes.is_some_and(|bytes| bytes != transfer.received_bytes);
        let hash = || {
            let (expected, seen) = (self.expect_sha256.as_deref()?, transfer.sha256.as_deref()?);
            Some(!expected.eq_ignore_ascii_case(seen))
        };
        let changed = length || hash().unwrap_or(false);
        let page = head.is_page() && !authenticated;
        changed.then(|| if page { HttpFailure::BlockPage.into() } else { TransferFailure::Changed.into() })
    }
}

/// An address that no public server has.
fn is_special(address: IpAddr) -> bool {
    special_purpose(Prefix::host(address)).is_some()
}

/// The IPv4 address that a translator reaches under this one (RFC 6052, the well-known prefix), or the address itself.
fn translated(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::from([a, b, c, d])
        }
        _ => address,
    }
}

/// An address that no server at all has, other than this host. A private address may be a company's own way to a service.
fn is_nowhere(address: IpAddr) -> bool {
    let linked = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    linked || address.is_unspecified() || address.is_loopback() || address.is_multicast()
}
