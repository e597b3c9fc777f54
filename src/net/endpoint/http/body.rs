//! Bodies: those that are made up and sent, and those that are read within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use sha2::{Digest, Sha256};

use super::manner::{Manner, Sign, Wait};
use super::pace::Arrival;
use super::{Answered, Asked};
use crate::endpoint::TransferDetail;
use crate::media::generate::Noise;
use crate::net::stream::Witness;
use crate::observe::{Failure, TransferFailure};
use crate::text::hexadecimal;

/// What is kept of a page, to see whose it is.
const PAGE_BYTES: usize = 64 << 10;
/// Pieces that a body is sent in.
const PIECE_BYTES: usize = 16 << 10;

/// Reads the body: its length, hash, beginning, and how fast it comes.
pub(super) async fn read(
    response: Response<Incoming>,
    asked: &Asked,
    witness: Option<&Witness>,
    answered: &mut Answered,
    mut transfer: TransferDetail,
) {
    let began = Instant::now();
    transfer.announced_bytes = answered.head.header("content-length").and_then(|length| length.parse().ok());
    if asked.method == "HEAD" {
        transfer.announced_bytes = None;
    }
    let plain = response.status().is_success() && !answered.head.is_page();
    if asked.most_bytes == 0 && plain {
        answered.transfer = asked.body_bytes.map(|_| transfer);
        return;
    }
    let most_bytes = asked.most_bytes.max(PAGE_BYTES as u64);
    let (mut body, mut hash, mut arrival) =
        (response.into_body(), Sha256::new(), Arrival::new(witness, asked.manner.limit));
    let failure = loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            stalled = arrival.pause() => {
                transfer.cut_short = !stalled;
                break stalled.then_some(TransferFailure::Stalled(transfer.received_bytes));
            }
        };
        match frame {
            None => break None,
            Some(Err(error)) => break Some(body_failure(&error, &transfer)),
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                take(data, &mut transfer, &mut hash, &mut answered.page);
                arrival.came(data.len());
                if transfer.received_bytes > most_bytes {
                    break Some(TransferFailure::TooLarge);
                }
            }
        }
    };
    let whole = failure.is_none() && !transfer.cut_short;
    transfer.sha256 = whole.then(|| hexadecimal(&hash.finalize()));
    transfer.bits_per_second = arrival.bits_per_second();
    (answered.transfer_started, answered.transfer_took) = (Some(began), began.elapsed());
    answered.transfer_failure = failure.map(Failure::from);
    answered.transfer = Some(transfer);
}

fn take(data: &Bytes, transfer: &mut TransferDetail, hash: &mut Sha256, page: &mut Vec<u8>) {
    transfer.received_bytes += data.len() as u64;
    hash.update(data);
    let room = PAGE_BYTES - page.len();
    page.extend_from_slice(&data[..data.len().min(room)]);
}

/// hyper says of a body that ends too early that it is incomplete.
fn body_failure(error: &hyper::Error, transfer: &TransferDetail) -> TransferFailure {
    let received = transfer.received_bytes;
    match transfer.announced_bytes {
        Some(expected) if error.is_incomplete_message() || ends_early(error) => {
            TransferFailure::Truncated { received, expected }
        }
        _ => TransferFailure::Broken(received),
    }
}

/// A body that is closed, and not reset, before its end comes to hyper as an unexpected end.
fn ends_early(error: &hyper::Error) -> bool {
    use std::error::Error as _;
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|source| source.kind() == std::io::ErrorKind::UnexpectedEof)
}

/// A body that is given, or of made-up bytes that no proxy can compress.
pub(in crate::net::endpoint) struct Made {
    left: u64,
    noise: Noise,
    sent: Arc<AtomicU64>,
    manner: Manner,
    wait: Option<Wait>,
}

impl Body for Made {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(wait) = &mut self.wait {
            std::task::ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = self.piece();
        self.left -= piece.len() as u64;
        let sent = self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64;
        self.wait = self.manner.after(piece.len(), sent);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        if self.manner.chunked { SizeHint::default() } else { SizeHint::with_exact(self.left) }
    }
}

impl Made {
    pub(super) fn new(bytes: u64, sent: Arc<AtomicU64>, manner: Manner, sign: &Arc<Sign>) -> Self {
        let wait = if bytes > 0 { manner.before(sign) } else { None };
        Self { left: bytes, noise: Noise::default(), sent, manner, wait }
    }

    fn piece(&mut self) -> Bytes {
        let usual = usize::try_from(self.left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let length = self.manner.piece(usual);
        match &mut self.manner.given {
            Some(given) => given.split_to(length.min(given.len())),
            None => self.noise.by_ref().take(length).collect(),
        }
    }
}
