//! Checks endpoints layer by layer: each operation on each address is recorded on its own, and nothing falls back.

mod gateway;
mod http;
mod place;
mod portal;
mod quic;
mod resolve;
pub mod send;
mod tls;
mod visit;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use tokio::time::sleep;

use super::interrupt::Interrupt;
use super::stream::TcpConnection;
use crate::endpoint::{
    ConnectDetail, Detail, Endpoint, EndpointRun, HeaderSource, Path, Resolver, RunContext, Step, Variant,
};
use crate::observe::{Failure, Operation, ProxyFailure};
use crate::prefix::{Family, PrefixSet};
use crate::proxy::ProxyAddress;
use gateway::Chooser;
use resolve::Asker;
use tls::Stores;
use visit::{Means, Visit};

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct Errand<'a> {
    /// The endpoints, each with the headers of its requests.
    pub endpoints: Vec<(&'a Endpoint, HeaderMap)>,
    /// Resolvers besides the system's.
    pub resolvers: &'a [Resolver],
    /// The system's are asked as well.
    pub system_resolvers: bool,
    /// Authorities to trust besides the embedded bundle.
    pub roots: &'a [CertificateDer<'static>],
    /// The published ranges.
    pub published: PrefixSet,
    /// Addresses outside them.
    pub controls: &'a [SocketAddr],
    /// Addresses of published ranges at which receiving is tried as well: every edge serves every name.
    pub aimed: Vec<SocketAddr>,
    /// How many of them a second.
    pub per_second: f64,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// A run for each endpoint and path.
    pub runs: Vec<EndpointRun>,
    /// What is known besides.
    pub context: RunContext,
    /// What made the evidence poorer than it could be.
    pub limits: Vec<String>,
    /// It was ended early.
    pub interrupted: bool,
}

/// Why the headers of an endpoint cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The environment lacks the variable.
    #[error("endpoint {endpoint}: the environment has no {variable}")]
    Variable {
        /// The endpoint.
        endpoint: String,
        /// The variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("endpoint {endpoint}: cannot read {}", .file.display())]
    File {
        /// The endpoint.
        endpoint: String,
        /// The file.
        file: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No header has such a name or value.
    #[error("endpoint {endpoint}: {reason}")]
    Text {
        /// The endpoint.
        endpoint: String,
        /// What is wrong; the value is not in it.
        reason: String,
    },
}

/// How often a signal and the processor are looked for.
const TICK: Duration = Duration::from_millis(50);

/// Checks all endpoints at once.
///
/// # Errors
/// When no runtime can be had.
pub fn check(errand: &Errand<'_>, interrupt: &Interrupt) -> io::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(run(errand, interrupt));
    // Nobody waits for what is still under way.
    runtime.shutdown_background();
    Ok(seen)
}

/// The smallest time to live with which a handshake's first message is reset, short of the server at its distance.
///
/// # Errors
/// When no runtime can be had.
pub fn first_reset(
    roots: &[CertificateDer<'static>],
    address: SocketAddr,
    host: &str,
    server: u8,
) -> io::Result<Option<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(place::first_reset(&Stores::new(roots), address, host, server)))
}

/// The headers of an endpoint's requests, with what files and the environment hold.
pub fn headers(endpoint: &Endpoint) -> Result<HeaderMap, HeaderError> {
    let name = || endpoint.name.clone();
    let values: Vec<(&str, String)> = endpoint
        .headers
        .iter()
        .map(|(header, source)| Ok((header.as_str(), value(source, endpoint)?)))
        .collect::<Result<_, HeaderError>>()?;
    let named = values.iter().map(|(header, value)| (*header, value.as_str()));
    visit::headers(named).map_err(|reason| HeaderError::Text { endpoint: name(), reason })
}

fn value(source: &HeaderSource, endpoint: &Endpoint) -> Result<String, HeaderError> {
    let name = || endpoint.name.clone();
    match source {
        HeaderSource::Value(secret) => Ok(secret.expose().to_owned()),
        HeaderSource::Environment { env } => {
            std::env::var(env).map_err(|_| HeaderError::Variable { endpoint: name(), variable: env.clone() })
        }
        HeaderSource::File { file } => {
            let text = std::fs::read_to_string(file).map_err(|source| HeaderError::File {
                endpoint: name(),
                file: file.clone(),
                source,
            })?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

async fn run(errand: &Errand<'_>, interrupt: &Interrupt) -> Seen {
    let began = Instant::now();
    let stores = Stores::new(errand.roots);
    let (askers, trouble) = resolve::askers(errand, &stores.client()).await;
    let (gateways, mut unchosen) = gateways(errand, &stores, &askers, began).await;
    let means = Means { stores: &stores, askers: &askers, published: &errand.published, began };
    let asked = || errand.endpoints.iter().zip(&gateways);
    let visits: Vec<Visit<'_>> =
        asked().map(|((endpoint, headers), _)| Visit::new(means, endpoint, headers, None)).collect();
    let proxied: Vec<Visit<'_>> = asked()
        .filter_map(|((endpoint, headers), gateway)| {
            Some(Visit::new(means, endpoint, headers, Some(gateway.as_ref()?)))
        })
        .collect();
    let lag = AtomicU64::new(0);
    let first = errand.endpoints.iter().map(|(endpoint, _)| *endpoint).find(|endpoint| endpoint.url.is_https());
    let beside = join(uplink(errand.controls), portal::sign(first, &askers));
    // One endpoint shows what the others would: it is the same edge.
    let aims = visits.iter().find(|visit| visit.endpoint.takes_aim());
    let aim = async {
        if let Some(visit) = aims {
            visit.aim(&errand.aimed, errand.per_second).await;
        }
    };
    let by_proxy = proxied.iter().filter_map(|visit| Some(visit.proxied(visit.gateway?)));
    let ways = join(join_all(visits.iter().map(Visit::direct)), join_all(by_proxy));
    let work = async {
        let (mut ways, mut beside) = (pin!(join(ways, aim)), pin!(beside));
        let mut known = None;
        loop {
            tokio::select! {
                _ = &mut ways => break,
                seen = &mut beside, if known.is_none() => known = Some(seen),
            }
        }
        // What answers besides is asked for what fails alone: nobody waits for it where all is well.
        let fails = visits.iter().chain(&proxied).any(Visit::fails);
        if known.is_none() && fails {
            known = Some(beside.await);
        }
        known.unwrap_or_default()
    };
    let done = tokio::select! {
        done = work => Some(done),
        () = watch(&lag, interrupt) => None,
    };
    let interrupted = done.is_none();
    let (uplink, (plain, portal)) = done.unwrap_or_default();
    let starved = Duration::from_micros(lag.load(Ordering::Relaxed));
    let mut runs: Vec<EndpointRun> = visits.into_iter().chain(proxied).map(into_run).collect();
    runs.append(&mut unchosen);
    // Each endpoint's ways stand side by side, in the order of the configuration.
    let position = |run: &EndpointRun| errand.endpoints.iter().position(|(asked, _)| asked.name == run.endpoint.name);
    runs.sort_by_key(position);
    let mut context = RunContext { portal, starved, ..RunContext::default() };
    for (family, answered) in uplink.into_iter().chain(plain.map(|family| (family, true))) {
        context.note(family, answered);
    }
    Seen { runs, context, limits: trouble.into_iter().collect(), interrupted }
}

fn into_run(visit: Visit<'_>) -> EndpointRun {
    let path = visit.gateway.map_or(Path::Direct, |proxy| Path::Proxy(format!("{}:{}", proxy.host, proxy.port)));
    EndpointRun { endpoint: visit.endpoint.clone(), path, steps: visit.into_steps(), offender: None }
}

/// The proxy of each endpoint, and a run for each that should have one that cannot be asked.
async fn gateways(
    errand: &Errand<'_>,
    stores: &Stores,
    askers: &[Asker],
    began: Instant,
) -> (Vec<Option<ProxyAddress>>, Vec<EndpointRun>) {
    let mut chooser = Chooser::new(stores, askers);
    let (mut gateways, mut unchosen) = (Vec::new(), Vec::new());
    for (endpoint, _) in &errand.endpoints {
        let started = began.elapsed();
        match chooser.choose(endpoint).await {
            Ok(gateway) => gateways.push(gateway),
            Err(error) => {
                gateways.push(None);
                unchosen.push(unreachable(endpoint, started, began.elapsed(), &error.to_string()));
            }
        }
    }
    (gateways, unchosen)
}

fn unreachable(endpoint: &Endpoint, started: Duration, now: Duration, reason: &str) -> EndpointRun {
    let failure = ProxyFailure::Unreachable(Box::new(Failure::Unknown(reason.to_owned())));
    let step = Step {
        operation: Operation::Connect,
        variant: Variant::Plain,
        address: None,
        started,
        took: now.saturating_sub(started),
        detail: Detail::Connect(ConnectDetail::default()),
        failure: Some(failure.into()),
    };
    let path = Path::Proxy("none".to_owned());
    EndpointRun { endpoint: endpoint.clone(), path, steps: vec![step], offender: None }
}

/// Which controls answer; nothing is noted of one without a route.
async fn uplink(controls: &[SocketAddr]) -> Vec<(Family, bool)> {
    const LIMIT: Duration = Duration::from_secs(3);
    let answered = |control: SocketAddr| async move {
        let answered = match TcpConnection::connect(control, None, LIMIT).await {
            // A reset is an answer of somebody outside as well.
            Ok(_) | Err(Failure::Reset) => true,
            Err(Failure::NoRoute | Failure::LocalLimit(_)) => return None,
            Err(_) => false,
        };
        Some((Family::of(control.ip()), answered))
    };
    let mut asked: FuturesUnordered<_> = controls.iter().map(|control| answered(*control)).collect();
    let mut seen: Vec<(Family, bool)> = Vec::new();
    while let Some(one) = asked.next().await {
        seen.extend(one);
        // One that answers is enough for a family, and the others may be blocked.
        let settled = |family| seen.contains(&(family, true)) || !controls.iter().any(|c| Family::of(c.ip()) == family);
        if settled(Family::V4) && settled(Family::V6) {
            break;
        }
    }
    seen
}

/// Ends with a signal; until then measures how late this process is given the processor.
async fn watch(lag: &AtomicU64, interrupt: &Interrupt) {
    while !interrupt.came() {
        let before = Instant::now();
        sleep(TICK).await;
        let late = before.elapsed().saturating_sub(TICK);
        lag.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
