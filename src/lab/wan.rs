//! The line between isp and edge: frames held back, reordered and lost in user space, as the kernel may have no netem.
//!
//! One thread moves frames between two links with packet sockets. They need no device file, unlike `/dev/net/tun`, which
//! belongs to root on many machines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{setsockopt, sockopt::RcvBufForce};
use nix::sys::time::TimeSpec;

use super::error::LabError;
use super::host::Host;
use super::link::index_of;
use super::sys::packet_socket;
use crate::scenario::Wan;

/// The links that the line connects, on the line's own host.
pub(super) const TOWARD_ISP: &str = "w0";
pub(super) const TOWARD_EDGE: &str = "w1";

/// A running line; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Line {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Starts moving frames between the two links of `host`.
    pub(super) fn start(host: &Host, wan: Wan, seed: u64) -> Result<Self, LabError> {
        let failed = |operation| {
            let host = host.name();
            move |source: io::Error| LabError::Host { host, operation, source }
        };
        let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(|errno| failed("make an event")(errno.into()))?;
        let stop = Arc::new(stop);
        let sockets = host.run(|| -> Result<[OwnedFd; 2], LabError> {
            Ok([open(host.name(), TOWARD_ISP)?, open(host.name(), TOWARD_EDGE)?])
        })??;
        let mut relay = Relay::new(Conditions::new(wan, seed), sockets);
        let stopped = Arc::clone(&stop);
        let thread = host.spawn(move || relay.run(&stopped))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
        // A panic of the relay has been printed by its own thread.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn open(host: &'static str, link: &str) -> Result<OwnedFd, LabError> {
    let index = index_of(host, link)?;
    let socket =
        packet_socket(index).map_err(|source| LabError::Host { host, operation: "open a packet socket", source })?;
    // The default holds about a hundred frames, fewer than a scan sends at once; the kernel counts whole pages.
    let _ = setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER_BYTES);
    Ok(socket)
}

const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

/// `struct virtio_net_hdr`, in front of every frame.
const VIRTIO_BYTES: usize = 10;

/// An Ethernet frame that the kernel has not cut to the link's size yet has up to 64 KiB.
const FRAME_BYTES: usize = VIRTIO_BYTES + 14 + (1 << 16);

/// What one direction holds back at most: 4 MiB cover 250 Mbit/s at the longest delay of the scenarios.
const HELD_BYTES: usize = 4 << 20;

/// Frames read from one socket before the other has its turn.
const BATCH: usize = 256;

/// Two directions and what happens to a frame in them.
struct Relay {
    conditions: Conditions,
    ways: [Way; 2],
    buffer: Vec<u8>,
}

/// One socket, and the frames that wait to leave through it.
struct Way {
    socket: OwnedFd,
    held: BinaryHeap<Reverse<Held>>,
    held_bytes: usize,
}

/// A frame and when it leaves; frames of the same moment leave in the order they came.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    due: Instant,
    number: u64,
    frame: Box<[u8]>,
}

impl Relay {
    fn new(conditions: Conditions, sockets: [OwnedFd; 2]) -> Self {
        let ways = sockets.map(|socket| Way { socket, held: BinaryHeap::new(), held_bytes: 0 });
        Self { conditions, ways, buffer: vec![0; FRAME_BYTES] }
    }

    fn run(&mut self, stop: &EventFd) {
        let mut number = 0;
        while !self.wait(stop) {
            for from in 0..2 {
                self.receive(from, &mut number);
            }
            let now = Instant::now();
            for way in &mut self.ways {
                way.send_due(now);
            }
        }
    }

    /// Sleeps until there is something to do; true when the line is to end.
    fn wait(&self, stop: &EventFd) -> bool {
        let next = self.ways.iter().filter_map(Way::next_due).min();
        let timeout = next.map(|due| TimeSpec::from(due.saturating_duration_since(Instant::now())));
        let [isp, edge] = self.ways.each_ref().map(|way| PollFd::new(way.socket.as_fd(), PollFlags::POLLIN));
        let mut fds = [isp, edge, PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, timeout, None) {
            Ok(_) => fds[2].any() == Some(true),
            Err(errno) => errno != Errno::EINTR,
        }
    }

    fn receive(&mut self, from: usize, number: &mut u64) {
        for _ in 0..BATCH {
            // Empty, or the link is down for now.
            let Ok(length) = nix::unistd::read(&self.ways[from].socket, &mut self.buffer) else { return };
            let frame = &self.buffer[..length];
            if let Some(delay) = self.conditions.delay(frame.get(VIRTIO_BYTES..).unwrap_or_default(), from == 0) {
                *number += 1;
                let due = Instant::now() + delay;
                self.ways[1 - from].hold(Held { due, number: *number, frame: frame.into() });
            }
        }
    }
}

impl Way {
    fn next_due(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse(first)| first.due)
    }

    /// Keeps a frame until it is due; when the queue is full, it is lost as in any router.
    fn hold(&mut self, held: Held) {
        if self.held_bytes + held.frame.len() <= HELD_BYTES {
            self.held_bytes += held.frame.len();
            self.held.push(Reverse(held));
        }
    }

    fn send_due(&mut self, now: Instant) {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse(held)) = self.held.pop() else { return };
            self.held_bytes -= held.frame.len();
            // A full or closed link loses the frame.
            let _ = nix::unistd::write(&self.socket, &held.frame);
        }
    }
}

/// Decides over each frame: a pure function of the line, the seed and the frames before.
struct Conditions {
    wan: Wan,
    state: u64,
}

impl Conditions {
    fn new(wan: Wan, seed: u64) -> Self {
        Self { wan, state: seed }
    }

    /// How long the Ethernet frame is held back; `None`: it is lost.
    ///
    /// What the two hosts tell each other about their link passes at once: a lost ARP answer would look like a second of
    /// silence.
    fn delay(&mut self, frame: &[u8], toward_edge: bool) -> Option<Duration> {
        let Some(destination) = destination(frame) else { return Some(Duration::ZERO) };
        if self.share() < self.wan.loss {
            return None;
        }
        let way = if toward_edge { self.wan } else { Wan { spread_ms: 0.0, ..self.wan } };
        Some(way.delay_to(destination) + Duration::from_secs_f64(self.wan.jitter_ms * self.share() / 1e3))
    }

    /// The next of a sequence of shares from 0 to 1: `SplitMix64` (Steele, Lea and Flood, 2014).
    fn share(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Where an Ethernet frame's packet goes; `None` for ARP, neighbour discovery and what is no IP.
fn destination(frame: &[u8]) -> Option<IpAddr> {
    let packet = frame.get(14..)?;
    match frame.get(12..14)? {
        [0x08, 0x00] => Some(IpAddr::from(*packet.get(16..20)?.first_chunk::<4>()?)),
        [0x86, 0xdd] if !is_neighbour_discovery(packet) => {
            Some(IpAddr::from(*packet.get(24..40)?.first_chunk::<16>()?))
        }
        _ => None,
    }
}

/// `ICMPv6` types 130 to 143: listeners, routers and neighbours of the link, not behind it.
fn is_neighbour_discovery(packet: &[u8]) -> bool {
    packet.get(6) == Some(&0)
        || (packet.get(6) == Some(&58) && packet.get(40).is_some_and(|kind| (130..=143).contains(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame_to(last: u8) -> Vec<u8> {
        let mut frame = vec![0; 14 + 20];
        frame[12] = 8;
        frame[30..34].copy_from_slice(&[13, 32, 0, last]);
        frame
    }

    #[test]
    fn loss_and_delay_are_as_asked_and_repeat_with_the_seed() {
        let wan = Wan { delay_ms: 60.0, jitter_ms: 4.0, loss: 0.02, spread_ms: 0.0 };
        let run = || {
            let mut conditions = Conditions::new(wan, 7);
            (0..20_000).map(|_| conditions.delay(&frame_to(1), true)).collect::<Vec<_>>()
        };
        let delays = run();
        let lost = delays.iter().filter(|delay| delay.is_none()).count();
        assert!((320..480).contains(&lost), "{lost} of 20,000 at 2 %");
        assert!(delays.iter().flatten().all(|delay| (60..64).contains(&delay.as_millis())));
        assert_eq!(delays, run());
    }

    #[test]
    fn only_the_way_to_the_edge_is_spread() {
        let wan = Wan { delay_ms: 10.0, spread_ms: 250.0, ..Wan::default() };
        let mut conditions = Conditions::new(wan, 1);
        assert_eq!(conditions.delay(&frame_to(1), true), Some(wan.delay_to([13, 32, 0, 1].into())));
        assert_eq!(conditions.delay(&frame_to(1), false), Some(Duration::from_millis(10)));
    }

    #[test]
    fn the_links_own_talk_is_neither_lost_nor_late() {
        let mut conditions = Conditions::new(Wan { loss: 1.0, delay_ms: 9.0, ..Wan::default() }, 1);
        let mut arp = frame_to(1);
        arp[13] = 6;
        let mut solicitation = vec![0; 14 + 48];
        (solicitation[12], solicitation[13], solicitation[20], solicitation[54]) = (0x86, 0xdd, 58, 135);
        for frame in [&arp[..], &solicitation, &[]] {
            assert_eq!(conditions.delay(frame, true), Some(Duration::ZERO));
        }
        solicitation[54] = 1;
        assert_eq!(conditions.delay(&solicitation, true), None);
    }
}
