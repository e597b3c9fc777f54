//! The script of an automatic configuration, run by `QuickJS` within bounds of time, memory and look-ups.

mod functions;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, CaughtError, Coerced, Context, Ctx, Function, Runtime, Value};

use crate::proxy::Route;
use crate::proxy::pac::{MOST_BYTES, Moment, RoutesError, routes};
use crate::text::printable;
use functions::World;

/// The most processor time of an evaluation: the largest scripts in use take some milliseconds.
pub const MOST_TIME: Duration = Duration::from_secs(1);
/// The most memory of an evaluation.
pub const MOST_MEMORY: usize = 32 << 20;
/// The most names that an evaluation asks for: each may take as long as the resolver does.
pub const MOST_LOOKUPS: usize = 32;
/// A quarter of the stack of a thread of tokio's.
const MOST_STACK: usize = 512 << 10;

/// A script that says which proxy to ask.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    text: String,
}

/// What a script can learn of the world.
pub trait Surroundings {
    /// The addresses of a name, in the resolver's order; none if it has none.
    fn resolve(&self, name: &str) -> Vec<IpAddr>;
    /// The addresses of this host, the one that it is known by first.
    fn own_addresses(&self) -> Vec<IpAddr>;
    /// The time.
    fn moment(&self) -> Moment;
}

/// Why a script names no proxy.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the proxy script {}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It was not fetched from its server.
    #[error("cannot fetch the proxy script: {0}")]
    Fetch(String),
    /// It is larger than any that a person wrote.
    #[error("the proxy script has more than {MOST_BYTES} bytes")]
    TooLarge,
    /// It is not JavaScript, or throws.
    #[error("the proxy script fails: {0}")]
    Fails(String),
    /// It lacks the function that is called.
    #[error("the proxy script has no function FindProxyForURL")]
    NoFunction,
    /// It goes on and on.
    #[error("the proxy script does not end within {} s", MOST_TIME.as_secs())]
    Endless,
    /// It takes more and more.
    #[error("the proxy script needs more than {} MB of memory", MOST_MEMORY >> 20)]
    Memory,
    /// It asks for more and more names.
    #[error("the proxy script looks up more than {MOST_LOOKUPS} names")]
    Lookups,
    /// Its answer names no proxy.
    #[error(transparent)]
    Answer(#[from] RoutesError),
}

impl Script {
    /// Takes the text in, be it UTF-8 or Latin-1.
    pub fn new(bytes: &[u8]) -> Result<Self, ScriptError> {
        if bytes.len() > MOST_BYTES {
            return Err(ScriptError::TooLarge);
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let latin = || bytes.iter().map(|&byte| char::from(byte)).collect();
        Ok(Self { text: std::str::from_utf8(bytes).map_or_else(|_| latin(), str::to_owned) })
    }

    /// Reads a file.
    pub fn read(file: &Path) -> Result<Self, ScriptError> {
        let failed = |source| ScriptError::File { file: file.to_owned(), source };
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        File::open(file).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
        Self::new(&bytes)
    }

    /// The ways to the host of a URL, in the order in which they are to be tried.
    ///
    /// Blocks while it runs and while names are looked up. The engine looks at the time every 10,000 steps: a script whose
    /// single steps are long, on texts of many megabytes, takes longer than [`MOST_TIME`] before it is ended. Of an `https` URL the script sees no more than the host, as in
    /// browsers. Its own `Date` is the clock of this host.
    pub fn routes(
        &self,
        url: &str,
        host: &str,
        surroundings: impl Surroundings + 'static,
    ) -> Result<Vec<Route>, ScriptError> {
        let world = Rc::new(World::new(surroundings));
        let runtime = bounded(&world).map_err(|_| ScriptError::Memory)?;
        let context = Context::full(&runtime).map_err(|_| ScriptError::Memory)?;
        let answer = context.with(|ctx| {
            let answer = self.answer(&ctx, &visible(url), host, &world).catch(&ctx);
            answer.map_err(|caught| error(&world, &caught))
        })?;
        Ok(routes(&answer.ok_or(ScriptError::NoFunction)?)?)
    }

    /// What the function says; none if there is none.
    fn answer(&self, ctx: &Ctx<'_>, url: &str, host: &str, world: &Rc<World>) -> rquickjs::Result<Option<String>> {
        functions::define(ctx, world)?;
        let mut options = EvalOptions::default();
        // Scripts assign to variables that they never declared.
        options.strict = false;
        ctx.eval_with_options::<(), _>(self.text.as_str(), options)?;
        let function = |name| ctx.globals().get::<_, Value<'_>>(name).ok().and_then(Value::into_function);
        let found: Option<Function<'_>> = function("FindProxyForURL").or_else(|| function("FindProxyForURLEx"));
        let Some(found) = found else { return Ok(None) };
        let said: Value<'_> = found.call((url, host))?;
        if said.is_null() || said.is_undefined() {
            return Ok(Some(String::new()));
        }
        said.get::<Coerced<String>>().map(|said| Some(said.0))
    }
}

/// A URL as a script may see it.
fn visible(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{scheme}://{}/", authority.rsplit('@').next().unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

/// A runtime that ends what goes too far.
fn bounded(world: &Rc<World>) -> rquickjs::Result<Runtime> {
    let runtime = Runtime::new()?;
    runtime.set_memory_limit(MOST_MEMORY);
    runtime.set_max_stack_size(MOST_STACK);
    let world = Rc::clone(world);
    runtime.set_interrupt_handler(Some(Box::new(move || world.overdue())));
    Ok(runtime)
}

fn error(world: &World, caught: &CaughtError<'_>) -> ScriptError {
    let text = described(caught);
    if world.overdue() {
        ScriptError::Endless
    } else if world.exhausted() {
        ScriptError::Lookups
    } else if text.contains("out of memory") || without_memory(caught) {
        ScriptError::Memory
    } else {
        ScriptError::Fails(printable(&text, 160))
    }
}

/// Where no memory is left for an exception, the engine throws `null` in its place.
fn without_memory(caught: &CaughtError<'_>) -> bool {
    match caught {
        CaughtError::Value(value) => value.is_null(),
        CaughtError::Error(error) => matches!(error, rquickjs::Error::Allocation),
        CaughtError::Exception(_) => false,
    }
}

fn described(caught: &CaughtError<'_>) -> String {
    match caught {
        CaughtError::Exception(exception) => exception.message().unwrap_or_default(),
        CaughtError::Value(value) => value.get::<Coerced<String>>().map(|text| text.0).unwrap_or_default(),
        CaughtError::Error(error) => error.to_string(),
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({} bytes)", self.text.len())
    }
}
