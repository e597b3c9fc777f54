//! How far a transfer has got, and when it has stalled: what TCP says counts, not what was handed over or could be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Asked;
use super::manner::{Expect, Manner, Sign};
use crate::net::stream::Witness;
use crate::observe::{Failure, HttpFailure, TransferFailure};

/// No byte for so long from the beginning, and a transfer has stalled: the kernel tries again after 0.2, 0.6, 1.4 and
/// 3 seconds.
const STALL: Duration = Duration::from_millis(3500);
/// The same once it has moved: what limits a rate lets nothing pass for seconds, and the kernel then waits longer as well.
pub(super) const PAUSE: Duration = Duration::from_secs(6);
/// After so many bytes it has moved.
const MOVED_BYTES: u64 = 3000;
/// What a server may take to think: no byte has to pass meanwhile.
const THINKING: Duration = Duration::from_secs(5);
/// What a server may take that keeps, scans and passes on a whole file.
const WORKING: Duration = Duration::from_secs(30);
/// After so long a transfer that still moves is ended: its rate is known, and a person waits.
const ENOUGH: Duration = Duration::from_secs(8);
/// A transfer moves as long as pauses are shorter than this.
const MOVING: Duration = Duration::from_secs(2);
/// Fewer bytes say nothing of a rate, and after so long are no transfer.
const LEAST_BYTES: u64 = 16 << 10;
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The beginning of a transfer, over which the rate still grows, is left out of it.
const WARM_UP: Duration = Duration::from_millis(300);

/// How far a request has got.
pub(super) struct Progress<'a> {
    /// Bytes of its body.
    pub(super) all: u64,
    /// Those that were handed over.
    pub(super) sent: Arc<AtomicU64>,
    /// Whether it has been said that the body may follow.
    pub(super) sign: Arc<Sign>,
    witness: Option<&'a Witness>,
    /// What had been acknowledged before it began.
    before: u64,
}

impl<'a> Progress<'a> {
    pub(super) fn new(asked: &Asked, witness: Option<&'a Witness>) -> Self {
        let before = witness.map_or(0, |witness| witness.info().acknowledged_bytes);
        Self { all: asked.body_bytes.unwrap_or(0), sent: Arc::default(), sign: Arc::default(), witness, before }
    }

    /// Bytes that the other side has acknowledged, heads and framing among them.
    fn acknowledged(&self) -> u64 {
        let sent = || self.sent.load(Ordering::Relaxed);
        self.witness.map_or_else(sent, |witness| witness.info().acknowledged_bytes.saturating_sub(self.before))
    }

    /// Bytes of the body that have passed, to a few hundred.
    pub(super) fn passed(&self) -> u64 {
        self.acknowledged().min(self.all)
    }

    fn unacknowledged(&self) -> u32 {
        self.witness.map_or(0, |witness| witness.info().unacknowledged)
    }

    /// Ends when a request is to be given up, with a failure where that is one.
    pub(super) async fn ended(&self, manner: &Manner) -> Option<Failure> {
        if !manner.is_quiet() {
            return self.stalled(manner.limit).await;
        }
        let told = async {
            if manner.expect == Expect::HeadAlone { self.sign.given().await } else { std::future::pending().await }
        };
        tokio::select! {
            () = told => {}
            () = sleep(manner.limit.unwrap_or(THINKING)) => {}
        }
        None
    }

    /// Ends when nothing has moved for too long, and without a failure when a body has moved for long enough.
    async fn stalled(&self, limit: Option<Duration>) -> Option<Failure> {
        let began = Instant::now();
        let (enough, thinking) = limit.map_or((ENOUGH, THINKING), |limit| (limit, WORKING));
        let (mut before, mut since) = (0, began);
        loop {
            sleep(LOOK).await;
            let acknowledged = self.acknowledged();
            if acknowledged != before {
                (before, since) = (acknowledged, Instant::now());
            }
            let quiet = since.elapsed();
            let under_way = acknowledged < self.all || self.unacknowledged() > 0;
            match () {
                () if under_way && quiet >= patience(self.passed()) && self.all > 0 => {
                    return Some(TransferFailure::Stalled(self.passed()).into());
                }
                () if under_way && self.all > 0 && began.elapsed() >= enough && quiet < MOVING => {
                    let (passed, least) = (self.passed(), LEAST_BYTES.min(self.all));
                    return (passed < least).then(|| TransferFailure::Stalled(passed).into());
                }
                () if under_way && self.all > 0 => {}
                () if under_way && quiet >= STALL || quiet >= thinking => return Some(HttpFailure::NoAnswer.into()),
                () => {}
            }
        }
    }

    pub(super) fn failure(&self, error: &hyper::Error) -> Failure {
        let passed = self.passed();
        match error {
            _ if error.is_parse_too_large() => HttpFailure::TooLarge.into(),
            _ if error.is_parse() => HttpFailure::Malformed.into(),
            _ if passed > 0 && passed < self.all => TransferFailure::Broken(passed).into(),
            _ => HttpFailure::Broken.into(),
        }
    }
}

/// How a body arrives: what TCP has received counts, since a piece that can be read may take many packets.
pub(super) struct Arrival<'a> {
    witness: Option<&'a Witness>,
    began: Instant,
    /// What TCP had received when the body began.
    before: u64,
    /// Bytes that could be read.
    read: u64,
    /// When something came last, and how much had come by then.
    last: (Instant, u64),
    /// When the rate no longer grew, and how much had come by then.
    warm: Option<(Instant, u64)>,
    /// After so long enough has been seen.
    enough: Duration,
}

impl<'a> Arrival<'a> {
    pub(super) fn new(witness: Option<&'a Witness>, limit: Option<Duration>) -> Self {
        let (began, before) = (Instant::now(), witness.map_or(0, |witness| witness.info().received_bytes));
        Self { witness, began, before, read: 0, last: (began, 0), warm: None, enough: limit.unwrap_or(ENOUGH) }
    }

    pub(super) fn came(&mut self, bytes: usize) {
        self.read += bytes as u64;
        self.look();
    }

    /// Notes what has come by now.
    fn look(&mut self) {
        let (now, bytes) = (Instant::now(), self.bytes());
        if bytes > self.last.1 {
            self.last = (now, bytes);
        }
        if self.warm.is_none() && now.duration_since(self.began) >= WARM_UP {
            self.warm = Some((now, bytes));
        }
    }

    fn bytes(&self) -> u64 {
        let received = self.witness.map_or(0, |witness| witness.info().received_bytes.saturating_sub(self.before));
        received.max(self.read)
    }

    /// Ends when too little has come for too long, true, or when enough has been seen of what still comes, false.
    pub(super) async fn pause(&mut self) -> bool {
        loop {
            sleep(LOOK).await;
            self.look();
            let quiet = self.last.0.elapsed();
            if quiet >= patience(self.last.1) {
                return true;
            }
            if self.began.elapsed() >= self.enough && quiet < MOVING {
                return self.last.1 < LEAST_BYTES;
            }
        }
    }

    /// Over the time in which something came.
    pub(super) fn bits_per_second(&self) -> Option<u64> {
        let (since, before) = self.warm?;
        rate(self.last.1.saturating_sub(before), self.last.0.duration_since(since))
    }
}

/// How long nothing may come after so many bytes.
fn patience(bytes: u64) -> Duration {
    if bytes < MOVED_BYTES { STALL } else { PAUSE }
}

/// Too short a time or too few bytes say nothing of a rate.
pub(super) fn rate(bytes: u64, took: Duration) -> Option<u64> {
    let millis = u64::try_from(took.as_millis()).ok().filter(|&millis| millis >= 100)?;
    (bytes >= LEAST_BYTES).then(|| bytes.saturating_mul(8000) / millis)
}
