//! Addresses, exceptions and answers of scripts are refused or read, and no password is shown.
#![no_main]

use egressd::proxy::pac::{Argument, Moment, date_range, routes, sh_exp_match, sort_ip_address_list, time_range};
use egressd::proxy::{Exceptions, ProxyAddress, Route};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, Vec<i64>)| {
    let (one, other, numbers) = input;
    match one.parse::<ProxyAddress>() {
        Ok(proxy) => sound(&proxy),
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
    let _ = Exceptions::parse(one).covers(other);
    for route in routes(one).unwrap_or_default() {
        if let Route::Proxy(proxy) = route {
            sound(&proxy);
        }
    }
    let _ = (sh_exp_match(one, other), sort_ip_address_list(one));
    assert!(sh_exp_match(one, "*") || one.len() > 8 << 10);
    let moment = Moment { local: jiff::civil::DateTime::MIN, gmt: jiff::civil::DateTime::MAX };
    let mut arguments: Vec<Argument> = numbers.into_iter().map(Argument::Number).collect();
    arguments.push(Argument::Name(other.to_owned()));
    let _ = (date_range(moment, &arguments), time_range(moment, &arguments));
});

fn sound(proxy: &ProxyAddress) {
    let again: ProxyAddress = proxy.to_string().parse().expect("its own text");
    assert_eq!((again.scheme, &again.host, again.port), (proxy.scheme, &proxy.host, proxy.port));
    assert!(again.credentials.is_none() && !proxy.host.contains(['@', '/', ' ', '\r', '\n']));
}
