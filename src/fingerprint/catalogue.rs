//! The products and what tells them: `data/fingerprints`, read once.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::glob::Glob;

/// Of several products that an answer fits, the first is named: special ones stand before what they are built upon.
const PRODUCTS: &[&str] = &[
    include_str!("../../data/fingerprints/firewalls.toml"),
    include_str!("../../data/fingerprints/proxies.toml"),
    include_str!("../../data/fingerprints/clouds.toml"),
    include_str!("../../data/fingerprints/hosts.toml"),
];
const SOURCES: &str = include_str!("../../data/fingerprints/sources.toml");

/// A product that blocks or intercepts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub kind: Kind,
    /// Where in it a host is exempted, where we know.
    #[serde(default)]
    pub exempt: Option<String>,
    #[serde(default)]
    pub(super) issuer: Vec<IssuerPattern>,
    #[serde(default)]
    pub(super) page: Vec<PagePattern>,
}

/// What a product is, and with it where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A firewall, gateway or router of the network.
    Firewall,
    /// A web proxy of the network.
    Proxy,
    /// A content filter of a school or a provider.
    Filter,
    /// A gateway in somebody's cloud.
    CloudGateway,
    /// A resolver that answers with the address of a page of its own.
    DnsFilter,
    /// An antivirus program on this host.
    Antivirus,
    /// An ad blocker on this host or its resolver.
    AdBlocker,
    /// A proxy on this host that somebody debugs with.
    DebuggingProxy,
}

/// What a page of a product says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Access is denied.
    #[default]
    Denied,
    /// The server could not be reached.
    Failed,
    /// Request or answer is too large.
    TooLarge,
    /// Who asks must log in first.
    Login,
}

/// Where a pattern is documented.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its title.
    pub title: String,
    /// Where it can be read; none where many places show the same.
    #[serde(default)]
    pub url: Option<String>,
    /// What stands behind it.
    pub basis: Basis,
    /// The licence of the source; none where nothing but a fact was taken from a document.
    #[serde(default)]
    pub licence: Option<String>,
}

/// What stands behind a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The maker's documentation.
    Vendor,
    /// Text or code of the program itself.
    Program,
    /// Answers that a measurement project recorded.
    Observed,
    /// What users quote in public reports.
    Reported,
}

/// An issuer's name, in parts that must all fit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerPattern {
    #[serde(default)]
    pub(super) common_name: Option<Glob>,
    #[serde(default)]
    pub(super) organization: Option<Glob>,
    pub(super) source: String,
}

/// An answer, in parts that must all fit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagePattern {
    #[serde(default)]
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) title: Option<Glob>,
    #[serde(default)]
    pub(super) body: Option<Glob>,
    #[serde(default)]
    pub(super) location: Option<Glob>,
    /// The name of a header, whose value must fit `value`.
    #[serde(default)]
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) value: Option<Glob>,
    #[serde(default)]
    pub(super) says: Says,
    pub(super) source: String,
}

/// One file of products.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Products {
    product: Vec<Product>,
}

/// Every product that is recognised.
pub fn products() -> &'static [Product] {
    static PARSED: OnceLock<Vec<Product>> = OnceLock::new();
    PARSED.get_or_init(|| PRODUCTS.iter().flat_map(|text| read::<Products>(text).product).collect())
}

/// Every source, by the key that patterns name it with.
pub fn sources() -> &'static BTreeMap<String, Source> {
    static PARSED: OnceLock<BTreeMap<String, Source>> = OnceLock::new();
    PARSED.get_or_init(|| read(SOURCES))
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the embedded fingerprints are sound")
}

impl Kind {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Proxy => "proxy",
            Self::Filter => "content filter",
            Self::CloudGateway => "cloud gateway",
            Self::DnsFilter => "DNS filter",
            Self::Antivirus => "antivirus",
            Self::AdBlocker => "ad blocker",
            Self::DebuggingProxy => "debugging proxy",
        }
    }

    /// Whether it runs on this host.
    #[must_use]
    pub fn on_this_host(self) -> bool {
        matches!(self, Self::Antivirus | Self::AdBlocker | Self::DebuggingProxy)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pattern_asks_for_something_and_names_its_source() {
        for product in products() {
            assert!(!product.issuer.is_empty() || !product.page.is_empty(), "{}", product.name);
            for pattern in &product.issuer {
                assert!(pattern.common_name.is_some() || pattern.organization.is_some(), "{}", product.name);
            }
            for pattern in &product.page {
                let header = pattern.header.is_some();
                assert_eq!(header, pattern.value.is_some(), "{}", product.name);
                let text = pattern.title.is_some() || pattern.body.is_some() || pattern.location.is_some();
                assert!(header || text, "{}", product.name);
            }
        }
    }

    #[test]
    fn sources_are_the_ones_that_patterns_name() {
        let issuers = products().iter().flat_map(|product| product.issuer.iter().map(|pattern| &pattern.source));
        let pages = products().iter().flat_map(|product| product.page.iter().map(|pattern| &pattern.source));
        let named: BTreeSet<&String> = issuers.chain(pages).collect();
        assert_eq!(named, sources().keys().collect());
        let public = |source: &&Source| source.url.as_deref().is_none_or(|url| url.starts_with("https://"));
        assert!(sources().values().all(|source| public(&source) && !source.title.is_empty()));
    }

    #[test]
    fn products_are_many_and_named_once() {
        let names: BTreeSet<&str> = products().iter().map(|product| product.name.as_str()).collect();
        assert_eq!(names.len(), products().len());
        assert!(names.len() >= 60, "{}", names.len());
        assert!(products().iter().all(|product| !product.vendor.is_empty() && !product.kind.name().is_empty()));
    }
}
