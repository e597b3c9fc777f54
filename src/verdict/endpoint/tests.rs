//! Runs as they would be recorded, and what must be said of them.

use std::net::SocketAddr;

use super::*;
use crate::endpoint::{
    ConnectDetail, Endpoint, HttpDetail, PortalSign, ResolveDetail, TlsDetail, TransferDetail, Trusted,
};
use crate::observe::{DnsFailure, Icmp};

/// Steps of one address, all well unless one is replaced.
struct Story {
    address: SocketAddr,
    steps: Vec<Step>,
}

impl Story {
    /// Everything works up to the end.
    fn well() -> Self {
        let mut story = Self { address: "13.32.0.1:443".parse().unwrap(), steps: Vec::new() };
        let resolved = ResolveDetail {
            resolver: "system 10.0.0.1".into(),
            system: true,
            record: "A",
            answers: vec![story.address.ip()],
            ..ResolveDetail::default()
        };
        story.step(Operation::Resolve, Variant::Plain, Detail::Resolve(resolved), None);
        story.connect(None);
        let trusted = TlsDetail { bundle: Some(Trusted::Valid), ..TlsDetail::default() };
        story.step(Operation::TlsHandshake, Variant::Plain, Detail::Tls(Box::new(trusted)), None);
        let head = HttpDetail { status: Some(200), ..HttpDetail::default() };
        story.step(Operation::HttpRoundTrip, Variant::Plain, Detail::Http(Box::new(head)), None);
        story.step(Operation::Transfer, Variant::Plain, Detail::Transfer(TransferDetail::default()), None);
        story
    }

    /// Works up to an operation, which fails, and with which everything ends.
    fn until(operation: Operation, failure: impl Into<Failure>) -> Self {
        let mut story = Self::well();
        let at = story.steps.iter().position(|step| step.operation == operation).unwrap();
        story.steps.truncate(at + 1);
        story.steps[at].failure = Some(failure.into());
        story
    }

    fn connect(&mut self, failure: Option<Failure>) {
        let detail = ConnectDetail { rtt_microseconds: Some(30_000), ..ConnectDetail::default() };
        self.step(Operation::Connect, Variant::Plain, Detail::Connect(detail), failure);
    }

    fn step(&mut self, operation: Operation, variant: Variant, detail: Detail, failure: Option<Failure>) {
        let address = Some(self.address).filter(|_| operation != Operation::Resolve);
        let (started, took) = (Duration::from_millis(self.steps.len() as u64), Duration::from_millis(30));
        self.steps.push(Step { operation, variant, address, started, took, detail, failure });
    }

    /// Certificates are somebody else's, which the system's store trusts, or not.
    fn intercepted(mut self, system: Trusted) -> Self {
        let tls = self.steps.iter_mut().find(|step| step.operation == Operation::TlsHandshake).unwrap();
        let (bundle, system) = (Some(Trusted::UnknownIssuer), Some(system));
        tls.detail = Detail::Tls(Box::new(TlsDetail { bundle, system, ..TlsDetail::default() }));
        tls.failure = Some(Failure::TlsUnknownIssuer { issuer: "CN=Corp".into() });
        self
    }

    /// The same address in small segments gets so far.
    fn small(mut self, operation: Operation) -> Self {
        let small: Vec<Step> = Self::well()
            .steps
            .into_iter()
            .filter(|step| step.operation != Operation::Resolve && step.operation <= operation)
            .map(|step| Step { variant: Variant::SmallSegments, ..step })
            .collect();
        self.steps.extend(small);
        self
    }

    fn run(self) -> EndpointRun {
        let endpoint = Endpoint::defaults().remove(0);
        EndpointRun { endpoint, path: Path::Direct, steps: self.steps, offender: None }
    }

    fn judged(self) -> EndpointVerdict {
        let context = RunContext { v4: Some(true), ..RunContext::default() };
        self.judged_in(&context)
    }

    fn judged_in(self, context: &RunContext) -> EndpointVerdict {
        endpoints(&[self.run()], context).remove(0)
    }
}

fn prohibited() -> Failure {
    Failure::Unreachable(Icmp { kind: 3, code: 13, from: "10.9.1.1".parse().unwrap() })
}

#[test]
fn what_works_is_open() {
    assert_eq!(Story::well().judged().verdict, Verdict::Open);
}

#[test]
fn each_failure_has_its_layer_and_mechanism() {
    use Mechanism as M;
    use Operation as O;
    let issuer = || Failure::TlsUnknownIssuer { issuer: "CN=Corp".into() };
    let table: [(O, Failure, Layer, Option<M>); 18] = [
        (O::Connect, Failure::NoAnswer, Layer::Ip, Some(M::Dropped)),
        (O::Connect, prohibited(), Layer::Ip, Some(M::RejectedIcmp)),
        (O::Connect, Failure::Reset, Layer::Tcp, Some(M::Reset)),
        (O::TlsHandshake, Failure::TlsBroken, Layer::Tls, Some(M::Reset)),
        (O::TlsHandshake, Failure::TlsNoAnswer, Layer::Tls, Some(M::Dropped)),
        (O::TlsHandshake, issuer(), Layer::Tls, Some(M::TlsIntercepted)),
        (O::TlsHandshake, Failure::TlsInvalidCertificate("old".into()), Layer::Tls, None),
        (O::HttpRoundTrip, HttpFailure::NoAnswer.into(), Layer::Http, Some(M::Dropped)),
        (O::HttpRoundTrip, HttpFailure::Broken.into(), Layer::Http, Some(M::Reset)),
        (O::HttpRoundTrip, HttpFailure::BlockPage.into(), Layer::Http, Some(M::BlockPage)),
        (O::HttpRoundTrip, HttpFailure::Status(500).into(), Layer::Http, None),
        (O::HttpRoundTrip, HttpFailure::Status(429).into(), Layer::Http, Some(M::ProxyLimit)),
        (O::HttpRoundTrip, HttpFailure::TooLarge.into(), Layer::Http, None),
        (O::Transfer, TransferFailure::RefusedSize.into(), Layer::Transfer, Some(M::ProxyLimit)),
        (O::Transfer, TransferFailure::Stalled(9).into(), Layer::Transfer, Some(M::Dropped)),
        (O::Transfer, TransferFailure::Broken(9).into(), Layer::Transfer, Some(M::Reset)),
        (O::Transfer, TransferFailure::Changed.into(), Layer::Transfer, None),
        (O::Resolve, DnsFailure::Bogon([0, 0, 0, 0].into()).into(), Layer::Dns, Some(M::DnsTampered)),
    ];
    for (operation, failure, layer, mechanism) in table {
        let shown = format!("{failure}");
        let said = Story::until(operation, failure).judged();
        assert_eq!((said.verdict, said.layer, said.mechanism), (Verdict::Blocked, Some(layer), mechanism), "{shown}");
        assert!(!said.reason.is_empty());
    }
}

#[test]
fn silence_accuses_nobody_while_nothing_else_answers() {
    for context in [
        RunContext::default(),
        RunContext { v4: Some(false), v6: Some(true), ..RunContext::default() },
        RunContext { v4: Some(true), starved: Duration::from_secs(2), ..RunContext::default() },
    ] {
        let said = Story::until(Operation::Connect, Failure::NoAnswer).judged_in(&context);
        assert_eq!((said.verdict, said.mechanism), (Verdict::Undetermined, None), "{context:?}");
    }
    let said = Story::until(Operation::Connect, prohibited()).judged_in(&RunContext::default());
    assert_eq!(said.mechanism, Some(Mechanism::RejectedIcmp), "somebody's answer speaks for itself");
}

#[test]
fn a_second_socket_that_answers_makes_up_for_a_silent_first() {
    let mut story = Story::well();
    story.steps.iter_mut().find(|step| step.operation == Operation::Connect).unwrap().failure = Some(Failure::NoAnswer);
    story.step(Operation::Connect, Variant::Again, Detail::Connect(ConnectDetail::default()), None);
    assert_eq!(story.judged().verdict, Verdict::Open);
}

#[test]
fn what_an_accepted_interceptor_shows_says_more_than_that_it_intercepts() {
    let page = || Story::until(Operation::HttpRoundTrip, HttpFailure::BlockPage);
    assert_eq!(page().intercepted(Trusted::Valid).judged().mechanism, Some(Mechanism::BlockPage));
    assert_eq!(page().intercepted(Trusted::UnknownIssuer).judged().mechanism, Some(Mechanism::BlockPage));
    let limit = || Story::until(Operation::Transfer, TransferFailure::RefusedSize);
    assert_eq!(limit().intercepted(Trusted::Valid).judged().mechanism, Some(Mechanism::ProxyLimit));
    assert_eq!(limit().intercepted(Trusted::UnknownIssuer).judged().mechanism, Some(Mechanism::TlsIntercepted));
    assert_eq!(Story::well().intercepted(Trusted::Valid).judged().mechanism, Some(Mechanism::TlsIntercepted));
}

#[test]
fn a_black_hole_is_told_by_small_segments() {
    let stuck = [
        (Operation::TlsHandshake, Failure::TlsNoAnswer),
        (Operation::HttpRoundTrip, HttpFailure::NoAnswer.into()),
        (Operation::Transfer, TransferFailure::Stalled(1_400).into()),
    ];
    for (operation, failure) in stuck {
        let said = Story::until(operation, failure.clone()).small(Operation::Transfer).judged();
        assert_eq!(said.mechanism, Some(Mechanism::MtuBlackHole), "{failure}");
    }
    let said = Story::until(Operation::TlsHandshake, Failure::TlsNoAnswer).small(Operation::Connect).judged();
    assert_ne!(said.mechanism, None);
}

#[test]
fn a_portal_explains_what_fails_without_a_word_of_the_server() {
    let portal = PortalSign { url: "http://a/".into(), status: 302, location: Some("http://login/".into()) };
    let context = RunContext { v4: Some(true), portal: Some(portal), ..RunContext::default() };
    let said = |story: Story| story.judged_in(&context).mechanism;
    assert_eq!(said(Story::until(Operation::Connect, Failure::NoAnswer)), Some(Mechanism::Portal));
    assert_eq!(said(Story::until(Operation::Connect, prohibited())), Some(Mechanism::Portal));
    assert_eq!(said(Story::until(Operation::Transfer, TransferFailure::Changed)), None, "the server itself was there");
    assert_eq!(said(Story::well()), None);
}

#[test]
fn a_name_is_blocked_where_others_pass() {
    let mut story = Story::until(Operation::TlsHandshake, Failure::TlsBroken);
    assert!(!Story::until(Operation::TlsHandshake, Failure::TlsBroken).judged().name_blocked);
    let shown = TlsDetail { certificate: Some(crate::endpoint::Certificate::default()), ..TlsDetail::default() };
    story.step(Operation::TlsHandshake, Variant::NeutralName, Detail::Tls(Box::new(shown)), None);
    assert!(story.judged().name_blocked);
}

#[test]
fn a_name_that_leads_elsewhere_and_works_is_no_block() {
    let mut story = Story::well();
    story.steps[0].failure = Some(DnsFailure::OutsideRanges([198, 18, 0, 1].into()).into());
    assert_eq!(story.judged().verdict, Verdict::Open);
    let mut story = Story::until(Operation::Connect, Failure::Reset);
    story.steps[0].failure = Some(DnsFailure::OutsideRanges([198, 18, 0, 1].into()).into());
    assert_eq!(story.judged().mechanism, Some(Mechanism::DnsTampered));
}

#[test]
fn a_resolver_that_answers_for_other_names_hides_this_one() {
    for (lives, mechanism) in [(Some(true), Some(Mechanism::DnsTampered)), (Some(false), None)] {
        let mut story = Story::until(Operation::Resolve, DnsFailure::NoAnswer);
        if let Detail::Resolve(detail) = &mut story.steps[0].detail {
            (detail.answers, detail.lives) = (Vec::new(), lives);
        }
        assert_eq!(story.judged().mechanism, mechanism);
    }
}
