//! Why there is no lab.

use std::io;

use super::namespace::Forbidden;
use crate::text::printable;

/// What kept the lab from being built, or a host of it from working.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The system does not let this user make namespaces.
    #[error("cannot make the lab's namespaces: {0}")]
    Forbidden(Forbidden),
    /// A user namespace can be entered by a process of one thread alone.
    #[error("cannot enter a user namespace: the process has {threads} threads already")]
    Threads {
        /// How many there are.
        threads: usize,
    },
    /// A host could not be entered, or a thread of it not be started.
    #[error("cannot {operation} on lab host `{host}`")]
    Host {
        /// The host.
        host: &'static str,
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A kernel setting of a host could not be written.
    #[error("cannot write `{value}` to {path} on lab host `{host}`")]
    Setting {
        /// The host.
        host: &'static str,
        /// The file.
        path: String,
        /// What was to be written.
        value: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A link, an address or a route could not be made.
    #[error("cannot {operation} on lab host `{host}`")]
    Netlink {
        /// The host.
        host: &'static str,
        /// What was tried, and with what.
        operation: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Only nftables can do what the rule asks for.
    #[error("the rule `{action}` needs nftables, and no `nft` is installed")]
    NftMissing {
        /// The rule's action.
        action: String,
    },
    /// A program that takes rules is not installed.
    #[error("`{program}` is not installed")]
    ProgramMissing {
        /// The program.
        program: String,
    },
    /// A program that takes rules could not be run.
    #[error("cannot run {program}")]
    NftStart {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program did not take the rules.
    #[error("{program} refuses the rules: {}", printable(.message, 1024))]
    Refused {
        /// The program.
        program: String,
        /// What it said.
        message: String,
    },
    /// The edge's certificate could not be made.
    #[error("cannot make the edge's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The edge's TLS configuration could not be made.
    #[error("cannot configure TLS on the edge")]
    Tls(#[from] rustls::Error),
    /// A host has an interface that the lab did not make, and it is up.
    #[error("lab host `{host}` has an interface `{interface}` that is not the lab's")]
    Leak {
        /// The host.
        host: &'static str,
        /// The interface.
        interface: String,
    },
}

impl LabError {
    /// What the admin can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Forbidden(forbidden) => forbidden.hint(),
            Self::ProgramMissing { program } => {
                let package = if program.starts_with("ip") && program != "ipset" { "iptables" } else { program };
                Some(format!("install it: apt-get install {package}"))
            }
            Self::Refused { message, .. } if message.contains("Message too long") => {
                Some("inside a user namespace the kernel takes some 5,000 elements at a time".to_owned())
            }
            Self::NftMissing { .. } => Some("install nftables, or take a scenario that only drops or prohibits".into()),
            Self::Setting { source, .. } if source.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                Some("/proc/sys is read-only, as in most containers: run on the host itself".into())
            }
            _ => None,
        }
    }
}
