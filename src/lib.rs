//! egressd finds out which CloudFront ranges a network blocks, at which hop, and what to do about it.

#[cfg(feature = "io")]
pub mod cli;
pub mod exit;
pub mod prefix;
pub mod ranges;
pub mod scenario;
pub mod text;
