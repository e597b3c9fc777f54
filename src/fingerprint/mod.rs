//! Who interferes: products that are recognised by the certificates they issue and by the pages they show.
//!
//! The patterns are data (`data/fingerprints`), each with the place where it is documented. They are to be asked of what is
//! known to be wrong (a chain outside the root bundle, an answer that is not the expected one): they name who it is, and
//! never say whether something is wrong.

mod catalogue;
mod glob;
#[cfg(test)]
mod tests;

pub use catalogue::{Basis, Kind, Product, Says, Source, products, sources};

use catalogue::{IssuerPattern, PagePattern};
use glob::Glob;

/// Longer bodies are looked at as far as this: every known block page names itself in its head or first screen.
pub const BODY_BYTES: usize = 64 << 10;

/// The parts of a certificate's issuer, or of any name in the chain, that tell a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssuerName {
    /// The common name.
    pub common_name: Option<String>,
    /// The organization.
    pub organization: Option<String>,
}

/// The parts of an answer that tell a product.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageParts<'a> {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: &'a [(String, String)],
    /// Where it redirects to.
    pub location: Option<&'a str>,
    /// The title; see [`title`].
    pub title: Option<&'a str>,
    /// The body, or its beginning.
    pub body: &'a [u8],
}

/// A page that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Whose it is.
    pub product: &'static Product,
    /// What it says.
    pub says: Says,
    /// Which part of the answer tells: `header`, `location`, `title` or `body`.
    pub part: &'static str,
    /// Where that is documented.
    pub source: &'static Source,
}

/// The product that issues certificates under this name.
#[must_use]
pub fn issuer(name: &IssuerName) -> Option<&'static Product> {
    let lower = |part: &Option<String>| part.as_deref().map(str::to_lowercase);
    let (common_name, organization) = (lower(&name.common_name), lower(&name.organization));
    let fits = |pattern: &IssuerPattern| {
        fits(pattern.common_name.as_ref(), common_name.as_deref())
            && fits(pattern.organization.as_ref(), organization.as_deref())
    };
    products().iter().find(|product| product.issuer.iter().any(fits))
}

/// The product that answers with such a page.
#[must_use]
pub fn page(parts: &PageParts<'_>) -> Option<Match> {
    let page = Page::new(parts);
    products().iter().find_map(|product| {
        let pattern = product.page.iter().find(|pattern| page.fits(pattern))?;
        Some(Match { product, says: pattern.says, part: pattern.part(), source: &sources()[&pattern.source] })
    })
}

/// The title of an HTML page.
#[must_use]
pub fn title(body: &[u8]) -> Option<String> {
    let text = beginning(body);
    // ASCII alone, so that positions stay what they are.
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(one_spaced(&text[start..end]))
}

/// An answer in the form in which patterns are compared.
struct Page<'a> {
    status: u16,
    headers: &'a [(String, String)],
    location: Option<String>,
    title: Option<String>,
    body: String,
}

impl<'a> Page<'a> {
    fn new(parts: &PageParts<'a>) -> Self {
        Self {
            status: parts.status,
            headers: parts.headers,
            location: parts.location.map(str::to_lowercase),
            title: parts.title.map(|title| one_spaced(title).to_lowercase()),
            body: one_spaced(&beginning(parts.body)).to_lowercase(),
        }
    }

    fn fits(&self, pattern: &PagePattern) -> bool {
        pattern.status.is_none_or(|status| status == self.status)
            && fits(pattern.title.as_ref(), self.title.as_deref())
            && fits(pattern.location.as_ref(), self.location.as_deref())
            && self.has_header(pattern)
            && fits(pattern.body.as_ref(), Some(&self.body))
    }

    fn has_header(&self, pattern: &PagePattern) -> bool {
        let (Some(name), Some(value)) = (&pattern.header, &pattern.value) else { return true };
        let fits = |(found, text): &(String, String)| {
            found.eq_ignore_ascii_case(name) && value.matches(text.trim().to_lowercase().as_str())
        };
        self.headers.iter().any(fits)
    }
}

impl PagePattern {
    /// The part that says most.
    fn part(&self) -> &'static str {
        let parts =
            [(self.header.is_some(), "header"), (self.location.is_some(), "location"), (self.title.is_some(), "title")];
        parts.iter().find(|(named, _)| *named).map_or("body", |(_, part)| part)
    }
}

/// A pattern that is absent asks for nothing; a text that is absent fits no pattern.
fn fits(pattern: Option<&Glob>, lower_case: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| lower_case.is_some_and(|text| pattern.matches(text)))
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(BODY_BYTES)]).into_owned()
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
