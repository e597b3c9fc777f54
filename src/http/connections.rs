//! The open connections: bounded, and the one that has been idle the longest gives way to a new one.
//!
//! So ten thousand clients that say nothing keep nobody out: whoever asks something is served before it can be their turn to
//! give way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics::{Live, Refused};

/// All of them.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    live: Arc<Live>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    turn: u64,
    /// Those without a request under way, the longest idle first.
    idle: BTreeMap<u64, Arc<Notify>>,
}

/// The place of one connection, until dropped.
#[derive(Debug)]
pub(super) struct Slot {
    connections: Arc<Connections>,
    turn: Mutex<Option<u64>>,
    evicted: Arc<Notify>,
}

impl Connections {
    pub(super) fn new(most: usize, live: Arc<Live>) -> Arc<Self> {
        Arc::new(Self { most, live, open: Mutex::default() })
    }

    /// A place for a new connection; none where all are busy.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Arc<Slot>> {
        let mut open = self.lock();
        if open.count >= self.most {
            let Some((_, longest)) = open.idle.pop_first() else {
                self.live.refused(Refused::Busy);
                return None;
            };
            longest.notify_one();
            open.count -= 1;
            self.live.refused(Refused::Idle);
        }
        open.count += 1;
        let evicted = Arc::new(Notify::new());
        let turn = open.rest(Arc::clone(&evicted));
        self.live.connections(open.count);
        drop(open);
        Some(Arc::new(Slot { connections: Arc::clone(self), turn: Mutex::new(Some(turn)), evicted }))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn rest(&mut self, evicted: Arc<Notify>) -> u64 {
        self.turn += 1;
        self.idle.insert(self.turn, evicted);
        self.turn
    }
}

impl Slot {
    /// A request came: the place is not given away.
    pub(super) fn work(&self) {
        let mut turn = self.turn();
        let mut open = self.connections.lock();
        // One that was evicted in this moment stays so.
        if turn.is_some_and(|own| open.idle.remove(&own).is_some()) {
            *turn = None;
        }
    }

    /// The request was answered.
    pub(super) fn rest(&self) {
        let mut turn = self.turn();
        if turn.is_none() {
            *turn = Some(self.connections.lock().rest(Arc::clone(&self.evicted)));
        }
    }

    /// Waits until the place is given away.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    fn turn(&self) -> MutexGuard<'_, Option<u64>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let own = *self.turn();
        let mut open = self.connections.lock();
        // One that was evicted has given up its place already.
        if own.is_none_or(|own| open.idle.remove(&own).is_some()) {
            open.count -= 1;
        }
        self.connections.live.connections(open.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_evicted(slot: &Slot) -> bool {
        use std::task::{Context, Poll, Waker};
        let mut waiting = std::pin::pin!(slot.evicted());
        waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn the_longest_idle_gives_way() {
        let connections = Connections::new(2, Arc::new(Live::new()));
        let (first, second) = (connections.admit().unwrap(), connections.admit().unwrap());
        first.work();
        first.rest();
        let third = connections.admit().unwrap();
        assert!(is_evicted(&second), "the first has rested for a shorter time");
        assert!(!is_evicted(&first) && !is_evicted(&third));
    }

    #[test]
    fn busy_ones_keep_their_place() {
        let connections = Connections::new(2, Arc::new(Live::new()));
        let (first, second) = (connections.admit().unwrap(), connections.admit().unwrap());
        first.work();
        second.work();
        assert!(connections.admit().is_none());
        drop(second);
        let third = connections.admit().unwrap();
        assert!(connections.admit().is_some() && is_evicted(&third) && !is_evicted(&first));
    }

    #[test]
    fn places_come_back_whatever_happened_to_them() {
        let connections = Connections::new(8, Arc::new(Live::new()));
        for round in 0..1000 {
            let slots: Vec<_> = (0..20).filter_map(|_| connections.admit()).collect();
            slots.iter().skip(round % 7).for_each(|slot| slot.work());
            slots.iter().skip(round % 5).for_each(|slot| slot.rest());
        }
        let open = connections.lock();
        assert_eq!((open.count, open.idle.len()), (0, 0));
    }
}
