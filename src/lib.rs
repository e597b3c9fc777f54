//! egressd finds out which CloudFront ranges a network blocks, at which hop, and what to do about it.

pub mod prefix;
pub mod ranges;
pub mod scenario;

#[cfg(feature = "io")]
pub mod lab;
