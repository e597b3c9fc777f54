//! The formats: one table of names, and a file for each.

mod asa;
mod checkpoint;
mod cisco;
mod device;
mod eos;
mod feed;
mod fortios;
mod huawei_usg;
mod ios;
mod iosxr;
mod ipset;
mod junos_prefix_list;
mod junos_srx;
mod meraki;
mod nftables;
mod nxos;
mod panos;
mod plain;
mod routeros;
mod sophos;
mod unifi;
mod vyos;
mod watchguard;
mod zscaler;

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

use super::{Capability, Rules};

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
    Nftables => nftables::TABLE,
    NftablesUpdate => nftables::UPDATE,
    Ipset => ipset::EXPORTER,
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

/// The header, each line behind the sign of a comment.
fn header(rules: &Rules, sign: &str, out: &mut dyn Write) -> fmt::Result {
    rules.header().iter().try_for_each(|line| writeln!(out, "{sign} {line}"))
}
