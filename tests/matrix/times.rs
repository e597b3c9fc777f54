//! How long a check takes, and whether the times that it gives are those of the packets.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::client::Checked;
use crate::hosts;
use crate::network::{CDN, Conditions, Network};
use crate::row::TOP;
use crate::runner::Case;

/// The cases.
pub fn all() -> Vec<Case> {
    let case = |name: &str, run: fn() -> String| Case { name: name.to_owned(), run: Box::new(run) };
    vec![
        case("a_healthy_endpoint_is_checked_within_1500_ms", || within(1.5, &Network::build(), 1)),
        case("a_dropped_endpoint_is_checked_within_6_s", || within(6.0, &dropping(), 1)),
        case("twenty_endpoints_are_checked_within_10_s", || within(10.0, &Network::build(), 20)),
        case("twenty_dropped_endpoints_are_checked_within_10_s", || within(10.0, &dropping(), 20)),
        case("times_are_those_of_the_packets", times_of_packets),
    ]
}

fn within(seconds: f64, network: &Network, endpoints: usize) -> String {
    let checked = check(network, "1m.bin", endpoints);
    let took = checked.report["seconds"].as_f64().expect("a number");
    assert_eq!(checked.report["endpoints"].as_array().map(Vec::len), Some(endpoints));
    assert!(took < seconds, "{took} s: {:#}", checked.report["endpoints"][0]);
    format!("{took} s, {} kB", checked.peak_kb)
}

fn dropping() -> Network {
    let network = Network::build();
    hosts::forwarding(&["ip daddr 13.224.0.0/14 drop"]);
    network
}

fn check(network: &Network, file: &str, endpoints: usize) -> Checked {
    let roots = network.platform.certificate().display();
    let endpoint = |number: usize| {
        format!(
            "\n[[endpoint]]\nname = \"media-{number}\"\ndirection = \"receive\"\nfamily = \"4\"\n\
             url = \"https://cdn.example.test/{file}\"\n"
        )
    };
    let all: Vec<String> = (1..=endpoints).map(endpoint).collect();
    network.check(&format!("roots = \"{roots}\"\nstate = \"off\"\n{TOP}\n{}", all.concat()), &[])
}

/// How far a time may be from that of the packets.
const MOST_APART: f64 = 0.002;
const CHECKS: usize = 5;

fn times_of_packets() -> String {
    let mut network = Network::under(&Conditions { http2: false, ..Conditions::default() });
    let script = network.write("capture.py", include_str!("capture.py"));
    let log = network.start_until("client", &["python3", &script, "c0"], "ready");
    let mut apart: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..CHECKS {
        let before = packets(&log).len();
        let checked = check(&network, "64k.bin", 1);
        let packets = packets(&log).split_off(before);
        for (layer, difference) in differences(checked.endpoint(), &packets) {
            apart.entry(layer).or_default().push(difference);
        }
    }
    // Other work on this machine only adds.
    let least: Vec<(&str, f64)> = apart.iter().map(|(layer, apart)| (*layer, least(apart))).collect();
    let text: Vec<String> = apart.iter().map(|(layer, all)| in_words(layer, all)).collect();
    assert_eq!(least.len(), 5, "every layer: {text:?}");
    assert!(least.iter().all(|(_, apart)| *apart < MOST_APART), "{text:?}");
    text.join(", ")
}

fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

fn in_words(layer: &str, figures: &[f64]) -> String {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    let [least, median] = [figures[0], figures[figures.len() / 2]].map(|seconds| seconds * 1e3);
    format!("{layer} {least:.1} to {median:.1} ms apart")
}

/// A packet as `capture.py` writes it.
struct Packet {
    seconds: f64,
    from: String,
    to: String,
    opens: bool,
    bytes: usize,
    record: String,
}

fn packets(log: &Path) -> Vec<Packet> {
    fs::read_to_string(log).expect("a log").lines().filter_map(packet).collect()
}

fn packet(line: &str) -> Option<Packet> {
    let [seconds, from, to, opens, bytes, record] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let (from, to, record) = (from.to_owned(), to.to_owned(), record.to_owned());
    Some(Packet { seconds: seconds.parse().ok()?, from, to, opens: opens == "1", bytes: bytes.parse().ok()?, record })
}

/// The layer of each observation that the packets show as well, and how far the two times are apart.
fn differences(endpoint: &Value, packets: &[Packet]) -> Vec<(&'static str, f64)> {
    let mut observations: Vec<&Value> = endpoint["observations"].as_array().expect("a list").iter().collect();
    observations.sort_by(|one, other| started(one).total_cmp(&started(other)));
    let mut found = names(&observations, packets);
    let flows = flows(packets);
    for (layer, operation) in
        [("connect", "connect"), ("tls", "tls_handshake"), ("http", "http_round_trip"), ("transfer", "transfer")]
    {
        let of_layer = observations.iter().filter(|observation| observation["operation"] == operation);
        // Lanes go through the layers side by side: the first that connects need not be the first that transfers.
        let seen: Vec<f64> = flows.iter().filter_map(|flow| flow.seconds(layer)).collect();
        for observation in of_layer.filter(|observation| observation["failure"].is_null()) {
            let nearest = seen.iter().map(|seen| (seen - seconds(observation)).abs()).min_by(f64::total_cmp);
            found.extend(nearest.map(|nearest| (layer, nearest)));
        }
    }
    found
}

fn started(observation: &Value) -> f64 {
    observation["started_seconds"].as_f64().expect("a number")
}

fn seconds(observation: &Value) -> f64 {
    observation["seconds"].as_f64().expect("a number")
}

/// Queries and their answers, by resolver and record.
fn names(observations: &[&Value], packets: &[Packet]) -> Vec<(&'static str, f64)> {
    let lookups = observations.iter().filter(|observation| observation["operation"] == "resolve");
    let nearest = |observation: &&&Value| {
        let resolver = observation["detail"]["resolver"].as_str()?.rsplit([' ', '/']).next()?;
        let resolver = format!("{}:53", resolver.trim_end_matches(":53"));
        let record = observation["detail"]["record"].as_str()?;
        let of_query = |query: &Packet| {
            let asked = query.to == resolver && query.record == record;
            let answer = packets.iter().find(|answer| answer.from == query.to && answer.to == query.from)?;
            asked.then(|| (answer.seconds - query.seconds - seconds(observation)).abs())
        };
        packets.iter().filter_map(of_query).min_by(f64::total_cmp)
    };
    lookups.filter_map(|observation| nearest(&observation)).map(|apart| ("names", apart)).collect()
}

/// No answer comes sooner.
const ROUND_TRIP: f64 = 0.03;
/// Its record, in bytes.
const CHANGE_OF_CIPHER: usize = 6;

/// The packets of one connection to the platform, in the order of their times.
struct Flow<'a>(Vec<&'a Packet>);

fn flows(packets: &[Packet]) -> Vec<Flow<'_>> {
    let server = format!("{CDN}:443");
    let mut flows: BTreeMap<&str, Vec<&Packet>> = BTreeMap::new();
    for packet in packets.iter().filter(|packet| packet.from == server || packet.to == server) {
        let client = if packet.to == server { &packet.from } else { &packet.to };
        flows.entry(client).or_default().push(packet);
    }
    flows.into_values().map(Flow).collect()
}

impl Flow<'_> {
    /// How long a layer took. Of TLS 1.3 the client sends a hello, a change of cipher that means nothing, and its end;
    /// then comes the request.
    fn seconds(&self, layer: &str) -> Option<f64> {
        let sent = |number: usize| self.carrying(true).nth(number);
        // What comes sooner is the server's end of the handshake.
        let answered =
            || Some(sent(2)? + ROUND_TRIP).and_then(|soonest| self.carrying(false).find(|time| *time > soonest));
        match layer {
            "connect" => Some(self.opening(false)? - self.opening(true)?),
            "tls" => Some(sent(1)? - sent(0)?),
            "http" => Some(answered()? - sent(2)?),
            _ => Some(self.carrying(false).last()? - answered()?),
        }
    }

    fn opening(&self, from_client: bool) -> Option<f64> {
        self.0.iter().find(|packet| packet.opens && packet.is_from_client() == from_client).map(|packet| packet.seconds)
    }

    fn carrying(&self, from_client: bool) -> impl Iterator<Item = f64> {
        let wanted = move |packet: &&&Packet| packet.bytes > CHANGE_OF_CIPHER && packet.is_from_client() == from_client;
        self.0.iter().filter(wanted).map(|packet| packet.seconds)
    }
}

impl Packet {
    fn is_from_client(&self) -> bool {
        self.to.ends_with(":443")
    }
}
