//! What a firewall does to a packet, and what is to be seen of it.

/// One way of blocking.
#[derive(Debug)]
pub struct Action {
    /// What nftables calls it.
    pub statement: &'static str,
    /// What a connection comes to, as `probe.py` has it, without the sender.
    pub seen: &'static str,
    /// What the report calls it.
    pub mechanism: &'static str,
    /// The ICMP type and code, where there is one.
    pub icmp: Option<&'static str>,
}

/// Every way.
pub const ACTIONS: &[Action] = &[
    Action { statement: "drop", seen: "silent", mechanism: "dropped", icmp: None },
    Action { statement: "reject with tcp reset", seen: "ECONNREFUSED", mechanism: "reset", icmp: None },
    rejects("reject with icmp type net-unreachable", "ENETUNREACH", "3/0"),
    rejects("reject with icmp type host-unreachable", "EHOSTUNREACH", "3/1"),
    rejects("reject with icmp type prot-unreachable", "ENOPROTOOPT", "3/2"),
    rejects("reject with icmp type port-unreachable", "ECONNREFUSED", "3/3"),
    rejects("reject with icmp type net-prohibited", "ENETUNREACH", "3/9"),
    rejects("reject with icmp type host-prohibited", "EHOSTUNREACH", "3/10"),
    rejects("reject with icmp type admin-prohibited", "EHOSTUNREACH", "3/13"),
];

const fn rejects(statement: &'static str, seen: &'static str, icmp: &'static str) -> Action {
    Action { statement, seen, mechanism: "rejected_icmp", icmp: Some(icmp) }
}

/// A whole listed range and what the firewall does to it.
pub struct Rule {
    /// The range.
    pub prefix: String,
    /// What is done.
    pub action: &'static Action,
}

impl Rule {
    /// As nftables has it; a reset answers nothing but TCP.
    pub fn statement(&self) -> String {
        let tcp = if self.action.mechanism == "reset" { " tcp dport 443" } else { "" };
        format!("ip daddr {}{tcp} {}", self.prefix, self.action.statement)
    }
}
