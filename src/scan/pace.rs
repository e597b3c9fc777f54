//! How fast probes leave: a fixed spacing that halves when controls fail and recovers step by step.

use std::time::Duration;

/// The limits of a profile or of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Connection attempts a second; infinite: as fast as they are made (lab and loopback only).
    pub per_second: f64,
    /// Connection attempts under way at the most.
    pub in_flight: usize,
}

impl Pace {
    /// Below the port-scan thresholds of every common intrusion detection default (10 failed first contacts a second).
    pub const QUIET: Self = Self { per_second: 9.0, in_flight: 100 };
    /// A twentieth of the strictest SYN-flood default that a vendor documents (10,000 a second), and a fifth of a
    /// FortiGate's `tcp_port_scan` default (1,000 a second).
    pub const NORMAL: Self = Self { per_second: 200.0, in_flight: 1000 };
    /// As fast as a FortiGate's `tcp_syn_flood` default allows; only when asked.
    pub const FAST: Self = Self { per_second: 2000.0, in_flight: 1000 };
    /// As fast as connections are made: inside the lab alone.
    pub const UNLIMITED: Self = Self { per_second: f64::INFINITY, in_flight: 1000 };
}

/// Spaces launches evenly; halves the rate on trouble and adds a twentieth of the limit back on each quiet window.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    limit: f64,
    rate: f64,
    next: Duration,
}

/// Never slower than this: one probe in half a second still ends in finite time.
const SLOWEST: f64 = 2.0;

impl Pacer {
    pub(crate) fn new(per_second: f64) -> Self {
        Self { limit: per_second, rate: per_second, next: Duration::ZERO }
    }

    /// Whether a launch may leave now.
    pub(crate) fn ready(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// When the next launch may leave.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// Notes a launch. A late caller catches up by at most a tenth of a second, so that no burst follows a pause.
    pub(crate) fn launched(&mut self, now: Duration) {
        let earliest = now.saturating_sub(Duration::from_millis(100).min(self.gap() * 4));
        self.next = self.next.max(earliest) + self.gap();
    }

    pub(crate) fn halve(&mut self) {
        // An unpaced run has no rate to halve: it starts from what the fast profile allows.
        let rate = if self.rate.is_finite() { self.rate } else { Pace::FAST.per_second };
        self.rate = (rate / 2.0).max(SLOWEST.min(self.limit));
    }

    pub(crate) fn recover(&mut self) {
        let step = if self.limit.is_finite() { self.limit / 20.0 } else { Pace::FAST.per_second / 20.0 };
        self.rate = (self.rate + step).min(self.limit);
    }

    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    fn gap(&self) -> Duration {
        if self.rate.is_finite() { Duration::from_secs_f64(1.0 / self.rate) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_as_many_launches_as_the_rate() {
        let mut pacer = Pacer::new(200.0);
        let launches = (0..1000).filter(|ms| {
            let now = Duration::from_millis(*ms);
            let ready = pacer.ready(now);
            if ready {
                pacer.launched(now);
            }
            ready
        });
        assert!((199..=201).contains(&launches.count()));
    }

    #[test]
    fn a_pause_is_not_made_up_for_by_a_burst() {
        let mut pacer = Pacer::new(200.0);
        let now = Duration::from_secs(10);
        let mut burst = 0;
        while pacer.ready(now) {
            pacer.launched(now);
            burst += 1;
        }
        assert!(burst <= 6, "{burst}");
    }

    #[test]
    fn trouble_halves_and_quiet_recovers() {
        let mut pacer = Pacer::new(2000.0);
        pacer.halve();
        pacer.halve();
        assert!((pacer.rate() - 500.0).abs() < 1e-9);
        (0..100).for_each(|_| pacer.recover());
        assert!((pacer.rate() - 2000.0).abs() < 1e-9);
        (0..100).for_each(|_| pacer.halve());
        assert!((pacer.rate() - SLOWEST).abs() < 1e-9);
    }
}
