//! How often something may be asked for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bucket of tokens that fills up again: so many at once, and then one in each `every`.
#[derive(Debug)]
pub(super) struct Limiter {
    most: u32,
    every: Duration,
    /// When the bucket is full again.
    full: Mutex<Option<Instant>>,
}

impl Limiter {
    pub(super) fn new(most: u32, every: Duration) -> Self {
        Self { most, every, full: Mutex::new(None) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for the next.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let next = full.filter(|full| *full > now).unwrap_or(now) + self.every;
        let longest = self.every * self.most;
        let ahead = next.saturating_duration_since(now);
        if ahead > longest {
            return Err(ahead.saturating_sub(longest));
        }
        *full = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_in_each_interval() {
        let limiter = Limiter::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(limiter.take(at(0)).is_ok() && limiter.take(at(0)).is_ok());
        assert_eq!(limiter.take(at(0)), Err(Duration::from_secs(10)));
        assert_eq!(limiter.take(at(7)), Err(Duration::from_secs(3)));
        assert!(limiter.take(at(10)).is_ok() && limiter.take(at(11)).is_err());
        assert!(limiter.take(at(100)).is_ok() && limiter.take(at(100)).is_ok() && limiter.take(at(100)).is_err());
    }
}
