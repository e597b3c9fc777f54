//! Answers that no client should have to bear: each comes to a clear observation, in little memory and little time.

use std::fs;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

use crate::daemon::Port;
use crate::middle::resolver;
use crate::network::{Network, OTHER, nginx};
use crate::row::TOP;
use crate::runner::Case;

/// An answer without bounds, and what has to be observed of it.
struct Bound {
    name: &'static str,
    /// Makes the network, and gives the endpoint's keys.
    network: fn() -> (Network, String),
    /// One of these failures is observed, or is the mechanism.
    failures: &'static [&'static str],
}

/// Of resident memory.
const MOST_KB: u64 = 60_000;
/// A body that comes in drops is watched for some seconds.
const MOST_TIME: Duration = Duration::from_secs(30);

const BOUNDS: &[Bound] = &[
    Bound { name: "a_body_of_10_gb", network: || nasty("body_of_10_gb"), failures: &["body_too_large"] },
    Bound { name: "a_body_without_end", network: || nasty("body_without_end"), failures: &["body_too_large"] },
    Bound { name: "a_body_in_drops", network: || nasty("body_in_drops"), failures: &["transfer_stalled", "throttled"] },
    Bound { name: "a_header_of_1_mb", network: || nasty("header_of_1_mb"), failures: &["http_too_large"] },
    Bound { name: "headers_without_end", network: || nasty("headers_without_end"), failures: &["http_too_large"] },
    Bound { name: "headers_in_drops", network: || nasty("headers_in_drops"), failures: &["http_no_answer"] },
    Bound {
        name: "interim_answers_without_end",
        network: || nasty("interim_answers_without_end"),
        failures: &["http_no_answer", "http_too_large", "http_malformed"],
    },
    Bound { name: "redirects_without_end", network: || nasty("redirects_without_end/0"), failures: &["http_redirect"] },
    Bound { name: "a_redirect_to_itself", network: || nasty("redirects_to_itself"), failures: &["http_redirect"] },
    Bound { name: "an_answer_that_is_nonsense", network: || nasty("nonsense"), failures: &["http_malformed"] },
    Bound { name: "no_answer_at_all", network: || nasty("nothing"), failures: &["http_broken"] },
    Bound { name: "an_answer_that_does_not_come", network: || nasty("silence"), failures: &["http_no_answer"] },
    Bound { name: "a_proxy_whose_header_has_no_end", network: endless_proxy, failures: &["proxy_broken"] },
    Bound { name: "a_pac_file_that_loops", network: looping_pac, failures: &["proxy_unreachable", "proxy_broken"] },
    Bound {
        name: "a_chain_of_500_certificates",
        network: chain_of_500,
        failures: &["tls_invalid_certificate", "tls_broken"],
    },
    Bound {
        name: "aliases_in_a_circle",
        network: || names("aliases_in_a_circle"),
        failures: &["dns_malformed", "dns_no_address"],
    },
    Bound {
        name: "aliases_without_end",
        network: || names("aliases_without_end"),
        failures: &["dns_malformed", "dns_no_address"],
    },
    Bound {
        name: "a_name_that_points_at_itself",
        network: || names("name_that_points_at_itself"),
        failures: &["dns_malformed"],
    },
    Bound { name: "a_resolver_of_nonsense", network: || names("nonsense"), failures: &["dns_malformed"] },
    Bound {
        name: "a_thousand_addresses",
        network: || names("thousand_addresses"),
        failures: &["no_answer", "dns_malformed"],
    },
];

/// The cases.
pub fn all() -> Vec<Case> {
    let case = |bound: &'static Bound| Case { name: bound.name.to_owned(), run: Box::new(|| bound.run()) };
    BOUNDS.iter().map(case).collect()
}

impl Bound {
    fn run(&self) -> String {
        let (network, endpoint) = (self.network)();
        let roots = network.platform.certificate().display();
        let configuration = format!(
            "roots = \"{roots}\"\nstate = \"off\"\n{TOP}\n[[endpoint]]\nname = \"nasty\"\ndirection = \"receive\"\n{endpoint}"
        );
        let checked = network.check(&configuration, &[]);
        let endpoints = checked.report["endpoints"].as_array().expect("a list of endpoints");
        let observations = endpoints.iter().filter_map(|endpoint| endpoint["observations"].as_array()).flatten();
        let failures = observations.map(|observation| &observation["failure"]);
        let mechanisms = endpoints.iter().map(|endpoint| &endpoint["mechanism"]);
        let failures: Vec<&str> = failures.chain(mechanisms).filter_map(Value::as_str).collect();
        let clear = failures.iter().any(|failure| self.failures.contains(failure));
        assert!(clear, "{failures:?}, none of {:?}: {:#}", self.failures, checked.report["endpoints"]);
        assert!(checked.peak_kb < MOST_KB, "{} kB", checked.peak_kb);
        assert!(checked.took < MOST_TIME, "{:?}", checked.took);
        assert!(matches!(checked.status, Some(1 | 3)), "{:?}", checked.status);
        format!("{} kB, {} s", checked.peak_kb, checked.report["seconds"])
    }
}

fn nasty(way: &str) -> (Network, String) {
    (with_nasty_server(), format!("url = \"https://nasty.example.test:8443/{way}\"\nfamily = \"4\"\n"))
}

fn with_nasty_server() -> Network {
    let mut network = Network::build();
    let files = network.platform.sign("nasty", &["nasty.example.test"]);
    let script = network.write("nasty.py", include_str!("nasty.py"));
    let [certificate, key] = [files.certificate, files.key].map(|path| path.to_str().expect("UTF-8").to_owned());
    network.start("server", &["python3", &script, &certificate, &key], &[Port::Tcp(8443), Port::Tcp(8081)]);
    network
}

fn endless_proxy() -> (Network, String) {
    let lines = format!("url = \"https://cdn.example.test/1k.bin\"\nfamily = \"4\"\nproxy = \"http://{OTHER}:8081\"\n");
    (with_nasty_server(), lines)
}

fn looping_pac() -> (Network, String) {
    let network = Network::build();
    let path = network.write("proxy.pac", "function FindProxyForURL(url, host) { while (true) {} }\n");
    (network, format!("url = \"https://cdn.example.test/1k.bin\"\nfamily = \"4\"\npac = \"{path}\"\n"))
}

fn names(way: &str) -> (Network, String) {
    let mut network = Network::build();
    resolver::start_nasty(&mut network, way);
    (network, "url = \"https://cdn.example.test/1k.bin\"\n".to_owned())
}

/// Each authority signed the next; the last signed the server's certificate.
fn chain_of_500() -> (Network, String) {
    let mut network = Network::build();
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().expect("a key"))
    };
    let (params, key) = authority();
    let mut issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut chain = vec![issuer.pem()];
    for _ in 0..499 {
        let (params, key) = authority();
        issuer = CertifiedIssuer::signed_by(params, key, &issuer).expect("an authority");
        chain.push(issuer.pem());
    }
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(["nasty.example.test".to_owned()]).expect("a name");
    chain.push(leaf.signed_by(&key, &issuer).expect("a certificate").pem());
    chain.reverse();
    let (certificate, key) =
        (network.write("long.pem", chain.concat()), network.write("long.key", key.serialize_pem()));
    let server = format!(
        "server {{ listen [::]:8443 ssl ipv6only=off; ssl_certificate {certificate}; ssl_certificate_key {key}; }}"
    );
    let configuration = nginx(network.folder(), "long", &server);
    let path = network.write("long.conf", configuration);
    network.start("server", &["nginx", "-c", &path], &[Port::Tcp(8443)]);
    assert!(fs::metadata(certificate).is_ok_and(|file| file.len() > 200_000), "a long chain");
    (network, "url = \"https://nasty.example.test:8443/\"\nfamily = \"4\"\n".to_owned())
}
