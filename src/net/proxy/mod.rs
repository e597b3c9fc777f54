//! Proxies: tunnels through them, and the scripts that choose one.

pub mod connect;
pub mod script;

pub use connect::{ProxyAnswer, Refusal, connect};
pub use script::{Script, ScriptError, Surroundings};
