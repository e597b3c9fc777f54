//! A host: a network namespace that threads of this process enter.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use nix::sched::{CloneFlags, setns, unshare};

use super::error::LabError;
use super::namespace::{errno_of, forbidden};

/// One host of the lab. It lives as long as something holds its namespace: this value, or a thread or socket in it.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    namespace: OwnedFd,
}

/// A kernel setting below `/proc/sys/net`, and its value.
pub(super) type Setting = (&'static str, &'static str);

impl Host {
    /// Makes a host without links, with these kernel settings.
    pub(super) fn new(name: &'static str, settings: &[&[Setting]]) -> Result<Self, LabError> {
        let namespace = in_thread(name, || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open("/proc/thread-self/ns/net")
        })?;
        let namespace = namespace.map_err(|error| forbidden(errno_of(&error)))?;
        let host = Self { name, namespace: namespace.into() };
        host.run(|| settings.iter().copied().flatten().try_for_each(|&(path, value)| host.set(path, value)))??;
        Ok(host)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs `work` on the host, in a thread of its own, and waits for it.
    ///
    /// Sockets that `work` opens and programs that it starts belong to the host, and stay there when they are handed out.
    ///
    /// # Panics
    /// When `work` does.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        in_thread(self.name, || self.enter().map(|()| work()))?
    }

    /// Starts `work` on the host in a thread that may outlive this value.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, LabError> {
        let thread = thread::Builder::new().name(format!("lab-{}", self.name));
        // A thread starts in the network namespace of the one that starts it.
        self.run(|| thread.spawn(work))?.map_err(self.failed("start a thread"))
    }

    pub(super) fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    fn enter(&self) -> Result<(), LabError> {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).map_err(|errno| self.failed("enter")(errno.into()))
    }

    /// Writes a setting; one that this kernel does not have is passed over, as its lack never changes what the lab shows.
    fn set(&self, path: &str, value: &'static str) -> Result<(), LabError> {
        let path = format!("/proc/sys/net/{path}");
        match fs::write(&path, value) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(LabError::Setting { host: self.name, path, value, source })
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, operation: &'static str) -> impl FnOnce(io::Error) -> LabError {
        let host = self.name;
        move |source| LabError::Host { host, operation, source }
    }
}

fn in_thread<T: Send>(host: &'static str, work: impl FnOnce() -> T + Send) -> Result<T, LabError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(format!("lab-{host}")).spawn_scoped(scope, work);
        let thread = thread.map_err(|source| LabError::Host { host, operation: "start a thread", source })?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
