//! What can go wrong with an operation: the closed list of findings.

use std::fmt;
use std::net::IpAddr;

use super::Icmp;

/// A finding other than success: a closed list. It is data, never an error of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came within the age at which silence counts.
    NoAnswer,
    /// Nothing came, and too few controls answered in the same window for that to mean anything.
    ControlsSilent,
    /// A TCP reset: it does not say who sent it.
    Reset,
    /// An ICMP destination-unreachable message, with its sender.
    Unreachable(Icmp),
    /// The same from an address of this host: its own firewall or routes reject the connection.
    RejectedHere(Icmp),
    /// An ICMP time-exceeded message: the hop where the time to live ran out.
    TimeExceeded(Icmp),
    /// This host has no route for the address.
    NoRoute,
    /// This host ran out of something: descriptors, ports, memory.
    LocalLimit(String),
    /// A name was not resolved, or not to what it should be.
    Dns(DnsFailure),
    /// The certificate chain ends in an issuer outside our root bundle.
    TlsUnknownIssuer {
        /// The issuer's name as the certificate has it.
        issuer: String,
    },
    /// The certificate is not valid for the name that was asked for, or not at this time.
    TlsInvalidCertificate(String),
    /// The peer closed or reset the connection during the handshake.
    TlsBroken,
    /// The connection stood, and then nothing came.
    TlsNoAnswer,
    /// The proxy did not make the connection.
    Proxy(ProxyFailure),
    /// The answer to a request is missing, or not the one that is expected.
    Http(HttpFailure),
    /// A body did not arrive whole and unchanged.
    Transfer(TransferFailure),
    /// A connection that rested was cut.
    IdleCut,
    /// Nobody answers QUIC packets.
    QuicNoAnswer,
    /// Something that is not in this list; the text has no address in it.
    Unknown(String),
}

/// Why a name gave no usable address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsFailure {
    /// The resolver says that the name does not exist.
    NoSuchName,
    /// The name exists without an address of this family.
    NoAddress,
    /// The resolver refuses to answer.
    Refused,
    /// The resolver says that it failed.
    ServerFailure,
    /// The resolver does not answer.
    NoAnswer,
    /// The answer cannot be read, or chases its own tail.
    Malformed,
    /// An address that no public server has.
    Bogon(IpAddr),
    /// An address outside the published ranges, where the endpoint must be inside.
    OutsideRanges(IpAddr),
}

/// What a proxy did instead of connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyFailure {
    /// The proxy itself cannot be reached.
    Unreachable(Box<Failure>),
    /// It asks for authentication, with these schemes.
    AuthenticationRequired(Vec<String>),
    /// It refuses the connection with this status.
    Denied(u16),
    /// It closed the connection, or its answer cannot be read.
    Broken,
}

/// What is wrong with the answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// No head came in time.
    NoAnswer,
    /// The connection was closed or reset before a head came.
    Broken,
    /// The answer is not HTTP.
    Malformed,
    /// The head is larger than any server's.
    TooLarge,
    /// A status other than the expected one.
    Status(u16),
    /// A redirection to another site, or one without an end.
    Redirect(String),
    /// A page that says that access is denied, in the place of the answer.
    BlockPage,
    /// A captive portal's page.
    Portal,
    /// The headers of the expected server are missing, or have other values.
    WrongServer,
}

/// How a body failed to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferFailure {
    /// It stopped after so many bytes.
    Stalled(u64),
    /// The connection was closed or reset after so many bytes.
    Broken(u64),
    /// Fewer bytes came than were announced.
    Truncated {
        /// What came.
        received: u64,
        /// What was announced or expected.
        expected: u64,
    },
    /// Length, type or hash differ from what is expected.
    Changed,
    /// More bytes came than are read.
    TooLarge,
    /// Refused for its size.
    RefusedSize,
    /// Refused for its type.
    RefusedType,
}

impl Failure {
    /// The names of all failures, in the order in which they are documented.
    pub const NAMES: [&'static str; 43] = [
        "no_answer",
        "controls_silent",
        "reset",
        "icmp_unreachable",
        "rejected_here",
        "icmp_time_exceeded",
        "no_route",
        "local_limit",
        "dns_no_such_name",
        "dns_no_address",
        "dns_refused",
        "dns_server_failure",
        "dns_no_answer",
        "dns_malformed",
        "dns_bogon",
        "dns_outside_ranges",
        "tls_unknown_issuer",
        "tls_invalid_certificate",
        "tls_broken",
        "tls_no_answer",
        "proxy_unreachable",
        "proxy_auth_required",
        "proxy_denied",
        "proxy_broken",
        "http_no_answer",
        "http_broken",
        "http_malformed",
        "http_too_large",
        "http_status",
        "http_redirect",
        "block_page",
        "portal",
        "wrong_server",
        "transfer_stalled",
        "transfer_broken",
        "transfer_truncated",
        "body_changed",
        "body_too_large",
        "refused_size",
        "refused_type",
        "idle_cut",
        "quic_no_answer",
        "unknown",
    ];

    /// The name in JSON and in `egressd explain`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAnswer => "no_answer",
            Self::ControlsSilent => "controls_silent",
            Self::Reset => "reset",
            Self::Unreachable(_) => "icmp_unreachable",
            Self::RejectedHere(_) => "rejected_here",
            Self::TimeExceeded(_) => "icmp_time_exceeded",
            Self::NoRoute => "no_route",
            Self::LocalLimit(_) => "local_limit",
            Self::Dns(failure) => failure.name(),
            Self::TlsUnknownIssuer { .. } => "tls_unknown_issuer",
            Self::TlsInvalidCertificate(_) => "tls_invalid_certificate",
            Self::TlsBroken => "tls_broken",
            Self::TlsNoAnswer => "tls_no_answer",
            Self::Proxy(failure) => failure.name(),
            Self::Http(failure) => failure.name(),
            Self::Transfer(failure) => failure.name(),
            Self::IdleCut => "idle_cut",
            Self::QuicNoAnswer => "quic_no_answer",
            Self::Unknown(_) => "unknown",
        }
    }

    /// What belongs behind the name, if anything does.
    fn detail(&self) -> Option<String> {
        match self {
            Self::Unreachable(icmp) | Self::RejectedHere(icmp) | Self::TimeExceeded(icmp) => {
                Some(format!("{icmp} from {}", icmp.from))
            }
            Self::LocalLimit(text) | Self::TlsInvalidCertificate(text) | Self::Unknown(text) => {
                Some(format!("({text})"))
            }
            Self::TlsUnknownIssuer { issuer } => Some(format!("({issuer})")),
            Self::Dns(DnsFailure::Bogon(address) | DnsFailure::OutsideRanges(address)) => Some(format!("({address})")),
            Self::Proxy(failure) => failure.detail(),
            Self::Http(HttpFailure::Status(status)) => Some(format!("({status})")),
            Self::Http(HttpFailure::Redirect(to)) => Some(format!("(to {to})")),
            Self::Transfer(failure) => failure.detail(),
            _ => None,
        }
    }
}

impl DnsFailure {
    fn name(&self) -> &'static str {
        match self {
            Self::NoSuchName => "dns_no_such_name",
            Self::NoAddress => "dns_no_address",
            Self::Refused => "dns_refused",
            Self::ServerFailure => "dns_server_failure",
            Self::NoAnswer => "dns_no_answer",
            Self::Malformed => "dns_malformed",
            Self::Bogon(_) => "dns_bogon",
            Self::OutsideRanges(_) => "dns_outside_ranges",
        }
    }
}

impl ProxyFailure {
    fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "proxy_unreachable",
            Self::AuthenticationRequired(_) => "proxy_auth_required",
            Self::Denied(_) => "proxy_denied",
            Self::Broken => "proxy_broken",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Unreachable(why) => Some(format!("({why})")),
            Self::AuthenticationRequired(schemes) => Some(format!("(offers {})", schemes.join(", "))),
            Self::Denied(status) => Some(format!("({status})")),
            Self::Broken => None,
        }
    }
}

impl HttpFailure {
    fn name(&self) -> &'static str {
        match self {
            Self::NoAnswer => "http_no_answer",
            Self::Broken => "http_broken",
            Self::Malformed => "http_malformed",
            Self::TooLarge => "http_too_large",
            Self::Status(_) => "http_status",
            Self::Redirect(_) => "http_redirect",
            Self::BlockPage => "block_page",
            Self::Portal => "portal",
            Self::WrongServer => "wrong_server",
        }
    }
}

impl TransferFailure {
    fn name(&self) -> &'static str {
        match self {
            Self::Stalled(_) => "transfer_stalled",
            Self::Broken(_) => "transfer_broken",
            Self::Truncated { .. } => "transfer_truncated",
            Self::Changed => "body_changed",
            Self::TooLarge => "body_too_large",
            Self::RefusedSize => "refused_size",
            Self::RefusedType => "refused_type",
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Stalled(bytes) | Self::Broken(bytes) => Some(format!("(after {bytes} bytes)")),
            Self::Truncated { received, expected } => Some(format!("({received} of {expected} bytes)")),
            Self::Changed | Self::TooLarge | Self::RefusedSize | Self::RefusedType => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.detail().map_or(Ok(()), |detail| write!(f, " {detail}"))
    }
}

impl From<DnsFailure> for Failure {
    fn from(failure: DnsFailure) -> Self {
        Self::Dns(failure)
    }
}

impl From<ProxyFailure> for Failure {
    fn from(failure: ProxyFailure) -> Self {
        Self::Proxy(failure)
    }
}

impl From<HttpFailure> for Failure {
    fn from(failure: HttpFailure) -> Self {
        Self::Http(failure)
    }
}

impl From<TransferFailure> for Failure {
    fn from(failure: TransferFailure) -> Self {
        Self::Transfer(failure)
    }
}
