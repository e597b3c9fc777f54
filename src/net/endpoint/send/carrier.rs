//! Requests of one target over one path, and what is kept of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Uri;
use hyper::header::{ACCEPT, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};

use super::ReadyTarget;
use crate::endpoint::{Direction, EndpointRun, EndpointUrl, Path, Step, Variant};
use crate::media::send::{Filling, SendRun};
use crate::net::endpoint::http::{Asked, Manner};
use crate::net::endpoint::visit::{Lane, Means, Reply, Visit};
use crate::net::proxy::connect::basic;
use crate::observe::{Failure, Operation};
use crate::proxy::ProxyAddress;

/// What all uploads together may send.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    /// Whether there is so much left; it is taken then.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Gives back what was not sent.
    pub(super) fn give(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// One target over one path.
pub(super) struct Carrier<'a> {
    pub(super) means: Means<'a>,
    pub(super) ready: &'a ReadyTarget,
    pub(super) gateway: Option<&'a ProxyAddress>,
    pub(super) budget: &'a Budget,
    pub(super) record: Mutex<SendRun>,
    /// The first visit of each direction, for the report's endpoints.
    runs: Mutex<BTreeMap<Direction, EndpointRun>>,
    /// Where each host is asked.
    places: Mutex<BTreeMap<(String, u16), Lane>>,
    /// What lies there and is to be deleted.
    pub(super) uploaded: Mutex<Vec<EndpointUrl>>,
}

/// A request to be made.
pub(super) struct Request {
    pub(super) direction: Direction,
    pub(super) url: EndpointUrl,
    pub(super) method: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) body_bytes: Option<u64>,
    pub(super) most_bytes: u64,
    pub(super) manner: Manner,
    pub(super) segment: Option<u32>,
    /// Length and SHA-256 that the answer must have.
    pub(super) wanted: Option<(u64, String)>,
}

/// What came of a request.
pub(super) struct Exchanged {
    /// None where no connection stood, or nothing could be told to who answered.
    pub(super) reply: Option<Reply>,
    /// What is wrong.
    pub(super) failure: Option<Failure>,
    /// It fell silent over large packets.
    pub(super) stuck: bool,
}

/// The head of an answer, and the body where it is short, are read up to this.
const ANSWER_BYTES: u64 = 64 << 10;
/// A file of 20 MB at 1.4 Mbit/s.
pub(super) const TRANSFER: Duration = Duration::from_mins(2);

impl Request {
    pub(super) fn new(direction: Direction, method: &'static str, url: EndpointUrl) -> Self {
        let manner = Manner { limit: Some(TRANSFER), ..Manner::default() };
        Self {
            direction,
            url,
            method,
            headers: HeaderMap::new(),
            body_bytes: None,
            most_bytes: ANSWER_BYTES,
            manner,
            segment: None,
            wanted: None,
        }
    }

    /// With a header; a value that is none is left out.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// With this body.
    pub(super) fn carrying(mut self, body: hyper::body::Bytes) -> Self {
        self.body_bytes = Some(body.len() as u64);
        self.manner.given = Some(body);
        self
    }
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        means: Means<'a>,
        ready: &'a ReadyTarget,
        gateway: Option<&'a ProxyAddress>,
        budget: &'a Budget,
    ) -> Self {
        let path = gateway.map_or(Path::Direct, |proxy| Path::Proxy(format!("{}:{}", proxy.host, proxy.port)));
        Self {
            means,
            ready,
            gateway,
            budget,
            record: Mutex::new(SendRun::new(ready.target.clone(), path)),
            runs: Mutex::default(),
            places: Mutex::default(),
            uploaded: Mutex::default(),
        }
    }

    /// What was seen: of the first visits layer by layer, and of the uploads.
    pub(super) fn into_evidence(self) -> (Vec<EndpointRun>, SendRun) {
        let mut run = self.record.into_inner().expect("no holder panics");
        let undeleted = self.uploaded.into_inner().expect("no holder panics").len();
        run.left += u32::try_from(undeleted).unwrap_or(u32::MAX);
        (self.runs.into_inner().expect("no holder panics").into_values().collect(), run)
    }

    /// Makes the request over a connection of its own.
    pub(super) async fn exchange(&self, request: Request) -> Exchanged {
        let mut endpoint = self.ready.target.endpoint(request.direction, request.url.clone());
        (endpoint.expect_bytes, endpoint.expect_sha256) = request.wanted.clone().unzip();
        let none = HeaderMap::new();
        let visit = Visit::new(self.means, &endpoint, &none, self.gateway).with_http1_alone();
        let key = (request.url.host().to_owned(), request.url.port());
        let known = self.places.lock().expect("no holder panics").get(&key).copied();
        let lanes = match known {
            Some(lane) => vec![lane],
            None => visit.places().await,
        };
        let asked = self.asked(&request);
        let (mut reply, mut stuck) = (None, false);
        for lane in lanes {
            let lane =
                Lane { variant: if request.segment.is_some() { Variant::SmallSegments } else { lane.variant }, ..lane };
            reply = visit.request_at(lane, request.segment, &asked).await;
            stuck = visit.stuck(lane.address);
            if reply.is_some() {
                self.places
                    .lock()
                    .expect("no holder panics")
                    .entry(key)
                    .or_insert(Lane { variant: Variant::Plain, ..lane });
                break;
            }
        }
        self.count(reply.as_ref());
        let steps = visit.into_steps();
        let failure = reply.as_ref().map_or_else(|| first_failure(&steps), |reply| reply.failure.clone());
        // What is deleted tells nothing of the way.
        if request.method != "DELETE" {
            self.keep(request.direction, endpoint, steps, request.segment.is_some());
        }
        Exchanged { reply, failure, stuck }
    }

    fn asked(&self, request: &Request) -> Asked {
        let url = &request.url;
        let mut headers = request.headers.clone();
        if self.is_home(url) {
            for (name, value) in &self.ready.headers {
                headers.entry(name).or_insert_with(|| value.clone());
            }
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(concat!("egressd/", env!("CARGO_PKG_VERSION"))));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if let Some(known) = self.gateway.filter(|_| !url.is_https()).and_then(|proxy| proxy.credentials.as_ref()) {
            headers.insert(PROXY_AUTHORIZATION, basic(known));
        }
        let scheme = if url.is_https() { "https" } else { "http" };
        Asked {
            method: request.method,
            uri: format!("{scheme}://{}{}", url.authority(), url.target()).parse::<Uri>().unwrap_or_default(),
            authority: url.authority(),
            absolute: self.gateway.is_some() && !url.is_https(),
            headers,
            body_bytes: request.body_bytes,
            most_bytes: request.most_bytes,
            manner: request.manner.clone(),
        }
    }

    /// Secrets go to the site that they are configured for, and nowhere that an answer leads to.
    fn is_home(&self, url: &EndpointUrl) -> bool {
        let home = self.ready.target.url.fill(Filling { name: "name", id: None });
        home.is_ok_and(|home| url.is_same_site(&home) && (url.is_https() || !home.is_https()))
    }

    fn count(&self, reply: Option<&Reply>) {
        let mut record = self.record.lock().expect("no holder panics");
        record.requests += 1;
        if let Some(reply) = reply {
            record.authenticated |= reply.authenticated;
            record.sent_bytes += reply.answered.transfer.as_ref().map_or(0, |transfer| transfer.sent_bytes);
        }
    }

    /// Keeps the steps of the first visit of a direction, and those of a second in small segments.
    fn keep(&self, direction: Direction, endpoint: crate::endpoint::Endpoint, steps: Vec<Step>, small: bool) {
        let mut runs = self.runs.lock().expect("no holder panics");
        let path = self.record.lock().expect("no holder panics").path.clone();
        match runs.get_mut(&direction) {
            Some(run) if small && !run.steps.iter().any(|step| step.variant == Variant::SmallSegments) => {
                run.steps.extend(steps);
            }
            Some(_) => {}
            None => {
                runs.insert(direction, EndpointRun { endpoint, path, steps, offender: None });
            }
        }
    }
}

/// What kept a request from being made.
fn first_failure(steps: &[Step]) -> Option<Failure> {
    let last = steps.iter().rev().find(|step| step.operation != Operation::Resolve && step.failure.is_some());
    last.or_else(|| steps.iter().find(|step| step.failure.is_some())).and_then(|step| step.failure.clone())
}
