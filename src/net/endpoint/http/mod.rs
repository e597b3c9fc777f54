//! One request and its answer over a connection that stands, within bounds.

mod body;
mod manner;
mod pace;

pub(super) use manner::{Expect, Manner};

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{EXPECT, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::endpoint::{EndpointUrl, HttpDetail, HttpVersion, TransferDetail};
use crate::net::stream::Witness;
use crate::observe::{Failure, HttpFailure, TransferFailure};
use crate::text::printable;
use body::Made;
use pace::{PAUSE, Progress, rate};

/// A head larger than this is no server's: most send under 1 KiB, and common servers read no more than 8 to 64 KiB.
const LARGEST_HEAD_BYTES: u32 = 64 << 10;
/// As many as hyper reads by default.
const MOST_HEADERS: usize = 100;
/// What two ends of a connection take to agree on HTTP/2.
const SETTINGS: Duration = Duration::from_secs(3);

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
    /// How the body is sent.
    pub(super) manner: Manner,
}

impl Asked {
    /// A plain GET straight to the server of the URL, of whose answer so much is read.
    pub(super) fn get(url: &EndpointUrl, most_bytes: u64) -> Self {
        Self {
            method: "GET",
            uri: url.target().parse().unwrap_or_default(),
            authority: url.authority(),
            absolute: false,
            headers: HeaderMap::new(),
            body_bytes: None,
            most_bytes,
            manner: Manner::default(),
        }
    }
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
    /// All headers, for those that hold more than who answers.
    pub(super) headers: HeaderMap,
    /// It was said that the body may follow.
    pub(super) continued: bool,
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
                builder.max_buf_size(LARGEST_HEAD_BYTES as usize).max_headers(MOST_HEADERS);
                let (sender, driver) = builder.handshake(io).await.map_err(broken)?;
                tokio::spawn(driver);
                Ok(Self::Http1(sender))
            }
            HttpVersion::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).max_header_list_size(LARGEST_HEAD_BYTES);
                let opened = timeout(SETTINGS, builder.handshake(io)).await;
                let (sender, driver) = opened.map_err(|_| Failure::from(HttpFailure::NoAnswer))?.map_err(broken)?;
                tokio::spawn(driver);
                Ok(Self::Http2(sender))
            }
        }
    }

    /// Whether the other side has closed the connection.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Http1(sender) => sender.is_closed(),
            Self::Http2(sender) => sender.is_closed(),
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
        answered.continued = progress.sign.is_seen();
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
                answered.headers = response.headers().clone();
                body::read(response, asked, witness, &mut answered, sending.unwrap_or_default()).await;
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
        if response.status() != StatusCode::OK {
            return None;
        }
        let most_bytes = usize::try_from(asked.most_bytes).ok()?;
        let body = Limited::new(response.into_body(), most_bytes).collect().await.ok()?;
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
            ended = progress.ended(&asked.manner) => ended.map_or(Ok(None), Err),
        }
    }

    fn request(&self, asked: &Asked, progress: &Progress<'_>) -> Request<Made> {
        let body = Made::new(progress.all, Arc::clone(&progress.sent), asked.manner.clone(), &progress.sign);
        let mut request = Request::new(body);
        *request.method_mut() = asked.method.parse().expect("a method of ours");
        *request.headers_mut() = asked.headers.clone();
        let whole = asked.absolute || matches!(self, Self::Http2(_));
        *request.uri_mut() = if whole {
            asked.uri.clone()
        } else {
            asked.uri.path_and_query().map_or("/", |path| path.as_str()).parse().expect("a path of a URI")
        };
        if asked.manner.expect != Expect::Nothing {
            request.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
            let sign = Arc::clone(&progress.sign);
            hyper::ext::on_informational(&mut request, move |said| {
                if said.status() == StatusCode::CONTINUE {
                    sign.give();
                }
            });
        }
        if !matches!(self, Self::Http2(_)) {
            let host = HeaderValue::from_str(&asked.authority).unwrap_or(HeaderValue::from_static(""));
            request.headers_mut().insert(hyper::header::HOST, host);
        }
        request
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

/// A header of ours that makes a request longer than two packets, to see whether such pass.
pub(super) fn padding() -> (HeaderName, HeaderValue) {
    // Common servers take lines of up to 8,000 bytes.
    const BYTES: usize = 3000;
    let value = HeaderValue::from_str(&"x".repeat(BYTES)).expect("letters");
    (HeaderName::from_static("x-egressd-padding"), value)
}
