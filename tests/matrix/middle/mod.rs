//! What stands between client and platform, each a program that companies run. All of it runs on the firewall.

pub mod e2guardian;
pub mod haproxy;
pub mod mitmproxy;
pub mod nginx;
pub mod resolver;
pub mod squid;
pub mod tinyproxy;
