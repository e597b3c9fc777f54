//! Whole checks through the library, where the command has no flag for what is to be shown.

use std::net::IpAddr;

use egressd::diagnose::{Cause, EndpointFindings, Findings, diagnose};
use egressd::lab::{Lab, LabConfig};
use egressd::net::interrupt::Interrupt;
use egressd::net::tls::{Trust, parse_roots};
use egressd::plan::{Depth, KnownAddresses, ProbePlan, Settings};
use egressd::prefix::{Family, Prefix};
use egressd::ranges::{FeedSnapshot, List, Range, Role};
use egressd::scan::{Pace, Scan};
use egressd::scenario::RuleAction;
use egressd::verdict::{Mechanism, RangeVerdict, Reason, Verdict, ranges};

use crate::{Case, prefix, start};

pub(crate) const CASES: &[Case] = &[
    ("a_certificate_of_an_authority_that_we_do_not_know_is_named", foreign_certificate),
    ("an_authority_from_the_configuration_is_trusted", || trusted(true)),
    ("ipv6_is_judged_by_known_addresses", ipv6),
];

const SERVER: &str = "d7uri8nf7uskq.cloudfront.net";

struct Checked {
    plan: ProbePlan,
    verdicts: Vec<RangeVerdict>,
    causes: Vec<Cause>,
}

fn check(lab: &Lab, settings: &Settings, feed: &FeedSnapshot, known: &KnownAddresses, trusted: bool) -> Checked {
    let plan = ProbePlan::new(settings, feed, known);
    let roots = if trusted { parse_roots(lab.ca_pem().as_bytes()).unwrap() } else { Vec::new() };
    let trust = Trust::new(SERVER, &roots).unwrap();
    let evidence = lab.client().run(|| {
        let mut scan = Scan::new(plan.clone());
        let took = egressd::net::scan::run(&mut scan, Some(&trust), &Interrupt::listen().unwrap(), &mut |_| {});
        scan.into_evidence(took.unwrap().took)
    });
    let observations = evidence.unwrap().observations;
    let verdicts = ranges(&plan, &observations);
    let findings = Findings {
        plan: &plan,
        observations: &observations,
        verdicts: &verdicts,
        feed,
        held: &[],
        endpoints: EndpointFindings::default(),
        media: &[],
    };
    let causes = diagnose(&findings).iter().map(|diagnosis| diagnosis.id).collect();
    Checked { plan, verdicts, causes }
}

fn fast(depth: Depth) -> Settings {
    Settings { depth, pace: Pace::FAST, ..Settings::default() }
}

/// The lab's edge shows a certificate of the lab's authority: to somebody who does not know it, that is interception.
fn foreign_certificate() -> String {
    trusted(false)
}

fn trusted(trusted: bool) -> String {
    let lab = start(LabConfig::default());
    let checked = check(&lab, &fast(Depth::Tls), &FeedSnapshot::documented(), &KnownAddresses::default(), trusted);
    for verdict in &checked.verdicts {
        if trusted {
            assert_eq!((verdict.verdict, &verdict.reason), (Verdict::Open, &Reason::Authenticated), "{verdict:?}");
            continue;
        }
        let Reason::ForeignCertificate { issuer } = &verdict.reason else { panic!("{verdict:?}") };
        assert!(issuer.contains("egressd lab CA"), "{issuer}");
        assert_eq!((verdict.verdict, verdict.mechanism), (Verdict::Blocked, Some(Mechanism::TlsIntercepted)));
    }
    // One cause for the ranges of viewers, and one of less weight for the others.
    let expected = if trusted { vec![] } else { vec![Cause::TlsIntercepted; 2] };
    assert_eq!(checked.causes, expected);
    format!("{} ranges", checked.plan.ranges.len())
}

/// Two ranges, of which one is dropped: it is blocked where addresses in it are known, and cannot be told without.
fn ipv6() -> String {
    let dropped = "2600:9000:1000::/36";
    let lab = start(LabConfig { rules: vec![(vec![prefix(dropped)], RuleAction::Drop)], ..LabConfig::default() });
    let range = |text: &str| Range { prefix: prefix(text), list: List::Global, role: Role::Viewer, region: None };
    let feed =
        FeedSnapshot { ranges: vec![range(dropped), range("2600:9000:2000::/36")], ..FeedSnapshot::documented() };
    let known: Vec<IpAddr> = feed.ranges.iter().flat_map(|range| addresses_of(range.prefix)).collect();
    let settings = Settings { family: Some(Family::V6), ..fast(Depth::Tcp) };
    let verdicts = |known: &KnownAddresses| -> Vec<Verdict> {
        check(&lab, &settings, &feed, known, false).verdicts.iter().map(|verdict| verdict.verdict).collect()
    };
    assert_eq!(verdicts(&KnownAddresses::new(&feed, known)), [Verdict::Blocked, Verdict::Open]);
    assert_eq!(verdicts(&KnownAddresses::default()), [Verdict::Undetermined, Verdict::Open]);
    "known and unknown".to_owned()
}

fn addresses_of(prefix: Prefix) -> impl Iterator<Item = IpAddr> {
    (1..=12_u128).map(move |host| prefix.nth(host << 40))
}
