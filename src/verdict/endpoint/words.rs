//! The reasons of verdicts, in words.

use super::{Layer, Mechanism};
use crate::endpoint::{Detail, EndpointRun};
use crate::observe::{DnsFailure, Failure, HttpFailure, ProxyFailure, TransferFailure};
use crate::text::grouped;

/// Statuses by which something on the way, or the server, limits method, time, size, type or rate (RFC 9110, RFC 6585).
#[must_use]
pub(super) fn limits_something(status: u16) -> bool {
    matches!(status, 405 | 408 | 411 | 413 | 414 | 415 | 417 | 429 | 431)
}

pub(super) fn reason(layer: Layer, mechanism: Option<Mechanism>, failure: &Failure) -> String {
    match (mechanism, failure) {
        (Some(Mechanism::MtuBlackHole), _) => {
            "large packets vanish and small ones pass: a smaller MTU on the way, and its ICMP messages do not arrive"
                .into()
        }
        (Some(Mechanism::Throttled), _) => "transfers pass far more slowly than the path allows, and starve".into(),
        (Some(Mechanism::Portal), _) => "a captive portal answers in the place of servers".into(),
        (_, Failure::NoAnswer) => "no answer to connection attempts, while others are answered".into(),
        (_, Failure::Unreachable(icmp)) => format!("{} says {} (ICMP {icmp})", icmp.from, icmp.meaning()),
        (_, Failure::RejectedHere(icmp)) => format!("this host itself rejects it (ICMP {icmp} {})", icmp.meaning()),
        (_, Failure::Reset) => "the connection is reset at once".into(),
        (_, Failure::TlsBroken) => "the connection stands and breaks on the first message of TLS".into(),
        (_, Failure::TlsNoAnswer) => "the connection stands and the first message of TLS is not answered".into(),
        (_, Failure::TlsUnknownIssuer { issuer }) => {
            format!("the certificate is issued by \"{issuer}\", not by a public authority")
        }
        (_, Failure::TlsInvalidCertificate(why)) => format!("the certificate is {why}"),
        (_, Failure::Dns(failure)) => dns(failure),
        (_, Failure::Proxy(failure)) => proxy(failure),
        (_, Failure::Http(failure)) => http(failure),
        (_, Failure::Transfer(failure)) => transfer(failure),
        (_, Failure::IdleCut) => "a connection that rested is no longer carried, and nobody said so".into(),
        (_, other) => format!("{} fails: {other}", layer.name()),
    }
}

fn dns(failure: &DnsFailure) -> String {
    match failure {
        DnsFailure::NoSuchName => "the resolver says that the name does not exist".into(),
        DnsFailure::NoAddress => "the resolver gives no address for the name".into(),
        DnsFailure::Refused => "the resolver refuses to answer for the name".into(),
        DnsFailure::ServerFailure => "the resolver fails for the name".into(),
        DnsFailure::NoAnswer => "no resolver answers".into(),
        DnsFailure::Malformed => "the resolver's answer cannot be read".into(),
        DnsFailure::Bogon(address) => format!("the name leads to {address}, where no public server is"),
        DnsFailure::OutsideRanges(address) => format!("the name leads to {address}, which is not the server's"),
    }
}

fn proxy(failure: &ProxyFailure) -> String {
    match failure {
        ProxyFailure::Unreachable(why) => format!("the proxy cannot be reached ({why})"),
        ProxyFailure::AuthenticationRequired(schemes) if schemes.is_empty() => {
            "the proxy asks for authentication".into()
        }
        ProxyFailure::AuthenticationRequired(schemes) => {
            format!("the proxy asks for authentication ({})", schemes.join(", "))
        }
        ProxyFailure::Denied(status @ 500..) => format!("the proxy could not reach the server (status {status})"),
        ProxyFailure::Denied(status) => format!("the proxy refuses the connection with status {status}"),
        ProxyFailure::Broken => "the proxy closes the connection, or answers with something else than HTTP".into(),
    }
}

fn http(failure: &HttpFailure) -> String {
    match failure {
        HttpFailure::NoAnswer => "the request is not answered".into(),
        HttpFailure::Broken => "the connection is closed or reset in the place of an answer".into(),
        HttpFailure::Malformed => "the answer is not HTTP".into(),
        HttpFailure::TooLarge => "the head of the answer is larger than 64 KiB".into(),
        HttpFailure::Status(status) => format!("the answer has status {status}"),
        HttpFailure::Redirect(to) => format!("the answer leads elsewhere, to {to}"),
        HttpFailure::BlockPage => "a page that denies access comes in the place of the answer".into(),
        HttpFailure::Portal => "a captive portal answers".into(),
        HttpFailure::WrongServer => "the answer lacks what marks the server's answers".into(),
    }
}

fn transfer(failure: &TransferFailure) -> String {
    let bytes = |count: u64| grouped(count.into());
    match failure {
        TransferFailure::Stalled(after) => format!("the transfer stops after {} bytes", bytes(*after)),
        TransferFailure::Broken(after) => format!("the connection breaks after {} bytes", bytes(*after)),
        TransferFailure::Truncated { received, expected } => {
            format!("{} of {} bytes come", bytes(*received), bytes(*expected))
        }
        TransferFailure::Changed => "the body is not the one that is expected: it is changed on the way".into(),
        TransferFailure::TooLarge => "the body is larger than is expected, and was not read to its end".into(),
        TransferFailure::RefusedSize => "refused for its size (status 413)".into(),
        TransferFailure::RefusedType => "refused for its type (status 415)".into(),
    }
}

/// Why nothing left this host.
pub(super) fn own_fault(failure: &Failure) -> String {
    match failure {
        Failure::NoRoute => "this host has no route to any of the addresses".into(),
        other => format!("this host ran out of something: {other}"),
    }
}

/// What worked, in a line.
pub(super) fn open(run: &EndpointRun) -> String {
    let transfers = || {
        run.steps.iter().filter_map(|step| match &step.detail {
            Detail::Transfer(detail) => Some(detail),
            _ => None,
        })
    };
    let round_trip = run.steps.iter().find_map(|step| match &step.detail {
        Detail::Connect(detail) => detail.rtt_microseconds.filter(|_| step.failure.is_none()),
        _ => None,
    });
    let bytes = transfers().map(|detail| detail.sent_bytes.max(detail.received_bytes)).max();
    let rate = transfers().filter_map(|detail| detail.bits_per_second).max();
    let parts = [
        round_trip.map(|micros| format!("{} ms", micros.div_ceil(1000))),
        rate.map(|bits| format!("{:.1} Mbit/s", bits as f64 / 1e6)),
        bytes.map(|bytes| format!("{} bytes ok", grouped(bytes.into()))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
