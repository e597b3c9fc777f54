//! The shell: sockets, time and signals around the pure core.

pub mod connect;
pub mod endpoint;
pub mod feed;
pub mod fetch;
pub mod interrupt;
pub mod proxy;
pub mod scan;
pub mod stream;
pub(crate) mod sys;
pub mod tls;
