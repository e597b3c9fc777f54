//! The functions that a script may call, and the bounds within which it does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use rquickjs::function::Rest;
use rquickjs::{Coerced, Ctx, Exception, Function, IntoJs, Result, Value};

use super::{MOST_LOOKUPS, MOST_TIME, MOST_WAITING, Surroundings};
use crate::proxy::pac::{
    Argument, convert_addr, date_range, dns_domain_is, dns_domain_levels, is_in_net, is_in_net_ex, is_plain_host_name,
    local_host_or_domain_is, sh_exp_match, sort_ip_address_list, time_range, weekday_range,
};

/// What a script learns of the world, each name asked for once, and how far it went.
pub(super) struct World {
    surroundings: Box<dyn Surroundings>,
    known: RefCell<BTreeMap<String, Vec<IpAddr>>>,
    waited: Cell<Duration>,
    passed: Cell<Option<Bound>>,
    began: Duration,
}

/// What a function returns.
enum Answer {
    Yes(bool),
    Number(i32),
    Text(String),
    Null,
    Nothing,
}

/// A bound that a script has passed with its look-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// It wants to know more names than it may.
    Names,
    /// It waited longer for them than it may.
    Waiting,
}

/// Arguments that are absent are empty texts.
struct Arguments(Vec<String>);

type Callable = fn(&World, &Arguments) -> std::result::Result<Answer, Bound>;

const FUNCTIONS: &[(&str, Callable)] = &[
    ("isPlainHostName", |_, given| Ok(Answer::Yes(is_plain_host_name(given.at(0))))),
    ("dnsDomainIs", |_, given| Ok(Answer::Yes(dns_domain_is(given.at(0), given.at(1))))),
    ("localHostOrDomainIs", |_, given| Ok(Answer::Yes(local_host_or_domain_is(given.at(0), given.at(1))))),
    ("dnsDomainLevels", |_, given| {
        Ok(Answer::Number(i32::try_from(dns_domain_levels(given.at(0))).unwrap_or(i32::MAX)))
    }),
    ("shExpMatch", |_, given| Ok(Answer::Yes(sh_exp_match(given.at(0), given.at(1))))),
    ("convert_addr", |_, given| Ok(Answer::Number(convert_addr(given.at(0))))),
    ("sortIpAddressList", |_, given| Ok(Answer::Text(sort_ip_address_list(given.at(0))))),
    ("getClientVersion", |_, _| Ok(Answer::Text("1.0".to_owned()))),
    ("alert", |_, _| Ok(Answer::Nothing)),
    ("isResolvable", |world, given| Ok(Answer::Yes(world.v4(given.at(0))?.is_some()))),
    ("dnsResolve", |world, given| {
        Ok(world.v4(given.at(0))?.map_or(Answer::Null, |address| Answer::Text(address.to_string())))
    }),
    ("isInNet", |world, given| {
        let address = world.v4(given.at(0))?;
        Ok(Answer::Yes(address.is_some_and(|address| is_in_net(address, given.at(1), given.at(2)))))
    }),
    ("isResolvableEx", |world, given| Ok(Answer::Yes(!world.all(given.at(0))?.is_empty()))),
    ("dnsResolveEx", |world, given| Ok(Answer::Text(joined(&world.all(given.at(0))?)))),
    ("isInNetEx", |world, given| {
        Ok(Answer::Yes(world.all(given.at(0))?.into_iter().any(|address| is_in_net_ex(address, given.at(1)))))
    }),
    ("myIpAddress", |world, _| Ok(Answer::Text(world.own_address().to_string()))),
    ("myIpAddressEx", |world, _| Ok(Answer::Text(joined(&world.surroundings.own_addresses())))),
    ("weekdayRange", |world, given| Ok(Answer::Yes(weekday_range(world.surroundings.moment(), &given.times())))),
    ("dateRange", |world, given| Ok(Answer::Yes(date_range(world.surroundings.moment(), &given.times())))),
    ("timeRange", |world, given| Ok(Answer::Yes(time_range(world.surroundings.moment(), &given.times())))),
];

/// Puts all of them in place.
pub(super) fn define(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    for &(name, callable) in FUNCTIONS {
        let world = Rc::clone(world);
        let function = move |ctx: Ctx<'_>, given: Rest<Value<'_>>| world.call(&ctx, callable, &given.0);
        ctx.globals().set(name, Function::new(ctx.clone(), function)?)?;
    }
    Ok(())
}

impl World {
    pub(super) fn new(surroundings: impl Surroundings + 'static) -> Self {
        Self {
            surroundings: Box::new(surroundings),
            known: RefCell::default(),
            waited: Cell::default(),
            passed: Cell::default(),
            began: processor_time(),
        }
    }

    /// Whether the script took more time than it may; what is waited for a resolver is not its own.
    pub(super) fn overdue(&self) -> bool {
        processor_time().saturating_sub(self.began) >= MOST_TIME
    }

    /// The bound that the script has passed with its look-ups, if any.
    pub(super) fn passed(&self) -> Option<Bound> {
        self.passed.get()
    }

    /// The engine looks at the time only every so many steps of the script, and each call may be a long step.
    fn call(&self, ctx: &Ctx<'_>, callable: Callable, given: &[Value<'_>]) -> Result<Answer> {
        if self.overdue() {
            return Err(Exception::throw_message(ctx, "the time is over"));
        }
        let text = |value: &Value<'_>| value.get::<Coerced<String>>().map(|text| text.0);
        let given = Arguments(given.iter().take(MOST_ARGUMENTS).map(text).collect::<Result<_>>()?);
        callable(self, &given).map_err(|bound| {
            self.passed.set(Some(bound));
            Exception::throw_message(ctx, "no more names are looked up")
        })
    }

    /// All addresses of a host, which may be an address itself.
    fn all(&self, host: &str) -> std::result::Result<Vec<IpAddr>, Bound> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some(found) = self.known.borrow().get(host) {
            return Ok(found.clone());
        }
        if self.known.borrow().len() == MOST_LOOKUPS {
            return Err(Bound::Names);
        }
        if self.waited.get() >= MOST_WAITING {
            return Err(Bound::Waiting);
        }
        let asked = Instant::now();
        let found = self.surroundings.resolve(host);
        self.waited.set(self.waited.get() + asked.elapsed());
        self.known.borrow_mut().insert(host.to_owned(), found.clone());
        Ok(found)
    }

    /// The first IPv4 address of a host.
    fn v4(&self, host: &str) -> std::result::Result<Option<Ipv4Addr>, Bound> {
        let v4 = |address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        Ok(self.all(host)?.into_iter().find_map(v4))
    }

    /// The address that this host is known by, IPv4 if it has one; as in browsers the loopback address if it has none.
    fn own_address(&self) -> IpAddr {
        let own = self.surroundings.own_addresses();
        let first = own.iter().copied().find(IpAddr::is_ipv4).or_else(|| own.first().copied());
        first.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

/// As many as the longest form of `dateRange` or `timeRange` has, with `GMT`.
const MOST_ARGUMENTS: usize = 7;

impl Arguments {
    fn at(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }

    /// Numbers, be they written as text, and names.
    fn times(&self) -> Vec<Argument> {
        let one = |text: &String| text.trim().parse().map_or_else(|_| Argument::Name(text.clone()), Argument::Number);
        self.0.iter().map(one).collect()
    }
}

impl<'js> IntoJs<'js> for Answer {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self {
            Self::Yes(yes) => yes.into_js(ctx),
            Self::Number(number) => number.into_js(ctx),
            Self::Text(text) => text.into_js(ctx),
            Self::Null => Ok(Value::new_null(ctx.clone())),
            Self::Nothing => Ok(Value::new_undefined(ctx.clone())),
        }
    }
}

fn joined(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

/// Of this thread.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Nowhere;
    use super::*;

    #[test]
    fn nothing_is_looked_up_after_too_long_a_wait() {
        let world = World { waited: Cell::new(MOST_WAITING), ..World::new(Nowhere) };
        world.known.borrow_mut().insert("known.example".to_owned(), Vec::new());
        assert_eq!(world.all("new.example"), Err(Bound::Waiting));
        assert_eq!(world.all("known.example"), Ok(Vec::new()));
        assert_eq!(world.v4("192.0.2.1"), Ok(Some(Ipv4Addr::new(192, 0, 2, 1))));
        let world = World::new(Nowhere);
        assert_eq!(world.all("new.example"), Ok(Vec::new()));
        assert!(world.waited.get() > Duration::ZERO);
    }
}
