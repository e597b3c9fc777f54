//! One endpoint over one path: from its name to its last byte, each layer recorded on its own.

mod errand;
mod exchange;
mod names;
mod reach;

pub(super) use errand::Reply;
pub(super) use exchange::headers;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use hyper::header::HeaderMap;
use tokio::time::sleep;

use super::http::{Asked, Session};
use super::resolve::Asker;
use super::tls::Stores;
use crate::endpoint::{Detail, Endpoint, Step, Variant};
use crate::net::stream::Witness;
use crate::observe::{DnsFailure, Failure, HttpFailure, Operation, TransferFailure};
use crate::prefix::PrefixSet;
use crate::proxy::ProxyAddress;

/// Small enough for any path: IPv6 carries packets of 1,280 bytes everywhere (RFC 8200), tunnels included.
pub(super) const SMALL_SEGMENT: u32 = 1200;

/// What all visits have in common.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) stores: &'a Stores,
    pub(super) askers: &'a [Asker],
    pub(super) published: &'a PrefixSet,
    pub(super) began: Instant,
}

/// One endpoint, and everything that is needed to ask it.
pub(super) struct Visit<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// The proxy that is gone through; none: the way is direct.
    pub(super) gateway: Option<&'a ProxyAddress>,
    headers: &'a HeaderMap,
    means: Means<'a>,
    steps: Mutex<Vec<Step>>,
    /// Redirections that led here.
    redirected: usize,
    /// HTTP/1.1 is all that is offered.
    http1_alone: bool,
}

/// One address, and how it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) address: SocketAddr,
    pub(super) variant: Variant,
    /// The body is transferred as well, not only asked for.
    pub(super) whole: bool,
}

impl<'a> Visit<'a> {
    pub(super) fn new(
        means: Means<'a>,
        endpoint: &'a Endpoint,
        headers: &'a HeaderMap,
        gateway: Option<&'a ProxyAddress>,
    ) -> Self {
        Self { endpoint, gateway, headers, means, steps: Mutex::new(Vec::new()), redirected: 0, http1_alone: false }
    }

    /// The same with HTTP/1.1 as all that is offered.
    pub(super) fn with_http1_alone(self) -> Self {
        Self { http1_alone: true, ..self }
    }

    /// Whether anything on the way to the server failed.
    pub(super) fn fails(&self) -> bool {
        let steps = self.steps.lock().expect("no holder panics");
        let matters = |failure: &Failure| !matches!(failure, Failure::Dns(DnsFailure::NoAddress));
        steps.iter().any(|step| step.operation != Operation::Quic && step.failure.as_ref().is_some_and(matters))
    }

    /// What was done, in the order in which it began.
    pub(super) fn into_steps(self) -> Vec<Step> {
        let mut steps = self.steps.into_inner().expect("no holder panics");
        steps.sort_by_key(|step| step.started);
        steps
    }
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
    pub(super) fn stuck(&self, address: SocketAddr) -> bool {
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
        let started = began.saturating_duration_since(self.means.began);
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
        let started = began.saturating_duration_since(self.means.began);
        Step { operation, variant: lane.variant, address: Some(lane.address), started, took, detail, failure }
    }

    fn push(&self, step: Step) {
        self.steps.lock().expect("no holder panics").push(step);
    }
}
