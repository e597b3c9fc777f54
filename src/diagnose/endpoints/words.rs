//! What is said of causes behind endpoints: titles, fixes and what to run next.

use super::super::Cause;
use super::Judged;
use crate::observe::{Failure, HttpFailure, TransferFailure};
use crate::text::{counted, grouped};
use crate::verdict::Layer;

pub(super) fn title(cause: Cause, first: Judged<'_>, names: &[String], place: &str, product: Option<&str>) -> String {
    let what = match names {
        [only] => format!("endpoint {only}"),
        several => counted(several.len(), "endpoint", "endpoints"),
    };
    let verb = if names.len() == 1 { "is" } else { "are" };
    let by = product.map_or_else(String::new, |product| format!(" ({product})"));
    match cause {
        Cause::EndpointDropped | Cause::EndpointRejected | Cause::EndpointReset if first.run.offender.is_some() => {
            format!("{what} {verb} {place}")
        }
        Cause::TlsIntercepted => format!("TLS to {what} is intercepted: the certificate is issued by \"{place}\"{by}"),
        Cause::BlockPage => format!("{what}: a page that denies access comes in the place of the answer{by}"),
        Cause::SniBlocked => format!("{what} {verb} blocked by name: handshakes with another name pass"),
        Cause::CaptivePortal => "a captive portal answers in the place of servers: nobody has logged in".to_owned(),
        Cause::OwnUplinkDown => "nothing outside answers: the own uplink may be down".to_owned(),
        Cause::ClockWrong => "this host's clock is wrong: certificates are valid at the servers' time".to_owned(),
        Cause::ResolverBroken => "this host's own resolver fails; another one answers".to_owned(),
        Cause::DnsUnreachable => "no resolver answers".to_owned(),
        _ => format!("{what}: {}", first.verdict.reason),
    }
}

pub(super) fn fix(cause: Cause, first: Judged<'_>, hosts: &str, product: Option<&str>) -> String {
    let on = product.map_or_else(String::new, |product| format!(" on {product}"));
    let port = first.run.endpoint.url.port();
    match cause {
        Cause::TlsIntercepted => format!("exempt {hosts} from TLS inspection{on}"),
        Cause::BlockPage => format!("allow {hosts}{on}: a category or URL rule denies it"),
        Cause::SniBlocked => format!("allow the server name {hosts} where TLS is filtered by name"),
        Cause::DnsTampered => {
            format!("let the resolver give the true addresses of {hosts}: take it off the DNS filter")
        }
        Cause::NameNotFound => format!("check the name {hosts}; if others can resolve it, a DNS filter hides it"),
        Cause::DnsUnreachable => "let this host reach a resolver: UDP and TCP port 53".to_owned(),
        Cause::ResolverBroken => "repair the resolver that this host is set up with, or set up another".to_owned(),
        Cause::EndpointDropped | Cause::EndpointReset if first.verdict.layer > Some(Layer::Tcp) => {
            format!("let TLS to {hosts} pass untouched: something that reads it stands in the way")
        }
        Cause::EndpointDropped | Cause::EndpointRejected | Cause::EndpointReset => {
            format!("allow outbound TCP {port} to {hosts}")
        }
        Cause::CertificateInvalid => format!("renew or correct the certificate of {hosts}"),
        Cause::ClockWrong => "set this host's clock, by NTP".to_owned(),
        Cause::CaptivePortal => "log in to the network's portal, or let this host pass without".to_owned(),
        Cause::ProxyAuthRequired => {
            format!("give this host's programs credentials, or exempt {hosts} from authentication")
        }
        Cause::ProxyDenied => format!("allow CONNECT to {hosts}:{port} on the proxy"),
        Cause::ProxyUnreachable => "correct the proxy's address, or let this host reach it".to_owned(),
        Cause::ProxyLimit => limit_fix(first, hosts),
        Cause::MtuBlackHole => {
            "let ICMP type 3 code 4 (ICMPv6 type 2) pass, or clamp the TCP MSS to the path's MTU less 40 bytes"
                .to_owned()
        }
        Cause::Throttled => format!("raise the rate limit for {hosts}"),
        Cause::TransferCut => format!("look for a limit on bytes or content (IPS, DLP, quota) for {hosts}"),
        Cause::BodyChanged => format!("switch off content changes (recompression, cleaning) for {hosts}"),
        Cause::IdleCut => {
            format!("raise the idle timeout of TCP sessions above {} s", first.run.endpoint.idle_seconds)
        }
        Cause::OwnUplinkDown => "bring the uplink up, then check again".to_owned(),
        Cause::HostLimits => "raise the limits of this host (ulimit -n), then check again".to_owned(),
        _ => format!("tell who runs {hosts}: the server itself answers so"),
    }
}

fn limit_fix(first: Judged<'_>, hosts: &str) -> String {
    let sent = first.run.endpoint.body().unwrap_or(0);
    match &first.verdict.failure {
        Some(Failure::Transfer(TransferFailure::RefusedSize)) => {
            format!("raise the limit on request bodies for {hosts}: {} bytes are refused", grouped(sent.into()))
        }
        Some(Failure::Transfer(TransferFailure::RefusedType)) => format!("allow the content type for {hosts}"),
        Some(Failure::Http(HttpFailure::Status(429))) => format!("raise the rate limit on requests to {hosts}"),
        _ => format!("lift the limit for {hosts}"),
    }
}

pub(super) fn command(cause: Cause, first: Judged<'_>) -> String {
    let url = &first.run.endpoint.url;
    match cause {
        Cause::EndpointDropped | Cause::EndpointRejected | Cause::EndpointReset
            if first.run.offender.is_none() && first.verdict.layer <= Some(Layer::Tcp) =>
        {
            format!("egressd trace {}:{}", url.host(), url.port())
        }
        other => format!("egressd explain {}", other.name()),
    }
}
