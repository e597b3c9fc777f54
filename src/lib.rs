//! egressd finds out which CloudFront ranges a network blocks, at which hop, and what to do about it.

pub mod baseline;
pub mod config;
pub mod diagnose;
pub mod exit;
pub mod observe;
pub mod plan;
pub mod prefix;
pub mod ranges;
pub mod report;
pub mod scan;
pub mod scenario;
pub mod sim;
pub mod text;
pub mod verdict;

#[cfg(feature = "io")]
pub mod cli;
#[cfg(feature = "io")]
pub mod lab;
#[cfg(feature = "io")]
pub mod net;
#[cfg(feature = "io")]
pub mod store;
