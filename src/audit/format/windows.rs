//! Windows Defender Firewall: what PowerShell says of its rules, as JSON.
//!
//! A rule is in `Get-NetFirewallRule`, what it matches in filters of the same `InstanceID`; either may stand in files of
//! their own, or the fields of the filters in the rule. A block comes before every permission, and what no rule matches has
//! the default of the profile.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::document::{addresses, documents, is_json_with, private, rule};
use super::flow::only;
use super::lines::{add_doubt, add_hook};
use super::ports::in_list;
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::{address_range, cited};
use crate::audit::{Action, Applies, Assumed, Chain, Default, Destination, Policy, Question, Rule};

pub(super) const READER: Reader = Reader {
    name: "windows",
    title: "Windows: JSON of Get-NetFirewallRule, its address, port and application filters, and Get-NetFirewallProfile",
    recognise,
    read,
};

fn recognise(text: &str) -> bool {
    is_json_with(
        text,
        &["\"RemoteAddress\"", "\"DefaultOutboundAction\"", "\"RemotePort\"", "\"PolicyStoreSource", "\"Program\""],
    )
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let documents = documents(files)?;
    let mut found = Found::default();
    for ((_, document), index) in documents.iter().zip(0..=u16::MAX) {
        found.walk(index, document, 0);
    }
    Ok(found.policy(question))
}

type Fields = Map<String, Value>;

#[derive(std::default::Default)]
struct Found<'v> {
    rules: Vec<(u16, &'v Fields)>,
    filters: HashMap<&'v str, Vec<&'v Fields>>,
    profiles: Vec<&'v Fields>,
}

/// Arrays of rules, perhaps in an object that names them.
const DEEPEST: usize = 4;

impl<'v> Found<'v> {
    fn walk(&mut self, file: u16, value: &'v Value, depth: usize) {
        match value {
            Value::Array(list) if depth < DEEPEST => list.iter().for_each(|item| self.walk(file, item, depth + 1)),
            Value::Object(fields) if fields.contains_key("DefaultOutboundAction") => self.profiles.push(fields),
            Value::Object(fields) if fields.contains_key("Direction") && fields.contains_key("Action") => {
                self.rules.push((file, fields));
            }
            Value::Object(fields) => match fields.get("InstanceID").and_then(Value::as_str) {
                Some(id) => self.filters.entry(id).or_default().push(fields),
                None if depth < DEEPEST => fields.values().for_each(|value| self.walk(file, value, depth + 1)),
                None => {}
            },
            _ => {}
        }
    }

    fn policy(&self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        let mut chain = Chain::new("outbound", self.fallback(question));
        let mut rules: Vec<Rule> =
            self.rules.iter().filter_map(|(file, rule)| self.rule(*file, rule, question)).collect();
        // A rule of which it is not known what it does stands before both.
        rules.sort_by_key(|rule| match rule.action {
            Action::Deny => 1,
            Action::Accept => 2,
            _ => 0,
        });
        chain.rules = rules;
        add_hook(&mut policy, "outbound".to_owned(), chain);
        if self.rules.is_empty() {
            add_doubt(&mut policy, "rules", None, "there are no rules in the files");
        }
        policy
    }

    /// The default of all profiles; one that is switched off lets everything pass.
    fn fallback(&self, question: &Question) -> Default {
        let mut actions = self.profiles.iter().map(|profile| {
            if number(profile.get("Enabled"), &["False", "True"]) == Some(0) {
                return Some(true);
            }
            match profile.get("DefaultOutboundAction") {
                Some(Value::String(word)) => Some(word != "Block"),
                Some(Value::Number(number)) => Some(number.as_i64() != Some(4)),
                _ => None,
            }
        });
        match (actions.next(), question.default) {
            (None, Some(Assumed::Allow)) => Default::Accept,
            (None, Some(Assumed::Deny)) => Default::Deny,
            (Some(Some(first)), _) if actions.all(|other| other == Some(first)) => {
                if first {
                    Default::Accept
                } else {
                    Default::Deny
                }
            }
            (None, None) => Default::Unknown(
                "DefaultOutboundAction is not in the files (Get-NetFirewallProfile, or --default allow)".into(),
            ),
            _ => Default::Unknown("the profiles have different defaults".into()),
        }
    }

    fn rule(&self, file: u16, fields: &'v Fields, question: &Question) -> Option<Rule> {
        let on = number(fields.get("Enabled"), &["", "True", "False"]);
        if on == Some(2) || number(fields.get("Direction"), &["", "Inbound", "Outbound"]) == Some(1) {
            return None;
        }
        let does = match number(fields.get("Action"), &["NotConfigured", "", "Allow", "", "Block"]) {
            Some(2) => Action::Accept,
            Some(4) => Action::Deny,
            _ => Action::Unknown,
        };
        let id = ["InstanceID", "InstanceId", "Name"].iter().find_map(|key| fields.get(*key)?.as_str());
        let filters = id.and_then(|id| self.filters.get(id)).map_or(&[][..], Vec::as_slice);
        let whole = Joined { rule: fields, filters };
        let name = ["DisplayName", "Name", "InstanceID"].iter().find_map(|key| fields.get(*key)?.as_str());
        let mut rest = whole.rest(question.port);
        if does == Action::Unknown {
            rest = Applies::maybe("what the rule does is not known");
        }
        Some(rule(file, name.unwrap_or("rule"), whole.destination(), rest, does))
    }
}

/// A rule with its filters.
struct Joined<'f, 'v> {
    rule: &'v Fields,
    filters: &'f [&'v Fields],
}

impl Joined<'_, '_> {
    fn field(&self, key: &str) -> Option<&Value> {
        self.rule.get(key).or_else(|| self.filters.iter().find_map(|filter| filter.get(key)))
    }

    /// The words of a field; none where it is not in the files.
    fn words(&self, key: &str) -> Option<Vec<String>> {
        let word = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match self.field(key)? {
            Value::Null => Some(Vec::new()),
            // PowerShell writes lists that lie deep as texts with spaces between their entries.
            Value::String(text) => {
                Some(text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }
            Value::Array(list) => list.iter().map(word).collect(),
            other => word(other).map(|word| vec![word]),
        }
    }

    fn destination(&self) -> Destination {
        let Some(words) = self.words("RemoteAddress") else {
            return Destination::unknown("the remote addresses of the rule are not in the files");
        };
        if words.is_empty() || words.iter().any(|word| word == "Any" || word == "*") {
            return Destination::any();
        }
        let (known, keywords): (Vec<&str>, Vec<&str>) =
            words.iter().map(String::as_str).partition(|word| address_range(word).is_some());
        let mut destination = addresses(known);
        for keyword in keywords {
            destination = destination.union(&match keyword {
                "LocalSubnet" | "LocalSubnet4" | "LocalSubnet6" => private("the local subnet"),
                other => Destination::unknown(format!("what {} stands for", cited(other))),
            });
        }
        destination
    }

    fn rest(&self, port: u16) -> Applies {
        const OTHERS: [&str; 10] = [
            "Service",
            "Package",
            "InterfaceType",
            "InterfaceAlias",
            "LocalAddress",
            "LocalPort",
            "LocalUser",
            "RemoteUser",
            "RemoteMachine",
            "Owner",
        ];
        let protocol = match self.words("Protocol").as_deref() {
            None | Some([]) => Applies::maybe("the protocol of the rule is not in the files"),
            Some([word, ..]) => matches!(word.as_str(), "Any" | "TCP" | "6" | "256").into(),
        };
        let ports = match self.words("RemotePort") {
            None => Applies::maybe("the ports of the rule are not in the files"),
            Some(words) if words.is_empty() || words.iter().any(|word| word == "Any") => Applies::Yes,
            Some(words) => words.iter().fold(Applies::No, |any, word| {
                any.or(in_list(word, port).map_or_else(|| only("ports", word), Applies::from))
            }),
        };
        let program = match self.field("Program") {
            None => Applies::maybe("the program of the rule is not in the files (Get-NetFirewallApplicationFilter)"),
            Some(_) => self.any("Program"),
        };
        let profile = match number(self.rule.get("Profile").or_else(|| self.rule.get("Profiles")), &["Any"]) {
            Some(0) => Applies::Yes,
            None if self.rule.get("Profile").is_none() && self.rule.get("Profiles").is_none() => Applies::Yes,
            _ => Applies::maybe("it holds only in certain profiles"),
        };
        OTHERS.iter().fold(protocol.and(ports).and(program).and(profile), |all, key| all.and(self.any(key)))
    }

    /// Whether a field restricts nothing.
    fn any(&self, key: &str) -> Applies {
        let words = self.words(key).unwrap_or_default();
        match words.first().map(String::as_str) {
            None | Some("Any" | "" | "0") => Applies::Yes,
            Some(other) => only(key, other),
        }
    }
}

/// A member of an enumeration, by its number or its name.
fn number(value: Option<&Value>, names: &[&str]) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::Bool(value) => names
            .iter()
            .position(|name| *name == if *value { "True" } else { "False" })
            .and_then(|at| i64::try_from(at).ok()),
        Value::String(text) => names.iter().position(|name| name == text).and_then(|at| i64::try_from(at).ok()),
        _ => None,
    }
}
