//! The addresses behind what was asked for: an address, or a host name by the system's own resolvers.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};

use crate::text::printable;

/// Longer than the resolvers' own retries; nobody waits longer for an answer at a terminal.
const LIMIT: Duration = Duration::from_secs(5);

/// An address or the name of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An address.
    Address(IpAddr),
    /// A name of letters, digits, hyphens, underscores and dots.
    Host(String),
}

/// Why a text is neither address nor host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is neither an address nor a host name", printable(.0, 80))]
pub struct AskedError(String);

/// Why a name gave no address.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No resolver is set up, or the runtime did not start.
    #[error("cannot set up name resolution")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("cannot resolve {0}: no answer in time")]
    NoAnswer(String),
    /// The name is not there.
    #[error("cannot resolve {0}: the name does not exist")]
    NoSuchName(String),
    /// The name is there without an address.
    #[error("cannot resolve {0}: it has neither an IPv4 nor an IPv6 address")]
    NoAddress(String),
    /// The resolvers failed.
    #[error("cannot resolve {host}")]
    Failed {
        /// The name.
        host: String,
        /// What went wrong.
        source: NetError,
    },
}

impl FromStr for Asked {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            // What a dual-stack server logs as ::ffff:13.32.0.1 went over IPv4.
            return Ok(Self::Address(address.to_canonical()));
        }
        is_host_name(text).then(|| Self::Host(text.to_owned())).ok_or_else(|| AskedError(text.to_owned()))
    }
}

/// Whether it may be asked of a resolver. A last label of digits is a mistyped address and never a name.
fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !last_is_number
}

impl Asked {
    /// The address, where that was asked for.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Host(_) => None,
        }
    }

    /// The name, where that was asked for.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Address(_) => None,
            Self::Host(host) => Some(host),
        }
    }

    /// The addresses: the one that was asked for, or those of the name, IPv4 first and each once.
    pub fn addresses(&self) -> Result<Vec<IpAddr>, ResolveError> {
        self.addresses_within(LIMIT)
    }

    /// The same for somebody who can do without them: no answer is waited for any longer than this.
    pub(crate) fn addresses_within(&self, limit: Duration) -> Result<Vec<IpAddr>, ResolveError> {
        match self {
            Self::Address(address) => Ok(vec![*address]),
            Self::Host(host) => {
                let builder = TokioResolver::builder_tokio().map_err(|error| ResolveError::Setup(error.into()))?;
                resolve(host, builder, limit)
            }
        }
    }
}

fn resolve(
    host: &str,
    mut builder: ResolverBuilder<TokioRuntimeProvider>,
    limit: Duration,
) -> Result<Vec<IpAddr>, ResolveError> {
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ResolveError::Setup(error.into()))?;
    let answer = runtime.block_on(async {
        let resolver = builder.build().map_err(|error| ResolveError::Setup(error.into()))?;
        let answer = tokio::time::timeout(limit, resolver.lookup_ip(host)).await;
        answer.map_err(|_| ResolveError::NoAnswer(host.to_owned()))?.map_err(|error| failure(host, error))
    })?;
    let mut addresses: Vec<IpAddr> = answer.iter().collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() { Err(ResolveError::NoAddress(host.to_owned())) } else { Ok(addresses) }
}

fn failure(host: &str, source: NetError) -> ResolveError {
    let host = host.to_owned();
    match source {
        NetError::Timeout => ResolveError::NoAnswer(host),
        _ if source.is_nx_domain() => ResolveError::NoSuchName(host),
        _ if source.is_no_records_found() => ResolveError::NoAddress(host),
        _ => ResolveError::Failed { host, source },
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::thread;

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};

    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        let asked = |text: &str| text.parse::<Asked>();
        assert_eq!(asked("13.32.0.1"), Ok(Asked::Address([13, 32, 0, 1].into())));
        assert_eq!(asked("[2600:9000::1]"), asked("2600:9000::1"));
        assert_eq!(asked("::ffff:13.32.0.1"), asked("13.32.0.1"));
        for name in ["cdn.example.com", "d111.cloudfront.net.", "localhost", "_x.example", "4.example"] {
            assert_eq!(asked(name), Ok(Asked::Host(name.to_owned())));
        }
        let long = format!("{}.example", "a".repeat(64));
        for wrong in
            ["", ".", "13.32.0", "013.32.0.1", "13.32.0.0/15", "https://a.example/", "a b", "a\nb", "a..b", &long]
        {
            asked(wrong).expect_err(wrong);
        }
        assert_eq!(asked("a\nb").unwrap_err().to_string(), "`a\\nb` is neither an address nor a host name");
    }

    /// A resolver on the loopback interface that answers every A question with one address, and everything else with
    /// the code alone.
    fn server(address: [u8; 4], code: u8) -> ResolverBuilder<TokioRuntimeProvider> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut connection = ConnectionConfig::udp();
        connection.port = socket.local_addr().unwrap().port();
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let answer = answer(&question[..length], address, code);
                socket.send_to(&answer, from).unwrap();
            }
        });
        let servers = vec![NameServerConfig::new([127, 0, 0, 1].into(), true, vec![connection])];
        TokioResolver::builder_with_config(
            ResolverConfig::from_parts(None, Vec::new(), servers),
            TokioRuntimeProvider::default(),
        )
    }

    /// RFC 1035 section 4: header, the question again, and one A record that points to its name.
    fn answer(question: &[u8], address: [u8; 4], code: u8) -> Vec<u8> {
        let name = 12 + question[12..].iter().position(|&byte| byte == 0).unwrap() + 1;
        let is_a = question[name..name + 2] == [0, 1] && code == 0;
        let mut message = question[..name + 4].to_vec();
        message[2..12].copy_from_slice(&[0x81, 0x80 | code, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
        if is_a {
            message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
            message.extend(address);
        }
        message
    }

    #[test]
    fn a_name_gives_its_addresses() {
        let addresses = resolve("cdn.example.com", server([13, 32, 0, 1], 0), LIMIT).unwrap();
        assert_eq!(addresses, [IpAddr::from([13, 32, 0, 1])]);
    }

    #[test]
    fn a_name_that_does_not_exist_is_an_error() {
        let error = resolve("cdn.example.com", server([0; 4], 3), LIMIT).unwrap_err();
        assert_eq!(error.to_string(), "cannot resolve cdn.example.com: the name does not exist");
    }
}
