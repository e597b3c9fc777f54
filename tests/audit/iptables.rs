//! Random rule sets of iptables, ip6tables and ipset.

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::field::Load;

/// Sets first, then both families.
pub fn rule_set(dice: &mut Dice) -> Load {
    vec![
        (&["ipset", "restore"], sets(dice, false) + &sets(dice, true)),
        (&["iptables-restore"], family(dice, false)),
        (&["ip6tables-restore"], family(dice, true)),
    ]
}

fn sets(dice: &mut Dice, six: bool) -> String {
    let (end, family) = if six { (6, "inet6") } else { (4, "inet") };
    let mut text = format!(
        "create net{end} hash:net family {family}\ncreate ip{end} hash:ip family {family}\n\
         create pair{end} hash:net,port family {family}\ncreate all{end} list:set\n"
    );
    for _ in 0..=dice.roll(4) {
        let nomatch = if dice.in_hundred(30) { " nomatch" } else { "" };
        let _ = writeln!(text, "add net{end} {}{nomatch} -exist", dice.prefix(six));
        let _ = writeln!(text, "add ip{end} {} -exist", dice.range(six).0);
        let _ = writeln!(text, "add pair{end} {},tcp:{} -exist", dice.prefix(six), dice.pick(&["843", "843", "443"]));
    }
    text + &format!("add all{end} ip{end}\nadd all{end} net{end}\n")
}

fn family(dice: &mut Dice, six: bool) -> String {
    let mut text = String::new();
    if dice.in_hundred(30) {
        text += &table(dice, six, "raw", "PREROUTING", "ACCEPT");
    }
    if dice.in_hundred(30) {
        let chain = dice.pick(&["FORWARD", "POSTROUTING", "PREROUTING"]);
        text += &table(dice, six, "mangle", chain, "ACCEPT");
    }
    let policy = dice.pick(&["ACCEPT", "DROP"]);
    text + &table(dice, six, "filter", "FORWARD", policy)
}

fn table(dice: &mut Dice, six: bool, name: &str, base: &str, policy: &str) -> String {
    let chains = dice.roll(4);
    let mut text = format!("*{name}\n:{base} {policy} [0:0]\n");
    for chain in 0..chains {
        let _ = writeln!(text, ":c{chain} - [0:0]");
    }
    // Without neighbours there is no IPv6.
    let neighbours = if six { "-p ipv6-icmp" } else { "-p icmp" };
    let _ = writeln!(text, "-A {base} {neighbours} -j ACCEPT");
    // The table raw sees packets before their connections are known.
    if name != "raw" && dice.in_hundred(70) {
        let _ = writeln!(text, "-A {base} {}", dice.pick(ESTABLISHED));
    }
    let mut place = Place { six, table: name, base, chains };
    for chain in 0..chains {
        for _ in 0..dice.roll(5) {
            let _ = writeln!(text, "-A c{chain} {}", place.rule(dice, chain + 1));
        }
    }
    for _ in 0..dice.roll(7) {
        let _ = writeln!(text, "-A {base} {}", place.rule(dice, 0));
    }
    text + "COMMIT\n"
}

const ESTABLISHED: &[&str] = &[
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-m state --state ESTABLISHED -j ACCEPT",
    "-m conntrack ! --ctstate NEW -j ACCEPT",
    "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
];

/// Where a rule stands.
struct Place<'a> {
    six: bool,
    table: &'a str,
    base: &'a str,
    chains: u64,
}

impl Place<'_> {
    fn rule(&mut self, dice: &mut Dice, from: u64) -> String {
        let mut used = Vec::new();
        let mut conditions = Vec::new();
        for _ in 0..dice.roll(4) {
            let kind = dice.roll(16);
            // No option may stand twice.
            let group = if kind <= 4 { 0 } else { kind };
            if !used.contains(&group) {
                used.push(group);
                conditions.push(self.condition(dice, kind));
            }
        }
        // What names ports needs the protocol before it.
        let needs = conditions.iter().any(|one| one.contains("port") || one.contains("tcp") || one.contains("pair"));
        let protocol = if needs { "-p tcp " } else { "" };
        format!("{protocol}{} {}", conditions.join(" "), self.target(dice, from, needs))
    }

    fn condition(&self, dice: &mut Dice, kind: u64) -> String {
        let six = self.six;
        let end = if six { 6 } else { 4 };
        let not = if dice.in_hundred(25) { "! " } else { "" };
        match kind {
            0..=4 => format!("{not}-d {}", dice.prefix(six)),
            5 => {
                let (first, last) = dice.range(six);
                format!("-m iprange {not}--dst-range {first}-{last}")
            }
            6 => format!("-m set {not}--match-set net{end} dst"),
            7 => format!("-m set {not}--match-set {}{end} dst", dice.pick(&["ip", "all"])),
            8 => format!("-m set {not}--match-set pair{end} dst,dst"),
            9 => format!("{not}-s {}", if six { "fd09:1::/64" } else { "10.9.1.0/24" }),
            10 => format!("-m tcp {not}--dport {}", dice.pick(&["843", "443", "800:900", ":842", "844:"])),
            11 => format!("-m multiport {not}--dports {}", dice.pick(&["443,843", "80,443", "80,800:900"])),
            12 if self.table != "raw" => {
                let states = dice.pick(&["NEW", "ESTABLISHED", "NEW,RELATED", "INVALID", "NEW,ESTABLISHED"]);
                format!("-m conntrack {not}--ctstate {states}")
            }
            13 if self.base != "POSTROUTING" => format!("{not}-i {}", dice.pick(&["f0", "f1", "f+", "lo"])),
            14 if self.base != "PREROUTING" => format!("{not}-o {}", dice.pick(&["f0", "f1", "f+", "lo"])),
            15 => format!("-m tcp {}", dice.pick(&["--syn", "--sport 1024:", "! --sport 843", "! --syn"])),
            _ => "-m comment --comment \"-j DROP it's a \\\"comment\\\"\"".to_owned(),
        }
    }

    fn target(&self, dice: &mut Dice, from: u64, tcp: bool) -> String {
        let called = from + dice.roll(self.chains.saturating_sub(from).max(1));
        match dice.roll(12) {
            0..=3 => "-j ACCEPT".to_owned(),
            4 | 5 => "-j DROP".to_owned(),
            6 if self.table == "filter" && tcp => "-j REJECT --reject-with tcp-reset".to_owned(),
            6 if self.table == "filter" => "-j REJECT".to_owned(),
            7 => "-j RETURN".to_owned(),
            8 | 9 if from < self.chains => format!("-j c{called}"),
            10 if from < self.chains => format!("-g c{called}"),
            _ => String::new(),
        }
    }
}
