//! How a body is sent: whole, in chunks, slowly, only its beginning, or not before somebody says so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How a body is sent; by default as a common client does.
#[derive(Clone, Debug, Default)]
pub(in crate::net::endpoint) struct Manner {
    /// The bytes; none: made up.
    pub(in crate::net::endpoint) given: Option<Bytes>,
    /// Its length is not announced.
    pub(in crate::net::endpoint) chunked: bool,
    /// Whether the head goes first.
    pub(in crate::net::endpoint) expect: Expect,
    /// No more than so many bytes are sent of it.
    pub(in crate::net::endpoint) stop_after: Option<u64>,
    /// It is sent at this rate.
    pub(in crate::net::endpoint) bytes_per_second: Option<u64>,
    /// How long a transfer that moves may take, and a request of which nothing more is to be sent; none: as long as a
    /// person waits for a check.
    pub(in crate::net::endpoint) limit: Option<Duration>,
}

/// Whether the head of a request goes first (RFC 9110, 10.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::net::endpoint) enum Expect {
    /// It does not.
    #[default]
    Nothing,
    /// It does, and the body follows when it may, or after a second, as with curl.
    Continue,
    /// It does, and no body follows.
    HeadAlone,
}

/// curl's patience.
const UNASKED: Duration = Duration::from_secs(1);

/// Whether the other side has said that a body may follow.
#[derive(Debug, Default)]
pub(super) struct Sign {
    seen: AtomicBool,
    notify: Notify,
}

impl Sign {
    pub(super) fn give(&self) {
        self.seen.store(true, Ordering::Relaxed);
        self.notify.notify_one();
    }

    pub(super) fn is_seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    pub(super) async fn given(&self) {
        self.notify.notified().await;
    }
}

/// What a body waits for before its next piece.
pub(super) type Wait = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl Manner {
    /// What is waited for before the first byte.
    pub(super) fn before(&self, sign: &Arc<Sign>) -> Option<Wait> {
        match self.expect {
            Expect::Nothing => None,
            Expect::HeadAlone => Some(Box::pin(std::future::pending())),
            Expect::Continue => {
                let sign = Arc::clone(sign);
                Some(Box::pin(async move {
                    tokio::select! {
                        () = sign.given() => {}
                        () = sleep(UNASKED) => {}
                    }
                }))
            }
        }
    }

    /// What is waited for after a piece, of which so many bytes have been sent in all.
    pub(super) fn after(&self, piece: usize, sent: u64) -> Option<Wait> {
        if self.stop_after.is_some_and(|most| sent >= most) {
            return Some(Box::pin(std::future::pending()));
        }
        let rate = self.bytes_per_second?.max(1);
        Some(Box::pin(sleep(Duration::from_millis(piece as u64 * 1000 / rate))))
    }

    /// The most that is sent at once.
    pub(super) fn piece(&self, usual: usize) -> usize {
        // A tenth of a second each, so that nobody sees a pause.
        let paced = self.bytes_per_second.map_or(usual, |rate| usize::try_from(rate / 10).unwrap_or(usual).max(1));
        let stop = self.stop_after.map_or(usual, |most| usize::try_from(most).unwrap_or(usual));
        usual.min(paced).min(stop)
    }

    /// Nothing is sent for most of the time, so that silence is no stall.
    pub(super) fn is_quiet(&self) -> bool {
        self.expect == Expect::HeadAlone || self.stop_after.is_some() || self.bytes_per_second.is_some()
    }
}
