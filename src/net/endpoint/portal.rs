//! Captive portals: plain HTTP for a path that no server has, and what answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::http::{Asked, Session};
use super::resolve::Asker;
use crate::endpoint::{Endpoint, EndpointUrl, HttpVersion, PortalSign};
use crate::net::stream::TcpConnection;
use crate::prefix::Family;

/// A portal answers from nearby.
const LIMIT: Duration = Duration::from_secs(3);
/// No server has it: who answers with a page answers everything with a page.
const PATH: &str = "/egressd-is-there-a-portal";

/// The family over which plain HTTP is answered at all, and what answers in the place of the endpoint's server.
pub(super) async fn sign(endpoint: Option<&Endpoint>, askers: &[Asker]) -> (Option<Family>, Option<PortalSign>) {
    let Some(endpoint) = endpoint else { return (None, None) };
    let Some(address) = address(endpoint, askers).await else { return (None, None) };
    let Ok(connection) = TcpConnection::connect(address, None, LIMIT).await else { return (None, None) };
    let family = Some(Family::of(address.ip()));
    let url = EndpointUrl::parse(&format!("http://{}{PATH}", host(&endpoint.url))).expect("made of a URL's host");
    let answered = timeout(LIMIT, ask(&url, connection)).await.ok().flatten();
    (family, answered.and_then(|(status, location)| judge(&url, status, location)))
}

fn judge(url: &EndpointUrl, status: u16, location: Option<String>) -> Option<PortalSign> {
    let elsewhere = location.as_deref().is_some_and(|location| leads_elsewhere(url, location));
    let sign = match status {
        200 | 511 => true,
        301 | 302 | 303 | 307 | 308 => elsewhere,
        _ => false,
    };
    sign.then(|| PortalSign { url: url.shown().to_owned(), status, location })
}

fn host(url: &EndpointUrl) -> String {
    if url.host().contains(':') { format!("[{}]", url.host()) } else { url.host().to_owned() }
}

async fn address(endpoint: &Endpoint, askers: &[Asker]) -> Option<SocketAddr> {
    if let Ok(address) = endpoint.url.host().parse() {
        return Some(SocketAddr::new(address, 80));
    }
    let asker = askers.first()?;
    for family in [Family::V4, Family::V6].into_iter().filter(|family| endpoint.takes(*family)) {
        if let Some(&address) = asker.ask(endpoint.url.host(), family).await.detail.answers.first() {
            return Some(SocketAddr::new(address, 80));
        }
    }
    None
}

/// Status, and where it leads; of a status 200 only when it is a page.
async fn ask(url: &EndpointUrl, connection: TcpConnection) -> Option<(u16, Option<String>)> {
    let witness = connection.witness();
    let mut session = Session::open(Box::new(connection), HttpVersion::Http1).await.ok()?;
    let asked = Asked::get(url, 64 << 10);
    let head = session.ask(&asked, Some(&witness)).await.head;
    let status = head.status.filter(|status| *status != 200 || head.is_page())?;
    Some((status, head.header("location").map(ToOwned::to_owned)))
}

/// Whether a redirection leaves the site.
fn leads_elsewhere(url: &EndpointUrl, location: &str) -> bool {
    url.join(location).is_none_or(|next| !next.is_same_site(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_leads_to_another_site() {
        let url = EndpointUrl::parse("http://cdn.example.com/x").unwrap();
        assert!(!leads_elsewhere(&url, "https://cdn.example.com/x"));
        assert!(!leads_elsewhere(&url, "https://www.example.com/"));
        assert!(leads_elsewhere(&url, "http://portal.hotel.example/login"));
        assert!(leads_elsewhere(&url, "http://10.0.0.1/"));
    }
}
