//! From any prefixes to the fewest.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Prefix;

/// The fewest prefixes that hold the same addresses, in order.
///
/// The families are kept apart: an IPv4 prefix takes 5 bytes then, and 18 otherwise.
pub fn aggregate(prefixes: impl IntoIterator<Item = Prefix>) -> impl Iterator<Item = Prefix> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for prefix in prefixes {
        match prefix.to_ipnet() {
            IpNet::V4(net) => v4.push(net),
            IpNet::V6(net) => v6.push(net),
        }
    }
    let (v4, v6) = (Ipv4Net::aggregate(&v4), Ipv6Net::aggregate(&v6));
    v4.into_iter().map(Prefix::from).chain(v6.into_iter().map(Prefix::from))
}
