//! Exported rules in a real firewall that drops by default: nothing is blocked, and what is taken out is.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::cases::{assert_accused, assert_nobody_accused, case, check, cost};
use crate::chance::Chance;
use crate::hosts::Network;
use crate::runner::{self, Case};
use crate::viewer_ranges;

/// How many prefixes are taken out, one after the other.
const TAKEN_OUT: usize = 3;

pub fn all() -> Vec<Case> {
    let cases = FIREWALLS.iter().enumerate();
    cases
        .map(|(seed, firewall)| {
            case(&format!("exported_{}_opens_everything", firewall.name), move || opens(firewall, seed))
        })
        .collect()
}

/// How exported files come into a firewall, and how one prefix goes out and in again.
struct Firewall {
    name: &'static str,
    /// Runs before everything; `FILE` is the first export.
    load: &'static [(&'static str, &'static str)],
    /// The formats, in the order of loading; each one is the input of the command beside it.
    exports: &'static [(&'static str, &'static str)],
    /// Runs last.
    use_it: &'static [&'static str],
    remove: &'static str,
    restore: &'static str,
}

/// What a gateway lets through besides: answers.
const DROP_BY_DEFAULT: &[(&str, &str)] = &[
    ("iptables -P FORWARD DROP", ""),
    ("iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", ""),
];

/// The sets are those of the exported table, the rule is in the chain that drops.
const CHAIN: &str = "table inet cloudfront {
chain gateway {
type filter hook forward priority 0; policy drop;
ct state established,related accept
ip daddr @cloudfront_v4 tcp dport 443 accept
}
}
";

const FIREWALLS: &[Firewall] = &[
    Firewall {
        name: "nftables",
        load: &[],
        exports: &[("nftables", "nft -f -")],
        use_it: &["nft -f CHAIN"],
        remove: "nft delete element inet cloudfront cloudfront_v4 { PREFIX }",
        restore: "nft add element inet cloudfront cloudfront_v4 { PREFIX }",
    },
    Firewall {
        name: "iptables",
        load: DROP_BY_DEFAULT,
        exports: &[("iptables", "iptables-restore --noflush")],
        use_it: &["iptables -A FORWARD -j cloudfront"],
        remove: "iptables -D cloudfront -d PREFIX -p tcp -m tcp --dport 443 -m comment --comment viewer -j ACCEPT",
        restore: "iptables -A cloudfront -d PREFIX -p tcp -m tcp --dport 443 -m comment --comment viewer -j ACCEPT",
    },
    Firewall {
        name: "ipset",
        load: DROP_BY_DEFAULT,
        exports: &[("ipset", "ipset restore"), ("iptables-ipset", "iptables-restore --noflush")],
        use_it: &["iptables -A FORWARD -j cloudfront"],
        remove: "ipset del cloudfront-v4 PREFIX",
        restore: "ipset add cloudfront-v4 PREFIX",
    },
];

fn opens(firewall: &Firewall, seed: usize) -> String {
    let network = Network::build();
    for (command, text) in firewall.load {
        network.on_firewall(command, text);
    }
    for (format, command) in firewall.exports {
        network.on_firewall(command, &exported(format));
    }
    for command in firewall.use_it {
        match command.strip_suffix(" CHAIN") {
            Some(command) => network.on_firewall(&format!("{command} -"), CHAIN),
            None => network.on_firewall(command, ""),
        }
    }
    let checked = check(&network, &[]);
    assert_nobody_accused(&checked);
    assert_eq!(checked.status, Some(0), "{:#}", checked.report["diagnoses"]);
    let mut chance = Chance::of(seed as u64 + 1);
    // Neighbours are exported as one prefix, and a part of one cannot be taken out of every firewall.
    let listed = exported("plain");
    let entries = viewer_ranges().into_iter().filter(|range| listed.lines().any(|line| line == range)).collect();
    for prefix in chance.some(entries, TAKEN_OUT) {
        network.on_firewall(&firewall.remove.replace("PREFIX", &prefix), "");
        let checked = check(&network, &[]);
        let range = checked.range(&prefix);
        assert_eq!((&range["verdict"], &range["blocked"]), (&json!("blocked"), &json!([prefix])), "{range:#}");
        assert_accused(&checked, &[prefix.as_str()]);
        assert_eq!(checked.status, Some(1));
        network.on_firewall(&firewall.restore.replace("PREFIX", &prefix), "");
    }
    cost(&checked)
}

/// The documented list in this format.
fn exported(format: &str) -> String {
    let mut command = Command::new(runner::program());
    let output = command.args(["export", format]).stdin(Stdio::null()).output().expect("egressd starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
