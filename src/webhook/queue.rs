//! Events that wait for the receiver.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::{Event, told};
use crate::metrics::{Delivery, Live};

/// A bounded queue: when it is full the oldest gives way.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Event>>,
    new: Notify,
    pub(super) live: Arc<Live>,
}

/// Some hours of a bad day; each is a few kilobytes.
const MOST_WAITING: usize = 64;

impl Queue {
    pub(super) fn new(live: Arc<Live>) -> Self {
        Self { waiting: Mutex::default(), new: Notify::new(), live }
    }

    pub(super) fn push(&self, event: Event) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST_WAITING
            && let Some(oldest) = waiting.pop_front()
        {
            told(&self.live, Delivery::Dropped, &oldest.id, "the queue is full");
        }
        waiting.push_back(event);
        self.live.waiting(waiting.len());
        self.new.notify_one();
    }

    /// The oldest, as soon as there is one. It is the receiver's from here on.
    pub(super) async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.pop() {
                return event;
            }
            self.new.notified().await;
        }
    }

    /// Changes that came faster than they were taken.
    pub(super) fn missed(&self, changes: u64) {
        told(&self.live, Delivery::Dropped, "none", &format!("{changes} changes came too fast"));
    }

    fn pop(&self) -> Option<Event> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let event = waiting.pop_front();
        self.live.waiting(waiting.len());
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way() {
        let queue = Queue::new(Arc::new(Live::new()));
        let event = |number: usize| Event { id: number.to_string(), body: String::new() };
        (0..MOST_WAITING + 3).for_each(|number| queue.push(event(number)));
        let left: Vec<String> = std::iter::from_fn(|| queue.pop()).map(|event| event.id).collect();
        assert_eq!(left.len(), MOST_WAITING);
        assert_eq!((left[0].as_str(), left.last().unwrap().as_str()), ("3", "66"));
        let mut page = String::new();
        queue.live.append(&mut page, std::time::Instant::now());
        assert!(page.contains("egressd_webhook_events_total{outcome=\"dropped\"} 3"), "{page}");
    }
}
