//! Which proxy an endpoint is asked through: the configuration, the environment, or a script.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::Duration;

use jiff::{Zoned, tz::TimeZone};
use tokio::time::timeout;

use super::http::{Asked, Io, Session};
use super::resolve::Asker;
use super::tls::{Hello, NameShown, Stores};
use crate::endpoint::{Endpoint, EndpointUrl, HttpVersion, ProxySource};
use crate::net::proxy::{Script, ScriptError, Surroundings};
use crate::net::stream::TcpConnection;
use crate::prefix::Family;
use crate::proxy::pac::{MOST_BYTES, Moment};
use crate::proxy::{Environment, ProxyAddress, ProxyAddressError, Route, Scheme};
use crate::text::printable;

/// A script's server is nearby.
const FETCH: Duration = Duration::from_secs(5);

/// Chooses for one endpoint after another; each script is fetched once.
pub(super) struct Chooser<'a> {
    stores: &'a Stores,
    askers: &'a [Asker],
    environment: Environment,
    scripts: BTreeMap<String, Result<Script, String>>,
}

/// Why no proxy can be asked although one is to be.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChoiceError {
    #[error(transparent)]
    Address(#[from] ProxyAddressError),
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("the proxy script cannot be fetched: {0}")]
    Fetch(String),
    #[error("{0}: SOCKS is not spoken here")]
    Socks(String),
}

impl<'a> Chooser<'a> {
    pub(super) fn new(stores: &'a Stores, askers: &'a [Asker]) -> Self {
        let environment = Environment::new(|name| std::env::var(name).ok());
        Self { stores, askers, environment, scripts: BTreeMap::new() }
    }

    /// The proxy that the endpoint's programs go through; none where they go straight.
    pub(super) async fn choose(&mut self, endpoint: &Endpoint) -> Result<Option<ProxyAddress>, ChoiceError> {
        let url = &endpoint.url;
        let route = match (&endpoint.pac, &endpoint.proxy) {
            (Some(script), _) => self.by_script(script, url).await?,
            (None, ProxySource::Never) => Route::Direct,
            (None, ProxySource::Environment) => self.environment.route(url.is_https(), url.host())?,
            (None, ProxySource::Url(address)) => Route::Proxy(address.expose().parse()?),
        };
        match route {
            Route::Direct => Ok(None),
            Route::Proxy(proxy) if matches!(proxy.scheme, Scheme::Socks4 | Scheme::Socks5) => {
                Err(ChoiceError::Socks(proxy.to_string()))
            }
            Route::Proxy(proxy) => Ok(Some(proxy)),
        }
    }

    /// The first way that the script names: what a browser tries first.
    async fn by_script(&mut self, place: &str, url: &EndpointUrl) -> Result<Route, ChoiceError> {
        if !self.scripts.contains_key(place) {
            let fetched = self.script(place).await.map_err(|error| error.to_string());
            self.scripts.insert(place.to_owned(), fetched);
        }
        let script = self.scripts[place].clone().map_err(ChoiceError::Fetch)?;
        let scheme = if url.is_https() { "https" } else { "http" };
        let (whole, host) = (format!("{scheme}://{}{}", url.authority(), url.target()), url.host().to_owned());
        // It runs JavaScript and looks names up: other endpoints do not wait for it.
        let run = tokio::task::spawn_blocking(move || script.routes(&whole, &host, Here));
        let routes = run.await.map_err(|error| ChoiceError::Fetch(error.to_string()))??;
        Ok(routes.into_iter().next().unwrap_or(Route::Direct))
    }

    async fn script(&self, place: &str) -> Result<Script, ChoiceError> {
        match EndpointUrl::parse(place) {
            Ok(url) => Ok(Script::new(&self.fetch(&url).await.map_err(ChoiceError::Fetch)?)?),
            Err(_) => Ok(Script::read(Path::new(place))?),
        }
    }

    async fn fetch(&self, url: &EndpointUrl) -> Result<Vec<u8>, String> {
        let shown = || printable(url.shown(), 80);
        let fetched = timeout(FETCH, self.get(url)).await.map_err(|_| format!("{} does not answer", shown()))?;
        fetched.ok_or_else(|| format!("{} does not give it", shown()))
    }

    async fn get(&self, url: &EndpointUrl) -> Option<Vec<u8>> {
        let address = SocketAddr::new(*addresses(url.host(), self.askers).await.first()?, url.port());
        let connection = TcpConnection::connect(address, None, FETCH).await.ok()?;
        let witness = connection.witness();
        let io: Box<dyn Io> = if url.is_https() {
            let hello = Hello { host: url.host(), name: NameShown::Own, http2: false };
            let shaken = self.stores.shake(connection, hello, FETCH).await;
            // A script from anybody could send everything anywhere.
            let stream = shaken.stream.filter(|_| shaken.detail.acceptable())?;
            Box::new(stream)
        } else {
            Box::new(connection)
        };
        let asked = Asked::get(url, u64::try_from(MOST_BYTES).ok()?);
        let answered = Session::open(io, HttpVersion::Http1).await.ok()?.fetch(&asked, Some(&witness)).await?;
        Some(answered)
    }
}

/// The addresses of a host that is not the endpoint's: a proxy, or a script's server.
pub(super) async fn addresses(host: &str, askers: &[Asker]) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    for asker in askers {
        for family in [Family::V4, Family::V6] {
            let found = asker.ask(host, family).await.detail.answers;
            if !found.is_empty() {
                return found;
            }
        }
    }
    // Names that only the system knows, such as those of its hosts file.
    let asked = format!("{host}:0");
    let known =
        tokio::task::spawn_blocking(move || asked.to_socket_addrs().map(|found| found.map(|a| a.ip()).collect()));
    known.await.ok().and_then(Result::ok).unwrap_or_default()
}

/// What a script learns of this host.
struct Here;

impl Surroundings for Here {
    fn resolve(&self, name: &str) -> Vec<IpAddr> {
        (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect()).unwrap_or_default()
    }

    fn own_addresses(&self) -> Vec<IpAddr> {
        // A connected datagram socket sends nothing, and has the address that a packet would have.
        let own = |any: &str, outside: &str| {
            let socket = UdpSocket::bind(any).ok()?;
            socket.connect(outside).ok()?;
            Some(socket.local_addr().ok()?.ip())
        };
        [own("0.0.0.0:0", "192.0.2.1:9"), own("[::]:0", "[2001:db8::1]:9")].into_iter().flatten().collect()
    }

    fn moment(&self) -> Moment {
        let now = Zoned::now();
        Moment { local: now.datetime(), gmt: now.with_time_zone(TimeZone::UTC).datetime() }
    }
}
