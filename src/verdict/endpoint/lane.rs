//! One address, asked in one way: the first layer at which it fails.

use std::net::SocketAddr;
use std::time::Duration;

use super::Layer;
use crate::endpoint::{Detail, EndpointRun, Step, Variant};
use crate::observe::{Failure, HttpFailure, Operation, TransferFailure};

/// What was seen of one address, asked in one way.
#[derive(Clone, Debug)]
pub(super) struct Lane<'a> {
    pub(super) address: SocketAddr,
    pub(super) variant: Variant,
    /// Where it fails.
    pub(super) layer: Option<Layer>,
    /// The first thing that is wrong; none when all is well.
    pub(super) failure: Option<&'a Failure>,
    /// Our own bundle proves that it is the server.
    pub(super) authenticated: bool,
    steps: Vec<&'a Step>,
}

/// A transfer that is slower than its path explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slow {
    pub(super) bits_per_second: u64,
}

/// After so many bytes a segment of full size has passed.
const TWO_SEGMENTS_BYTES: u64 = 2 * 1460;
/// Below this rate a file of 20 MB takes over ten minutes: longer than people and servers wait.
const LEAST_BITS_PER_SECOND: u64 = 256_000;
/// Round trips that the first quarter of a megabyte takes on a path that limits nothing, from ten segments on doubled.
const START_ROUND_TRIPS: u32 = 6;
/// A transfer that takes so many times what its round trips explain is held back.
const HELD_BACK: u32 = 4;

/// The start of a transfer takes no longer on any path, by satellite included.
const LONGEST_START: Duration = Duration::from_secs(6);

/// The lanes of a run, one for each address and variant that a connection was tried with.
pub(super) fn lanes(run: &EndpointRun) -> Vec<Lane<'_>> {
    let mut keys: Vec<(SocketAddr, Variant)> = Vec::new();
    for step in &run.steps {
        let variant = if step.variant == Variant::Again { Variant::Plain } else { step.variant };
        let asked = !matches!(step.operation, Operation::Resolve | Operation::Quic | Operation::Trace);
        if let Some(key) = step.address.filter(|_| asked).map(|address| (address, variant))
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }
    keys.into_iter().map(|(address, variant)| Lane::of(run, address, variant)).collect()
}

impl<'a> Lane<'a> {
    fn of(run: &'a EndpointRun, address: SocketAddr, variant: Variant) -> Self {
        let mine = |step: &&Step| {
            let plain = variant == Variant::Plain && step.variant == Variant::Again;
            step.address == Some(address) && (step.variant == variant || plain)
        };
        let steps: Vec<&Step> = run.steps.iter().filter(mine).collect();
        let first = first_failure(&steps);
        let authenticated = steps.iter().any(|step| matches!(&step.detail, Detail::Tls(tls) if tls.authenticated()));
        let (layer, failure) = first.unzip();
        Self { address, variant, layer, failure, authenticated, steps }
    }

    /// It never left this host.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.failure, Some(Failure::NoRoute | Failure::LocalLimit(_)))
    }

    /// The connection stood, and then too large a packet may have been lost: no large one has passed.
    pub(super) fn is_stuck(&self) -> bool {
        match self.failure {
            Some(Failure::TlsNoAnswer | Failure::Http(HttpFailure::NoAnswer)) => true,
            Some(Failure::Transfer(TransferFailure::Stalled(bytes))) => *bytes < TWO_SEGMENTS_BYTES,
            _ => false,
        }
    }

    /// A page came that tells who denies access.
    pub(super) fn shows_a_page(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.failure, Some(Failure::Http(HttpFailure::BlockPage))))
    }

    /// The body passes, far more slowly than the round trips of the path explain.
    pub(super) fn throttled(&self) -> Option<Slow> {
        let rtt = self.steps.iter().find_map(|step| match step.detail {
            Detail::Connect(detail) => detail.rtt_microseconds,
            _ => None,
        })?;
        // What holds packets back makes round trips long as well.
        let explained = (Duration::from_micros(rtt.into()) * START_ROUND_TRIPS * HELD_BACK).min(LONGEST_START);
        self.steps.iter().find_map(|step| {
            let Detail::Transfer(detail) = &step.detail else { return None };
            let bits_per_second = detail.bits_per_second.filter(|&bits| bits < LEAST_BITS_PER_SECOND)?;

            (step.took > explained).then_some(Slow { bits_per_second })
        })
    }
}

/// The first layer with a failure. A handshake that nobody vouches for fails even if an answer comes behind it.
fn first_failure<'a>(steps: &[&'a Step]) -> Option<(Layer, &'a Failure)> {
    let of = |operation| steps.iter().filter(move |step| step.operation == operation);
    let connected = of(Operation::Connect).any(|step| step.failure.is_none());
    if !connected {
        // Somebody's answer says more than the silence of another try.
        let explicit = of(Operation::Connect).filter_map(|step| step.failure.as_ref());
        return explicit
            .min_by_key(|failure| **failure == Failure::NoAnswer)
            .map(|failure| (at_connect(failure), failure));
    }
    // Where this host's programs would go on, what they meet behind the handshake says more than the handshake.
    let goes_on = of(Operation::TlsHandshake).any(|step| matches!(&step.detail, Detail::Tls(tls) if tls.acceptable()));
    let mut layers = [
        (Operation::TlsHandshake, Layer::Tls),
        (Operation::HttpRoundTrip, Layer::Http),
        (Operation::Transfer, Layer::Transfer),
    ];
    if goes_on {
        layers.rotate_left(1);
    }
    layers
        .into_iter()
        .find_map(|(operation, layer)| of(operation).find_map(|step| Some((layer, step.failure.as_ref()?))))
}

fn at_connect(failure: &Failure) -> Layer {
    match failure {
        Failure::Reset => Layer::Tcp,
        _ => Layer::Ip,
    }
}
