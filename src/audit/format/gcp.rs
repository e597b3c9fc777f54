//! Google Cloud: firewall rules of VPC networks.
//!
//! Egress rules in the order of their priorities, a denial before a permission of the same, then the implied permission.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{addresses, array, chosen, documents, is_json_with, rule, text, texts};
use super::flow::{self, only};
use super::lines::{action, add_doubt, add_hook};
use super::ports::in_range;
use super::{ParseError, Reader, SourceFile};
use crate::audit::{AddressSet, Applies, Chain, Default, Destination, Policy, Question, Rule};
use crate::prefix::Family;

pub(super) const READER: Reader =
    Reader { name: "gcp", title: "Google Cloud: JSON of `gcloud compute firewall-rules list`", recognise, read };

fn recognise(text: &str) -> bool {
    is_json_with(text, &["\"destinationRanges\"", "\"IPProtocol\"", "compute#firewall"])
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let documents = documents(files)?;
    let mut networks: BTreeMap<&str, Vec<(i64, bool, Rule)>> = BTreeMap::new();
    for ((file, document), index) in documents.iter().zip(0..=u16::MAX) {
        let items = match document {
            Value::Array(items) => items.as_slice(),
            _ if document.get("items").is_some() => array(document, "items"),
            one => std::slice::from_ref(one),
        };
        for item in items {
            if item.get("allowed").is_none() && item.get("denied").is_none() {
                return Err(file.error_at(1, 1, "an entry is no firewall rule: it has neither `allowed` nor `denied`"));
            }
            let network = text(item, "network").and_then(|path| path.rsplit('/').next()).unwrap_or("default");
            networks.entry(network).or_default().extend(read_rule(index, item, question));
        }
    }
    Ok(policy(networks, question))
}

fn policy(networks: BTreeMap<&str, Vec<(i64, bool, Rule)>>, question: &Question) -> Policy {
    let mut policy = Policy::default();
    let names: Vec<&str> = networks.keys().copied().collect();
    for (network, mut rules) in networks {
        if !chosen(question, &names, network) {
            continue;
        }
        rules.sort_by_key(|(priority, permits, _)| (*priority, *permits));
        let mut chain = Chain::new(format!("egress of {network}"), Default::Accept);
        chain.rules = rules.into_iter().map(|(_, _, rule)| rule).collect();
        add_hook(&mut policy, format!("network {network}"), chain);
    }
    if names.len() > 1 {
        policy.notes.push("rules of several networks: all of them have to allow (--inside NAME chooses)".to_owned());
    }
    if policy.hooks.is_empty() {
        add_doubt(&mut policy, "firewall rules", None, "no firewall rule is in the files");
    }
    policy
}

/// A rule for each of the two things it may do, with its priority and whether it permits.
fn read_rule(file: u16, item: &Value, question: &Question) -> Vec<(i64, bool, Rule)> {
    let disabled = item.get("disabled").and_then(Value::as_bool) == Some(true);
    if disabled || text(item, "direction") != Some("EGRESS") {
        return Vec::new();
    }
    let name = text(item, "name").unwrap_or("rule");
    let priority = match item.get("priority") {
        None => Some(1000),
        // Some tools write it as a text.
        Some(value) => value.as_i64().or_else(|| value.as_str()?.parse().ok()),
    };
    // Without ranges it is for all of IPv4 (Google, `destinationRanges` of compute.firewalls).
    let ranges = |key: &str, none: Destination| match texts(item, key).as_deref() {
        Ok([]) => none,
        Ok(words) => addresses(words.iter().copied()),
        Err(()) => Destination::unknown(format!("{key} is not understood")),
    };
    let destination = ranges("destinationRanges", AddressSet::family(Family::V4).into());
    let (destination, sourced) = flow::from(question, &ranges("sourceRanges", Destination::any()), destination);
    let target = ["targetTags", "targetServiceAccounts"]
        .iter()
        .fold(Applies::Yes, |all, key| all.and(targeted(item, key, question)));
    let rest = sourced.and(target);
    let rest = if priority.is_some() { rest } else { rest.and(Applies::maybe("its priority is not a number")) };
    let both = [("denied", false), ("allowed", true)].into_iter().filter(|(key, _)| item.get(key).is_some());
    both.map(|(key, permits)| {
        let carried = array(item, key).iter().fold(Applies::No, |any, layer| any.or(carries(layer, question.port)));
        let rule = rule(file, name, destination.clone(), carried.and(rest.clone()), action(permits));
        (priority.unwrap_or(0), permits, rule)
    })
    .collect()
}

/// Whether a rule for some machines is for those that are asked about.
fn targeted(item: &Value, key: &str, question: &Question) -> Applies {
    match texts(item, key).as_deref() {
        Ok([]) => Applies::Yes,
        Ok(tags) if tags.iter().any(|tag| question.sides.contains_key(*tag)) => Applies::Yes,
        Ok(tags) => only("machines with", tags[0]),
        Err(()) => Applies::maybe(format!("{key} is not understood")),
    }
}

fn carries(layer: &Value, port: u16) -> Applies {
    match text(layer, "IPProtocol").map(str::to_ascii_lowercase).as_deref() {
        Some("all") => Applies::Yes,
        Some("tcp" | "6") => match texts(layer, "ports").as_deref() {
            Ok([]) => Applies::Yes,
            Ok(ports) => ports.iter().fold(Applies::No, |any, range| {
                any.or(in_range(range, port).map_or_else(|| only("ports", range), Applies::from))
            }),
            Err(()) => Applies::maybe("its ports are not understood"),
        },
        Some(_) => Applies::No,
        None => Applies::maybe("it has no protocol"),
    }
}
