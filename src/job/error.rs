//! What can stop a check.

use std::io;

use crate::net::endpoint::HeaderError;
use crate::net::tls::TrustError;

/// What stopped a check.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The roots or the name for handshakes.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The headers of an endpoint.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The kernel refused to wait for sockets or signals.
    #[error("cannot wait for connections")]
    Wait(#[source] io::Error),
    /// Nothing is left to be asked.
    #[error("no range of {feed} is of the list and family asked for")]
    NoRange {
        /// The name of the list in force.
        feed: String,
    },
}
