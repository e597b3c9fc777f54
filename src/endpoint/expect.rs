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
    special_purpose(Prefix::host(translated(address))).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(change: impl Fn(&mut Endpoint)) -> Endpoint {
        let mut endpoint = Endpoint::defaults().remove(1);
        change(&mut endpoint);
        endpoint
    }

    fn head(status: u16, headers: &[(&str, &str)]) -> HttpDetail {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpDetail { status: Some(status), headers, ..HttpDetail::default() }
    }

    const PAGE: (&str, &str) = ("content-type", "text/html; charset=utf-8");

    #[test]
    fn answers_are_held_against_what_is_expected() {
        let get = || endpoint(|_| {});
        let put = || endpoint(|endpoint| endpoint.method = Some(crate::endpoint::Method::Put));
        let typed = || endpoint(|e| _ = e.expect_header.insert("content-type".into(), "image/png".into()));
        let inside = || endpoint(|endpoint| endpoint.must_be_in = Inside::Cloudfront);
        let status = |status| Some(Failure::from(HttpFailure::Status(status)));
        let (wrong, page) = (Some(HttpFailure::WrongServer.into()), Some(HttpFailure::BlockPage.into()));
        let table: [(Endpoint, HttpDetail, bool, Option<Failure>); 11] = [
            (get(), head(200, &[]), false, None),
            (get(), head(404, &[]), false, status(404)),
            (get(), head(404, &[PAGE]), true, status(404)),
            (get(), head(404, &[PAGE]), false, page.clone()),
            (get(), head(404, &[PAGE, ("x-cache", "Error from cloudfront")]), false, status(404)),
            (put(), head(413, &[]), true, Some(TransferFailure::RefusedSize.into())),
            (put(), head(415, &[]), true, Some(TransferFailure::RefusedType.into())),
            (typed(), head(200, &[("content-type", "image/png")]), true, None),
            (typed(), head(200, &[PAGE]), false, page.clone()),
            (inside(), head(200, &[]), true, wrong),
            (inside(), head(200, &[("x-amz-cf-pop", "HKG62-P1")]), true, None),
        ];
        for (endpoint, head, authenticated, failure) in table {
            assert_eq!(endpoint.misanswered_by(&head, authenticated), failure, "{head:?}");
        }
        let known = HttpDetail { product: Some("Squid".into()), ..head(200, &[]) };
        assert_eq!(get().misanswered_by(&known, true), page);
        assert_eq!(get().denied_by(&head(200, &[PAGE])), None);
        assert_eq!(get().denied_by(&head(403, &[PAGE])), page);
    }

    #[test]
    fn bodies_are_held_against_length_and_hash() {
        let body = TransferDetail { received_bytes: 3, sha256: Some("AB".repeat(32)), ..TransferDetail::default() };
        let changed = |change: &dyn Fn(&mut Endpoint)| endpoint(change).changed(&head(200, &[]), &body, true);
        assert_eq!(changed(&|_| {}), None);
        assert_eq!(changed(&|endpoint| endpoint.expect_bytes = Some(3)), None);
        assert_eq!(changed(&|endpoint| endpoint.expect_bytes = Some(4)), Some(TransferFailure::Changed.into()));
        assert_eq!(changed(&|endpoint| endpoint.expect_sha256 = Some("ab".repeat(32))), None);
        let other = |endpoint: &mut Endpoint| endpoint.expect_sha256 = Some("cd".repeat(32));
        assert_eq!(changed(&other), Some(TransferFailure::Changed.into()));
        let short = TransferDetail { cut_short: true, ..body.clone() };
        assert_eq!(endpoint(other).changed(&head(200, &[]), &short, true), None);
    }

    #[test]
    fn addresses_are_held_against_the_published_ranges() {
        let published: PrefixSet = ["13.32.0.0/15".parse::<Prefix>().unwrap()].into_iter().collect();
        let misled = |inside, text: &str| {
            let endpoint = endpoint(|endpoint| endpoint.must_be_in = inside);
            let address: IpAddr = text.parse().unwrap();
            endpoint.misled_by(&[address], &published).map(|failure| failure.name())
        };
        for (address, any, inside) in [
            ("13.32.0.1", None, None),
            ("64:ff9b::d20:1", None, None),
            ("198.18.0.1", None, Some("dns_bogon")),
            ("10.0.0.1", None, Some("dns_bogon")),
            ("8.8.8.8", None, Some("dns_outside_ranges")),
            ("0.0.0.0", Some("dns_bogon"), Some("dns_bogon")),
            ("127.0.0.1", Some("dns_bogon"), Some("dns_bogon")),
            ("fe80::1", Some("dns_bogon"), Some("dns_bogon")),
        ] {
            assert_eq!((misled(Inside::Any, address), misled(Inside::Cloudfront, address)), (any, inside), "{address}");
        }
    }
}
