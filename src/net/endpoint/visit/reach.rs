//! The connections of a visit: straight or through a proxy, and the handshake over them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join;
use rustls::pki_types::CertificateDer;
use tokio::time::{sleep, timeout};

use super::{Lane, Visit};
use crate::endpoint::{ConnectDetail, Detail, HttpDetail, HttpVersion, Step, TlsDetail, Variant};
use crate::fingerprint::{PageParts, page, title};
use crate::net::endpoint::gateway::addresses;
use crate::net::endpoint::http::Io;
use crate::net::endpoint::tls::{Hello, NameShown, Shaken};
use crate::net::proxy::{ProxyAnswer, Refusal, connect};
use crate::net::stream::{TcpConnection, Witness};
use crate::observe::{DnsFailure, Failure, HttpFailure, Operation, ProxyFailure};
use crate::proxy::{ProxyAddress, Scheme};
use crate::text::printable;

/// The kernel's third SYN goes out after 3 seconds; an answer to it would come too late for a person.
const CONNECT: Duration = Duration::from_secs(3);
/// When a second socket is tried beside a silent first.
const AGAIN: Duration = Duration::from_secs(1);
/// What is left of a person's patience for it.
const CONNECT_AGAIN: Duration = Duration::from_millis(2500);
/// A proxy connects to the server before it answers.
const CONNECT_ANSWER: Duration = Duration::from_secs(8);
/// A handshake takes two round trips, and a busy server a moment.
const HANDSHAKE: Duration = Duration::from_millis(2500);

/// A connection on which requests can be made, and who it is with.
pub(super) struct Ready {
    pub(super) io: Box<dyn Io>,
    pub(super) witness: Witness,
    pub(super) version: HttpVersion,
    pub(super) trust: Trust,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

/// How far the other side is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
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
    /// Connects, with a second socket beside a first that stays silent: one lost packet is no verdict.
    pub(super) async fn connect(&self, lane: Lane, segment: Option<u32>) -> Option<TcpConnection> {
        let mut first = Box::pin(self.attempt(lane.address, lane.variant, segment, CONNECT));
        tokio::select! {
            done = &mut first => return done,
            () = sleep(AGAIN) => {}
        }
        let again = if lane.variant == Variant::Plain { Variant::Again } else { lane.variant };
        let mut second = Box::pin(self.attempt(lane.address, again, segment, CONNECT_AGAIN));
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

    /// Through the proxy, at the first of its addresses that takes the connection.
    pub(in crate::net::endpoint) async fn proxied(&self, proxy: &ProxyAddress) {
        let began = Instant::now();
        let addresses = addresses(&proxy.host, self.means.askers).await;
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
    pub(super) fn blame_the_proxy(&self, proxy: SocketAddr) {
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
    pub(super) async fn tunnel(&self, lane: Lane, connection: TcpConnection) -> Option<Box<dyn Io>> {
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

    pub(super) async fn secure(&self, lane: Lane, io: Box<dyn Io>, witness: Witness) -> Option<Ready> {
        if !self.endpoint.url.is_https() {
            let version = HttpVersion::Http1;
            return Some(Ready { io, witness, version, trust: Trust::Plain, chain: Vec::new() });
        }
        let http2 = lane.variant != Variant::Http1 && !self.http1_alone;
        let hello = Hello { host: self.endpoint.url.host(), name: NameShown::Own, http2 };
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
        let shaken = self.means.stores.shake(io, hello, HANDSHAKE).await;
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
