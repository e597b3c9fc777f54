//! The line between isp and edge.

use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

use egressd::lab::{Lab, LabConfig};
use egressd::prefix::Family;
use egressd::scenario::Wan;

use crate::cases::uploads;
use crate::client::{Outcome, connect};
use crate::{Case, start};

pub(crate) const CASES: &[Case] = &[
    ("the_wan_delays_and_spreads", delay),
    ("the_wan_loses_its_share", loss),
    ("the_wan_carries_20000_packets_a_second", throughput),
    ("an_upload_of_20_mb_crosses_the_wan", || upload(0.0)),
    ("an_upload_of_20_mb_survives_2_percent_loss", || upload(0.02)),
    ("the_wan_works_as_nobody", delay),
    ("a_dropped_lab_leaves_no_thread", dropped),
];

fn with(wan: Wan) -> Lab {
    start(LabConfig { wan: Some(wan), seed: 7, ..LabConfig::default() })
}

fn upload(loss: f64) -> String {
    uploads(LabConfig { wan: Some(Wan { delay_ms: 1.0, loss, ..Wan::default() }), seed: 7, ..LabConfig::default() })
}

/// The quickest of a few, as other work on this machine only adds.
fn round_trip(lab: &Lab, address: IpAddr) -> Duration {
    let connects = || {
        (0..3).map(|_| match connect(&address.to_string(), None, Duration::from_secs(2)) {
            (Outcome::Open, took) => took,
            (other, _) => panic!("{address}: {other:?}"),
        })
    };
    lab.client().run(|| connects().min().expect("three")).unwrap()
}

fn delay() -> String {
    let wan = Wan { delay_ms: 20.0, spread_ms: 100.0, ..Wan::default() };
    let lab = with(wan);
    let mut seen = Vec::new();
    for text in ["13.32.0.1", "13.32.128.1", "13.33.0.1", "99.84.0.1", "2600:9000:1000::1"] {
        let address: IpAddr = text.parse().unwrap();
        let expected = (wan.delay_to(address) + Duration::from_millis(20)).as_secs_f64();
        let took = round_trip(&lab, address).as_secs_f64();
        assert!((expected..1.2 * expected).contains(&took), "{address}: {took:.3} s, expected {expected:.3}");
        seen.push(format!("{:.0}", took * 1e3));
    }
    let mut distinct = seen.clone();
    distinct.dedup();
    assert_eq!(distinct, seen, "each /17 has its own distance");
    format!("{} ms", seen.join(" "))
}

/// Sends datagrams from client to edge, as many at once and with such pauses; how many arrived, and how long it took.
fn datagrams(lab: &Lab, count: u32, burst: u32, pause: Duration) -> (u32, Duration) {
    let edge = (lab.hops(Family::V4).edge, 5000);
    let receiver = lab.edge().run(|| UdpSocket::bind(edge)).unwrap().unwrap();
    receiver.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let sender = lab.client().run(|| UdpSocket::bind(("0.0.0.0", 0))).unwrap().unwrap();
    let sending = std::thread::spawn(move || {
        for n in 0..count {
            let _ = sender.send_to(&[0; 100], edge);
            if n % burst == burst - 1 {
                std::thread::sleep(pause);
            }
        }
    });
    let (mut arrived, began, mut last) = (0, Instant::now(), Instant::now());
    while receiver.recv(&mut [0; 200]).is_ok() {
        arrived += 1;
        last = Instant::now();
    }
    sending.join().unwrap();
    (arrived, last - began)
}

fn loss() -> String {
    let lab = with(Wan { loss: 0.1, ..Wan::default() });
    let (arrived, _) = datagrams(&lab, 10_000, 50, Duration::from_millis(5));
    assert!((8_850..9_150).contains(&arrived), "{arrived} of 10,000 at 10 %");
    format!("{arrived} of 10000 arrived at 10 %")
}

fn throughput() -> String {
    let lab = with(Wan { delay_ms: 10.0, ..Wan::default() });
    let (arrived, took) = datagrams(&lab, 100_000, 100, Duration::from_micros(100));
    let rate = f64::from(arrived) / took.as_secs_f64();
    assert!(rate >= 20_000.0, "{rate:.0} packets a second");
    format!("{rate:.0} packets a second, {arrived} of 100000 arrived")
}

fn dropped() -> String {
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let lab = with(Wan { delay_ms: 1.0, ..Wan::default() });
    assert!(threads() > 1);
    drop(lab);
    assert_eq!(threads(), 1);
    String::new()
}
