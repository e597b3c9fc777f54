//! What a rule does with what it matches.

use std::borrow::Cow;

use super::conditions::{Context, Reading};
use super::table::{Line, rule_words};
use crate::audit::word::cited;
use crate::audit::{Action, Applies, Match};

/// A rule, with the chain that it jumps to by name.
pub(super) struct Read<'a> {
    pub(super) matches: Match,
    pub(super) target: Target<'a>,
}

/// What a rule does.
pub(super) enum Target<'a> {
    /// This.
    Action(Action),
    /// Another chain judges.
    Chain { name: Cow<'a, str>, goto: bool },
}

/// Targets that let nothing through.
const DENIES: &[&str] = &["DELUDE", "DROP", "REJECT", "STEAL", "TARPIT"];

/// Targets after which the next rule is looked at.
const GOES_ON: &[&str] = &[
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CONNMARK",
    "CONNSECMARK",
    "DSCP",
    "ECN",
    "HL",
    "HMARK",
    "IDLETIMER",
    "LED",
    "LOG",
    "MARK",
    "NFLOG",
    "RATEEST",
    "SECMARK",
    "SET",
    "TCPMSS",
    "TCPOPTSTRIP",
    "TEE",
    "TOS",
    "TRACE",
    "TTL",
    "ULOG",
];

/// Targets that send the packet somewhere else, or to a program that decides.
const ELSEWHERE: &[&str] = &["DNAT", "NETMAP", "NFQUEUE", "QUEUE", "REDIRECT", "SYNPROXY", "TPROXY", "DNPT", "SNPT"];

/// Reads a rule for one kind of packet.
pub(super) fn read<'a>(line: &Line<'a>, context: &Context<'_>) -> Read<'a> {
    let words = rule_words(line);
    let mut conditions = Reading::new(context);
    let mut target = None;
    let mut at = 0;
    while at < words.len() {
        match words[at].as_ref() {
            "-j" | "--jump" | "-g" | "--goto" => {
                target = words.get(at + 1).map(|name| (name.clone(), words[at].contains('g')));
                at += 2 + options(words.get(at + 2..).unwrap_or_default());
            }
            _ => at += conditions.read(&words[at..]).max(1),
        }
    }
    let options = words.iter().map(Cow::as_ref).collect::<Vec<_>>();
    let denies = target.as_ref().is_some_and(|(name, _)| DENIES.contains(&name.as_ref()));
    let mut matches = conditions.into_match(denies);
    let target =
        target.map_or(Target::Action(Action::Continue), |(name, goto)| action(name, goto, &options, &mut matches));
    Read { matches, target }
}

/// How many words belong to the target: conditions that stand behind it have one dash, or are a negation.
fn options(words: &[Cow<'_, str>]) -> usize {
    let condition = |word: &str| word == "!" || word.len() == 2 && word.starts_with('-') && word != "--";
    words.iter().take_while(|word| !condition(word)).count()
}

fn action<'a>(name: Cow<'a, str>, goto: bool, options: &[&str], matches: &mut Match) -> Target<'a> {
    let action = match name.as_ref() {
        "ACCEPT" | "MASQUERADE" | "SNAT" => Action::Accept,
        name if DENIES.contains(&name) => Action::Deny,
        "RETURN" => Action::Return,
        "CT" if !options.contains(&"--notrack") => Action::Continue,
        "CT" | "NOTRACK" => doubtful(matches, "the connection is not tracked, and rules on its state do not hold"),
        name if GOES_ON.contains(&name) => Action::Continue,
        name if ELSEWHERE.contains(&name) => {
            doubtful(matches, &format!("{} sends the connection elsewhere or asks a program", cited(name)))
        }
        _ => return Target::Chain { name, goto },
    };
    Target::Action(action)
}

/// The rule may do anything; where it is known not to apply it still does not.
pub(super) fn doubtful(matches: &mut Match, why: &str) -> Action {
    if matches.rest == Applies::Yes {
        matches.rest = Applies::maybe(why);
    }
    Action::Unknown
}
