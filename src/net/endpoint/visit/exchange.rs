//! The requests of a visit: what is asked, where it leads, and whether the answer is the expected one.

use std::time::Instant;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Uri, header};
use rustls::pki_types::CertificateDer;

use super::reach::{Ready, Trust};
use super::{Lane, Visit};
use crate::endpoint::{Detail, Endpoint, EndpointUrl, Inside, Method, Variant};
use crate::fingerprint::{PageParts, page, title};
use crate::net::endpoint::http::{Answered, Asked, Manner, Session, padding};
use crate::net::proxy::connect::basic;
use crate::observe::{Failure, HttpFailure, Operation, TransferFailure};
use crate::text::printable;

/// Redirections that are followed, as many as common clients do at the least.
const MOST_REDIRECTS: usize = 5;
/// The most that is read where no length is expected: the largest file that the platform sends has 20 MB.
const MOST_BYTES: u64 = 32 << 20;

/// Where a redirection leads.
enum Redirection {
    /// To the same server.
    Here(EndpointUrl),
    /// To another host, port or scheme of the same site.
    SameSite(EndpointUrl),
    /// To somebody else's.
    Elsewhere(String),
}

impl Redirection {
    fn shown(&self) -> String {
        match self {
            Self::Here(url) | Self::SameSite(url) => url.shown().to_owned(),
            Self::Elsewhere(location) => location.clone(),
        }
    }
}

impl Visit<'_> {
    pub(super) async fn exchange(&self, lane: Lane, ready: Ready) {
        let Ready { io, witness, version, trust, chain } = ready;
        let began = Instant::now();
        let mut session = match Session::open(io, version).await {
            Ok(session) => session,
            Err(failure) => {
                let detail = Answered::default().head;
                let detail = Detail::Http(Box::new(detail));
                return self.done(
                    Operation::HttpRoundTrip,
                    lane.variant,
                    Some(lane.address),
                    began,
                    detail,
                    Some(failure),
                );
            }
        };
        let mut asked = self.request(lane, trust, &self.endpoint.url);
        let (mut url, mut redirects) = (self.endpoint.url.clone(), Vec::new());
        loop {
            let began = Instant::now();
            let mut answered = session.ask(&asked, Some(&witness)).await;
            self.date(&mut answered, trust, &chain);
            if !redirects.is_empty() && answered.head_failure == Some(HttpFailure::Broken.into()) {
                // The server closed the connection behind the redirection, as it may.
                return self.follow(lane, url, self.redirected + redirects.len()).await;
            }
            let next = self.redirection(&url, &answered);
            let followed = redirects.len() + self.redirected;
            match next {
                Some(Redirection::Here(next)) if followed < MOST_REDIRECTS => {
                    redirects.push(printable(next.shown(), 200));
                    asked = self.request(lane, trust, &next);
                    url = next;
                }
                Some(Redirection::SameSite(next)) if followed < MOST_REDIRECTS => {
                    redirects.push(printable(next.shown(), 200));
                    let moved = redirects.len();
                    answered.head.redirects = redirects;
                    self.record_head(lane, began, answered, None);
                    return self.follow(lane, next, self.redirected + moved).await;
                }
                next => {
                    answered.head.redirects = redirects;
                    let off_site = next.map(|next| HttpFailure::Redirect(printable(&next.shown(), 200)).into());
                    let good = self.judge(lane, began, answered, trust, off_site);
                    let rests = good && lane.whole && lane.variant == Variant::Plain;
                    if let Some(rest) = self.endpoint.idle().filter(|_| rests) {
                        self.rest(lane, &mut session, &asked, &witness, rest).await;
                    }
                    return;
                }
            }
        }
    }

    /// Goes on at another host of the same site, from its name on.
    async fn follow(&self, lane: Lane, url: EndpointUrl, redirected: usize) {
        if lane.variant != Variant::Plain || !lane.whole || self.gateway.is_some() {
            return;
        }
        // Where the other host's addresses must lie nobody has said.
        let endpoint = Endpoint { url, must_be_in: Inside::Any, ..self.endpoint.clone() };
        let visit = Visit { redirected, ..Visit::new(self.means, &endpoint, self.headers, None) };
        Box::pin(visit.direct()).await;
        self.steps.lock().expect("no holder panics").extend(visit.into_steps());
    }

    /// Where an unexpected redirection leads.
    fn redirection(&self, from: &EndpointUrl, answered: &Answered) -> Option<Redirection> {
        let status = answered.head.status.filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308))?;
        if self.endpoint.expect_status.contains(&status) {
            return None;
        }
        let location = answered.head.header("location")?;
        let Some(next) = from.join(location) else { return Some(Redirection::Elsewhere(location.to_owned())) };
        let place = |url: &EndpointUrl| (url.host().to_owned(), url.port(), url.is_https());
        Some(match () {
            () if place(&next) == place(from) => Redirection::Here(next),
            // Secrets stay off the wire: from TLS nothing leads to where there is none.
            () if next.is_same_site(from) && (next.is_https() || !from.is_https()) => Redirection::SameSite(next),
            () => Redirection::Elsewhere(next.shown().to_owned()),
        })
    }

    fn request(&self, lane: Lane, trust: Trust, url: &EndpointUrl) -> Asked {
        let bare = trust == Trust::Nobody;
        let mut headers = if bare { HeaderMap::new() } else { self.headers.clone() };
        let agent = HeaderValue::from_static(concat!("egressd/", env!("CARGO_PKG_VERSION")));
        headers.entry(header::USER_AGENT).or_insert(agent);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if let Some(known) = self.gateway.filter(|_| !url.is_https()).and_then(|proxy| proxy.credentials.as_ref()) {
            headers.insert(header::PROXY_AUTHORIZATION, basic(known));
        }
        // Over two packets, to see whether such pass.
        if matches!(lane.variant, Variant::Http1 | Variant::SmallSegments) && self.endpoint.body().is_none() {
            headers.extend([padding()]);
        }
        let target = if bare { "/" } else { url.target() };
        let scheme = if url.is_https() { "https" } else { "http" };
        let uri = format!("{scheme}://{}{target}", url.authority());
        let sends = lane.whole && !bare;
        let method =
            if bare || (!lane.whole && self.endpoint.body().is_some()) { Method::Get } else { self.endpoint.method() };
        Asked {
            method: method.name(),
            uri: uri.parse::<Uri>().unwrap_or_default(),
            authority: url.authority(),
            absolute: self.gateway.is_some() && !url.is_https(),
            headers,
            body_bytes: self.endpoint.body().filter(|_| sends),
            most_bytes: self.most_bytes(lane),
            manner: Manner::default(),
        }
    }

    /// The first address of a family is asked for the whole body, the others for the head.
    fn most_bytes(&self, lane: Lane) -> u64 {
        let whole = lane.whole && lane.variant != Variant::Http1;
        if whole { self.endpoint.expect_bytes.map_or(MOST_BYTES, |bytes| bytes.saturating_add(1)) } else { 0 }
    }

    /// A certificate that is not valid now may be valid at the time that the server's clock shows.
    fn date(&self, answered: &mut Answered, trust: Trust, chain: &[CertificateDer<'static>]) {
        if trust == Trust::Authenticated || chain.is_empty() {
            return;
        }
        let date = answered.head.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let seconds = date.and_then(|date| u64::try_from(date.timestamp().as_second()).ok());
        let at = seconds.and_then(|seconds| self.means.stores.at(chain, self.endpoint.url.host(), seconds));
        let mut steps = self.steps.lock().expect("no holder panics");
        let last = steps.iter_mut().rev().find_map(|step| match &mut step.detail {
            Detail::Tls(detail) => Some(detail),
            _ => None,
        });
        if let Some(detail) = last {
            detail.at_server_time = at;
        }
    }

    /// Records head and body; whether both are as they should be.
    fn judge(
        &self,
        lane: Lane,
        began: Instant,
        mut answered: Answered,
        trust: Trust,
        off_site: Option<Failure>,
    ) -> bool {
        self.recognise(&mut answered);
        let authenticated = trust == Trust::Authenticated;
        let asked_for = lane.whole || self.endpoint.body().is_none();
        let misanswered = || {
            let misanswered = || self.endpoint.misanswered_by(&answered.head, authenticated);
            let denied = || self.endpoint.denied_by(&answered.head);
            off_site.or_else(if trust == Trust::Nobody { &denied as &dyn Fn() -> _ } else { &misanswered })
        };
        let head_failure = answered.head_failure.clone().or_else(|| if asked_for { misanswered() } else { None });
        let body_failure = answered.transfer_failure.clone().or_else(|| {
            let transfer = answered.transfer.as_ref().filter(|_| lane.whole && lane.variant != Variant::Http1)?;
            if head_failure.is_some() || trust == Trust::Nobody {
                None
            } else {
                self.endpoint.changed(&answered.head, transfer, authenticated)
            }
        });
        // A page that is only looked at may be longer than that.
        let looked_at = self.most_bytes(lane) == 0;
        let body_failure = body_failure.filter(|failure| !looked_at || *failure != TransferFailure::TooLarge.into());
        let good = head_failure.is_none() && body_failure.is_none();
        let transfer = answered.transfer.take();
        // A request's body passes before the head of the answer comes.
        let (started, took) = match answered.transfer_started {
            Some(started) => (started, answered.transfer_took),
            None => (began, answered.head_took),
        };
        self.record_head(lane, began, answered, head_failure);
        if let Some(transfer) = transfer {
            self.push(self.step(Operation::Transfer, lane, started, took, Detail::Transfer(transfer), body_failure));
        }
        good
    }

    /// Records the head of an answer, unless none was waited for.
    fn record_head(&self, lane: Lane, began: Instant, answered: Answered, failure: Option<Failure>) {
        if answered.head.status.is_some() || failure.is_some() {
            let (took, detail) = (answered.head_took, Detail::Http(Box::new(answered.head)));
            self.push(self.step(Operation::HttpRoundTrip, lane, began, took, detail, failure));
        }
    }

    pub(super) fn recognise(&self, answered: &mut Answered) {
        let Some(status) = answered.head.status else { return };
        let title = title(&answered.page);
        let parts = PageParts {
            status,
            headers: &answered.head.headers,
            location: answered.head.header("location"),
            title: title.as_deref(),
            body: &answered.page,
        };
        // Products are named in what is wrong, or in a page where none was asked for.
        if !self.endpoint.expects(status) || answered.head.is_page() {
            let seen = page(&parts);
            answered.head.product = seen.map(|seen| seen.product.name.clone());
            answered.head.title = title.map(|title| printable(&title, 120));
        }
    }
}

/// The headers of a request, as the configuration names them.
pub(in crate::net::endpoint) fn headers<'a>(
    named: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<HeaderMap, String> {
    named
        .map(|(name, value)| {
            let wrong = || format!("header `{}` cannot be sent: its name or value is not one", printable(name, 60));
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value))
        })
        .collect()
}
