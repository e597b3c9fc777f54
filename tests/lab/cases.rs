//! The hosts, the edge and the firewall.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sha2::{Digest, Sha256};

use egressd::lab::{CONTROLS, Filter, Lab, LabConfig, LabError, POP, enter_user_namespace};
use egressd::prefix::{Family, PrefixSet};
use egressd::ranges::FeedSnapshot;
use egressd::scenario::{RuleAction, Scenario};

use crate::client::{Outcome, connect, http, tls};
use crate::{Case, documented, owned, prefix, start, try_start};

pub(crate) const CASES: &[Case] = &[
    ("edge_answers_for_the_first_a_middle_and_the_last_prefix", edge_answers),
    ("the_edge_answers_as_nobody", edge_answers),
    ("an_upload_of_20_mb_arrives_intact", || uploads(LabConfig::default())),
    ("addresses_of_nobody_are_silent", nobody_is_silent),
    ("every_rule_does_what_it_says", rules),
    ("every_rule_works_as_nobody", rules),
    ("without_nft_routes_drop_and_prohibit", routes),
    ("a_trace_sees_two_hops", trace),
    ("a_proxy_answers_for_everyone", answers),
    ("a_cut_uplink_is_silent", uplink),
    ("every_scenario_starts", scenarios),
    ("forbidden_namespaces_are_explained", forbidden),
    ("a_process_of_many_threads_is_told_so", threads),
    ("setup_is_quick_and_memory_small", cost),
];

pub(crate) const PATIENCE: Duration = Duration::from_millis(400);

fn edge_answers() -> String {
    let lab = start(LabConfig::default());
    let list = PrefixSet::from_iter(owned()).prefixes();
    let of = |family| list.iter().copied().filter(|prefix| prefix.family() == family).collect::<Vec<_>>();
    let mut asked = 0;
    for prefixes in [of(Family::V4), of(Family::V6)] {
        let some = [prefixes[0], prefixes[prefixes.len() / 2], prefixes[prefixes.len() - 1]];
        for address in some.into_iter().flat_map(|prefix| [prefix.first(), prefix.last()]).chain(CONTROLS) {
            let answer = lab.client().run(|| {
                let mut session = tls(address, "d111111abcdef8.cloudfront.net", lab.ca_pem());
                http(&mut session, "GET /tools/list-cloudfront-ips", b"")
            });
            let answer = answer.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{address}: {answer}");
            assert!(answer.contains(&format!("x-amz-cf-pop: {POP}")) && answer.contains("13.32.0.0/15"), "{answer}");
            asked += 1;
        }
    }
    format!("{asked} addresses")
}

/// Uploads 20 MB to a lab like this; says how long it took.
pub(crate) fn uploads(config: LabConfig) -> String {
    let lab = start(config);
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let began = Instant::now();
    let answer = lab.client().run(|| {
        let mut session = tls("13.32.1.1".parse().unwrap(), "lab.example.com", lab.ca_pem());
        http(&mut session, "PUT /upload/video.mp4", &body)
    });
    let sha256: Vec<String> = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = format!(r#"{{"bytes":20000000,"sha256":"{}"}}"#, sha256.concat());
    let answer = answer.unwrap();
    assert!(answer.ends_with(&expected) && answer.contains("x-amz-cf-pop"), "{answer}");
    format!("{:.1} s", began.elapsed().as_secs_f64())
}

fn nobody_is_silent() -> String {
    let lab = start(LabConfig::default());
    for address in ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "10.0.0.1"] {
        assert_eq!(attempt(&lab, address, None), Outcome::Silent, "{address}");
    }
    let mine = std::fs::read_to_string("/proc/net/route").unwrap();
    assert_eq!(mine.lines().skip(1).count(), 0, "the process itself has no route: {mine}");
    String::new()
}

pub(crate) fn attempt(lab: &Lab, address: &str, ttl: Option<i32>) -> Outcome {
    lab.client().run(|| connect(address, ttl, PATIENCE).0).unwrap()
}

fn icmp(errno: Errno, kind: u8, code: u8, sender: IpAddr) -> Outcome {
    Outcome::Failed(errno, Some((kind, code, sender)))
}

fn rules() -> String {
    let mut lab = start(LabConfig::default());
    let [v4, v6] = [Family::V4, Family::V6].map(|family| lab.hops(family).firewall);
    for (action, seen, seen_v6) in [
        (RuleAction::Accept, Outcome::Open, Outcome::Open),
        (RuleAction::Drop, Outcome::Silent, Outcome::Silent),
        (RuleAction::RejectNetUnreachable, icmp(Errno::ENETUNREACH, 3, 0, v4), icmp(Errno::ENETUNREACH, 1, 0, v6)),
        (RuleAction::RejectHostUnreachable, icmp(Errno::EHOSTUNREACH, 3, 1, v4), icmp(Errno::EHOSTUNREACH, 1, 3, v6)),
        (RuleAction::RejectProtUnreachable, icmp(Errno::ENOPROTOOPT, 3, 2, v4), icmp(Errno::ECONNREFUSED, 1, 4, v6)),
        (RuleAction::RejectPortUnreachable, icmp(Errno::ECONNREFUSED, 3, 3, v4), icmp(Errno::ECONNREFUSED, 1, 4, v6)),
        (RuleAction::RejectNetProhibited, icmp(Errno::ENETUNREACH, 3, 9, v4), icmp(Errno::EACCES, 1, 1, v6)),
        (RuleAction::RejectHostProhibited, icmp(Errno::EHOSTUNREACH, 3, 10, v4), icmp(Errno::EACCES, 1, 1, v6)),
        (RuleAction::RejectAdminProhibited, icmp(Errno::EHOSTUNREACH, 3, 13, v4), icmp(Errno::EACCES, 1, 1, v6)),
        (
            RuleAction::RejectTcpReset,
            Outcome::Failed(Errno::ECONNREFUSED, None),
            Outcome::Failed(Errno::ECONNREFUSED, None),
        ),
    ] {
        lab.replace_rules(&[(vec![prefix("13.32.0.0/15"), prefix("2600:9000:1000::/36")], action)]).unwrap();
        assert_eq!(attempt(&lab, "13.33.7.7", None), seen, "{action:?}");
        assert_eq!(attempt(&lab, "2600:9000:1000::7", None), seen_v6, "{action:?}");
        assert_eq!(attempt(&lab, "13.35.0.1", None), Outcome::Open, "in no rule");
    }
    lab.replace_rules(&[]).unwrap();
    assert_eq!(attempt(&lab, "13.33.7.7", None), Outcome::Open);
    "10 actions, both families".to_owned()
}

fn routes() -> String {
    let mut lab = start(LabConfig { filter: Filter::Routes, ..LabConfig::default() });
    let [v4, v6] = [Family::V4, Family::V6].map(|family| lab.hops(family).firewall);
    for (action, seen, seen_v6) in [
        (RuleAction::Drop, Outcome::Silent, Outcome::Silent),
        (RuleAction::RejectHostUnreachable, icmp(Errno::EHOSTUNREACH, 3, 1, v4), icmp(Errno::ENETUNREACH, 1, 0, v6)),
        (RuleAction::RejectAdminProhibited, icmp(Errno::EHOSTUNREACH, 3, 13, v4), icmp(Errno::EACCES, 1, 1, v6)),
    ] {
        lab.replace_rules(&[(vec![prefix("13.32.0.0/15"), prefix("2600:9000:1000::/36")], action)]).unwrap();
        assert_eq!(attempt(&lab, "13.33.7.7", None), seen, "{action:?}");
        assert_eq!(attempt(&lab, "2600:9000:1000::7", None), seen_v6, "{action:?}");
        assert_eq!(attempt(&lab, "13.35.0.1", None), Outcome::Open, "in no rule");
    }
    let everything = [prefix("0.0.0.0/0"), prefix("::/0")].to_vec();
    lab.replace_rules(&[(vec![prefix("13.35.0.0/16")], RuleAction::Accept), (everything, RuleAction::Drop)]).unwrap();
    assert_eq!(attempt(&lab, "13.35.0.1", None), Outcome::Open);
    assert_eq!(attempt(&lab, "13.33.7.7", None), Outcome::Silent);
    lab.replace_rules(&[]).unwrap();
    assert_eq!(attempt(&lab, "13.33.7.7", None), Outcome::Open);
    let refused = lab.replace_rules(&[(vec![prefix("13.32.0.0/15")], RuleAction::Answer)]).unwrap_err();
    assert!(matches!(refused, LabError::NftMissing { .. }), "{refused}");
    assert_eq!(attempt(&lab, "13.33.7.7", None), Outcome::Open, "the refused rules leave those before in force");
    String::new()
}

fn trace() -> String {
    let reset = (vec![prefix("54.192.0.0/16")], RuleAction::RejectTcpReset);
    let lab = start(LabConfig { rules: vec![reset], ..LabConfig::default() });
    let (v4, v6) = (lab.hops(Family::V4), lab.hops(Family::V6));
    assert_eq!((v4.firewall, v4.isp), ([10, 9, 1, 1].into(), [10, 9, 2, 2].into()));
    let exceeded = |hop| icmp(Errno::EHOSTUNREACH, 11, 0, hop);
    let exceeded_v6 = |hop| icmp(Errno::EHOSTUNREACH, 3, 0, hop);
    for (address, ttl, expected) in [
        ("13.32.0.1", 1, exceeded(v4.firewall)),
        ("13.32.0.1", 2, exceeded(v4.isp)),
        ("13.32.0.1", 3, Outcome::Open),
        ("54.192.0.1", 1, exceeded(v4.firewall)),
        ("54.192.0.1", 2, Outcome::Failed(Errno::ECONNREFUSED, None)),
        ("2600:9000:1000::1", 1, exceeded_v6(v6.firewall)),
        ("2600:9000:1000::1", 2, exceeded_v6(v6.isp)),
        ("2600:9000:1000::1", 3, Outcome::Open),
    ] {
        assert_eq!(attempt(&lab, address, Some(ttl)), expected, "{address} at {ttl}");
    }
    // Far more than a real router's one message a second.
    for n in 0..200 {
        assert_eq!(attempt(&lab, &format!("13.32.1.{n}"), Some(2)), exceeded(v4.isp), "{n}");
    }
    String::new()
}

fn answers() -> String {
    let lab = start(LabConfig::of(&Scenario::named("answers-for-everyone").unwrap(), &owned(), &PrefixSet::new(), 1));
    for address in ["192.0.2.1", "13.32.0.1", "2001:db8::1"] {
        assert_eq!(attempt(&lab, address, Some(1)), Outcome::Open, "{address}");
    }
    String::new()
}

fn uplink() -> String {
    let lab = start(LabConfig { uplink_down: true, ..LabConfig::default() });
    for address in ["13.32.0.1", "1.1.1.1", "2600:9000:1000::1"] {
        assert_eq!(attempt(&lab, address, None), Outcome::Silent, "{address}");
    }
    String::new()
}

fn scenarios() -> String {
    enter_user_namespace().unwrap();
    let documented = documented();
    for name in Scenario::names() {
        let scenario = Scenario::named(name).unwrap();
        let older = scenario
            .older_snapshot(name, &FeedSnapshot::documented())
            .map(|older| older.addresses())
            .unwrap_or_default();
        let lab = Lab::start(&LabConfig::of(&scenario, &documented, &older, 1)).unwrap();
        let blocked = ["stale-allowlist", "dropped-range", "mixed", "everything-dropped", "own-uplink-down"];
        let expected = if blocked.contains(&name) { Outcome::Silent } else { Outcome::Open };
        // Time for a second try of the kernel where the line loses packets.
        let patience = if scenario.wan.is_some() { 4 * PATIENCE } else { PATIENCE };
        let seen = lab.client().run(|| connect("13.224.0.1", None, patience).0).unwrap();
        assert_eq!(seen, expected, "{name}");
    }
    format!("{} scenarios", Scenario::names().count())
}

fn forbidden() -> String {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    // A user namespace has limits of its own: here none may be made below it.
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).unwrap();
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1")).unwrap();
    std::fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    let error = try_start(LabConfig::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot make the lab's namespaces: user.max_user_namespaces is 0");
    std::fs::write("/proc/sys/user/max_user_namespaces", "100").unwrap();
    std::fs::write("/proc/sys/user/max_net_namespaces", "0").unwrap();
    let error = try_start(LabConfig::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot make the lab's namespaces: user.max_net_namespaces is 0");
    error.hint().unwrap()
}

fn threads() -> String {
    let (_keep, kept) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || kept.recv());
    enter_user_namespace().unwrap_err().to_string()
}

fn cost() -> String {
    enter_user_namespace().unwrap();
    // As many prefixes as AWS's list of August 2026 has: 121 and 122 more.
    let more = (0..122).map(|n| egressd::prefix::Prefix::containing([100, 0, n, 0].into(), 24));
    let config = LabConfig { owned: owned().into_iter().chain(more).collect(), ..LabConfig::default() };
    let began = Instant::now();
    let lab = Lab::start(&config).unwrap();
    let setup = began.elapsed();
    let probed = lab.client().run(|| {
        let began = Instant::now();
        for n in 0..700_u32 {
            let outcome = connect(&format!("13.32.{}.{}", n / 250, n % 250), None, PATIENCE).0;
            assert_eq!(outcome, Outcome::Open);
        }
        began.elapsed()
    });
    let handshakes = lab.client().run(|| {
        let began = Instant::now();
        for _ in 0..100 {
            let mut session = tls("13.32.1.1".parse().unwrap(), "cloudfront.net", lab.ca_pem());
            assert!(http(&mut session, "GET /", b"").starts_with("HTTP/1.1 200"));
        }
        began.elapsed()
    });
    let resident = resident_kb();
    assert!(setup < Duration::from_millis(500), "{setup:?}");
    assert!(resident < 30_000, "{resident} kB");
    let (probed, handshakes) = (probed.unwrap(), handshakes.unwrap());
    format!("setup {setup:?}, 700 probes {probed:?}, 100 handshakes {handshakes:?}, {resident} kB resident")
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the highest resident size");
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
