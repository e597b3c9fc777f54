//! egressd finds out which CloudFront ranges a network blocks, at which hop, and what to do about it.
//!
//! The data flows in one direction, and each stage is a module:
//!
//! ```text
//! ranges ─> plan ─> scan ─> observe ─> verdict ─> diagnose ─> report | export
//! ```
//!
//! 1. [`ranges`] reads the published lists into immutable snapshots: what is listed, for which role, since when.
//! 2. [`plan`] makes a value of what will be asked: settings and a snapshot in, a plan out.
//! 3. [`scan`] is the engine: a state machine that decides what is probed next and knows when it has seen enough. It
//!    holds no socket and reads no clock, so that [`sim`] can run it through thousands of networks in virtual time.
//! 4. [`observe`] is what it leaves: one record for each operation on each address, kept before anything is judged.
//! 5. [`verdict`] derives from these records what can be said of each range, how sure that is, and who blocks.
//! 6. [`diagnose`] brings many verdicts down to few causes, each with a fix and somebody whose job it is.
//! 7. [`report`] writes it all for a terminal, for a program or for a ticket; [`export`] writes what is to be allowed in
//!    the syntax of the device that has to allow it, and [`fit`] makes a long list fit a device that takes few entries.
//!
//! [`audit`] reads the rules that a firewall has already, and says what they allow of what is required.
//!
//! Beside the flow, [`fingerprint`] knows the products that block and intercept, by what they show, and [`failures`] what
//! every name in a report means.
//! Beside it stands [`media`]: whether a file can be sent at all, from its content and the rules of the channels.
//!
//! Around this core lies a shell, behind the default feature `io`: `net` holds the sockets, `lab` a whole customer network
//! in namespaces, `job` one check from plan to report, `store` what is kept between runs, `daemon` the
//! checks that are made again and again, `cli` the commands. No module of the core imports the shell.

pub mod audit;
pub mod baseline;
#[cfg(test)]
mod chance;
pub mod config;
pub mod diagnose;
pub mod endpoint;
pub mod exit;
pub mod export;
pub mod failures;
pub mod fingerprint;
pub mod fit;
pub mod media;
pub mod observe;
pub mod plan;
pub mod prefix;
pub mod proxy;
pub mod ranges;
pub mod report;
pub mod scan;
pub mod scenario;
pub mod secret;
pub mod sim;
pub mod text;
pub mod verdict;

#[cfg(feature = "io")]
pub mod cli;
#[cfg(feature = "io")]
pub mod daemon;
#[cfg(feature = "io")]
pub mod http;
#[cfg(feature = "io")]
pub mod job;
#[cfg(feature = "io")]
pub mod lab;
#[cfg(feature = "io")]
pub mod metrics;
#[cfg(feature = "io")]
pub mod net;
#[cfg(feature = "io")]
pub mod store;
#[cfg(feature = "io")]
pub mod webhook;
