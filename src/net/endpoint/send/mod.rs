//! Sends media for real: generated files up, down and away again, and what breaks them searched for.

mod carrier;
mod climb;
mod parts;
mod resumable;
mod sign;
mod upload;

use std::io;
use std::time::{Duration, Instant};

use futures_util::future::join;
use hyper::header::HeaderMap;
use tokio::time::{sleep, timeout};

use super::gateway::Chooser;
use super::resolve;
use super::tls::Stores;
use super::visit::Means;
use super::{Errand, HeaderError, Seen, portal, unreachable, uplink, value};
use crate::endpoint::{Direction, Endpoint, EndpointRun, RunContext, Step};
use crate::media::send::{Filling, SendRun, SendTarget};
use crate::net::interrupt::Interrupt;
use crate::proxy::ProxyAddress;
use crate::secret::Secret;
use carrier::{Budget, Carrier};
use sign::Keys;

/// What is to be sent.
#[derive(Debug)]
pub struct SendErrand<'a> {
    /// The network as endpoints are checked on it; its endpoints are not asked.
    pub network: Errand<'a>,
    /// Where media are sent.
    pub targets: Vec<ReadyTarget>,
    /// What all uploads together may send.
    pub budget_bytes: u64,
}

/// A target with what files and the environment hold.
#[derive(Debug)]
pub struct ReadyTarget {
    target: SendTarget,
    headers: HeaderMap,
    fields: Vec<(String, String)>,
    keys: Option<Keys>,
}

/// How far sending has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendProgress {
    /// Requests by now.
    pub requests: u32,
    /// Bytes of bodies that were sent by now.
    pub sent_bytes: u64,
    /// What is being sent to, and over which way.
    pub what: String,
}

/// What was seen.
#[derive(Debug)]
pub struct Sent {
    /// Of the uploads: a run for each target and path.
    pub media: Vec<SendRun>,
    /// Of the first visits, layer by layer.
    pub seen: Seen,
    /// How long it took.
    pub took: Duration,
}

/// How often a signal is looked for.
const TICK: Duration = Duration::from_millis(50);
/// What is left of the uploads of an interrupted run is deleted within this.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// Fetches the values of headers, fields and keys.
///
/// # Errors
/// Names the target and what is missing.
pub fn ready(target: &SendTarget) -> Result<ReadyTarget, HeaderError> {
    let url = target.url.fill(Filling { name: "name", id: None });
    let url = url.map_err(|error| HeaderError::Text { endpoint: target.name.clone(), reason: error.to_string() })?;
    let endpoint = target.endpoint(Direction::Send, url);
    let field = |(name, source): (&String, _)| Ok((name.clone(), value(source, &endpoint)?));
    let secret = |source| Ok::<_, HeaderError>(Secret::new(value(source, &endpoint)?));
    let keys = target.s3.as_ref().map(|keys| {
        let (access_key, secret_key) = (secret(&keys.access_key)?, secret(&keys.secret_key)?);
        Ok::<_, HeaderError>(Keys { region: keys.region.clone(), access_key, secret_key })
    });
    Ok(ReadyTarget {
        headers: super::headers(&endpoint)?,
        fields: target.fields.iter().map(field).collect::<Result<_, HeaderError>>()?,
        keys: keys.transpose()?,
        target: target.clone(),
    })
}

/// Sends to all targets, one after another, over each of their ways. A signal ends it early; what was uploaded by then is
/// deleted all the same, unless a second signal comes.
///
/// # Errors
/// When no runtime can be had.
pub fn send(errand: &SendErrand<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) -> io::Result<Sent> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sent = runtime.block_on(run(errand, interrupt, tell));
    runtime.shutdown_background();
    Ok(sent)
}

async fn run(errand: &SendErrand<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) -> Sent {
    let began = Instant::now();
    let network = &errand.network;
    let stores = Stores::new(network.roots);
    let (askers, trouble) = resolve::askers(network, &stores.client()).await;
    let means = Means { stores: &stores, askers: &askers, published: &network.published, began };
    let mut chooser = Chooser::new(&stores, &askers);
    let budget = Budget::new(errand.budget_bytes);
    let (mut media, mut runs, mut interrupted) = (Vec::new(), Vec::new(), false);
    for ready in &errand.targets {
        let Some(endpoint) = home(&ready.target) else { continue };
        let started = began.elapsed();
        let gateway = match chooser.choose(&endpoint).await {
            Ok(gateway) => gateway,
            Err(error) => {
                runs.push(unreachable(&endpoint, started, began.elapsed(), &error.to_string()));
                None
            }
        };
        let ways: [Option<Option<&ProxyAddress>>; 2] = [Some(None), gateway.as_ref().map(Some)];
        for way in ways.into_iter().flatten() {
            if interrupted {
                break;
            }
            let carrier = Carrier::new(means, ready, way, &budget);
            interrupted = Box::pin(carry(&carrier, interrupt, tell)).await;
            let (seen, sent) = carrier.into_evidence();
            runs.extend(seen);
            media.push(sent);
        }
    }
    let context = if interrupted { RunContext::default() } else { context(&runs, errand, &askers).await };
    let seen = Seen { runs, context, limits: trouble.into_iter().collect(), interrupted };
    Sent { media, seen, took: began.elapsed() }
}

/// Whether a signal ended it.
async fn carry(carrier: &Carrier<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) -> bool {
    let interrupted = tokio::select! {
        () = carrier.run() => false,
        () = watch(carrier, interrupt, tell) => true,
    };
    let left = carrier.uploaded.lock().expect("no holder panics").clone();
    let clean_up = async {
        for url in left {
            carrier.remove(url).await;
        }
    };
    let mut quietly = |_: &SendProgress| {};
    tokio::select! {
        _ = timeout(CLEAN_UP, clean_up) => interrupted,
        () = watch(carrier, interrupt, &mut quietly) => true,
    }
}

/// Ends with a signal; until then tells how far it is.
async fn watch(carrier: &Carrier<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) {
    while !interrupt.came() {
        let progress = {
            let record = carrier.record.lock().expect("no holder panics");
            let what = format!("{} {}", record.target.name, record.path.name());
            SendProgress { requests: record.requests, sent_bytes: record.sent_bytes, what }
        };
        tell(&progress);
        sleep(TICK).await;
    }
}

fn home(target: &SendTarget) -> Option<Endpoint> {
    let url = target.url.fill(Filling { name: "name", id: None }).ok()?;
    Some(target.endpoint(Direction::Send, url))
}

/// What answers besides, where something fails.
async fn context(runs: &[EndpointRun], errand: &SendErrand<'_>, askers: &[resolve::Asker]) -> RunContext {
    let mut context = RunContext::default();
    let failed = |step: &Step| step.failure.is_some();
    let Some(first) = runs.iter().find(|run| run.steps.iter().any(failed)) else { return context };
    let (answered, (plain, portal)) =
        join(uplink(errand.network.controls), portal::sign(Some(&first.endpoint), askers)).await;
    for (family, answered) in answered.into_iter().chain(plain.map(|family| (family, true))) {
        context.note(family, answered);
    }
    context.portal = portal;
    context
}
