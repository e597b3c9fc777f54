//! Causes behind media that do not arrive.

use super::{Cause, Diagnosis, Owner, Severity};
use crate::endpoint::Path;
use crate::media::generate::SampleKind;
use crate::media::ladder::Found;
use crate::media::send::{Break, Factor, Filling, Refusal, SendRun, breaks};
use crate::text::grouped;
use crate::verdict::Verdict;

/// What is said of each run that decides: through the proxy where there is one.
#[must_use]
pub fn media_verdicts(media: &[SendRun]) -> Vec<Verdict> {
    decisive(media).map(SendRun::verdict).collect()
}

/// Adds what the media show to what the endpoints have shown.
pub(super) fn explain(media: &[SendRun], diagnoses: &mut Vec<Diagnosis>) {
    for run in decisive(media) {
        for cut in breaks(run) {
            if !merged(run, &cut, diagnoses) {
                diagnoses.push(Judged { run, cut: &cut, other: other_way(media, run) }.diagnosis());
            }
        }
    }
}

/// Programs go through the proxy where there is one.
fn decisive(media: &[SendRun]) -> impl Iterator<Item = &SendRun> {
    let proxied = |run: &SendRun| matches!(run.path, Path::Proxy(_));
    media.iter().filter(move |run| {
        proxied(run) || !media.iter().any(|other| proxied(other) && other.target.name == run.target.name)
    })
}

fn other_way<'a>(media: &'a [SendRun], run: &SendRun) -> Option<&'a SendRun> {
    media.iter().find(|other| other.target.name == run.target.name && other.path != run.path)
}

/// Whether the first visits show the same: the sweep tells the path's MTU, a refusal of everything is that of the first.
fn merged(run: &SendRun, cut: &Break, diagnoses: &mut Vec<Diagnosis>) -> bool {
    let named = |diagnosis: &Diagnosis| diagnosis.endpoints.contains(&run.target.name);
    match cut {
        Break::Segments(largest) => {
            let known = diagnoses.iter_mut().find(|diagnosis| diagnosis.id == Cause::MtuBlackHole && named(diagnosis));
            known.map(|diagnosis| measured(diagnosis, *largest)).is_some()
        }
        Break::Everything(refusal) if refusal.is_of_method() => {
            // A page beside such a status is for people, and denies nothing but the method.
            let said = [Cause::EndpointMisbehaves, Cause::ProxyLimit, Cause::BlockPage];
            diagnoses.retain(|diagnosis| !(said.contains(&diagnosis.id) && named(diagnosis)));
            false
        }
        Break::Everything(_) | Break::NotReceived { .. } | Break::Changed(_) => {
            // What merely says that the answer is odd is said better here.
            diagnoses.retain(|diagnosis| !(diagnosis.id == Cause::EndpointMisbehaves && named(diagnosis)));
            diagnoses.iter().any(named)
        }
        _ => false,
    }
}

fn measured(diagnosis: &mut Diagnosis, largest: u32) {
    diagnosis.evidence.push(format!("segments of up to {} bytes pass, larger ones vanish", grouped(largest.into())));
    diagnosis.fix = format!(
        "let ICMP type 3 code 4 (ICMPv6 type 2) pass, or clamp the TCP MSS to {largest}, which was seen to pass"
    );
}

struct Judged<'a> {
    run: &'a SendRun,
    cut: &'a Break,
    other: Option<&'a SendRun>,
}

impl Judged<'_> {
    fn diagnosis(&self) -> Diagnosis {
        let cause = self.cause();
        Diagnosis {
            id: cause,
            title: format!("{}: {}", self.run.target.name, self.cut.words()),
            severity: self.severity(),
            owner: self.owner(),
            prefixes: Vec::new(),
            endpoints: vec![self.run.target.name.clone()],
            evidence: self.evidence(),
            fix: self.fix(),
            command: Some(format!("egressd explain {}", cause.name())),
            confidence: 0.99,
        }
    }

    fn cause(&self) -> Cause {
        match self.cut {
            Break::Everything(refusal) if refusal.is_page() => Cause::BlockPage,
            Break::Everything(_) => Cause::UploadRefused,
            Break::Size(found) if found.cut_bytes.is_some() => Cause::TransferCut,
            Break::Size(_) => Cause::UploadSizeLimit,
            Break::Kinds { by, .. } if by.contains(&Factor::Content) => Cause::ContentRefused,
            Break::Kinds { .. } => Cause::FileTypeRefused,
            Break::NotReceived { .. } => Cause::FileNotReceived,
            Break::Changed(_) => Cause::BodyChanged,
            Break::Retyped { .. } => Cause::ContentTypeChanged,
            Break::Slow { .. } => Cause::SlowUploadCut,
            Break::Expect(_) => Cause::ExpectMishandled,
            Break::Chunked(_) => Cause::ChunkedRefused,
            Break::Segments(_) => Cause::MtuBlackHole,
        }
    }

    fn severity(&self) -> Severity {
        match self.cut {
            Break::Everything(_) | Break::Size(_) | Break::Segments(_) => Severity::Critical,
            Break::Chunked(_) => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// Who proved that he is the server, and was asked straight, has said so himself.
    fn owner(&self) -> Owner {
        let proxied = matches!(self.run.path, Path::Proxy(_));
        match self.cut {
            Break::Segments(_) => Owner::Network,
            // The tunnel of a proxy that opens nothing ends at the server.
            _ if self.run.authenticated && (!proxied || self.breaks_elsewhere() == Some(true)) => Owner::Platform,
            _ if !proxied && !self.run.authenticated => Owner::Network,
            _ => Owner::Proxy,
        }
    }

    /// Whether the other way breaks in the same manner; none where there is no other.
    fn breaks_elsewhere(&self) -> Option<bool> {
        Some(breaks(self.other?).iter().any(|other| other.name() == self.cut.name()))
    }

    fn evidence(&self) -> Vec<String> {
        let way = match &self.run.path {
            Path::Direct => "straight".to_owned(),
            Path::Proxy(proxy) => format!("through the proxy {proxy}"),
        };
        let mut evidence = vec![format!("{way}: {}", self.cut.words())];
        if let Break::Size(found) = self.cut {
            evidence.push(searched(found));
        }
        match self.breaks_elsewhere() {
            Some(true) => evidence.push("the other way does the same".to_owned()),
            Some(false) if self.other.is_some_and(|other| other.verdict() != Verdict::Blocked) => {
                evidence.push("the other way does not".to_owned());
            }
            _ => {}
        }
        evidence
    }

    fn fix(&self) -> String {
        let host = self.host();
        let on = self.product().map_or_else(String::new, |product| format!(" on {product}"));
        match self.cut {
            Break::Everything(refusal) if refusal.is_page() => {
                format!("allow {host}{on}: a category or URL rule denies it")
            }
            Break::Everything(refusal) if refusal.is_of_method() => {
                format!("allow {} to {host}{on}", self.run.target.form.method())
            }
            Break::Everything(refusal) if refusal.is_of_right() => {
                format!("look at the credentials or the link for {host}: expired, or for another method or clock")
            }
            Break::Everything(_) => format!("let uploads to {host} pass{on}"),
            Break::Size(found) if found.cut_bytes.is_some() => {
                format!("look for a limit on bytes or content (IPS, DLP, quota) for {host}")
            }
            Break::Size(found) => format!(
                "raise the limit on request bodies for {host}{on} from {} bytes to 25 MB",
                grouped(found.largest_bytes.into())
            ),
            Break::Kinds { kinds, by, .. } if by.contains(&Factor::Content) => {
                format!("exempt {host} from content inspection{on}, or allow {}", listed(kinds))
            }
            Break::Kinds { kinds, by, .. } => {
                format!("allow {} by {} for {host}{on}", listed(kinds), factors(by))
            }
            Break::NotReceived { kinds, bytes, .. } => {
                format!("allow {} of {} bytes to be fetched{on}", listed(kinds), grouped((*bytes).into()))
            }
            Break::Changed(_) => format!("switch off content changes (recompression, cleaning) for {host}{on}"),
            Break::Retyped { kinds, .. } => format!("let {} keep the type that they were sent with", listed(kinds)),
            Break::Slow { after, .. } => {
                format!("raise the time that a request to {host} may take{on} above {:.0} s", after.as_secs_f64())
            }
            Break::Expect(_) => format!("let `Expect: 100-continue` pass to {host}{on}, or have programs not send it"),
            Break::Chunked(_) => format!("have programs announce the length of what they send to {host}"),
            Break::Segments(largest) => {
                format!("let ICMP type 3 code 4 (ICMPv6 type 2) pass, or clamp the TCP MSS to {largest}")
            }
        }
    }

    fn host(&self) -> String {
        let url = self.run.target.url.fill(Filling { name: "name", id: None });
        url.map_or_else(|_| self.run.target.name.clone(), |url| url.host().to_owned())
    }

    fn product(&self) -> Option<&str> {
        let refusal: Option<&Refusal> = match self.cut {
            Break::Everything(refusal)
            | Break::Kinds { refusal, .. }
            | Break::NotReceived { refusal, .. }
            | Break::Slow { refusal, .. }
            | Break::Expect(refusal)
            | Break::Chunked(refusal) => Some(refusal),
            _ => None,
        };
        refusal?.product.as_deref()
    }
}

fn searched(found: &Found) -> String {
    let exact =
        if found.is_exact() { "both sides confirmed with all their bytes" } else { "narrowed down with real bytes" };
    format!("{exact}, {} requests, {} bytes sent", found.requests, grouped(found.sent_bytes.into()))
}

fn listed(kinds: &[SampleKind]) -> String {
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

fn factors(by: &[Factor]) -> String {
    by.iter().map(|factor| factor.title()).collect::<Vec<_>>().join(" or ")
}

impl Break {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Everything(refusal) => format!("every upload is refused {}", refusal.words()),
            Self::Size(found) => size(found),
            Self::Kinds { kinds, by, refusal } if by.is_empty() => {
                format!("{} refused {}", listed(kinds), refusal.words())
            }
            Self::Kinds { kinds, by, refusal } => {
                format!("{} refused by {} {}", listed(kinds), factors(by), refusal.words())
            }
            Self::NotReceived { kinds, bytes, refusal } => {
                format!(
                    "{} of {} bytes cannot be fetched, refused {}",
                    listed(kinds),
                    grouped((*bytes).into()),
                    refusal.words()
                )
            }
            Self::Changed(kinds) => format!("{} came back changed", listed(kinds)),
            Self::Retyped { kinds, seen } => {
                format!("{} came back as {}", listed(kinds), crate::text::printable(seen, 60))
            }
            Self::Slow { after, refusal } => {
                format!("uploads that take longer than {:.0} s are refused {}", after.as_secs_f64(), refusal.words())
            }
            Self::Expect(refusal) => format!("requests with `Expect: 100-continue` are refused {}", refusal.words()),
            Self::Chunked(refusal) => format!("bodies without a length are refused {}", refusal.words()),
            Self::Segments(largest) => format!("segments above {largest} bytes vanish"),
        }
    }
}

fn size(found: &Found) -> String {
    let status = found.status.map_or_else(|| "without a status".to_owned(), |status| format!("with status {status}"));
    let (passes, fails) = (grouped(found.largest_bytes.into()), found.refused_bytes.unwrap_or_default());
    if found.cut_bytes.is_some() {
        format!("uploads are cut without a word: those of {} bytes fail, those of {passes} pass", grouped(fails.into()))
    } else if found.is_exact() {
        format!("uploads of more than {passes} bytes are refused {status}")
    } else {
        format!("uploads of {} bytes are refused {status}, those of {passes} pass", grouped(fails.into()))
    }
}
