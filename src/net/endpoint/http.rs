//! One request and its answer over a connection that stands, within bounds.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};

use crate::endpoint::{HttpDetail, HttpVersion, TransferDetail};
use crate::net::stream::Witness;
use crate::observe::{Failure, HttpFailure, TransferFailure};
use crate::text::{hexadecimal, printable};

/// A head larger than this is no server's: most send under 1 KiB, and common servers read no more than 8 to 64 KiB.
const LARGEST_HEAD_BYTES: usize = 64 << 10;
/// As many as hyper reads by default.
const MOST_HEADERS: usize = 100;
/// No byte for so long from the beginning, and a transfer has stalled: the kernel tries again after 0.2, 0.6, 1.4 and
/// 3 seconds.
const STALL: Duration = Duration::from_millis(3500);
/// The same once it has moved: what limits a rate lets nothing pass for seconds, and the kernel then waits longer as well.
const PAUSE: Duration = Duration::from_secs(6);
/// After so many bytes it has moved.
const MOVED_BYTES: u64 = 3000;
/// What a server may take to think: no byte has to pass meanwhile.
const THINKING: Duration = Duration::from_secs(5);
/// After so long a transfer that still moves is ended: its rate is known, and a person waits.
const ENOUGH: Duration = Duration::from_secs(8);
/// A transfer moves as long as pauses are shorter than this.
const MOVING: Duration = Duration::from_secs(2);
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What is kept of a page, to see whose it is.
const PAGE_BYTES: usize = 64 << 10;
/// Pieces that a body is sent in.
const PIECE_BYTES: usize = 16 << 10;
/// The beginning of a transfer, over which the rate still grows, is left out of it.
const WARM_UP: Duration = Duration::from_millis(300);

/// Anything that bytes go over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: &'static str,
    /// Scheme and authority are sent with HTTP/2, and to a proxy.
    pub(super) uri: Uri,
    pub(super) authority: String,
    pub(super) absolute: bool,
    pub(super) headers: HeaderMap,
    pub(super) body_bytes: Option<u64>,
    /// The most that is read of the answer's body; 0: nothing but a page.
    pub(super) most_bytes: u64,
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) head: HttpDetail,
    pub(super) head_took: Duration,
    pub(super) head_failure: Option<Failure>,
    /// None where there was no body to speak of.
    pub(super) transfer: Option<TransferDetail>,
    pub(super) transfer_started: Option<Instant>,
    pub(super) transfer_took: Duration,
    pub(super) transfer_failure: Option<Failure>,
    /// The beginning of the body.
    pub(super) page: Vec<u8>,
}

/// A connection over which requests go one after another.
pub(super) enum Session {
    Http1(http1::SendRequest<Made>),
    Http2(http2::SendRequest<Made>),
}

impl Session {
    /// Prepares a connection for requests.
    pub(super) async fn open(io: Box<dyn Io>, version: HttpVersion) -> Result<Self, Failure> {
        let io = TokioIo::new(io);
        let broken = |_| Failure::from(HttpFailure::Broken);
        match version {
            HttpVersion::Http1 => {
                let mut builder = http1::Builder::new();
                builder.max_buf_size(LARGEST_HEAD_BYTES).max_headers(MOST_HEADERS);
                let (sender, driver) = builder.handshake(io).await.map_err(broken)?;
                tokio::spawn(driver);
                Ok(Self::Http1(sender))
            }
            HttpVersion::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).max_header_list_size(LARGEST_HEAD_BYTES as u32);
                let opened = timeout(STALL, builder.handshake(io)).await;
                let (sender, driver) = opened.map_err(|_| Failure::from(HttpFailure::NoAnswer))?.map_err(broken)?;
                tokio::spawn(driver);
                Ok(Self::Http2(sender))
            }
        }
    }

    fn version(&self) -> HttpVersion {
        match self {
            Self::Http1(_) => HttpVersion::Http1,
            Self::Http2(_) => HttpVersion::Http2,
        }
    }

    /// Sends a request and reads what comes back.
    pub(super) async fn ask(&mut self, asked: &Asked, witness: Option<&Witness>) -> Answered {
        let began = Instant::now();
        let progress = Progress::new(asked, witness);
        let mut answered =
            Answered { head: HttpDetail { version: self.version(), ..HttpDetail::default() }, ..Answered::default() };
        let head = self.head(asked, &progress).await.transpose();
        answered.head_took = began.elapsed();
        let sending = || TransferDetail { sent_bytes: progress.passed(), ..TransferDetail::default() };
        let sending = asked.body_bytes.map(|_| sending());
        match head {
            // Ended by us, in the middle of the request's body.
            None => answered.transfer = sending.map(|sending| TransferDetail { cut_short: true, ..sending }),
            Some(Err(failure)) => {
                answered.transfer = sending;
                if matches!(failure, Failure::Transfer(_)) {
                    answered.transfer_failure = Some(failure);
                } else {
                    answered.head_failure = Some(failure);
                }
            }
            Some(Ok(response)) => {
                describe(&mut answered.head, &response);
                read(response, asked, witness, &mut answered, sending.unwrap_or_default()).await;
            }
        }
        let stalled = matches!(answered.transfer_failure, Some(Failure::Transfer(TransferFailure::Stalled(_))));
        if let Some(transfer) = &mut answered.transfer {
            finish(transfer, asked, answered.head_took, stalled, witness);
        }
        answered
    }

    /// The whole body of an answer with status 200; none of another, or of one that is too large.
    pub(super) async fn fetch(&mut self, asked: &Asked, witness: Option<&Witness>) -> Option<Vec<u8>> {
        let progress = Progress::new(asked, witness);
        let response = self.head(asked, &progress).await.ok()??;
        if response.status() != hyper::StatusCode::OK {
            return None;
        }
        let most_bytes = usize::try_from(asked.most_bytes).ok()?;
        let body = http_body_util::Limited::new(response.into_body(), most_bytes).collect().await.ok()?;
        Some(body.to_bytes().to_vec())
    }

    async fn head(&mut self, asked: &Asked, progress: &Progress<'_>) -> Result<Option<Response<Incoming>>, Failure> {
        let request = self.request(asked, progress);
        let answer = async {
            match self {
                Self::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Self::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
            }
        };
        tokio::select! {
            answer = answer => answer.map(Some).map_err(|error| progress.failure(&error)),
            ended = progress.stalled() => ended.map_or(Ok(None), Err),
        }
    }

    fn request(&self, asked: &Asked, progress: &Progress<'_>) -> Request<Made> {
        let body = Made { left: progress.all, state: SEED, sent: Arc::clone(&progress.sent) };
        let mut request = Request::new(body);
        *request.method_mut() = asked.method.parse().expect("a method of ours");
        *request.headers_mut() = asked.headers.clone();
        let whole = asked.absolute || matches!(self, Self::Http2(_));
        *request.uri_mut() = if whole {
            asked.uri.clone()
        } else {
            asked.uri.path_and_query().map_or("/", |path| path.as_str()).parse().expect("a path of a URI")
        };
        if !matches!(self, Self::Http2(_)) {
            let host = HeaderValue::from_str(&asked.authority).unwrap_or(HeaderValue::from_static(""));
            request.headers_mut().insert(hyper::header::HOST, host);
        }
        request
    }
}

/// How far a request has got.
struct Progress<'a> {
    /// Bytes of its body.
    all: u64,
    /// Those that were handed over.
    sent: Arc<AtomicU64>,
    witness: Option<&'a Witness>,
    /// What had been acknowledged before it began.
    before: u64,
}

impl<'a> Progress<'a> {
    fn new(asked: &Asked, witness: Option<&'a Witness>) -> Self {
        let before = witness.map_or(0, |witness| witness.info().acknowledged_bytes);
        Self { all: asked.body_bytes.unwrap_or(0), sent: Arc::default(), witness, before }
    }

    /// Bytes that the other side has acknowledged, heads and framing among them.
    fn acknowledged(&self) -> u64 {
        let sent = || self.sent.load(Ordering::Relaxed);
        self.witness.map_or_else(sent, |witness| witness.info().acknowledged_bytes.saturating_sub(self.before))
    }

    /// Bytes of the body that have passed, to a few hundred.
    fn passed(&self) -> u64 {
        self.acknowledged().min(self.all)
    }

    fn unacknowledged(&self) -> u32 {
        self.witness.map_or(0, |witness| witness.info().unacknowledged)
    }

    /// Ends when nothing has moved for too long, and without a failure when a body has moved for long enough.
    async fn stalled(&self) -> Option<Failure> {
        let began = Instant::now();
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
                () if under_way && self.all > 0 && began.elapsed() >= ENOUGH && quiet < MOVING => return None,
                () if under_way && self.all > 0 => {}
                () if under_way && quiet >= STALL || quiet >= THINKING => return Some(HttpFailure::NoAnswer.into()),
                () => {}
            }
        }
    }

    fn failure(&self, error: &hyper::Error) -> Failure {
        let passed = self.passed();
        match error {
            _ if error.is_parse_too_large() => HttpFailure::TooLarge.into(),
            _ if error.is_parse() => HttpFailure::Malformed.into(),
            _ if passed > 0 && passed < self.all => TransferFailure::Broken(passed).into(),
            _ => HttpFailure::Broken.into(),
        }
    }
}

fn describe<B>(head: &mut HttpDetail, response: &Response<B>) {
    head.status = Some(response.status().as_u16());
    let kept = |name: &&str| {
        let value = response.headers().get(*name)?;
        Some(((*name).to_owned(), printable(&String::from_utf8_lossy(value.as_bytes()), 200)))
    };
    head.headers = HttpDetail::KEPT.iter().filter_map(kept).collect();
}

/// Reads the body: its length, hash, beginning, and how fast it comes.
async fn read(
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
    let (mut body, mut hash, mut arrival) = (response.into_body(), Sha256::new(), Arrival::new(witness));
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

/// How a body arrives: what TCP has received counts, since a piece that can be read may take many packets.
struct Arrival<'a> {
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
}

impl<'a> Arrival<'a> {
    fn new(witness: Option<&'a Witness>) -> Self {
        let (began, before) = (Instant::now(), witness.map_or(0, |witness| witness.info().received_bytes));
        Self { witness, began, before, read: 0, last: (began, 0), warm: None }
    }

    fn came(&mut self, bytes: usize) {
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

    /// Ends when nothing has come for too long, true, or when enough has been seen of what still comes, false.
    async fn pause(&mut self) -> bool {
        loop {
            sleep(LOOK).await;
            self.look();
            let quiet = self.last.0.elapsed();
            if quiet >= patience(self.last.1) {
                return true;
            }
            if self.began.elapsed() >= ENOUGH && quiet < MOVING {
                return false;
            }
        }
    }

    /// Over the time in which something came.
    fn bits_per_second(&self) -> Option<u64> {
        let (since, before) = self.warm?;
        rate(self.last.1.saturating_sub(before), self.last.0.duration_since(since))
    }
}

fn take(data: &Bytes, transfer: &mut TransferDetail, hash: &mut Sha256, page: &mut Vec<u8>) {
    transfer.received_bytes += data.len() as u64;
    hash.update(data);
    let room = PAGE_BYTES - page.len();
    page.extend_from_slice(&data[..data.len().min(room)]);
}

/// How long nothing may come after so many bytes.
fn patience(bytes: u64) -> Duration {
    if bytes < MOVED_BYTES { STALL } else { PAUSE }
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

fn finish(transfer: &mut TransferDetail, asked: &Asked, head_took: Duration, stalled: bool, witness: Option<&Witness>) {
    if let Some(info) = witness.map(Witness::info) {
        transfer.retransmitted = Some(info.retransmitted);
        transfer.unacknowledged = Some(info.unacknowledged);
    }
    if asked.body_bytes.is_some() {
        // What was waited for in vain is no part of the transfer.
        let moving = if stalled { head_took.saturating_sub(PAUSE) } else { head_took };
        transfer.bits_per_second = rate(transfer.sent_bytes, moving);
    }
}

/// Too short a time or too few bytes say nothing of a rate.
fn rate(bytes: u64, took: Duration) -> Option<u64> {
    const LEAST_BYTES: u64 = 16 << 10;
    let millis = u64::try_from(took.as_millis()).ok().filter(|&millis| millis >= 100)?;
    (bytes >= LEAST_BYTES).then(|| bytes.saturating_mul(8000) / millis)
}

/// Where the made-up bytes begin: any number but zero.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A body of made-up bytes that no proxy can compress.
#[derive(Debug)]
pub(super) struct Made {
    left: u64,
    state: u64,
    sent: Arc<AtomicU64>,
}

impl Body for Made {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let piece = self.piece(length);
        self.left -= length as u64;
        self.sent.fetch_add(length as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl Made {
    /// Xorshift (Marsaglia 2003): the same bytes in every run.
    fn piece(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            bytes.extend_from_slice(&self.state.to_le_bytes());
        }
        bytes.truncate(length);
        bytes.into()
    }
}

/// A header of ours that makes a request longer than two packets, to see whether such pass.
pub(super) fn padding() -> (HeaderName, HeaderValue) {
    // Common servers take lines of up to 8,000 bytes.
    const BYTES: usize = 3000;
    let value = HeaderValue::from_str(&"x".repeat(BYTES)).expect("letters");
    (HeaderName::from_static("x-egressd-padding"), value)
}

impl Session {
    /// Whether the other side has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
        }
    }
}
