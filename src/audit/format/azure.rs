//! Azure: network security groups, as the command line shows them or as a template has them.
//!
//! The outbound rules in the order of their priorities, then those that every group has. Each group in the files has to
//! allow: one is of the subnet, one of the interface.

use serde_json::Value;

use super::document::{addresses, array, chosen, documents, is_json_with, private, rule, text, texts};
use super::flow::{self, only};
use super::lines::{action, add_doubt, add_hook};
use super::ports::in_range;
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Action, AddressSet, Applies, Chain, Default, Destination, Policy, Question, Rule};
use crate::prefix::special_purpose_space;

pub(super) const READER: Reader = Reader {
    name: "azure",
    title: "Azure: JSON of `az network nsg show`, `nsg list` or `nsg rule list`, or a template",
    recognise,
    read,
};

fn recognise(text: &str) -> bool {
    is_json_with(text, &["\"securityRules\"", "Microsoft.Network/networkSecurityGroups", "\"destinationAddressPrefix"])
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let documents = documents(files)?;
    let mut found = Found::default();
    for ((file, document), index) in documents.iter().zip(0..=u16::MAX) {
        let before = found.groups.len() + found.alone.len();
        found.walk(index, document, &Value::Null, 0);
        if found.groups.len() + found.alone.len() == before {
            return Err(file.error_at(1, 1, "no network security group and no rule of one"));
        }
    }
    Ok(found.policy(question))
}

/// A rule as it is written.
#[derive(Clone, Copy)]
struct Written<'v> {
    file: u16,
    rule: &'v Value,
    /// The parameters of the template that it stands in.
    parameters: &'v Value,
}

#[derive(std::default::Default)]
struct Found<'v> {
    groups: Vec<(&'v str, Vec<Written<'v>>)>,
    /// Rules without their group.
    alone: Vec<Written<'v>>,
}

/// Groups lie in `value` or `resources`, rules in groups: no deeper.
const DEEPEST: usize = 8;

impl<'v> Found<'v> {
    fn walk(&mut self, file: u16, value: &'v Value, parameters: &'v Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        if let Some(list) = value.as_array() {
            for item in list {
                self.walk(file, item, parameters, depth + 1);
            }
            return;
        }
        let parameters = value.get("parameters").unwrap_or(parameters);
        let properties = value.get("properties").unwrap_or(value);
        if properties.get("securityRules").is_some_and(Value::is_array) {
            let rules = array(properties, "securityRules").iter().map(|rule| Written { file, rule, parameters });
            self.groups.push((text(value, "name").unwrap_or("network security group"), rules.collect()));
        } else if properties.get("access").is_some() && properties.get("direction").is_some() {
            self.alone.push(Written { file, rule: value, parameters });
        }
        for key in ["resources", "value"] {
            for item in array(value, key) {
                self.walk(file, item, parameters, depth + 1);
            }
        }
    }

    fn policy(mut self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        if !self.alone.is_empty() {
            // Rules of a template go into a group that is there.
            match &mut self.groups[..] {
                [(_, rules)] => rules.append(&mut self.alone),
                _ => self.groups.push(("network security group", std::mem::take(&mut self.alone))),
            }
        }
        let names: Vec<&str> = self.groups.iter().map(|(name, _)| *name).collect();
        for (name, rules) in self.groups.iter().filter(|(name, _)| chosen(question, &names, name)) {
            add_hook(&mut policy, format!("security group {name}"), chain(rules, question));
        }
        if policy.hooks.len() > 1 {
            policy.notes.push("several security groups: all of them have to allow (--inside NAME chooses)".to_owned());
        }
        if policy.hooks.is_empty() {
            add_doubt(&mut policy, "security groups", None, "no network security group is judged");
        }
        policy
    }
}

fn chain(rules: &[Written<'_>], question: &Question) -> Chain {
    let mut chain = Chain::new("outbound", Default::Deny);
    let mut outbound: Vec<(Option<i64>, Rule)> =
        rules.iter().filter_map(|written| read_rule(written, question)).collect();
    let uniform = outbound.windows(2).all(|pair| pair[0].1.action == pair[1].1.action);
    for (priority, rule) in &mut outbound {
        // Where all do the same their order is of no account.
        if priority.is_none() && !uniform {
            let unknown = Applies::maybe("its priority is not a number");
            rule.matches.rest = std::mem::replace(&mut rule.matches.rest, Applies::Yes).and(unknown);
        }
    }
    outbound.sort_by_key(|(priority, _)| priority.unwrap_or(0));
    chain.rules = outbound.into_iter().map(|(_, rule)| rule).collect();
    let internet = tag("Internet");
    chain.rules.push(rule(0, "AllowVnetOutBound", tag("VirtualNetwork"), Applies::Yes, Action::Accept));
    chain.rules.push(rule(0, "AllowInternetOutBound", internet, Applies::Yes, Action::Accept));
    chain
}

fn read_rule(written: &Written<'_>, question: &Question) -> Option<(Option<i64>, Rule)> {
    let Written { file, rule: value, parameters } = *written;
    let properties = value.get("properties").unwrap_or(value);
    let is = |key: &str, word: &str| text(properties, key).is_some_and(|said| said.eq_ignore_ascii_case(word));
    if is("direction", "Inbound") {
        return None;
    }
    let name = text(value, "name").unwrap_or("rule");
    let priority = properties.get("priority").and_then(|priority| number(priority, parameters));
    let does = match (is("access", "Allow"), is("access", "Deny"), is("direction", "Outbound")) {
        (true, false, true) => action(true),
        (false, true, true) => action(false),
        _ => {
            return Some((
                priority,
                Rule::not_understood(crate::audit::Place { file, line: 0 }, "the rule has no access or direction"),
            ));
        }
    };
    let destination = prefixes(properties, "destinationAddressPrefix", "destinationApplicationSecurityGroups");
    let sources = prefixes(properties, "sourceAddressPrefix", "sourceApplicationSecurityGroups");
    let (destination, from) = flow::from(question, &sources, destination);
    let protocol = match text(properties, "protocol") {
        Some("*") => Applies::Yes,
        Some(said) if said.eq_ignore_ascii_case("tcp") => Applies::Yes,
        Some(said) if said.starts_with('[') => only("protocol", said),
        Some(_) => Applies::No,
        None => Applies::maybe("the rule has no protocol"),
    };
    let sent = ports(properties, "sourcePortRange", |range| {
        let whole = [1024, u16::MAX].iter().all(|&port| in_range(range, port) == Some(true));
        if whole { Applies::Yes } else { only("source ports", range) }
    });
    let port = ports(properties, "destinationPortRange", |range| {
        in_range(range, question.port).map_or_else(|| only("ports", range), Applies::from)
    });
    Some((priority, rule(file, name, destination, protocol.and(port).and(sent).and(from), does)))
}

/// A number, or the two expressions of templates that stand for one here: a parameter's default, perhaps with a sum.
fn number(value: &Value, parameters: &Value) -> Option<i64> {
    let Some(expression) = value.as_str() else { return value.as_i64() };
    let expression = expression.trim().strip_prefix('[')?.strip_suffix(']')?;
    let parameter = |text: &str| {
        let name = text.trim().strip_prefix("parameters('")?.strip_suffix("')")?;
        parameters.get(name)?.get("defaultValue")?.as_i64()
    };
    match expression.strip_prefix("add(").and_then(|sum| sum.strip_suffix(')')) {
        Some(sum) => {
            let (first, second) = sum.rsplit_once(',')?;
            parameter(first)?.checked_add(second.trim().parse().ok()?)
        }
        None => parameter(expression),
    }
}

/// `KEY` has one, `KEYs` several.
fn both<'v>(properties: &'v Value, key: &str) -> Result<Vec<&'v str>, ()> {
    let (mut one, several) = (texts(properties, key)?, texts(properties, &format!("{key}s"))?);
    let es = texts(properties, &format!("{key}es"))?;
    one.retain(|text| !text.is_empty());
    Ok([one, several, es].concat())
}

fn ports(properties: &Value, key: &str, of: impl Fn(&str) -> Applies) -> Applies {
    match both(properties, key).as_deref() {
        Ok([]) => Applies::maybe(format!("the rule has no {key}")),
        Ok(ranges) if ranges.contains(&"*") => Applies::Yes,
        Ok(ranges) => ranges.iter().fold(Applies::No, |any, range| any.or(of(range))),
        Err(()) => Applies::maybe(format!("{key} is not understood")),
    }
}

fn prefixes(properties: &Value, key: &str, groups: &str) -> Destination {
    let grouped = !array(properties, groups).is_empty();
    match both(properties, key).as_deref() {
        Ok([]) if grouped => private("an application security group"),
        Ok([]) | Err(()) => Destination::unknown(format!("{key} is not understood")),
        Ok(words) => words.iter().map(|word| tag(word)).reduce(|one, other| one.union(&other)).expect("there is one"),
    }
}

/// A prefix, or one of Azure's names for many.
///
/// `Internet` is all public space that is not of the virtual network. `VirtualNetwork` holds the prefixes of routes of
/// one's own, too, which may be everything (Microsoft, virtual network service tags).
fn tag(word: &str) -> Destination {
    match word {
        "*" | "Any" | "0.0.0.0/0, ::/0" => Destination::any(),
        _ if word.eq_ignore_ascii_case("Internet") => {
            let space = AddressSet::from(&special_purpose_space());
            let why = "whether the service tag Internet holds private space is not known";
            Destination { surely: space.complement().into(), perhaps: Some((space.into(), why.into())) }
        }
        "AzureLoadBalancer" => addresses(["168.63.129.16"]),
        _ if word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.contains(':') => {
            Destination::unknown(format!("service tag {}", cited(word)))
        }
        _ => addresses([word]),
    }
}
