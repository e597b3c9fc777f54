//! One endpoint over one path: from its name to its last byte, each layer recorded on its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Uri, header};
use rustls::pki_types::CertificateDer;
use tokio::time::{sleep, timeout};

use super::gateway::addresses;
use super::http::{Answered, Asked, Io, Session, padding};
use super::resolve::{Answer, Asker};
use super::tls::{Hello, NameShown, Shaken, Stores};
use crate::endpoint::{
    ConnectDetail, Detail, Endpoint, EndpointUrl, HttpDetail, HttpVersion, Inside, Method, Step, TlsDetail, Variant,
};
use crate::fingerprint::{PageParts, page, title};
use crate::net::proxy::connect::basic;
use crate::net::proxy::{ProxyAnswer, Refusal, connect};
use crate::net::stream::{TcpConnection, Witness};
use crate::observe::{DnsFailure, Failure, HttpFailure, Operation, ProxyFailure, TransferFailure};
use crate::prefix::{Family, PrefixSet};
use crate::proxy::{ProxyAddress, Scheme};
use crate::text::printable;

/// The kernel's third SYN goes out after 3 seconds; an answer to it would come too late for a person.
const CONNECT: Duration = Duration::from_secs(3);
/// When a second socket is tried beside a silent first.
const AGAIN: Duration = Duration::from_secs(1);
/// A proxy connects to the server before it answers.
const CONNECT_ANSWER: Duration = Duration::from_secs(8);
/// A handshake takes two round trips, and a busy server a moment.
const HANDSHAKE: Duration = Duration::from_millis(2500);
/// Small enough for any path: IPv6 carries packets of 1,280 bytes everywhere (RFC 8200), tunnels included.
const SMALL_SEGMENT: u32 = 1200;
/// Addresses that are asked of each family: more say nothing new.
const MOST_ADDRESSES: usize = 4;
/// Redirections that are followed, as many as common clients do at the least.
const MOST_REDIRECTS: usize = 5;
/// The most that is read where no length is expected: the largest file that the platform sends has 20 MB.
const MOST_BYTES: u64 = 32 << 20;

/// One endpoint, and everything that is needed to ask it.
pub(super) struct Visit<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) headers: HeaderMap,
    pub(super) stores: &'a Stores,
    pub(super) askers: &'a [Asker],
    pub(super) published: &'a PrefixSet,
    pub(super) began: Instant,
    pub(super) steps: Mutex<Vec<Step>>,
    /// Redirections that led here.
    pub(super) redirected: usize,
    /// The proxy that is gone through; none: the way is direct.
    pub(super) gateway: Option<&'a ProxyAddress>,
}

/// One address, and how it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) address: SocketAddr,
    pub(super) variant: Variant,
    /// The body is transferred as well, not only asked for.
    pub(super) whole: bool,
}

/// A connection on which requests can be made, and who it is with.
struct Ready {
    io: Box<dyn Io>,
    witness: Witness,
    version: HttpVersion,
    trust: Trust,
    chain: Vec<CertificateDer<'static>>,
}

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

/// How far the other side is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// It proved by our bundle who it is.
    Authenticated,
    /// The system's programs would go on.
    Accepted,
    /// There is no TLS.
    Plain,
    /// Nothing secret is told to it.
    Nobody,
}

impl Visit<'_> {
    /// Straight to the addresses of the name, all at once.
    pub(super) async fn direct(&self) {
        let lanes = self.resolve().await;
        let quic = lanes.first().filter(|_| self.endpoint.url.is_https()).map(|lane| lane.address);
        join(join_all(lanes.iter().map(|lane| self.walk(*lane))), self.quic(quic)).await;
    }

    /// The endpoint at other addresses of the published ranges, one after another at a pace.
    pub(super) async fn aim(&self, addresses: &[SocketAddr], per_second: f64) {
        let gap = Duration::try_from_secs_f64(per_second.recip()).unwrap_or_default();
        let at = |(turn, address): (u32, &SocketAddr)| {
            let address = SocketAddr::new(address.ip(), self.endpoint.url.port());
            async move {
                sleep(gap * turn).await;
                self.layers(Lane { address, variant: Variant::Aimed, whole: false }, None).await;
            }
        };
        join_all((0..).zip(addresses).map(at)).await;
    }

    /// All layers of one address.
    pub(super) async fn walk(&self, lane: Lane) {
        // What needs its own connection goes on beside the first.
        let bulky = lane.whole && self.endpoint.body().is_none();
        let second = async {
            if bulky {
                self.layers(Lane { variant: Variant::Http1, ..lane }, None).await;
            }
        };
        join(self.layers(lane, None), second).await;
        if lane.whole && self.stuck(lane.address) {
            self.layers(Lane { variant: Variant::SmallSegments, ..lane }, Some(SMALL_SEGMENT)).await;
        }
    }

    async fn layers(&self, lane: Lane, segment: Option<u32>) {
        let Some(connection) = self.connect(lane, segment).await else { return };
        let witness = connection.witness();
        let Some(io) = self.tunnel(lane, connection).await else { return };
        let Some(ready) = self.secure(lane, io, witness).await else { return };
        self.exchange(lane, ready).await;
    }

    // --- names --------------------------------------------------------------------------------------------------------

    async fn resolve(&self) -> Vec<Lane> {
        let url = &self.endpoint.url;
        if let Ok(address) = url.host().parse::<IpAddr>() {
            return vec![Lane { address: SocketAddr::new(address, url.port()), variant: Variant::Plain, whole: true }];
        }
        let families = [Family::V4, Family::V6].into_iter().filter(|family| self.endpoint.takes(*family));
        let asked: Vec<_> =
            families.flat_map(|family| self.askers.iter().map(move |asker| asker.ask(url.host(), family))).collect();
        let mut answers = join_all(asked).await;
        self.doubt(&mut answers).await;
        let lanes = self.lanes(&answers);
        for answer in answers {
            self.looked_up(answer);
        }
        lanes
    }

    /// A resolver whose answer is in doubt is asked for another name: does everything lead to the same place?
    async fn doubt(&self, answers: &mut [Answer]) {
        let known: Vec<IpAddr> = answers
            .iter()
            .filter(|answer| !answer.detail.system)
            .flat_map(|answer| answer.detail.answers.clone())
            .collect();
        for answer in answers.iter_mut().filter(|answer| answer.detail.system && !answer.detail.answers.is_empty()) {
            let detail = &mut answer.detail;
            let alone = !known.is_empty() && !detail.answers.iter().any(|address| known.contains(address));
            if !alone && self.endpoint.misled_by(&detail.answers, self.published).is_none() {
                continue;
            }
            let family = Family::of(detail.answers[0]);
            if let Some(asker) = self.askers.iter().find(|asker| asker.is(&detail.resolver)) {
                let other = asker.ask_for_another(family).await.detail.answers;
                detail.every_name = Some(other.iter().any(|address| detail.answers.contains(address)));
            }
        }
    }

    fn looked_up(&self, answer: Answer) {
        let misled = self.endpoint.misled_by(&answer.detail.answers, self.published);
        self.push(Step {
            operation: Operation::Resolve,
            variant: if answer.detail.system { Variant::Plain } else { Variant::OtherResolver },
            address: None,
            started: answer.started.saturating_duration_since(self.began),
            took: answer.took,
            detail: Detail::Resolve(answer.detail),
            failure: answer.failure.or(misled),
        });
    }

    /// What is asked: the addresses that the system's resolvers give, then those that only others give.
    fn lanes(&self, answers: &[Answer]) -> Vec<Lane> {
        let given = |system| answers.iter().filter(move |answer| answer.detail.system == system);
        let addresses = |system| given(system).flat_map(|answer| answer.detail.answers.iter().copied());
        let mut lanes: Vec<Lane> = Vec::new();
        // Without a resolver of its own the system goes by the others.
        let own = given(true).next().is_some();
        for (system, variant) in
            [(true, Variant::Plain), (false, if own { Variant::OtherResolver } else { Variant::Plain })]
        {
            for address in addresses(system) {
                let same = |lane: &&Lane| lane.address.is_ipv4() == address.is_ipv4() && lane.variant == variant;
                let known = lanes.iter().any(|lane| lane.address.ip() == address);
                if known || address.is_unspecified() || lanes.iter().filter(same).count() >= MOST_ADDRESSES {
                    continue;
                }
                let whole = lanes.iter().filter(same).count() == 0;
                lanes.push(Lane { address: SocketAddr::new(address, self.endpoint.url.port()), variant, whole });
            }
        }
        lanes
    }

    // --- connections --------------------------------------------------------------------------------------------------

    /// Connects, with a second socket beside a first that stays silent: one lost packet is no verdict.
    async fn connect(&self, lane: Lane, segment: Option<u32>) -> Option<TcpConnection> {
        let mut first = Box::pin(self.attempt(lane.address, lane.variant, segment, CONNECT));
        tokio::select! {
            done = &mut first => return done,
            () = sleep(AGAIN) => {}
        }
        let again = if lane.variant == Variant::Plain { Variant::Again } else { lane.variant };
        let mut second = Box::pin(self.attempt(lane.address, again, segment, CONNECT - AGAIN / 2));
        tokio::select! {
            done = &mut first => match done {
                Some(connection) => Some(connection),
                None => second.await,
            },
            done = &mut second => match done {
                Some(connection) => Some(connection),
                None => first.await,
            },
        }
    }

    async fn attempt(
        &self,
        address: SocketAddr,
        variant: Variant,
        segment: Option<u32>,
        limit: Duration,
    ) -> Option<TcpConnection> {
        let began = Instant::now();
        let done = TcpConnection::connect(address, segment, limit).await;
        let info = done.as_ref().ok().map(|connection| connection.witness().info());
        let detail = info.map_or_else(ConnectDetail::default, |info| ConnectDetail {
            rtt_microseconds: Some(info.rtt_microseconds),
            segment_bytes: Some(info.segment_bytes),
            mtu_bytes: Some(info.mtu_bytes),
        });
        let failure = done.as_ref().err().cloned();
        self.done(Operation::Connect, variant, Some(address), began, Detail::Connect(detail), failure);
        done.ok()
    }

    // --- proxies ------------------------------------------------------------------------------------------------------

    /// Through the proxy, at the first of its addresses that takes the connection.
    pub(super) async fn proxied(&self, proxy: &ProxyAddress) {
        let began = Instant::now();
        let addresses = addresses(&proxy.host, self.askers).await;
        let Some(address) = addresses.first() else {
            let unknown = ProxyFailure::Unreachable(Box::new(DnsFailure::NoSuchName.into()));
            let detail = Detail::Connect(ConnectDetail::default());
            return self.done(Operation::Connect, Variant::Plain, None, began, detail, Some(unknown.into()));
        };
        let address = SocketAddr::new(*address, proxy.port);
        self.walk(Lane { address, variant: Variant::Plain, whole: true }).await;
        self.blame_the_proxy(address);
    }

    /// What fails on the way to the proxy is not the endpoint's.
    fn blame_the_proxy(&self, proxy: SocketAddr) {
        let mut steps = self.steps.lock().expect("no holder panics");
        let on_the_way = |step: &Step| step.operation == Operation::Connect && step.address == Some(proxy);
        if steps.iter().any(|step| on_the_way(step) && step.failure.is_none()) {
            return;
        }
        for step in steps.iter_mut().filter(|step| on_the_way(step)) {
            step.failure = step.failure.take().map(|failure| ProxyFailure::Unreachable(Box::new(failure)).into());
        }
    }

    /// What is behind the proxy, or the connection itself where there is none.
    async fn tunnel(&self, lane: Lane, connection: TcpConnection) -> Option<Box<dyn Io>> {
        let Some(proxy) = self.gateway else { return Some(Box::new(connection)) };
        let io: Box<dyn Io> = match proxy.scheme {
            Scheme::Https => {
                let hello = Hello { host: &proxy.host, name: NameShown::Own, http2: false };
                Box::new(self.shake(lane, Box::new(connection), hello).await.stream?)
            }
            _ => Box::new(connection),
        };
        let url = &self.endpoint.url;
        if !url.is_https() {
            // Plain requests go to the proxy as they are, with the whole URL.
            return Some(io);
        }
        let began = Instant::now();
        let asked = connect(io, url.host(), url.port(), proxy.credentials.as_ref());
        let (failure, detail) = match timeout(CONNECT_ANSWER, asked).await {
            Ok(Ok(tunnel)) => return Some(tunnel),
            Ok(Err(ProxyAnswer::Refused(refusal))) => refused(&refusal),
            Ok(Err(ProxyAnswer::Broken(_))) => (ProxyFailure::Broken.into(), HttpDetail::default()),
            Err(_) => (Failure::from(HttpFailure::NoAnswer), HttpDetail::default()),
        };
        let detail = Detail::Http(Box::new(detail));
        self.done(Operation::HttpRoundTrip, lane.variant, Some(lane.address), began, detail, Some(failure));
        None
    }

    // --- TLS ----------------------------------------------------------------------------------------------------------

    async fn secure(&self, lane: Lane, io: Box<dyn Io>, witness: Witness) -> Option<Ready> {
        if !self.endpoint.url.is_https() {
            let version = HttpVersion::Http1;
            return Some(Ready { io, witness, version, trust: Trust::Plain, chain: Vec::new() });
        }
        let hello =
            Hello { host: self.endpoint.url.host(), name: NameShown::Own, http2: lane.variant != Variant::Http1 };
        let shaken = self.shake(lane, io, hello).await;
        if shaken.stream.is_none() && lane.variant == Variant::Plain && self.gateway.is_none() {
            self.without_the_name(lane).await;
        }
        let version = if shaken.detail.alpn.as_deref() == Some("h2") { HttpVersion::Http2 } else { HttpVersion::Http1 };
        let trust = trust(&shaken.detail);
        shaken.stream.map(|stream| Ready { io: Box::new(stream), witness, version, trust, chain: shaken.chain })
    }

    async fn shake(&self, lane: Lane, io: Box<dyn Io>, hello: Hello<'_>) -> Shaken<Box<dyn Io>> {
        let began = Instant::now();
        let shaken = self.stores.shake(io, hello, HANDSHAKE).await;
        let detail = Detail::Tls(Box::new(shaken.detail.clone()));
        self.done(Operation::TlsHandshake, lane.variant, Some(lane.address), began, detail, shaken.failure.clone());
        shaken
    }

    /// A handshake that breaks with the name and passes without it, or with another, is broken because of the name.
    async fn without_the_name(&self, lane: Lane) {
        let host = self.endpoint.url.host();
        let with = |name, variant| async move {
            let lane = Lane { variant, ..lane };
            if let Some(connection) = self.attempt(lane.address, variant, None, CONNECT).await {
                self.shake(lane, Box::new(connection), Hello { host, name, http2: true }).await;
            }
        };
        join(with(NameShown::None, Variant::WithoutName), with(NameShown::Neutral, Variant::NeutralName)).await;
    }

    // --- HTTP ---------------------------------------------------------------------------------------------------------

    async fn exchange(&self, lane: Lane, ready: Ready) {
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
        if lane.variant != Variant::Plain || !lane.whole {
            return;
        }
        // Where the other host's addresses must lie nobody has said.
        let endpoint = Endpoint { url, must_be_in: Inside::Any, ..self.endpoint.clone() };
        let visit = Visit {
            endpoint: &endpoint,
            headers: self.headers.clone(),
            steps: Mutex::new(Vec::new()),
            redirected,
            ..*self
        };
        Box::pin(visit.direct()).await;
        let steps = visit.steps.into_inner().expect("no holder panics");
        self.steps.lock().expect("no holder panics").extend(steps);
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
        let at = seconds.and_then(|seconds| self.stores.at(chain, self.endpoint.url.host(), seconds));
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

    fn recognise(&self, answered: &mut Answered) {
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

    // --- what takes time ----------------------------------------------------------------------------------------------

    /// Rests the connection and asks again.
    async fn rest(&self, lane: Lane, session: &mut Session, asked: &Asked, witness: &Witness, rest: Duration) {
        let began = Instant::now();
        sleep(rest).await;
        // A server may close a connection that rests: it says so, and nothing is lost.
        let failure = if session.is_closed() {
            None
        } else {
            session.ask(asked, Some(witness)).await.head_failure.map(|_| Failure::IdleCut)
        };
        let detail = Detail::Idle { rested_seconds: rest.as_secs() };
        self.done(Operation::Idle, lane.variant, Some(lane.address), began, detail, failure);
    }

    async fn quic(&self, address: Option<SocketAddr>) {
        let Some(address) = address else { return };
        let began = Instant::now();
        let (versions, failure) = super::quic::ask(address).await;
        self.done(Operation::Quic, Variant::Plain, Some(address), began, Detail::Quic { versions }, failure);
    }

    /// Whether the address took small packets and then fell silent over large ones.
    fn stuck(&self, address: SocketAddr) -> bool {
        let steps = self.steps.lock().expect("no holder panics");
        let here = || steps.iter().filter(|step| step.address == Some(address));
        here().any(|step| {
            matches!(
                step.failure,
                Some(
                    Failure::TlsNoAnswer
                        | Failure::Http(HttpFailure::NoAnswer)
                        | Failure::Transfer(TransferFailure::Stalled(_))
                )
            )
        })
    }

    // --- records ------------------------------------------------------------------------------------------------------

    fn done(
        &self,
        operation: Operation,
        variant: Variant,
        address: Option<SocketAddr>,
        began: Instant,
        detail: Detail,
        failure: Option<Failure>,
    ) {
        let started = began.saturating_duration_since(self.began);
        self.push(Step { operation, variant, address, started, took: began.elapsed(), detail, failure });
    }

    fn step(
        &self,
        operation: Operation,
        lane: Lane,
        began: Instant,
        took: Duration,
        detail: Detail,
        failure: Option<Failure>,
    ) -> Step {
        let started = began.saturating_duration_since(self.began);
        Step { operation, variant: lane.variant, address: Some(lane.address), started, took, detail, failure }
    }

    fn push(&self, step: Step) {
        self.steps.lock().expect("no holder panics").push(step);
    }
}

fn trust(detail: &TlsDetail) -> Trust {
    match () {
        () if detail.authenticated() => Trust::Authenticated,
        () if detail.acceptable() => Trust::Accepted,
        () => Trust::Nobody,
    }
}

/// What a proxy said in the place of connecting.
fn refused(refusal: &Refusal) -> (Failure, HttpDetail) {
    let title = title(&refusal.body);
    let location = refusal.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.as_str());
    let parts = PageParts {
        status: refusal.status,
        headers: &refusal.headers,
        location,
        title: title.as_deref(),
        body: &refusal.body,
    };
    let kept = |(name, value): &(String, String)| {
        HttpDetail::KEPT.contains(&name.as_str()).then(|| (name.clone(), printable(value, 200)))
    };
    let detail = HttpDetail {
        status: Some(refusal.status),
        headers: refusal.headers.iter().filter_map(kept).collect(),
        product: page(&parts).map(|seen| seen.product.name.clone()),
        title: title.map(|title| printable(&title, 120)),
        ..HttpDetail::default()
    };
    let failure = match refusal.status {
        407 => ProxyFailure::AuthenticationRequired(refusal.schemes.clone()),
        status => ProxyFailure::Denied(status),
    };
    (failure.into(), detail)
}

/// The headers of a request, as the configuration names them.
pub(super) fn headers<'a>(named: impl Iterator<Item = (&'a str, &'a str)>) -> Result<HeaderMap, String> {
    named
        .map(|(name, value)| {
            let wrong = || format!("header `{}` cannot be sent: its name or value is not one", printable(name, 60));
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value))
        })
        .collect()
}
