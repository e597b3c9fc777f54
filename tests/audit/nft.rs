//! Random rule sets of nftables.

use std::fmt::Write as _;

use crate::dice::Dice;

/// A rule set as `nft -f` takes it.
pub fn rule_set(dice: &mut Dice) -> String {
    let mut text = String::new();
    for table in 0..=dice.roll(2) {
        let family = dice.pick(&["inet", "inet", "inet", "ip", "ip6"]);
        text += &self::table(dice, family, &format!("t{table}"));
    }
    text
}

/// Of which families a table has packets.
fn families(family: &str) -> &'static [bool] {
    match family {
        "ip" => &[false],
        "ip6" => &[true],
        _ => &[false, true],
    }
}

fn table(dice: &mut Dice, family: &str, name: &str) -> String {
    let chains = 1 + dice.roll(3);
    let mut text = format!("table {family} {name} {{\n");
    for &six in families(family) {
        text += &sets(dice, six);
    }
    let bases: Vec<&str> = (0..=dice.roll(2))
        .map(|_| dice.pick(&["forward", "forward", "forward", "prerouting", "postrouting"]))
        .collect();
    // The kernel takes a rejection in some hooks alone.
    let rejects = bases.iter().all(|hook| *hook == "forward");
    let place = Place { family, chains, rejects };
    // A chain calls those behind it alone: the kernel refuses circles. They must be there before they are called.
    for chain in (0..chains).rev() {
        let _ = writeln!(text, "  chain c{chain} {{\n{}  }}", place.rules(dice, chain + 1));
    }
    for (base, hook) in (0_u64..).zip(bases) {
        let policy = dice.pick(&["accept", "drop"]);
        let priority = i64::try_from(base).unwrap() - i64::try_from(dice.roll(3)).unwrap();
        let _ = writeln!(text, "  chain b{base} {{\n    type filter hook {hook} priority {priority}; policy {policy};");
        // Without neighbours there is no IPv6.
        let _ = writeln!(text, "    meta l4proto ipv6-icmp accept");
        if dice.in_hundred(70) {
            let _ = writeln!(text, "    {}", dice.pick(ESTABLISHED));
        }
        let _ = writeln!(text, "{}  }}", place.rules(dice, 0));
    }
    text + "}\n"
}

/// Ways to let replies and what follows them pass.
const ESTABLISHED: &[&str] = &[
    "ct state established,related accept",
    "ct state { established, related } accept",
    "ct state vmap { established : accept, related : accept, invalid : drop }",
    "ct state != new accept",
    "iifname \"f1\" accept",
    "tcp flags & (syn | ack) != syn accept",
];

fn sets(dice: &mut Dice, six: bool) -> String {
    let (kind, end) = if six { ("ipv6_addr", 6) } else { ("ipv4_addr", 4) };
    let elements = |dice: &mut Dice| distinct(dice, six).join(", ");
    let pairs: Vec<String> = distinct(dice, six).into_iter().map(|one| format!("{one} . {}", port(dice))).collect();
    format!(
        "  set s{end} {{\n    type {kind}; flags interval; elements = {{ {} }}\n  }}\n  \
         set p{end} {{\n    type {kind} . inet_service; flags interval; elements = {{ {} }}\n  }}\n",
        elements(dice),
        pairs.join(", ")
    )
}

/// Prefixes and ranges that do not overlap, as nft wants them: the space is cut, and some pieces are taken.
fn distinct(dice: &mut Dice, six: bool) -> Vec<String> {
    let (mut start, mut pieces) = (0, Vec::new());
    while start < 32 {
        let end = (start + dice.roll(8)).min(31);
        if dice.in_hundred(40) {
            let name = |host: u64| if six { format!("2600:9000::{host:x}") } else { format!("13.32.0.{host}") };
            pieces.push(if start == end { name(start) } else { format!("{}-{}", name(start), name(end)) });
        }
        // Neighbours would be merged, which is another set to nft.
        start = end + 2;
    }
    if pieces.is_empty() {
        pieces.push(if six { "2600:9000::1".to_owned() } else { "13.32.0.1".to_owned() });
    }
    pieces
}

fn port(dice: &mut Dice) -> &'static str {
    dice.pick(&["843", "843", "800-900", "443", "0-842", "844-65535"])
}

/// Where rules stand.
struct Place<'a> {
    family: &'a str,
    chains: u64,
    rejects: bool,
}

impl Place<'_> {
    /// Rules that call chains from this one on.
    fn rules(&self, dice: &mut Dice, from: u64) -> String {
        (0..dice.roll(6)).fold(String::new(), |text, _| text + &self.rule(dice, from))
    }

    fn rule(&self, dice: &mut Dice, from: u64) -> String {
        let families = families(self.family);
        let six = families[usize::try_from(dice.roll(families.len() as u64)).unwrap()];
        let protocol = if six { "ip6" } else { "ip" };
        if dice.in_hundred(10) {
            return format!("    {}\n", self.vmap(dice, six, protocol, from));
        }
        // What is of two protocols goes with no other condition.
        if dice.in_hundred(8) {
            let condition = dice.pick(&[
                "udp dport 843",
                "udp dport != 53",
                "meta l4proto { tcp, udp }",
                "meta l4proto { tcp, udp } th dport 843",
            ]);
            return format!("    {condition} {}\n", self.verdict(dice, from));
        }
        let conditions = (0..=dice.roll(2)).map(|_| condition(dice, self.family, six)).collect::<Vec<_>>().join(" ");
        format!("    {conditions} counter {}\n", self.verdict(dice, from))
    }

    fn vmap(&self, dice: &mut Dice, six: bool, protocol: &str, from: u64) -> String {
        match dice.roll(3) {
            0 => {
                let pieces = distinct(dice, six);
                let elements: Vec<String> =
                    pieces.into_iter().map(|one| format!("{one} : {}", self.mapped(dice, from))).collect();
                format!("{protocol} daddr vmap {{ {} }}", elements.join(", "))
            }
            1 => format!("tcp dport vmap {{ 0-842 : drop, 843 : {}, 844-65535 : drop }}", self.mapped(dice, from)),
            _ => format!("iifname vmap {{ \"f0\" : {}, \"lo\" : accept }}", self.mapped(dice, from)),
        }
    }

    /// What a map may have in it.
    fn mapped(&self, dice: &mut Dice, from: u64) -> String {
        let verdict = self.verdict(dice, from);
        if verdict.is_empty() || verdict == "reject" { "drop".to_owned() } else { verdict }
    }

    fn verdict(&self, dice: &mut Dice, from: u64) -> String {
        let called = from + dice.roll(self.chains.saturating_sub(from).max(1));
        match dice.roll(12) {
            0..=3 => "accept".to_owned(),
            4..=5 => "drop".to_owned(),
            6 if self.rejects => "reject".to_owned(),
            7 => "return".to_owned(),
            8..=9 if from < self.chains => format!("jump c{called}"),
            10 if from < self.chains => format!("goto c{called}"),
            _ => String::new(),
        }
    }
}

fn condition(dice: &mut Dice, family: &str, six: bool) -> String {
    let protocol = if six { "ip6" } else { "ip" };
    let not = if dice.in_hundred(25) { "!= " } else { "" };
    let set = if six { 6 } else { 4 };
    let own = if six { "fd09:1::/64" } else { "10.9.1.0/24" };
    match dice.roll(22) {
        0..=3 => format!("{protocol} daddr {not}{}", dice.prefix(six)),
        4 | 5 => {
            let (first, last) = dice.range(six);
            if first == last {
                format!("{protocol} daddr {not}{first}")
            } else {
                format!("{protocol} daddr {not}{first}-{last}")
            }
        }
        6 | 7 => format!("{protocol} daddr {not}{{ {} }}", distinct(dice, six).join(", ")),
        8 | 9 => format!("{protocol} daddr {not}@s{set}"),
        10 => format!("{protocol} daddr . tcp dport {not}@p{set}"),
        11 => format!("{protocol} saddr {not}{own}"),
        12 => format!("{protocol} saddr {not}{}", dice.prefix(six)),
        13 => format!("tcp dport {not}{}", port(dice)),
        14 => format!("tcp dport {not}{{ 443, 840-850 }}"),
        15 => dice.pick(&["tcp sport 1024-65535", "tcp sport != 843", "tcp sport 843", "th sport 0-1023"]).to_owned(),
        16 => format!(
            "ct state {}",
            dice.pick(&["new", "established", "new,established", "invalid", "!= new", "{ new, related }"])
        ),
        17 => format!("iifname {not}{}", dice.pick(&["\"f0\"", "\"f1\"", "{ \"f0\", \"f1\" }", "\"f*\"", "\"lo\""])),
        18 => dice.pick(&["meta l4proto tcp", "meta l4proto != udp"]).to_owned(),
        19 if family == "inet" => format!("meta nfproto {}", if six { "ipv6" } else { "ipv4" }),
        20 => dice
            .pick(&[
                "tcp flags syn",
                "tcp flags & (syn|ack) == syn",
                "tcp flags syn / fin,syn,rst,ack",
                "tcp flags ! syn",
            ])
            .to_owned(),
        _ => dice.pick(&["ct direction original", "ct direction reply", "meta l4proto tcp"]).to_owned(),
    }
}
