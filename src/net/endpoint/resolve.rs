//! Look-ups: each resolver is asked on its own, nothing is kept and nothing falls back.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::{TokioResolver, system_conf};

use super::Errand;
use crate::endpoint::{EndpointUrl, ResolveDetail, Resolver};
use crate::observe::{DnsFailure, Failure};
use crate::prefix::Family;

/// How long an answer is waited for: longer than the slowest resolver takes, short enough for a person.
const LIMIT: Duration = Duration::from_secs(2);
/// A name that nobody has a reason to hide, reserved by RFC 2606.
pub(super) const NEUTRAL: &str = "www.example.com";
/// More resolvers than this, and the system itself asks none of the others.
const MOST_SYSTEM: usize = 3;
/// More addresses than any name needs.
const MOST_ANSWERS: usize = 32;

/// A resolver that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    name: String,
    system: bool,
    resolver: TokioResolver,
}

/// What a resolver said, and how long that took.
pub(super) struct Answer {
    pub(super) started: Instant,
    pub(super) took: Duration,
    pub(super) detail: ResolveDetail,
    pub(super) failure: Option<Failure>,
}

/// The resolvers of the system, and those that are configured besides; and why the system's are not known.
pub(super) async fn askers(errand: &Errand<'_>, tls: &rustls::ClientConfig) -> (Vec<Asker>, Option<String>) {
    let (mut askers, trouble) = match system_conf::read_system_conf() {
        _ if !errand.system_resolvers => (Vec::new(), None),
        Ok((config, _)) => (system(config.name_servers()), None),
        Err(error) => (Vec::new(), Some(format!("the system's resolvers are not known: {error}"))),
    };
    for resolver in errand.resolvers {
        let servers = match resolver {
            Resolver::Udp(address) => vec![server(*address, ProtocolConfig::Udp)],
            Resolver::Tcp(address) => vec![server(*address, ProtocolConfig::Tcp)],
            Resolver::Https(url) => https(url, &askers).await,
        };
        askers.extend(asker(resolver.to_string(), false, servers, Some(tls.clone())));
    }
    (askers, trouble)
}

fn system(servers: &[NameServerConfig]) -> Vec<Asker> {
    let named = |server: &NameServerConfig| asker(format!("system {}", server.ip), true, vec![server.clone()], None);
    servers.iter().take(MOST_SYSTEM).filter_map(named).collect()
}

fn asker(
    name: String,
    system: bool,
    servers: Vec<NameServerConfig>,
    tls: Option<rustls::ClientConfig>,
) -> Option<Asker> {
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let mut builder =
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options());
    if let Some(tls) = tls {
        builder = builder.with_tls_config(tls);
    }
    Some(Asker { name, system, resolver: builder.build().ok()? })
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    // Two tries within the limit: one datagram may go lost.
    (options.timeout, options.attempts) = (LIMIT / 2, 1);
    (options.cache_size, options.use_hosts_file) = (0, ResolveHosts::Never);
    // As the system's own programs ask.
    options.edns0 = false;
    options
}

fn server(address: SocketAddr, protocol: ProtocolConfig) -> NameServerConfig {
    let mut connection = ConnectionConfig::new(protocol);
    connection.port = address.port();
    NameServerConfig::new(address.ip(), true, vec![connection])
}

/// A resolver over HTTPS has a name itself, for which the system's are asked.
async fn https(url: &EndpointUrl, askers: &[Asker]) -> Vec<NameServerConfig> {
    let addresses = match url.host().parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => first_addresses(url.host(), askers).await,
    };
    let of = |address: IpAddr| {
        let protocol = ProtocolConfig::Https { server_name: url.host().into(), path: url.target().into() };
        server(SocketAddr::new(address, url.port()), protocol)
    };
    addresses.into_iter().take(2).map(of).collect()
}

async fn first_addresses(host: &str, askers: &[Asker]) -> Vec<IpAddr> {
    for asker in askers {
        let answer = asker.ask(host, Family::V4).await;
        if !answer.detail.answers.is_empty() {
            return answer.detail.answers;
        }
    }
    Vec::new()
}

impl Asker {
    /// Asks for the addresses of one family, and when nothing comes, for another name: is it the resolver, or the name?
    pub(super) async fn ask(&self, host: &str, family: Family) -> Answer {
        let mut answer = self.ask_once(host, family).await;
        if answer.failure == Some(DnsFailure::NoAnswer.into()) {
            let other = self.ask_for_another(family).await;
            answer.detail.lives = Some(other.failure != Some(DnsFailure::NoAnswer.into()));
        }
        answer
    }

    /// Asks for a name that nobody has a reason to hide.
    pub(super) async fn ask_for_another(&self, family: Family) -> Answer {
        self.ask_once(NEUTRAL, family).await
    }

    /// Whether this is the one with the name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    async fn ask_once(&self, host: &str, family: Family) -> Answer {
        let (record, name) = match family {
            Family::V4 => (RecordType::A, "A"),
            Family::V6 => (RecordType::AAAA, "AAAA"),
        };
        let started = Instant::now();
        // A name with a dot at its end is not looked for in the system's own domains.
        let rooted = format!("{}.", host.trim_end_matches('.'));
        let said = tokio::time::timeout(LIMIT, self.resolver.lookup(rooted, record)).await;
        let mut detail = ResolveDetail {
            resolver: self.name.clone(),
            system: self.system,
            record: name,
            ..ResolveDetail::default()
        };
        let failure = match said {
            Err(_) => Some(DnsFailure::NoAnswer),
            Ok(Err(error)) => Some(failure(&error)),
            Ok(Ok(lookup)) => {
                let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
                detail.answers = addresses.take(MOST_ANSWERS).collect();
                detail.ttl_seconds = lookup.answers().iter().map(|record| record.ttl).min();
                detail.answers.is_empty().then_some(DnsFailure::NoAddress)
            }
        };
        Answer { started, took: started.elapsed(), detail, failure: failure.map(Failure::from) }
    }
}

fn failure(error: &NetError) -> DnsFailure {
    match error {
        _ if error.is_nx_domain() => DnsFailure::NoSuchName,
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::Refused => {
            DnsFailure::Refused
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::ServFail => {
            DnsFailure::ServerFailure
        }
        _ if error.is_no_records_found() => DnsFailure::NoAddress,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => DnsFailure::Refused,
        NetError::Dns(_) => DnsFailure::ServerFailure,
        NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy => DnsFailure::NoAnswer,
        _ => DnsFailure::Malformed,
    }
}
