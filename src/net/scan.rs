//! Runs an engine with real sockets: one thread, one `epoll`.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::connect::Connection;
use super::interrupt::Interrupt;
use super::tls::{Handshake, Trust};
use crate::observe::{Answer, Failure, Outcome};
use crate::scan::{Action, Attempt, Event, Machine, ProbeId, Progress};

/// How a run went.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// How long it took.
    pub took: Duration,
    /// The longest time for which this process was not given the processor when it was due.
    pub starved: Duration,
}

/// Runs an engine to its end, or until it is interrupted.
///
/// # Errors
/// When the kernel refuses to wait for sockets at all.
pub fn run(
    machine: &mut dyn Machine,
    trust: Option<&Trust>,
    interrupt: &Interrupt,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Ran> {
    Shell::new(machine, trust, interrupt)?.run(progress)
}

/// Actions that are performed before sockets are looked at again: keeps measured times true when nothing is paced.
const AT_ONCE: usize = 64;
/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);
/// The number under which the interrupt is watched; no probe reaches it.
const INTERRUPT: u64 = u64::MAX;

struct Shell<'a> {
    machine: &'a mut dyn Machine,
    trust: Option<&'a Trust>,
    interrupt: &'a Interrupt,
    epoll: Epoll,
    open: HashMap<ProbeId, Open>,
    began: Instant,
}

/// What a probe is doing.
enum Open {
    Connecting { connection: Connection, tls: bool },
    Shaking(Box<Handshake>),
}

impl<'a> Shell<'a> {
    fn new(machine: &'a mut dyn Machine, trust: Option<&'a Trust>, interrupt: &'a Interrupt) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(interrupt, EpollEvent::new(EpollFlags::EPOLLIN, INTERRUPT))?;
        Ok(Self { machine, trust, interrupt, epoll, open: HashMap::new(), began: Instant::now() })
    }

    fn run(mut self, progress: &mut dyn FnMut(Progress)) -> io::Result<Ran> {
        let mut ready = vec![EpollEvent::empty(); 256];
        let (mut told, mut starved) = (Duration::ZERO, Duration::ZERO);
        loop {
            let more = self.act();
            let Some((wake, _reason)) = self.machine.poll_timeout() else { break };
            let wait = if more { Duration::ZERO } else { wake.saturating_sub(self.now()).min(TELL) };
            let due = self.now() + wait;
            let count = self.wait(&mut ready, wait)?;
            starved = starved.max(self.now().saturating_sub(due));
            for event in &ready[..count] {
                self.ready(event.data());
            }
            if self.now().saturating_sub(told) >= TELL {
                told = self.now();
                progress(self.machine.progress());
            }
        }
        progress(self.machine.progress());
        Ok(Ran { took: self.now(), starved })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Performs what the engine wants; whether it may want more at once.
    fn act(&mut self) -> bool {
        for _ in 0..AT_ONCE {
            let Some(action) = self.machine.poll_action(self.began.elapsed()) else { return false };
            match action {
                Action::Connect(attempt) => self.connect(attempt, false),
                Action::Handshake(attempt) => self.connect(attempt, true),
                Action::Abandon(id) => _ = self.open.remove(&id),
            }
        }
        true
    }

    fn connect(&mut self, attempt: Attempt, tls: bool) {
        let Attempt { id, target, ttl, source_port } = attempt;
        match Connection::begin(target, ttl, source_port) {
            Ok(connection) => self.watch(id, connection, tls),
            Err(failure) => self.report(id, Err(failure)),
        }
    }

    fn watch(&mut self, id: ProbeId, connection: Connection, tls: bool) {
        // Readiness to write ends the attempt, whichever way; edges suffice, as each is followed to its end.
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        match self.epoll.add(&connection, EpollEvent::new(flags, u64::from(id))) {
            Ok(()) => _ = self.open.insert(id, Open::Connecting { connection, tls }),
            Err(errno) => self.report(id, Err(Failure::LocalLimit(errno.desc().to_owned()))),
        }
    }

    fn wait(&self, ready: &mut [EpollEvent], wait: Duration) -> io::Result<usize> {
        // Rounded up: a wait that ends early would spin until the timer is due.
        let millis = u16::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        match self.epoll.wait(ready, EpollTimeout::from(millis)) {
            Err(nix::errno::Errno::EINTR) => Ok(0),
            other => Ok(other?),
        }
    }

    fn ready(&mut self, token: u64) {
        if token == INTERRUPT {
            if self.interrupt.came() {
                self.machine.stop();
            }
            return;
        }
        let id = ProbeId::try_from(token).expect("only probes are watched");
        match self.open.remove(&id) {
            Some(Open::Connecting { connection, tls }) => self.connected(id, connection, tls),
            Some(Open::Shaking(handshake)) => self.shake(id, handshake),
            None => {}
        }
    }

    fn connected(&mut self, id: ProbeId, connection: Connection, tls: bool) {
        match (connection.outcome(), self.trust.filter(|_| tls)) {
            (Ok(()), Some(trust)) => self.shake(id, Box::new(Handshake::begin(connection, trust))),
            (Ok(()), None) => self.report(id, Ok(Answer::Connected)),
            (Err(Some(failure)), _) => self.report(id, Err(failure)),
            // The kernel gave up; the engine has drawn its conclusion from the silence long before.
            (Err(None), _) => {}
        }
    }

    fn shake(&mut self, id: ProbeId, mut handshake: Box<Handshake>) {
        match handshake.advance() {
            Some(outcome) => self.report(id, outcome),
            None => _ = self.open.insert(id, Open::Shaking(handshake)),
        }
    }

    fn report(&mut self, id: ProbeId, outcome: Outcome) {
        let now = self.now();
        self.machine.handle(Event { id, outcome }, now);
    }
}
