//! The daemon: checks again and again, remembers, and says what changed.
//!
//! One thread decides: it holds the schedule, what is known, and the newest [`Snapshot`]. Checks run on threads of their
//! own and hand back what they saw. Readers have a [`View`], and what they want done goes through [`Commands`].

mod audits;
mod command;
mod engine;
mod held;
mod log;
mod memory;
mod notify;
mod schedule;
mod services;
mod setup;
mod snapshot;
mod tell;
mod watch;
mod work;

pub use command::{Begun, Command, CommandError, Commands, channel};
pub use schedule::Schedule;
pub use services::ServiceError;
pub use setup::SetupError;
pub use snapshot::{Audited, Check, Current, FeedsInForce, Past, Pause, ProbeTotals, Publisher, Snapshot, View};
pub use watch::{Changed, Moment, Watch};

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::job::raise_descriptor_limit;
use crate::net::sys;
use crate::verdict::Transition;
use engine::Engine;
use services::Services;
use setup::Setup;

/// What a service beside the checks is given: HTTP, metrics, webhooks.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot.
    pub view: View,
    /// What may be asked.
    pub commands: Commands,
    /// Each change of a verdict, as it happens; whoever is slow misses the oldest.
    pub transitions: broadcast::Sender<Arc<Transition>>,
}

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// What is served.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The kernel refuses what a daemon needs.
    #[error("cannot start")]
    System(#[source] io::Error),
}

/// Runs the daemon until it is told to end.
///
/// # Errors
/// When it cannot start; afterwards nothing ends it but a signal.
pub fn run(file: &Path) -> Result<(), DaemonError> {
    log::begin();
    raise_descriptor_limit();
    let inherited = sys::take_over(sd_notify::listen_fds().map_err(DaemonError::System)?);
    let setup = Setup::read(file)?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(THREADS).build().map_err(DaemonError::System)?;
    let outcome = runtime.block_on(async {
        let (engine, handle) = Engine::new(file.to_owned(), setup)?;
        let services = Services::start(engine.setup(), inherited, handle)?;
        engine.run(services).await
    });
    // What did not end in time is left.
    runtime.shutdown_background();
    outcome
}

/// One for each kind of work, two for what is confirmed, and some for files and names.
const THREADS: usize = 12;
