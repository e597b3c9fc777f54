//! The firewall's rules: real nftables, or routes that drop and prohibit where `nft` is not installed.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::answerer::{Answerer, PORT};
use super::error::LabError;
use super::host::Host;
use super::link::{Route, Via};
use super::nft;
use crate::prefix::{Family, Prefix, PrefixSet};
use crate::scenario::RuleAction;

/// The firewall's rules in order: destinations and what happens to them. What none matches is accepted.
pub type Rules = [(Vec<Prefix>, RuleAction)];

/// What puts the rules in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// nftables where `nft` is installed, else routes.
    #[default]
    Installed,
    /// Routes of type blackhole, prohibit and unreachable, which every kernel has.
    Routes,
}

/// What is in force on the firewall host.
#[derive(Debug)]
pub(super) struct Firewall {
    nft: Option<PathBuf>,
    routes: Vec<Route>,
    answerer: Option<Answerer>,
}

impl Firewall {
    pub(super) fn new(filter: Filter) -> Self {
        let nft = if filter == Filter::Installed { nft::find("nft") } else { None };
        Self { nft, routes: Vec::new(), answerer: None }
    }

    /// Puts these rules in the place of those in force.
    pub(super) fn replace(&mut self, host: &Host, rules: &Rules) -> Result<(), LabError> {
        let Some(program) = &self.nft else { return self.replace_routes(host, rules) };
        if self.answerer.is_none() && rules.iter().any(|&(_, action)| action == RuleAction::Answer) {
            self.answerer = Some(Answerer::start(host)?);
        }
        let ruleset = render(rules);
        host.run(|| nft::feed(program, &["-f", "-"], &ruleset))?
    }

    fn replace_routes(&mut self, host: &Host, rules: &Rules) -> Result<(), LabError> {
        let wanted = routes(rules)?;
        host.netlink(|netlink| {
            self.routes.drain(..).try_for_each(|route| netlink.remove(route))?;
            for route in wanted {
                netlink.add(route)?;
                self.routes.push(route);
            }
            Ok(())
        })
    }
}

/// The ruleset that takes the place of the one before in a single step.
///
/// Only what comes from the client is looked at, so that a rule for every destination does not hit the answers.
pub(super) fn render(rules: &Rules) -> String {
    let mut text = format!(
        "table inet customer\ndelete table inet customer\ntable inet customer {{\n  chain forwarding {{\n    \
         type filter hook forward priority 0; policy accept;\n    iifname != \"{CLIENT_SIDE}\" accept\n"
    );
    for (prefixes, action) in rules.iter().filter(|(_, action)| *action != RuleAction::Answer) {
        write_rules(&mut text, prefixes, |family| forward_verdict(*action, family));
    }
    text.push_str("  }\n");
    if rules.iter().any(|(_, action)| *action == RuleAction::Answer) {
        text.push_str("  chain answering {\n    type nat hook prerouting priority -100; policy accept;\n");
        let _ = writeln!(text, "    iifname != \"{CLIENT_SIDE}\" accept");
        for (prefixes, action) in rules {
            write_rules(&mut text, prefixes, |_| answer_verdict(*action));
        }
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

/// The link toward the client.
const CLIENT_SIDE: &str = "f0";

fn write_rules(text: &mut String, prefixes: &[Prefix], verdict: impl Fn(Family) -> String) {
    let prefixes = prefixes.iter().copied().collect::<PrefixSet>().prefixes();
    for family in [Family::V4, Family::V6] {
        let list: Vec<String> =
            prefixes.iter().filter(|prefix| prefix.family() == family).map(ToString::to_string).collect();
        if list.is_empty() {
            continue;
        }
        let protocol = if family == Family::V4 { "ip" } else { "ip6" };
        let _ = writeln!(text, "    {protocol} daddr {{ {} }} {}", list.join(", "), verdict(family));
    }
}

fn forward_verdict(action: RuleAction, family: Family) -> String {
    match (action, family) {
        (RuleAction::Accept | RuleAction::Answer, _) => "counter accept".to_owned(),
        (RuleAction::Drop, _) => "counter drop".to_owned(),
        (RuleAction::RejectTcpReset, _) => "tcp dport 443 counter reject with tcp reset".to_owned(),
        (_, Family::V4) => format!("counter reject with icmp type {}", icmp_type(action)),
        (_, Family::V6) => format!("counter reject with icmpv6 type {}", icmpv6_type(action)),
    }
}

fn answer_verdict(action: RuleAction) -> String {
    match action {
        RuleAction::Answer => format!("tcp dport 443 counter redirect to :{PORT}"),
        _ => "accept".to_owned(),
    }
}

fn icmp_type(action: RuleAction) -> &'static str {
    match action {
        RuleAction::RejectNetUnreachable => "net-unreachable",
        RuleAction::RejectHostUnreachable => "host-unreachable",
        RuleAction::RejectProtUnreachable => "prot-unreachable",
        RuleAction::RejectNetProhibited => "net-prohibited",
        RuleAction::RejectHostProhibited => "host-prohibited",
        RuleAction::RejectAdminProhibited => "admin-prohibited",
        _ => "port-unreachable",
    }
}

/// The nearest of RFC 4443's codes; there is none for a protocol.
fn icmpv6_type(action: RuleAction) -> &'static str {
    match action {
        RuleAction::RejectNetUnreachable => "no-route",
        RuleAction::RejectHostUnreachable => "addr-unreachable",
        RuleAction::RejectNetProhibited | RuleAction::RejectHostProhibited | RuleAction::RejectAdminProhibited => {
            "admin-prohibited"
        }
        _ => "port-unreachable",
    }
}

/// The rules as routes.
///
/// The longest prefix wins among routes, the first match among rules: so each rule keeps only what none before it has.
pub(super) fn routes(rules: &Rules) -> Result<Vec<Route>, LabError> {
    let mut decided = PrefixSet::new();
    let mut routes = Vec::new();
    for (prefixes, action) in rules {
        let here: PrefixSet = prefixes.iter().copied().collect();
        if let Some(via) = route_type(*action)? {
            let left = here.difference(&decided).prefixes();
            routes.extend(left.into_iter().map(|destination| Route { destination, via, metric: RULE_METRIC }));
        }
        decided = decided.union(&here);
    }
    Ok(routes)
}

/// Below the default route's, as a rule may be for every destination.
const RULE_METRIC: u32 = 1;

fn route_type(action: RuleAction) -> Result<Option<Via>, LabError> {
    match action {
        RuleAction::Accept => Ok(None),
        RuleAction::Drop => Ok(Some(Via::Blackhole)),
        RuleAction::RejectHostUnreachable => Ok(Some(Via::Unreachable)),
        RuleAction::RejectAdminProhibited => Ok(Some(Via::Prohibit)),
        other => Err(LabError::NftMissing { action: format!("{other:?}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(prefixes: &[&str], action: RuleAction) -> (Vec<Prefix>, RuleAction) {
        (prefixes.iter().map(|text| text.parse().expect("a prefix")).collect(), action)
    }

    #[test]
    fn the_ruleset_is_written_like_this() {
        let rules = [
            rule(&["13.224.0.0/15", "13.226.0.0/15", "2600:9000::/28"], RuleAction::Drop),
            rule(&["99.86.0.0/16", "2600:9000:2000::/36"], RuleAction::RejectAdminProhibited),
            rule(&["54.192.0.0/16"], RuleAction::RejectTcpReset),
        ];
        let expected = r#"table inet customer
delete table inet customer
table inet customer {
  chain forwarding {
    type filter hook forward priority 0; policy accept;
    iifname != "f0" accept
    ip daddr { 13.224.0.0/14 } counter drop
    ip6 daddr { 2600:9000::/28 } counter drop
    ip daddr { 99.86.0.0/16 } counter reject with icmp type admin-prohibited
    ip6 daddr { 2600:9000:2000::/36 } counter reject with icmpv6 type admin-prohibited
    ip daddr { 54.192.0.0/16 } tcp dport 443 counter reject with tcp reset
  }
}
"#;
        assert_eq!(render(&rules), expected);
    }

    #[test]
    fn answering_for_everyone_leaves_out_what_an_earlier_rule_decides() {
        let rules = [rule(&["13.32.0.0/15"], RuleAction::Accept), rule(&["0.0.0.0/0"], RuleAction::Answer)];
        let chain = r#"  chain answering {
    type nat hook prerouting priority -100; policy accept;
    iifname != "f0" accept
    ip daddr { 13.32.0.0/15 } accept
    ip daddr { 0.0.0.0/0 } tcp dport 443 counter redirect to :8443
  }
}
"#;
        assert!(render(&rules).ends_with(chain), "{}", render(&rules));
    }

    #[test]
    fn the_first_rule_wins_among_routes_as_well() {
        let rules = [
            rule(&["13.32.0.0/16"], RuleAction::Accept),
            rule(&["13.32.0.0/15"], RuleAction::Drop),
            rule(&["13.32.0.0/14"], RuleAction::RejectAdminProhibited),
        ];
        let routes: Vec<_> = routes(&rules).unwrap().into_iter().map(|r| (r.destination.to_string(), r.via)).collect();
        let expected = [("13.33.0.0/16", Via::Blackhole), ("13.34.0.0/15", Via::Prohibit)];
        assert_eq!(routes, expected.map(|(text, via)| (text.to_owned(), via)));
    }

    #[test]
    fn what_routes_cannot_say_needs_nftables() {
        let error = routes(&[rule(&["13.32.0.0/15"], RuleAction::RejectTcpReset)]).unwrap_err();
        assert_eq!(error.to_string(), "the rule `RejectTcpReset` needs nftables, and no `nft` is installed");
    }
}
