//! One way of interfering, or of merely looking odd: what makes it, what proves it, and what egressd has to say.

use std::fmt;

use serde_json::Value;

use crate::client::Checked;
use crate::network::Network;

/// A row of the matrix.
pub struct Row {
    /// What the case is called.
    pub name: &'static str,
    /// The mechanism that is produced; none in a healthy network.
    pub produced: Option<&'static str>,
    /// Makes the network and what interferes on it.
    pub network: fn() -> Network,
    /// Command lines of curl and dig on the client, and how what they say begins: the network is what the name says.
    pub proof: &'static [(&'static str, &'static str)],
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Keys of the configuration's top level in the place of [`TOP`].
    pub top: &'static str,
    /// Variables of the environment.
    pub environment: &'static [(&'static str, &'static str)],
    /// How many hops away it is done, where a path can tell; the next hop may have done it as well.
    pub hop: Option<u64>,
    /// What egressd has to say.
    pub said: Said,
}

/// What is checked.
#[derive(Clone, Copy)]
pub struct Endpoint {
    /// `receive` or `send`.
    pub direction: &'static str,
    /// Where.
    pub url: &'static str,
    /// The proxy that is configured; `environment` is what egressd has by default.
    pub proxy: &'static str,
    /// Further keys of the endpoint.
    pub lines: &'static str,
}

/// What egressd says of an endpoint, in the report's words.
#[derive(Clone, Copy)]
pub struct Said {
    /// Whether it works.
    pub verdict: &'static str,
    /// Where it fails.
    pub layer: &'static str,
    /// The diagnosis that has to be there.
    pub diagnosis: &'static str,
}

/// Receives a file of 1 MB from a published range.
pub const RECEIVE: Endpoint = Endpoint {
    direction: "receive",
    url: "https://cdn.example.test/1m.bin",
    proxy: "environment",
    lines: "must_be_in = \"cloudfront\"",
};

/// Sends a file of 1 MB.
pub const SEND: Endpoint = Endpoint {
    direction: "send",
    url: "https://upload.example.test/up/file",
    proxy: "environment",
    lines: "method = \"PUT\"\nexpect_status = [201, 204]\nbody_bytes = 1048576",
};

/// What a healthy network comes to; its diagnosis is none.
pub const NOTHING: Said = Said { verdict: "open", layer: "", diagnosis: "" };

/// curl's command line for [`RECEIVE`].
pub const GET: &str = "curl https://cdn.example.test/1m.bin";
/// The same over IPv6.
pub const GET_V6: &str = "curl -6 https://cdn.example.test/1m.bin";
/// curl's command line for [`SEND`].
pub const PUT: &str = "curl -T store/1m.bin https://upload.example.test/up/file";
/// Another site, of which nobody knows anything bad.
pub const OTHER: &str = "curl https://www.example.test/";

/// What curl says of a whole file, and of a site that works.
pub const WHOLE: &str = "0 200 1048576";
pub const WORKS: &str = "0 200";

impl Row {
    /// Makes the network, proves it, and holds what egressd says against what it has to say. Prints the matrix's cell.
    pub fn run(&self) -> String {
        let network = (self.network)();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.judge(&network)));
        result.unwrap_or_else(|panic| {
            println!("{}", network.logs());
            std::panic::resume_unwind(panic)
        })
    }

    fn judge(&self, network: &Network) -> String {
        self.prove(network);
        let checked = network.check(&self.configuration(network), self.environment);
        let cell = Cell::of(&checked);
        println!("{CELL}{}\t{}", self.produced.unwrap_or(HEALTHY), cell.mechanism());
        let wanted = self.wanted();
        assert_eq!(cell, wanted, "{:#}", checked.report);
        self.assert_diagnosed(&checked);
        self.assert_placed(&checked);
        format!("{} s", checked.report["seconds"])
    }

    fn prove(&self, network: &Network) {
        for (line, says) in self.proof {
            let words: Vec<&str> = line.split(' ').collect();
            let said = match words[0] {
                "curl" => network.curl(&words[1..]),
                "dig" => network.dig(&words[1..]),
                other => panic!("no proof by {other}"),
            };
            assert!(said.starts_with(says), "{line} says {said}, not {says}");
        }
    }

    fn configuration(&self, network: &Network) -> String {
        let Endpoint { direction, url, proxy, lines } = self.endpoint;
        let hash = if direction == "receive" { network.expected_hash(url) } else { String::new() };
        let roots = network.platform.certificate();
        let feed = network.write("feed.json", FEED);
        format!(
            "site = \"matrix\"\nroots = \"{}\"\nfeeds = [\"{feed}\"]\nstate = \"off\"\n{}\n\n[[endpoint]]\n\
             name = \"media\"\ndirection = \"{direction}\"\nurl = \"{url}\"\nproxy = \"{proxy}\"\n{lines}\n{hash}",
            roots.display(),
            self.top
        )
    }

    fn wanted(&self) -> Cell {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Cell {
            verdict: text(self.said.verdict),
            layer: text(self.said.layer),
            mechanism: self.produced.and_then(text),
            status: Some(self.status()),
        }
    }

    /// An endpoint that is open may still have something wrong with it.
    fn status(&self) -> i32 {
        match self.said {
            Said { verdict: "open", .. } => 0,
            Said { verdict: "undetermined", .. } => 3,
            _ => 1,
        }
    }

    fn assert_diagnosed(&self, checked: &Checked) {
        let expected: Vec<&str> = Some(self.said.diagnosis).filter(|id| !id.is_empty()).into_iter().collect();
        assert_eq!(checked.diagnoses(self.said.diagnosis), expected, "{:#}", checked.report);
    }

    fn assert_placed(&self, checked: &Checked) {
        let hop = &checked.endpoint()["offender"]["hop"];
        assert!(self.hop.is_none_or(|wanted| *hop == wanted), "hop {hop}, not {:?}: {:#}", self.hop, checked.report);
    }
}

/// Begins the line that a case prints for the matrix.
pub const CELL: &str = "cell\t";
/// The row, and the column, of networks in which nothing interferes.
pub const HEALTHY: &str = "nothing";

/// Two controls of each family, on different ports.
pub const TOP: &str =
    "controls = [\"192.88.99.1:443\", \"192.88.99.1:80\", \"[2a00:1450:1::1]:443\", \"[2a00:1450:1::1]:80\"]

[dns]
resolvers = [\"udp://192.88.99.54:53\"]";

/// As much of the published list as the platform's addresses need.
const FEED: &str = r#"{"syncToken": "1787433425", "createDate": "2026-08-22-21-17-05",
 "prefixes": [
  {"ip_prefix": "13.224.0.0/14", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}],
 "ipv6_prefixes": [
  {"ipv6_prefix": "2600:9000:2000::/36", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}
 ]}"#;

#[derive(PartialEq)]
struct Cell {
    verdict: Option<String>,
    layer: Option<String>,
    mechanism: Option<String>,
    status: Option<i32>,
}

impl Cell {
    fn of(checked: &Checked) -> Self {
        let endpoint = checked.endpoint();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            verdict: text(&endpoint["verdict"]),
            layer: text(&endpoint["layer"]),
            mechanism: text(&endpoint["mechanism"]),
            status: checked.status,
        }
    }

    /// The column: the mechanism, or why there is none.
    fn mechanism(&self) -> &str {
        match (&self.mechanism, self.verdict.as_deref()) {
            (Some(mechanism), _) => mechanism,
            (None, Some("open")) => HEALTHY,
            (None, verdict) => verdict.unwrap_or("no verdict"),
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (verdict, layer, mechanism) = (word(&self.verdict), word(&self.layer), word(&self.mechanism));
        write!(formatter, "{verdict} at {layer} by {mechanism}, status {:?}", self.status)
    }
}
