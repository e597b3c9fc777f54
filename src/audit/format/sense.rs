//! pfSense and OPNsense: the configuration, `config.xml`.
//!
//! What comes in on an inside interface is judged by the floating rules, those of groups and those of the interface, of
//! which the first quick one decides; rules of interfaces are quick. What none matches is denied. What goes out of an
//! outside interface is judged by the floating rules for that direction alone, and passes where none matches.

mod alias;
mod rule;

use roxmltree::{Document, Node};

use super::flow::named;
use super::lines::{add_doubt, add_hook};
use super::{ParseError, Reader, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Chain, Default, Place, Policy, Question, Quick, Rule, Side};

use alias::Aliases;
use rule::{Direction, Filter};

pub(super) const PFSENSE: Reader =
    Reader { name: "pfsense", title: "pfSense: the configuration, config.xml", recognise: is_pfsense, read };

pub(super) const OPNSENSE: Reader =
    Reader { name: "opnsense", title: "OPNsense: the configuration, config.xml", recognise: is_opnsense, read };

fn is_pfsense(text: &str) -> bool {
    text.contains("<pfsense>") || (text.contains("<aliases>") && !is_opnsense(text))
}

fn is_opnsense(text: &str) -> bool {
    text.contains("<opnsense>")
}

fn read(files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
    let documents: Vec<Document<'_>> = files.iter().map(document).collect::<Result<_, _>>()?;
    let roots: Vec<(u16, Node<'_, '_>)> = (0..).zip(documents.iter().map(Document::root_element)).collect();
    Ok(Device::of(&roots, question).policy(question))
}

/// More elements than the largest configurations have.
const MOST_NODES: u32 = 4_000_000;

fn document(file: &SourceFile) -> Result<Document<'_>, ParseError> {
    let options = roxmltree::ParsingOptions { nodes_limit: MOST_NODES, ..roxmltree::ParsingOptions::default() };
    Document::parse_with_options(&file.text, options).map_err(|error| {
        let at = error.pos();
        file.error_at(at.row, usize::try_from(at.col).unwrap_or(usize::MAX), format!("this is no whole XML: {error}"))
    })
}

/// The text of a child; empty where there is none.
fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|child| child.text()).map_or("", str::trim)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// Whether a mark is set: pfSense has an empty element, OPNsense a 1.
fn is_set(node: Node<'_, '_>, name: &str) -> bool {
    child(node, name).is_some_and(|child| !matches!(child.text().map(str::trim), Some("0" | "no" | "false")))
}

/// The lines of a file, as XML's own positions are counted from the beginning each time.
struct Lines {
    file: u16,
    ends: Vec<usize>,
}

impl Lines {
    fn of(file: u16, root: Node<'_, '_>) -> Self {
        let text = root.document().input_text();
        Self { file, ends: text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect() }
    }

    fn place(&self, node: Node<'_, '_>) -> Place {
        let start = node.range().start;
        let line = self.ends.partition_point(|end| *end < start) + 1;
        Place { file: self.file, line: u32::try_from(line).unwrap_or(u32::MAX) }
    }
}

/// An interface that has rules or could have.
struct Interface<'a> {
    name: &'a str,
    side: Option<Side>,
}

struct Device<'a> {
    interfaces: Vec<Interface<'a>>,
    /// Whether there are any, though disabled.
    has_rules: bool,
    filters: Vec<Filter<'a>>,
    groups: Vec<(&'a str, Vec<&'a str>)>,
    aliases: Aliases<'a>,
}

impl<'a> Device<'a> {
    fn of(roots: &[(u16, Node<'a, '_>)], question: &Question) -> Self {
        let mut device = Self {
            interfaces: Vec::new(),
            has_rules: false,
            filters: Vec::new(),
            groups: Vec::new(),
            aliases: Aliases::of(roots, question),
        };
        for &(file, root) in roots {
            let lines = Lines::of(file, root);
            for interface in child(root, "interfaces").into_iter().flat_map(|all| all.children()) {
                if interface.is_element() {
                    device.interfaces.push(of_interface(interface, question));
                }
            }
            for group in child(root, "ifgroups").into_iter().flat_map(|groups| children(groups, "ifgroupentry")) {
                device.groups.push((text(group, "ifname"), text(group, "members").split([' ', ',']).collect()));
            }
            for rules in children(root, "filter") {
                device.has_rules |= children(rules, "rule").next().is_some();
                device.filters.extend(children(rules, "rule").filter_map(|rule| Filter::of(rule, lines.place(rule))));
            }
            let newer = ["OPNsense", "Firewall", "Filter", "rules"];
            let newer = newer.iter().try_fold(root, |node, name| child(node, name));
            let mut rules: Vec<_> = newer.into_iter().flat_map(|rules| children(rules, "rule")).collect();
            device.has_rules |= !rules.is_empty();
            rules.sort_by_key(|rule| text(*rule, "sequence").parse::<u32>().unwrap_or(u32::MAX));
            device.filters.extend(rules.into_iter().filter_map(|rule| Filter::of_newer(rule, lines.place(rule))));
        }
        device
    }

    fn policy(mut self, question: &Question) -> Policy {
        let mut policy = Policy::default();
        if !self.has_rules {
            add_doubt(&mut policy, "rules", None, "there are no filter rules in the file");
            return policy;
        }
        let inside = self.inside();
        for name in &inside {
            let rules = self.rules(question, Direction::In, name);
            let mut chain = Chain::new(format!("in on {name}"), Default::Deny);
            chain.rules = Chain::of_last_match(rules);
            add_hook(&mut policy, format!("in on {name}"), chain);
        }
        let outside = self.interfaces.iter().filter(|interface| interface.side == Some(Side::Outside));
        for name in outside.map(|interface| interface.name).collect::<Vec<_>>() {
            let rules = self.rules(question, Direction::Out, name);
            if !rules.is_empty() {
                let mut chain = Chain::new(format!("out on {name}"), Default::Accept);
                chain.rules = Chain::of_last_match(rules);
                add_hook(&mut policy, format!("out on {name}"), chain);
            }
        }
        if inside.is_empty() {
            add_doubt(&mut policy, "interfaces", None, "which interface is the inside is not known (--inside NAME)");
        }
        if inside.len() > 1 {
            let names: Vec<String> = inside.iter().map(|name| cited(name)).collect();
            let names = names.join(", ");
            policy.notes.push(format!(
                "the rules of {names} are judged, and all of them have to allow (--inside NAME chooses)"
            ));
        }
        policy
    }

    /// The inside: as known, else `lan`, else every interface that is not the outside and has rules.
    fn inside(&self) -> Vec<&'a str> {
        let of = |side| {
            self.interfaces.iter().filter(move |one| one.side == Some(side)).map(|one| one.name).collect::<Vec<_>>()
        };
        let known = of(Side::Inside);
        if !known.is_empty() {
            return known;
        }
        let outside = of(Side::Outside);
        let mut names: Vec<&'a str> = Vec::new();
        for filter in self.filters.iter().filter(|filter| !filter.floating) {
            for name in &filter.interfaces {
                let group = self.groups.iter().any(|(group, _)| group == name);
                if !(names.contains(name) || outside.contains(name) || group || named(name) == Some(Side::Outside)) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The rules for packets of an interface, in the order of pf.
    fn rules(&mut self, question: &Question, direction: Direction, interface: &str) -> Vec<(Rule, Quick)> {
        let groups: Vec<&str> =
            self.groups.iter().filter(|(_, members)| members.contains(&interface)).map(|(name, _)| *name).collect();
        let of_group = |filter: &Filter<'a>| filter.interfaces.iter().any(|name| groups.contains(name));
        let own = |filter: &Filter<'a>| filter.interfaces.contains(&interface);
        let all = |filter: &Filter<'a>| filter.interfaces.is_empty() || filter.interfaces.contains(&"any");
        let goes = |filter: &&Filter<'a>| filter.direction == Direction::Any || filter.direction == direction;
        let floating = self.filters.iter().filter(|filter| {
            filter.floating && (all(filter) || (own(filter) || of_group(filter)) != filter.other_interfaces)
        });
        let grouped = self.filters.iter().filter(|filter| !filter.floating && of_group(filter) && !own(filter));
        let single = self.filters.iter().filter(|filter| !filter.floating && own(filter));
        let ordered = floating.chain(grouped).chain(single).filter(goes);
        ordered.filter_map(|filter| filter.read(question, &mut self.aliases)).collect()
    }
}

fn of_interface<'a>(node: Node<'a, '_>, question: &Question) -> Interface<'a> {
    let name = node.tag_name().name();
    let described = text(node, "descr");
    let asked = question.sides.get(name).or_else(|| question.sides.get(described)).copied();
    let known = asked.or_else(|| named(name)).or_else(|| named(described));
    let disabled = child(node, "enable").is_none() || text(node, "enable") == "0";
    Interface { name, side: if disabled && asked.is_none() { None } else { known } }
}
