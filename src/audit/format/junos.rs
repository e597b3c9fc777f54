//! Juniper Junos: configurations as `set` commands (`show configuration | display set`).
//!
//! Policies of the SRX between zones come first, then global ones, then the default. Filters count where an interface has
//! them, into it on the inside and out of it on the outside, and end with an implicit discard.

mod filter;
mod objects;

use super::flow::{self, named, on, on_any, only};
use super::lines::{CUT, action, add_doubt, add_hook, lines};
use super::tree::{Branch, Tree};
use super::words::words;
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Applies, Chain, Default, Match, Policy, Question, Rule, Side};

use objects::Objects;

pub(super) const READER: Reader =
    Reader { name: "junos", title: "Juniper Junos: a configuration as `set` commands", recognise, read };

fn recognise(text: &str) -> bool {
    const BEGINNINGS: [&str; 8] = [
        "security policies ",
        "security address-book ",
        "security zones ",
        "policy-options prefix-list ",
        "firewall family ",
        "firewall filter ",
        "applications application",
        "system host-name ",
    ];
    let mut rests = text.lines().filter_map(|line| line.trim().strip_prefix("set "));
    rests.any(|rest| BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning)))
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let (mut tree, mut policy) = (Tree::new(), Policy::default());
    for line in lines(files) {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with(['#', '/']) {
            continue;
        }
        let file = &files[usize::from(line.place.file)];
        let words = words(line.text);
        let words = words.map_err(|column| file.error_at(line.place.line, column, "a quote that does not end"))?;
        let doubt = match words[..] {
            _ if !line.whole => Some(CUT.to_owned()),
            ["set", ref path @ ..] => {
                tree.set(line.place, path);
                None
            }
            ["delete", ref path @ ..] => {
                tree.delete(path);
                None
            }
            [verb @ ("deactivate" | "activate"), ref path @ ..] => {
                tree.deactivate(path, verb == "deactivate");
                None
            }
            _ => Some(format!("only `set`, `delete` and `deactivate` are read: {}", cited(text))),
        };
        if let Some(why) = doubt {
            add_doubt(&mut policy, "configuration", Some(line.place), &why);
        }
    }
    judge(tree.root(), question, &mut policy);
    Ok(policy)
}

fn judge(root: Branch<'_, '_>, question: &Question, policy: &mut Policy) {
    let before = policy.hooks.len();
    if let Some(policies) = root.at(&["security", "policies"]) {
        add_zones(root, policies, question, policy);
    }
    let bound = filter::add(root, question, policy);
    if policy.hooks.len() == before && !bound {
        let why = "no policies between zones, and no interface with a filter on the way out, are in the file";
        add_doubt(policy, "policies", None, why);
    }
    doubt_groups(root, policy);
    let note = "`set` commands have no end mark: whether the file is whole cannot be seen";
    policy.notes.push(note.to_owned());
}

/// What groups of the configuration bring in stands nowhere else.
fn doubt_groups(root: Branch<'_, '_>, policy: &mut Policy) {
    const MATTERS: [&str; 5] = ["security", "firewall", "policy-options", "applications", "logical-systems"];
    let groups = root.at(&["groups"]).into_iter().flat_map(Branch::children);
    let found = groups.flat_map(Branch::children).find(|part| MATTERS.contains(&part.word()));
    if let Some(part) = found {
        let why = "groups of the configuration are not followed (`display inheritance` writes them out)";
        add_doubt(policy, "groups", Some(part.place()), why);
    }
    for system in ["logical-systems", "tenants"] {
        if let Some(part) = root.at(&[system]) {
            add_doubt(policy, system, Some(part.place()), "logical systems are not read");
        }
    }
}

/// A hook for each pair of zones that is on the way out.
fn add_zones<'a>(root: Branch<'_, 'a>, policies: Branch<'_, 'a>, question: &Question, policy: &mut Policy) {
    let default = match policies.at(&["default-policy"]) {
        Some(default) if default.has(&["permit-all"]) => Default::Accept,
        _ => Default::Deny,
    };
    let mut objects = Objects::of(root, question);
    let (mut certain, mut doubtful) = (Vec::new(), Vec::new());
    for from in policies.children().filter(|branch| branch.word() == "from-zone").flat_map(Branch::children) {
        for to in from.at(&["to-zone"]).into_iter().flat_map(Branch::children) {
            match on(question, Side::Outside, to.word()).and(on(question, Side::Inside, from.word())) {
                Applies::Yes => certain.push((from.word(), to)),
                Applies::No => {}
                maybe @ Applies::Maybe(_) => doubtful.push((from.word(), to, maybe)),
            }
        }
    }
    let global = rules(policies.at(&["global"]), &mut objects, question, &Applies::Yes);
    for (from, to) in &certain {
        let name = format!("from-zone {from} to-zone {}", to.word());
        let mut chain = Chain::new(name.clone(), default.clone());
        chain.rules = rules(Some(*to), &mut objects, question, &Applies::Yes);
        chain.rules.extend(global.iter().cloned());
        add_hook(policy, name, chain);
    }
    if certain.is_empty() {
        let mut chain = Chain::new("policies", default);
        for (_, to, maybe) in &doubtful {
            chain.rules.extend(rules(Some(*to), &mut objects, question, maybe));
        }
        chain.rules.extend(global);
        add_hook(policy, "policies".to_owned(), chain);
    } else {
        policy.notes.extend(doubtful.iter().map(|(from, to, _)| {
            format!("policies from zone {} to {} are not on the way out", cited(from), cited(to.word()))
        }));
    }
}

/// The policies below a branch.
fn rules<'a>(
    branch: Option<Branch<'_, 'a>>,
    objects: &mut Objects<'a>,
    question: &Question,
    zones: &Applies,
) -> Vec<Rule> {
    let policies = branch.and_then(|branch| branch.at(&["policy"]));
    policies.into_iter().flat_map(Branch::children).map(|policy| rule(policy, objects, question, zones)).collect()
}

fn rule<'a>(policy: Branch<'_, 'a>, objects: &mut Objects<'a>, question: &Question, zones: &Applies) -> Rule {
    let permits =
        match (policy.at(&["then", "permit"]), policy.has(&["then", "deny"]) || policy.has(&["then", "reject"])) {
            (Some(_), false) => Some(true),
            (None, true) => Some(false),
            _ => None,
        };
    let tunnel = policy.has(&["then", "permit", "tunnel"]);
    let rule = match permits {
        Some(permits) => Rule::new(policy.place(), matches(policy, objects, question, zones), action(permits)),
        None => Rule::not_understood(policy.place(), "what the policy does is not known"),
    };
    let rule = if tunnel { Rule::not_understood(policy.place(), "the policy sends into a tunnel") } else { rule };
    Rule { name: Some(policy.word().into()), ..rule }
}

fn matches<'a>(policy: Branch<'_, 'a>, objects: &mut Objects<'a>, question: &Question, zones: &Applies) -> Match {
    let Some(wanted) = policy.at(&["match"]) else {
        return Match {
            destination: crate::audit::Destination::any(),
            rest: Applies::maybe("it says not what it matches"),
        };
    };
    let mut addresses = |field: &str, excluded: &str| {
        let set = objects.addresses.any_named(&wanted.values(&[field]));
        if wanted.has(&[excluded]) { set.complement() } else { set }
    };
    let destination = addresses("destination-address", "destination-address-excluded");
    let sources = addresses("source-address", "source-address-excluded");
    let (destination, from) = flow::from(question, &sources, destination);
    let zone = |field: &str, side| match wanted.values(&[field])[..] {
        [] => Applies::Yes,
        ref names => on_any(question, side, names),
    };
    let mut rest = zones.clone().and(zone("to-zone", Side::Outside)).and(zone("from-zone", Side::Inside));
    rest = rest.and(objects.services.any_named(&wanted.values(&["application"]))).and(from);
    for field in wanted.children() {
        rest = rest.and(match field.word() {
            "source-address"
            | "source-address-excluded"
            | "destination-address"
            | "destination-address-excluded"
            | "application"
            | "from-zone"
            | "to-zone" => Applies::Yes,
            "dynamic-application" | "source-identity" | "url-category" | "source-end-user-profile"
                if field.children().all(|value| matches!(value.word(), "any" | "none")) =>
            {
                Applies::Yes
            }
            other => only("a certain", other),
        });
    }
    for scheduler in policy.values(&["scheduler-name"]) {
        rest = rest.and(only("schedule", scheduler));
    }
    Match { destination, rest }
}

/// The side of an interface: by its description, or its name.
fn interface_side(question: &Question, name: &str, description: Option<&str>) -> Option<Side> {
    question.sides.get(name).copied().or_else(|| description.and_then(named)).or_else(|| named(name))
}
