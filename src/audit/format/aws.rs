//! AWS: security groups, network ACLs and prefix lists, as the command line interface shows them.
//!
//! Whatever one egress rule of a group allows passes, there is no order and no denial. Which groups the clients have is not
//! in the files: of several, what all allow passes for certain, and what some allow perhaps, unless the question names
//! those that are attached (`--inside sg-…`). A network ACL has to allow, too, in the order of its numbers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{addresses, array, chosen, documents, is_json_with, rule, text};
use super::lines::{action, add_doubt, add_hook};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Action, AddressSet, Applies, Chain, Default, Destination, Policy, Question, Rule};

pub(super) const READER: Reader = Reader {
    name: "aws",
    title: "AWS: JSON of describe-security-groups, describe-security-group-rules, describe-network-acls, get-managed-prefix-list-entries",
    recognise,
    read,
};

fn recognise(text: &str) -> bool {
    let marks =
        ["\"SecurityGroups\"", "\"SecurityGroupRules\"", "\"IpPermissions", "\"NetworkAcls\"", "\"PrefixLists\""];
    is_json_with(text, &marks) || is_json_with(text, &["\"Entries\""]) && text.contains("\"Cidr\"")
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let documents = documents(files)?;
    let mut account = Account::default();
    for ((file, document), index) in documents.iter().zip(0..=u16::MAX) {
        account.take(file, index, document)?;
    }
    Ok(account.policy(question))
}

#[derive(std::default::Default)]
struct Account<'v> {
    /// Egress rules by the group's identifier.
    groups: BTreeMap<&'v str, Vec<Permission<'v>>>,
    names: BTreeMap<&'v str, &'v str>,
    acls: Vec<(u16, &'v Value)>,
    /// Entries by the list's identifier; those of a file that does not say which list are under its name.
    lists: BTreeMap<&'v str, Vec<&'v str>>,
}

/// One egress rule.
struct Permission<'v> {
    file: u16,
    protocol: &'v str,
    ports: Option<(i64, i64)>,
    cidrs: Vec<&'v str>,
    lists: Vec<&'v str>,
}

impl<'v> Account<'v> {
    fn take(&mut self, source: &'v SourceFile, file: u16, document: &'v Value) -> Result<(), ParseError> {
        let mut known = false;
        for group in array(document, "SecurityGroups") {
            self.group(file, group);
        }
        if document.get("GroupId").is_some() {
            self.group(file, document);
            known = true;
        }
        for rule in array(document, "SecurityGroupRules") {
            let rules = self.groups.entry(text(rule, "GroupId").unwrap_or("?")).or_default();
            if rule.get("IsEgress").and_then(Value::as_bool) != Some(false) {
                rules.push(Permission::of_rule(file, rule));
            }
        }
        self.acls.extend(array(document, "NetworkAcls").iter().map(|acl| (file, acl)));
        if let Some(entries) = document.get("Entries").and_then(Value::as_array) {
            let cidrs = entries.iter().map(|entry| text(entry, "Cidr").unwrap_or("?"));
            self.lists.entry(list_in_name(&source.name).unwrap_or(&source.name)).or_default().extend(cidrs);
            known = true;
        }
        let keys = ["SecurityGroups", "SecurityGroupRules", "NetworkAcls", "PrefixLists"];
        if known || keys.iter().any(|key| document.get(key).is_some_and(Value::is_array)) {
            return Ok(());
        }
        Err(source.error_at(1, 1, "neither security groups nor network ACLs nor entries of a prefix list"))
    }

    fn group(&mut self, file: u16, group: &'v Value) {
        let id = text(group, "GroupId").unwrap_or("?");
        if let Some(name) = text(group, "GroupName") {
            self.names.insert(id, name);
        }
        // What `authorize-security-group-egress` takes has another name for the same.
        let key = if group.get("IpPermissionsEgress").is_some() { "IpPermissionsEgress" } else { "IpPermissions" };
        let described = group.get("OwnerId").is_some() || group.get("VpcId").is_some();
        let permissions = if key == "IpPermissions" && described { &[] } else { array(group, key) };
        let rules = permissions.iter().map(|permission| Permission::of(file, permission));
        self.groups.entry(id).or_default().extend(rules);
        if key == "IpPermissions" && described {
            // Without its egress rules nothing is known of it.
            self.groups.entry(id).or_default().push(Permission::unknown(file));
        }
    }

    fn policy(&self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        let all: Vec<&str> = self.groups.keys().copied().collect();
        let judged: Vec<&str> = all.iter().copied().filter(|id| chosen(question, &all, id)).collect();
        if !judged.is_empty() {
            let attached = judged.len() == 1 || judged.len() < all.len() || question.sides.contains_key(judged[0]);
            add_hook(&mut policy, "security groups".to_owned(), self.groups_chain(question, &judged, attached));
            if !attached {
                let count = judged.len();
                policy.notes.push(format!("which of the {count} security groups the clients have is not in the files (--inside sg-… names them)"));
            }
        }
        let acls: Vec<&str> = self.acls.iter().map(|(_, acl)| text(acl, "NetworkAclId").unwrap_or("?")).collect();
        for ((file, acl), id) in self.acls.iter().zip(&acls) {
            if chosen(question, &acls, id) {
                add_hook(&mut policy, format!("network ACL {id}"), acl_chain(*file, acl, question.port));
            }
        }
        if policy.hooks.is_empty() {
            add_doubt(&mut policy, "security groups", None, "no security group is in the files");
        }
        policy
    }

    fn groups_chain(&self, question: &Question, groups: &[&'v str], attached: bool) -> Chain {
        let mut chain = Chain::new("security groups", Default::Deny);
        let each: Vec<Vec<Rule>> = groups.iter().map(|id| self.rules(question, id)).collect();
        if !attached {
            let certain = |rules: &Vec<Rule>| {
                let certain = rules.iter().filter(|rule| rule.matches.rest == Applies::Yes);
                certain
                    .flat_map(|rule| rule.matches.destination.surely.ranges().collect::<Vec<_>>())
                    .collect::<AddressSet>()
            };
            let common = each.iter().map(certain).reduce(|one, other| one.intersection(&other)).unwrap_or_default();
            chain.rules.push(rule(0, "all of the groups", common.into(), Applies::Yes, Action::Accept));
        }
        for (id, rules) in groups.iter().zip(each) {
            let perhaps = Applies::maybe(format!("whether security group {} is attached is not known", cited(id)));
            chain.rules.extend(rules.into_iter().map(|mut rule| {
                if !attached {
                    rule.matches.rest = perhaps.clone().and(rule.matches.rest);
                }
                rule
            }));
        }
        chain
    }

    fn rules(&self, question: &Question, group: &str) -> Vec<Rule> {
        let called = self.names.get(group).map_or_else(|| group.to_owned(), |name| format!("{group} ({name})"));
        let permissions = self.groups.get(group).into_iter().flatten();
        permissions
            .map(|permission| {
                let mut destination = addresses(permission.cidrs.iter().copied());
                for list in &permission.lists {
                    destination = destination.union(&self.list(list));
                }
                let rest = carries(permission.protocol, permission.ports, question.port);
                rule(permission.file, &called, destination, rest, Action::Accept)
            })
            .collect()
    }

    /// The entries of a list: under its identifier, or the only ones there are.
    fn list(&self, id: &str) -> Destination {
        let unnamed = || {
            let referred: std::collections::BTreeSet<&str> =
                self.groups.values().flatten().flat_map(|permission| permission.lists.iter().copied()).collect();
            let mut entries = self.lists.iter().filter(|(name, _)| !name.starts_with("pl-"));
            entries.next().map(|(_, entries)| entries).filter(|_| referred.len() == 1 && entries.next().is_none())
        };
        if let Some(entries) = self.lists.get(id).or_else(unnamed) {
            return addresses(entries.iter().copied());
        }
        let list = cited(id);
        Destination::unknown(format!("the entries of prefix list {list} are not in the files (NAME of a file: {list})"))
    }
}

impl<'v> Permission<'v> {
    /// As `describe-security-groups` has it.
    fn of(file: u16, value: &'v Value) -> Self {
        let each = |list: &str, key: &'static str| -> Vec<&'v str> {
            array(value, list).iter().map(|entry| text(entry, key).unwrap_or("?")).collect()
        };
        let cidrs = [each("IpRanges", "CidrIp"), each("Ipv6Ranges", "CidrIpv6")].concat();
        let lists = each("PrefixListIds", "PrefixListId");
        Self { file, protocol: text(value, "IpProtocol").unwrap_or("?"), ports: ports(value), cidrs, lists }
    }

    /// Anything, perhaps.
    fn unknown(file: u16) -> Self {
        Self { file, protocol: "?", ports: None, cidrs: vec!["?"], lists: Vec::new() }
    }

    /// As `describe-security-group-rules` has it.
    fn of_rule(file: u16, value: &'v Value) -> Self {
        let cidrs = [text(value, "CidrIpv4"), text(value, "CidrIpv6")].into_iter().flatten().collect();
        let lists = text(value, "PrefixListId").into_iter().collect();
        Self { file, protocol: text(value, "IpProtocol").unwrap_or("?"), ports: ports(value), cidrs, lists }
    }
}

fn ports(value: &Value) -> Option<(i64, i64)> {
    let port = |key| value.get(key).and_then(Value::as_i64);
    port("FromPort").zip(port("ToPort"))
}

/// Whether the protocol and the ports are those of the flow; groups themselves, as destinations, are private addresses.
fn carries(protocol: &str, ports: Option<(i64, i64)>, port: u16) -> Applies {
    match (protocol, ports) {
        ("-1", _) | ("tcp" | "6", Some((-1, _)) | None) => Applies::Yes,
        ("tcp" | "6", Some((first, last))) => (first..=last).contains(&i64::from(port)).into(),
        ("?", _) => Applies::maybe("the rule has no protocol"),
        _ => Applies::No,
    }
}

fn acl_chain(file: u16, acl: &Value, port: u16) -> Chain {
    let mut chain = Chain::new("network ACL", Default::Deny);
    let mut entries: Vec<&Value> = array(acl, "Entries").iter().collect();
    entries.retain(|entry| entry.get("Egress").and_then(Value::as_bool) != Some(false));
    entries.sort_by_key(|entry| entry.get("RuleNumber").and_then(Value::as_i64));
    for entry in entries {
        let number = entry.get("RuleNumber").and_then(Value::as_i64).map_or_else(|| "?".to_owned(), |n| n.to_string());
        let range = entry.get("PortRange").and_then(|range| {
            let end = |key| range.get(key).and_then(Value::as_i64);
            end("From").zip(end("To"))
        });
        let rest = carries(text(entry, "Protocol").unwrap_or("?"), range, port);
        let cidrs = [text(entry, "CidrBlock"), text(entry, "Ipv6CidrBlock")].into_iter().flatten();
        let destination = addresses(cidrs);
        chain.rules.push(match text(entry, "RuleAction") {
            Some(said @ ("allow" | "deny")) => rule(file, &number, destination, rest, action(said == "allow")),
            _ => rule(file, &number, destination, Applies::maybe("the rule has no action"), Action::Unknown),
        });
    }
    chain
}

/// The identifier of a prefix list in the name of a file: `pl-0123456789abcdef0.json`.
fn list_in_name(name: &str) -> Option<&str> {
    let start = name.rfind("pl-")?;
    let id = &name[start..];
    let length = 3 + id[3..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(id.len() - 3);
    (length > 3).then(|| &id[..length])
}
