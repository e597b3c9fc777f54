//! The formats that are read: one table of names, and a file for each.
//!
//! A reader brings a rule set into the form of [`Policy`]: what it understands it resolves, and what it does not it hands
//! on as a doubt with its line. It never leaves out a rule that might concern the flow.

mod address;
mod asa;
mod aws;
mod azure;
mod book;
mod cisco;
#[cfg(test)]
mod damage;
mod document;
mod flow;
mod fortios;
mod gcp;
mod ios;
pub mod iptables;
mod junos;
mod lines;
pub mod nftables;
mod panos;
mod plain;
mod ports;
mod routeros;
mod sense;
mod side;
mod source;
mod squid;
mod tree;
mod windows;
mod words;

pub use source::{ParseError, SourceFile};

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Policy, Question};

/// One format: its name, how it is recognised, and how it is read.
pub(super) struct Reader {
    /// The name in flags, JSON and tables.
    name: &'static str,
    /// The device as its maker calls it, and which of its files are read.
    title: &'static str,
    /// Whether a file is of this format, from its content alone.
    recognise: fn(&str) -> bool,
    /// The rule set of all files together.
    read: fn(&[SourceFile], &Question) -> Result<Policy, ParseError>,
}

/// Declares the enum and the table from lines `Variant => module::READER`.
macro_rules! formats {
    ($($variant:ident => $reader:path,)*) => {
        /// In which syntax a rule set is written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)] // each is described by its `title`
        pub enum Format {
            $($variant,)*
        }

        impl Format {
            /// Every format, in the order in which they are tried; what is easily mistaken comes last.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            fn reader(self) -> &'static Reader {
                match self {
                    $(Self::$variant => &$reader,)*
                }
            }
        }
    };
}

formats! {
    Nftables => nftables::READER,
    Iptables => iptables::READER,
    Fortios => fortios::READER,
    Panos => panos::READER,
    Junos => junos::READER,
    Routeros => routeros::READER,
    Squid => squid::READER,
    Pfsense => sense::PFSENSE,
    Opnsense => sense::OPNSENSE,
    Aws => aws::READER,
    Azure => azure::READER,
    Gcp => gcp::READER,
    Windows => windows::READER,
    Asa => asa::READER,
    Ios => ios::READER,
    Plain => plain::READER,
}

impl Format {
    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The name in flags, JSON and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.reader().name
    }

    /// What it is for.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.reader().title
    }

    /// The first format that every one of the files is in.
    #[must_use]
    pub fn recognise(files: &[SourceFile]) -> Option<Self> {
        let all = |format: &Self| files.iter().all(|file| (format.reader().recognise)(&file.text));
        Self::ALL.iter().copied().find(|format| !files.is_empty() && all(format))
    }

    /// Reads the files as one rule set.
    ///
    /// # Errors
    /// With file, line and column, when they are not whole or not of this format.
    pub fn read(self, files: &[SourceFile], question: &Question) -> Result<Policy, ParseError> {
        (self.reader().read)(files, question)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for format in Format::ALL {
            assert_eq!(Format::named(format.name()), Some(*format), "{format}");
        }
    }
}
