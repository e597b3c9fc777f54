//! The service: metrics, results and lists over HTTP/1.1, on a thread of its own.
//!
//! Every answer is made of one immutable snapshot. What does not change with the question is written when the snapshot comes
//! in; a request copies bytes. Nothing that a client sends makes the daemon ask anything of anybody that the configuration
//! does not name.

mod access;
mod api;
mod connections;
mod exports;
mod files;
mod guard;
mod limit;
mod listener;
mod page;
mod problem;
mod representation;
mod schema;
mod serve;
#[cfg(test)]
mod tests;
mod tls;

pub use access::AccessError;
pub use listener::{ListenError, Listeners};
pub use tls::CertificateError;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Semaphore, watch};
use utoipa::OpenApi;

use crate::config::http::HttpConfig;
use crate::daemon::{Commands, Current, Handle, View};
use crate::metrics::{self, Live};
use guard::Gate;
use limit::Limiter;
use problem::Problem;
use representation::Representation;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The passwords or tokens.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The thread.
    #[error("cannot start the thread that serves")]
    Thread(#[source] io::Error),
}

/// The running service; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    gate: Arc<Gate>,
    certificate: Option<Arc<tls::Shown>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    addresses: Vec<String>,
}

/// What the routes know.
#[derive(Debug)]
struct Service {
    view: View,
    commands: Commands,
    live: Arc<Live>,
    history: Option<PathBuf>,
    metrics: RwLock<String>,
    report: Written,
    exports: exports::Cache,
    /// Exports are written one at a time.
    writing: tokio::sync::Mutex<()>,
    /// The history is read by few at a time.
    reading: Semaphore,
    checks: Limiter,
    reloads: Limiter,
}

/// The last report, as it is sent.
#[derive(Debug, Default)]
struct Written(Mutex<Option<(Arc<Current>, Arc<Representation>)>>);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "egressd",
        description = "What this site's firewall lets through to CloudFront, and the lists for the devices that have to.",
        license(name = "Apache-2.0")
    ),
    paths(
        api::report,
        api::ranges,
        api::endpoints,
        api::diagnoses,
        api::feed,
        api::status,
        api::history,
        api::check,
        api::reload,
        exports::export,
        metrics_page,
        healthy,
        ready,
        description
    ),
    components(schemas(Problem))
)]
struct Description;

impl Server {
    /// Serves the sockets on a thread of its own. The history is read from the file that is named.
    ///
    /// # Errors
    /// When certificate, passwords or tokens cannot be read.
    pub fn start(
        config: &HttpConfig,
        sockets: Listeners,
        handle: &Handle,
        live: &Arc<Live>,
        history: Option<PathBuf>,
    ) -> Result<Self, HttpError> {
        let certificate = tls::Shown::read(config)?;
        let gate = Arc::new(Gate { access: access::Access::read(config)?, hosts: names(config) });
        let service = Service::new(handle, live, history);
        let (stop, stopping) = watch::channel(false);
        let addresses = sockets.addresses();
        let serving = serve::Serving {
            router: router(&service, &gate),
            tls: certificate.as_ref().map(tls::Shown::acceptor),
            connections: connections::Connections::new(config.connections, Arc::clone(live)),
            live: Arc::clone(live),
            stopping,
        };
        let thread = std::thread::Builder::new().name("http".to_owned());
        let thread = thread.spawn(move || serving.run(sockets, &service)).map_err(HttpError::Thread)?;
        Ok(Self { gate, certificate, stop, thread: Some(thread), addresses })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Shows the certificate and lets in whom the files name now. Sockets stay as they are.
    ///
    /// # Errors
    /// When a file is wrong; what it held before stays in force.
    pub fn reload(&self, config: &HttpConfig) -> Result<(), HttpError> {
        if let Some(certificate) = &self.certificate {
            certificate.reload(config)?;
        }
        Ok(self.gate.access.reload(config)?)
    }

    /// Answers what was asked already, for a second at the most, and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic there was told there.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

impl Service {
    fn new(handle: &Handle, live: &Arc<Live>, history: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            metrics: RwLock::new(metrics::page(&handle.view.newest())),
            view: handle.view.clone(),
            commands: handle.commands.clone(),
            live: Arc::clone(live),
            history,
            report: Written::default(),
            exports: exports::Cache::default(),
            writing: tokio::sync::Mutex::new(()),
            reading: Semaphore::new(2),
            checks: Limiter::new(2, Duration::from_secs(30)),
            reloads: Limiter::new(4, Duration::from_secs(5)),
        })
    }

    /// Writes the metrics of each snapshot once, until the daemon ends.
    async fn follow(&self) {
        let mut view = self.view.clone();
        while let Some(snapshot) = view.next().await {
            let page = metrics::page(&snapshot);
            *self.metrics.write().unwrap_or_else(PoisonError::into_inner) = page;
        }
    }
}

impl Written {
    fn of(&self, current: &Arc<Current>) -> Arc<Representation> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || (Arc::clone(current), Arc::new(Representation::new("application/json", current.json.clone())));
        let (_, report) = match known.take().filter(|(of, _)| Arc::ptr_eq(of, current)) {
            Some(same) => known.insert(same),
            None => known.insert(fresh()),
        };
        Arc::clone(report)
    }
}

fn router(service: &Arc<Service>, gate: &Arc<Gate>) -> Router {
    Router::new()
        .route("/", get(page::start))
        .route("/report", get(page::report))
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/api/v1/openapi.json", get(description))
        .route("/api/v1/report", get(api::report))
        .route("/api/v1/ranges", get(api::ranges))
        .route("/api/v1/endpoints", get(api::endpoints))
        .route("/api/v1/diagnoses", get(api::diagnoses))
        .route("/api/v1/feed", get(api::feed))
        .route("/api/v1/status", get(api::status))
        .route("/api/v1/history", get(api::history))
        .route("/api/v1/check", post(api::check))
        .route("/api/v1/reload", post(api::reload))
        .route("/export/{format}", get(exports::export))
        .method_not_allowed_fallback(guard::wrong_method)
        .fallback(nothing)
        .with_state(Arc::clone(service))
        .layer(middleware::from_fn_with_state(Arc::clone(gate), guard::pass))
        .layer(middleware::from_fn_with_state(Arc::clone(&service.live), counted))
}

/// By the pattern of the route, so that no client makes a series.
async fn counted(State(live): State<Arc<Live>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    live.answered(route.as_ref().map_or("other", MatchedPath::as_str), response.status().as_u16());
    response
}

/// What Prometheus scrapes.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "Text format 0.0.4", content_type = "text/plain; version=0.0.4; charset=utf-8", body = String),
))]
async fn metrics_page(State(service): State<Arc<Service>>) -> Response {
    let mut page = {
        let written = service.metrics.read().unwrap_or_else(PoisonError::into_inner);
        let mut page = String::with_capacity(written.len() + LIVE_BYTES);
        page.push_str(&written);
        page
    };
    service.live.append(&mut page, Instant::now());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}

/// Room for the live values.
const LIVE_BYTES: usize = 16 << 10;

/// That the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses(
    (status = 200, description = "It does", content_type = "text/plain; charset=utf-8", body = String),
))]
async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether there are results.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "There are", content_type = "text/plain; charset=utf-8", body = String),
    (status = 503, description = "There is no result yet", content_type = "application/problem+json", body = Problem),
))]
async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    api::current(&service).map(|_| "ready\n")
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation", responses(
    (status = 200, description = "OpenAPI", body = Object),
))]
async fn description(headers: HeaderMap) -> Response {
    Representation::json(&Description::openapi()).answer(&headers)
}

async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here").hint(Some("the start page / lists what there is"))
}

/// The names under which this host is asked for.
fn names(config: &HttpConfig) -> Vec<String> {
    let own = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    config.hosts.iter().cloned().chain(own).collect()
}
