//! The formats: one table of names, and a file for each.

mod asa;
mod aws;
mod azure;
mod checkpoint;
mod cisco;
mod cloudformation;
mod csv;
mod device;
mod envoy;
mod eos;
mod feed;
mod firewalld;
mod fortios;
mod gcp;
mod haproxy;
mod huawei_usg;
mod ios;
mod iosxr;
mod ipset;
mod iptables;
mod json;
mod junos_prefix_list;
mod junos_srx;
mod kubernetes;
mod meraki;
mod nftables;
mod nginx;
mod nxos;
mod pac;
mod panos;
mod pf;
mod plain;
mod routeros;
mod sense;
mod sophos;
mod squid;
mod terraform;
mod ufw;
mod unifi;
mod vyos;
mod watchguard;
mod windows;
mod yaml;
mod zscaler;

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

use super::rules::by_family;
use super::{Capability, Rules};
use crate::prefix::{Family, Prefix};

/// One syntax: its name, what it can do, and how it is written.
pub(super) struct Exporter {
    /// The name in flags, addresses and tables.
    name: &'static str,
    /// The device as its maker calls it, and what is written for it.
    title: &'static str,
    capability: Capability,
    write: fn(&Rules, &mut dyn Write) -> fmt::Result,
}

/// Declares the enum and the table from lines `Variant => module::EXPORTER`.
macro_rules! formats {
    ($($variant:ident => $exporter:path,)*) => {
        /// In which syntax rules are written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)] // each is described by its `title`
        pub enum RuleFormat {
            $($variant,)*
        }

        impl RuleFormat {
            /// Every format, in the order they are listed.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            fn exporter(self) -> &'static Exporter {
                match self {
                    $(Self::$variant => &$exporter,)*
                }
            }
        }
    };
}

formats! {
    Plain => plain::EXPORTER,
    Csv => csv::EXPORTER,
    Json => json::EXPORTER,
    Yaml => yaml::EXPORTER,
    Nftables => nftables::TABLE,
    NftablesSet => nftables::SETS,
    NftablesUpdate => nftables::UPDATE,
    Iptables => iptables::RULES,
    IptablesIpset => iptables::SETS,
    Ipset => ipset::EXPORTER,
    Firewalld => firewalld::EXPORTER,
    Ufw => ufw::EXPORTER,
    Pf => pf::EXPORTER,
    Pfsense => sense::PFSENSE,
    Opnsense => sense::OPNSENSE,
    Ios => ios::EXPORTER,
    Asa => asa::EXPORTER,
    Nxos => nxos::EXPORTER,
    Iosxr => iosxr::EXPORTER,
    Eos => eos::EXPORTER,
    JunosSrx => junos_srx::EXPORTER,
    JunosPrefixList => junos_prefix_list::EXPORTER,
    Panos => panos::EXPORTER,
    PanosEdl => feed::PANOS,
    Fortios => fortios::EXPORTER,
    FortiosFeed => feed::FORTIOS,
    Checkpoint => checkpoint::EXPORTER,
    CheckpointFeed => feed::CHECKPOINT,
    Routeros => routeros::EXPORTER,
    Vyos => vyos::VYOS,
    Edgeos => vyos::EDGEOS,
    HuaweiUsg => huawei_usg::EXPORTER,
    Sophos => sophos::EXPORTER,
    Sonicwall => feed::SONICWALL,
    Watchguard => watchguard::EXPORTER,
    Unifi => unifi::EXPORTER,
    Meraki => meraki::EXPORTER,
    Zscaler => zscaler::EXPORTER,
    Netskope => feed::NETSKOPE,
    Windows => windows::EXPORTER,
    AwsSecurityGroup => aws::SECURITY_GROUP,
    AwsPrefixList => aws::PREFIX_LIST,
    Cloudformation => cloudformation::PREFIX_LISTS,
    AwsWaf => cloudformation::IP_SETS,
    Terraform => terraform::EXPORTER,
    AzureNsg => azure::NSG,
    AzureIpGroup => azure::IP_GROUP,
    Gcp => gcp::EXPORTER,
    Kubernetes => kubernetes::NETWORK_POLICY,
    Cilium => kubernetes::CILIUM,
    Calico => kubernetes::CALICO,
    Istio => kubernetes::ISTIO,
    Squid => squid::EXPORTER,
    Haproxy => haproxy::EXPORTER,
    Nginx => nginx::EXPORTER,
    Envoy => envoy::EXPORTER,
    Pac => pac::EXPORTER,
}

impl RuleFormat {
    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The name in flags, addresses and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.exporter().name
    }

    /// What is written, and for which device.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.exporter().title
    }

    /// What the device can do.
    #[must_use]
    pub fn capability(self) -> &'static Capability {
        &self.exporter().capability
    }

    /// Writes the rules, piece by piece.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(self, rules: &Rules, out: &mut dyn Write) -> fmt::Result {
        (self.exporter().write)(rules, out)
    }
}

impl fmt::Display for RuleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for RuleFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What tells the object of one family from that of the other.
fn suffix(family: Family) -> &'static str {
    match family {
        Family::V4 => "-v4",
        Family::V6 => "-v6",
    }
}

/// The prefix, or its halves where a device refuses the prefix of length 0.
fn without_length_0(prefix: Prefix) -> Vec<Prefix> {
    if prefix.len() > 0 { vec![prefix] } else { prefix.halves().map_or_else(Vec::new, Vec::from) }
}

/// The ports, as most syntaxes list them.
fn ports(rules: &Rules, between: &str) -> String {
    rules.ports().iter().map(u16::to_string).collect::<Vec<_>>().join(between)
}

/// Items one after the other with something between them.
fn separated<T>(
    out: &mut dyn Write,
    items: impl IntoIterator<Item = T>,
    between: &str,
    mut write: impl FnMut(&mut dyn Write, T) -> fmt::Result,
) -> fmt::Result {
    items.into_iter().enumerate().try_for_each(|(at, item)| {
        out.write_str(if at == 0 { "" } else { between })?;
        write(out, item)
    })
}

/// A JSON array of what the entries read as, a line for each, from the indentation of the line that it begins in.
fn json_array<T: fmt::Display>(out: &mut dyn Write, indent: &str, items: impl IntoIterator<Item = T>) -> fmt::Result {
    write!(out, "[")?;
    separated(out, items, ",", |out, item| write!(out, "\n{indent}  \"{item}\""))?;
    write!(out, "\n{indent}]")
}

/// The header, each line behind the sign of a comment.
fn header(rules: &Rules, sign: &str, out: &mut dyn Write) -> fmt::Result {
    rules.header().iter().try_for_each(|line| writeln!(out, "{sign} {line}"))
}
