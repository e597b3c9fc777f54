//! What a rule does with what it matches; one with a map becomes a rule for each of the map's elements.

use serde_json::Value;

use super::keys::{Key, key};
use super::values::{Scope, unwrapped};
use crate::audit::packet::{Conditions, depends_on};
use crate::audit::{Action, Applies, ChainId, Match};

/// A match and what is done with it.
pub(super) struct Part {
    pub(super) matches: Match,
    pub(super) action: Action,
}

/// Statements after which the next one is looked at.
const GOES_ON: &[&str] =
    &["counter", "log", "set", "map", "ct helper", "ct timeout", "ct expectation", "secmark", "flow", "dup", "last"];

/// What ends a rule, or what it asks for before.
enum Verdict {
    Action(Action),
    /// Not understood, for this reason.
    Unknown(&'static str),
}

/// Reads a rule for one kind of packet; chains that it calls are found by their names.
pub(super) fn read(scope: Scope<'_>, statements: &[Value], find: &mut dyn FnMut(&str) -> Option<ChainId>) -> Vec<Part> {
    let mut matches: Vec<&Value> = Vec::new();
    let mut doubts = Applies::Yes;
    for (at, statement) in statements.iter().enumerate() {
        let Some((kind, value)) = statement.as_object().and_then(|object| object.iter().next()) else {
            return vec![unknown(scope, &matches, doubts, "a statement is not whole")];
        };
        match kind.as_str() {
            "match" => matches.push(value),
            "vmap" if at + 1 == statements.len() => return mapped(scope, &matches, &doubts, value, find),
            "limit" | "quota" | "ct count" | "meter" => doubts = doubts.and(depends_on(kind)),
            "set" | "map" if has_condition(value) => doubts = doubts.and(depends_on("how often it is used")),
            "mangle" if is_rewritten(value) => {
                return vec![unknown(scope, &matches, doubts, "the rule changes addresses or ports")];
            }
            "mangle" => {}
            kind if GOES_ON.contains(&kind) => {}
            kind => match verdict(kind, value, find) {
                Verdict::Action(action) => return vec![part(scope, &matches, doubts, action)],
                Verdict::Unknown(why) => return vec![unknown(scope, &matches, doubts, why)],
            },
        }
    }
    vec![part(scope, &matches, doubts, Action::Continue)]
}

fn verdict(kind: &str, value: &Value, find: &mut dyn FnMut(&str) -> Option<ChainId>) -> Verdict {
    let target = value.get("target").and_then(Value::as_str).unwrap_or_default();
    Verdict::Action(match kind {
        "accept" | "masquerade" | "snat" => Action::Accept,
        "drop" | "reject" => Action::Deny,
        "return" => Action::Return,
        "continue" => Action::Continue,
        "jump" | "goto" => match find(target) {
            Some(chain) if kind == "goto" => Action::Goto(chain),
            Some(chain) => Action::Jump(chain),
            None => return Verdict::Unknown("it calls a chain that is not in the file"),
        },
        "queue" => return Verdict::Unknown("a program decides"),
        "notrack" => return Verdict::Unknown("the connection is not tracked, and rules on its state do not hold"),
        "dnat" | "redirect" | "tproxy" | "synproxy" | "fwd" => {
            return Verdict::Unknown("it sends the connection elsewhere");
        }
        "xt" => return Verdict::Unknown("it is a rule of iptables: give what iptables-save writes"),
        _ => return Verdict::Unknown("the statement is not understood"),
    })
}

fn gathered<'a>(scope: Scope<'a>, matches: &[&'a Value], doubts: Applies) -> Conditions<'a> {
    let mut conditions = Conditions::new(scope.packet);
    for statement in matches {
        scope.compare(&mut conditions, statement);
    }
    conditions.holds(doubts);
    conditions
}

fn part<'a>(scope: Scope<'a>, matches: &[&'a Value], doubts: Applies, action: Action) -> Part {
    Part { matches: gathered(scope, matches, doubts).into_match(action == Action::Deny), action }
}

fn unknown<'a>(scope: Scope<'a>, matches: &[&'a Value], doubts: Applies, why: &str) -> Part {
    part(scope, matches, doubts.and(Applies::maybe(why)), Action::Unknown)
}

/// An element for each verdict; elements do not overlap, except the one for all others, which comes last.
fn mapped<'a>(
    scope: Scope<'a>,
    matches: &[&'a Value],
    doubts: &Applies,
    value: &'a Value,
    find: &mut dyn FnMut(&str) -> Option<ChainId>,
) -> Vec<Part> {
    let not_whole = |why| vec![unknown(scope, matches, doubts.clone(), why)];
    let (Some(left), Some((elements, dynamic))) =
        (value.get("key"), value.get("data").and_then(|data| scope.map(data)))
    else {
        return not_whole("a map is not in the file");
    };
    if dynamic {
        return not_whole("it depends on a map that rules add to");
    }
    let key = key(left);
    let mut parts = Vec::with_capacity(elements.len());
    let mut others = None;
    for element in elements {
        let Some([value, verdict]) = element.as_array().map(Vec::as_slice) else {
            return not_whole("a map is not whole");
        };
        let one = element_part(scope, matches, doubts, &key, value, verdict, find);
        if *unwrapped(value).0 == "*" { others = Some(one) } else { parts.push(one) }
    }
    if others.is_some() && parts.iter().any(|part| part.action == Action::Continue) {
        return not_whole("a map has an element that goes on and one for all others");
    }
    parts.extend(others);
    parts
}

#[allow(clippy::too_many_arguments)] // what a rule has read so far, and the element
fn element_part<'a>(
    scope: Scope<'a>,
    matches: &[&'a Value],
    doubts: &Applies,
    key: &Key,
    value: &'a Value,
    verdict: &'a Value,
    find: &mut dyn FnMut(&str) -> Option<ChainId>,
) -> Part {
    let mut conditions = gathered(scope, matches, doubts.clone());
    if *unwrapped(value).0 != "*" {
        scope.is(&mut conditions, key, value);
    }
    let found = verdict.as_object().and_then(|object| object.iter().next());
    let found = found.map_or(Verdict::Unknown("a map is not whole"), |(kind, value)| self::verdict(kind, value, find));
    match found {
        Verdict::Action(action) => Part { matches: conditions.into_match(action == Action::Deny), action },
        Verdict::Unknown(why) => {
            conditions.holds(Applies::maybe(why));
            Part { matches: conditions.into_match(false), action: Action::Unknown }
        }
    }
}

/// `update @set { … limit rate … }` goes on only while the limit holds.
fn has_condition(set: &Value) -> bool {
    set.get("stmt").and_then(Value::as_array).is_some_and(|statements| {
        statements
            .iter()
            .any(|statement| ["limit", "quota", "ct count"].iter().any(|kind| statement.get(kind).is_some()))
    })
}

/// Whether what the audit goes by is changed: an address or a port.
fn is_rewritten(mangle: &Value) -> bool {
    mangle.get("key").is_some_and(|left| matches!(key(left), Key::Address(..) | Key::Port(_) | Key::Protocol(_)))
}
