//! Which proxy is asked: its address, what the environment says, and the functions of an automatic configuration.
//!
//! Nothing here reads the environment, a clock or a name server: they are arguments.

mod address;
mod environment;
mod exceptions;
pub mod pac;

pub use address::{Credentials, ProxyAddress, ProxyAddressError, Scheme};
pub use environment::Environment;
pub use exceptions::Exceptions;

use std::fmt;

/// The way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Straight to it.
    Direct,
    /// Through a proxy.
    Proxy(ProxyAddress),
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy(proxy) => write!(f, "{proxy}"),
        }
    }
}
