//! Proxy auto-configuration: what a script answers, and the functions that it may call.
//!
//! The functions are those of the Netscape specification (1996) and of Microsoft's extension for IPv6. The script itself is
//! run by the shell.

mod moment;
mod names;
mod result;

pub use moment::{Argument, Moment, date_range, time_range, weekday_range};
pub use names::{
    convert_addr, dns_domain_is, dns_domain_levels, is_in_net, is_in_net_ex, is_plain_host_name,
    local_host_or_domain_is, sh_exp_match, sort_ip_address_list,
};
pub use result::{RoutesError, routes};

/// A larger script is none that a person wrote.
pub const MOST_BYTES: usize = 1 << 20;
