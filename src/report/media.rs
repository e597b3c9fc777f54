//! The media in the report: what was sent, what came back, what breaks it.

use serde::Serialize;

use super::rounded;
use crate::endpoint::Path;
use crate::media::ladder::Found;
use crate::media::send::{Break, Factor, Purpose, Received, SendRun, Trial, breaks};
use crate::verdict::Verdict;

/// What is said of one target over one path.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MediaReport {
    pub(super) name: String,
    url: String,
    form: &'static str,
    pub(super) path: &'static str,
    proxy: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) breaks: Vec<BreakReport>,
    pub(super) kinds: Vec<KindReport>,
    pub(super) size: Option<SizeReport>,
    /// Largest TCP segments that pass, where larger ones vanish.
    segment_bytes: Option<u32>,
    trials: Vec<TrialReport>,
    requests: u32,
    sent_bytes: u64,
    deleted: u32,
    /// Uploads that lie there still.
    pub(super) left: u32,
    pub(super) skipped: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct BreakReport {
    /// size, type, time, method, inspection or path.
    by: &'static str,
    /// Of a refusal by type: what it goes by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    factors: Vec<Factor>,
    kinds: Vec<&'static str>,
    status: Option<u16>,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct KindReport {
    pub(super) kind: &'static str,
    bytes: u64,
    pub(super) passed: bool,
    status: Option<u16>,
    failure: Option<String>,
    seconds: f64,
    received: Option<ReceivedReport>,
}

#[derive(Clone, Debug, Serialize)]
struct ReceivedReport {
    bytes: u64,
    same: bool,
    content_type: Option<String>,
    status: Option<u16>,
    failure: Option<String>,
    seconds: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SizeReport {
    /// The largest body that passed.
    pub(super) largest_bytes: u64,
    /// The smallest that did not.
    refused_bytes: Option<u64>,
    status: Option<u16>,
    /// Both sides of the limit were tried with all their bytes.
    exact: bool,
    requests: u32,
    sent_bytes: u64,
    /// At least so many bytes passed before uploads were cut without a word.
    cut_bytes: Option<u64>,
    rate_limited: bool,
}

/// An upload made to tell something apart.
#[derive(Clone, Debug, Serialize)]
struct TrialReport {
    purpose: Purpose,
    content: &'static str,
    declared: &'static str,
    extension: &'static str,
    bytes: u64,
    sent_bytes: u64,
    status: Option<u16>,
    failure: Option<String>,
    seconds: f64,
    received: Option<ReceivedReport>,
}

impl MediaReport {
    pub(super) fn of(run: &SendRun) -> Self {
        let proxy = match &run.path {
            Path::Direct => None,
            Path::Proxy(proxy) => Some(proxy.clone()),
        };
        Self {
            name: run.target.name.clone(),
            url: run.target.url.shown(),
            form: run.target.form.name(),
            path: run.path.name(),
            proxy,
            verdict: run.verdict(),
            breaks: breaks(run).iter().map(BreakReport::of).collect(),
            kinds: run.of(Purpose::Kind).map(KindReport::of).collect(),
            size: run.size.map(SizeReport::of),
            segment_bytes: run.segment_bytes,
            trials: run.trials.iter().filter(|trial| trial.purpose != Purpose::Kind).map(TrialReport::of).collect(),
            requests: run.requests,
            sent_bytes: run.sent_bytes,
            deleted: run.deleted,
            left: run.left,
            skipped: run.skipped.clone(),
        }
    }

    /// What the evidence lacks, and what is left behind.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let left = (self.left > 0).then(|| format!("{}: uploads that lie there still: {}", self.name, self.left));
        let given_up = "the search for the largest upload was given up: requests themselves are limited (status 429)";
        let limited = self.size.filter(|size| size.rate_limited).map(|_| format!("{}: {given_up}", self.name));
        left.into_iter()
            .chain(limited)
            .chain(self.skipped.iter().map(|skipped| format!("{}: not tried: {skipped}", self.name)))
    }

    /// All that was seen.
    pub(super) fn whole(&self) -> String {
        let all: Vec<&str> = self.breaks.iter().map(|found| found.reason.as_str()).collect();
        if all.is_empty() { self.sentence() } else { all.join("; ") }
    }

    /// What was seen, in a sentence.
    pub(super) fn sentence(&self) -> String {
        if let Some(first) = self.breaks.first() {
            let more = self.breaks.len() - 1;
            let tail = if more > 0 { format!("; {more} more below") } else { String::new() };
            return format!("{}{tail}", first.reason);
        }
        let passed = self.kinds.iter().filter(|kind| kind.passed).count();
        let largest = self.size.map_or_else(String::new, |size| {
            format!(", up to {} bytes", crate::text::grouped(size.largest_bytes.into()))
        });
        match passed {
            0 => "nothing could be sent".to_owned(),
            passed => format!("{passed} of {} kinds ok{largest}", self.kinds.len()),
        }
    }
}

impl BreakReport {
    fn of(cut: &Break) -> Self {
        let (factors, kinds, status) = match cut {
            Break::Kinds { kinds, by, refusal } => (by.clone(), kinds.clone(), refusal.status),
            Break::NotReceived { kinds, refusal, .. } => (Vec::new(), kinds.clone(), refusal.status),
            Break::Changed(kinds) | Break::Retyped { kinds, .. } => (Vec::new(), kinds.clone(), None),
            Break::Size(found) => (Vec::new(), Vec::new(), found.status),
            Break::Everything(refusal)
            | Break::Slow { refusal, .. }
            | Break::Expect(refusal)
            | Break::Chunked(refusal) => (Vec::new(), Vec::new(), refusal.status),
            Break::Segments(_) => (Vec::new(), Vec::new(), None),
        };
        Self {
            by: cut.name(),
            factors,
            kinds: kinds.iter().map(|kind| kind.name()).collect(),
            status,
            reason: cut.words(),
        }
    }
}

impl KindReport {
    fn of(trial: &Trial) -> Self {
        Self {
            kind: trial.shape.content.name(),
            bytes: trial.shape.bytes,
            passed: trial.passed(),
            status: trial.status,
            failure: trial.failure.as_ref().map(|failure| failure.name().to_owned()),
            seconds: rounded(trial.took),
            received: trial.received.as_ref().map(ReceivedReport::of),
        }
    }
}

impl ReceivedReport {
    fn of(received: &Received) -> Self {
        Self {
            bytes: received.bytes,
            same: received.same,
            content_type: received.content_type.clone(),
            status: received.status,
            failure: received.failure.as_ref().map(|failure| failure.name().to_owned()),
            seconds: rounded(received.took),
        }
    }
}

impl SizeReport {
    fn of(found: Found) -> Self {
        Self {
            largest_bytes: found.largest_bytes,
            refused_bytes: found.refused_bytes,
            status: found.status,
            exact: found.is_exact(),
            requests: found.requests,
            sent_bytes: found.sent_bytes,
            cut_bytes: found.cut_bytes,
            rate_limited: found.rate_limited,
        }
    }
}

impl TrialReport {
    fn of(trial: &Trial) -> Self {
        Self {
            purpose: trial.purpose,
            content: trial.shape.content.name(),
            declared: trial.shape.declared.media_type(),
            extension: trial.shape.named.name(),
            bytes: trial.shape.bytes,
            sent_bytes: trial.passed_bytes,
            status: trial.status,
            failure: trial.failure.as_ref().map(|failure| failure.name().to_owned()),
            seconds: rounded(trial.took),
            received: trial.received.as_ref().map(ReceivedReport::of),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::config::Config;
    use crate::endpoint::RunContext;
    use crate::exit::ExitStatus;
    use crate::media::generate::SampleKind;
    use crate::media::send::Shape;
    use crate::plan::{KnownAddresses, ProbePlan};
    use crate::ranges::FeedSnapshot;
    use crate::report::{Format, Report, Run, Style};
    use crate::scan::Evidence;

    fn report(media: &[SendRun]) -> Report {
        let (config, feed) = (Config::default(), FeedSnapshot::documented());
        let mut plan = ProbePlan::new(&config.settings(), &feed, &KnownAddresses::default());
        plan.ranges.clear();
        Report::new(&Run {
            site: "hq",
            started: Timestamp::UNIX_EPOCH,
            plan: &plan,
            evidence: &Evidence::default(),
            feed: &feed,
            held: &[],
            baseline: None,
            endpoints: &[],
            context: &RunContext::default(),
            media,
            limits: Vec::new(),
        })
    }

    /// A picture that came back whole over a path.
    fn over(path: Path, authenticated: bool) -> SendRun {
        let text = "[[media.send]]\nname = \"files\"\nurl = \"https://up.example/{name}?sig=hidden\"";
        let target = Config::parse(text).unwrap().media.send.remove(0);
        let trial = Trial {
            purpose: Purpose::Kind,
            shape: Shape::honest(SampleKind::Jpeg, 32_768),
            passed_bytes: 32_768,
            took: Duration::from_millis(40),
            status: Some(201),
            product: None,
            failure: None,
            received: Some(Received { bytes: 32_768, same: true, ..Received::default() }),
        };
        SendRun { trials: vec![trial], authenticated, ..SendRun::new(target, path) }
    }

    fn limited(path: Path, authenticated: bool) -> SendRun {
        let found = Found { largest_bytes: 99, refused_bytes: Some(100), status: Some(413), ..Found::default() };
        SendRun { size: Some(found), ..over(path, authenticated) }
    }

    fn proxy() -> Path {
        Path::Proxy("10.9.1.1:3128".to_owned())
    }

    fn written(report: &Report, format: Format) -> String {
        report.write(format, Style::default())
    }

    #[test]
    fn what_the_proxy_limits_is_the_proxys_and_stands_in_every_form() {
        let report = report(&[over(Path::Direct, true), limited(proxy(), false)]);
        assert_eq!(report.status(), ExitStatus::NotReachable);
        for format in [Format::Text, Format::Json, Format::Markdown, Format::Html, Format::Junit] {
            let page = written(&report, format);
            assert!(page.contains("uploads of more than 99 bytes are refused with status 413"), "{page}");
            assert!(!page.contains("hidden"), "{page}");
        }
        let json: Value = serde_json::from_str(&written(&report, Format::Json)).unwrap();
        let diagnosis = &json["diagnoses"][0];
        assert_eq!((&diagnosis["id"], &diagnosis["owner"]), (&"upload_size_limit".into(), &"proxy".into()));
        assert!(diagnosis["evidence"].to_string().contains("the other way does not"), "{diagnosis}");
        let media = &json["media"][1];
        assert_eq!((&media["verdict"], &media["path"]), (&"partly_blocked".into(), &"proxy".into()));
        assert_eq!((&media["size"]["exact"], &media["breaks"][0]["by"]), (&true.into(), &"size".into()));
    }

    #[test]
    fn what_the_server_itself_limits_is_the_platforms() {
        for runs in [vec![limited(Path::Direct, true)], vec![limited(Path::Direct, true), limited(proxy(), true)]] {
            let json: Value = serde_json::from_str(&written(&report(&runs), Format::Json)).unwrap();
            assert_eq!(json["diagnoses"][0]["owner"], "platform", "{json:#}");
        }
    }

    #[test]
    fn where_all_arrives_that_is_said() {
        let report = report(&[over(Path::Direct, true)]);
        assert_eq!(report.status(), ExitStatus::Reachable);
        assert!(written(&report, Format::Text).contains("1 of 1 kinds ok"));
        let nothing = SendRun { trials: Vec::new(), left: 2, ..over(Path::Direct, true) };
        let unsure = super::tests::report(&[nothing]);
        assert_eq!(unsure.status(), ExitStatus::Inconclusive);
        assert!(written(&unsure, Format::Text).contains("uploads that lie there still: 2"));
    }
}
