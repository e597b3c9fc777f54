//! Round trips seen so far, and the waits that follow from them.

use std::time::Duration;

/// The round trips of a run, in classes that double.
#[derive(Clone, Debug)]
pub(crate) struct RoundTrips {
    /// Where each class ends.
    ends: [Duration; CLASSES],
    classes: [u32; CLASSES],
    total: u32,
}

/// Each class is a quarter of a doubling, from a tenth of a millisecond to some ten seconds.
const CLASSES: usize = 68;
const SMALLEST: f64 = 1e-4;
/// When the kernel sends the SYN again.
pub(crate) const REPEAT: Duration = Duration::from_secs(1);

impl Default for RoundTrips {
    fn default() -> Self {
        Self { ends: std::array::from_fn(end), classes: [0; CLASSES], total: 0 }
    }
}

impl RoundTrips {
    /// Notes a round trip. One that ended behind the kernel's first repeat may belong to either SYN (Karn's rule):
    /// with them the 99.9th percentile was over a second at 1 % loss, and silence counted a second too late.
    pub(crate) fn add(&mut self, took: Duration) {
        if took >= REPEAT {
            return;
        }
        let class = self.ends.partition_point(|&end| end <= took);
        self.classes[class.min(CLASSES - 1)] += 1;
        self.total += 1;
    }

    pub(crate) fn seen(&self) -> bool {
        self.total > 0
    }

    /// The 99.9th percentile; zero while nothing was seen.
    pub(crate) fn slowest(&self) -> Duration {
        self.quantile(0.999)
    }

    /// How long an address may be silent before another is tried beside it.
    pub(crate) fn hedge(&self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(250);
        // Early round trips are the short ones: only many of them say that all are.
        if self.total < 50 {
            return LONGEST;
        }
        (self.quantile(0.99) * 2).clamp(Duration::from_millis(100), LONGEST)
    }

    fn quantile(&self, share: f64) -> Duration {
        let wanted = f64::from(self.total) * share;
        let mut below = 0.0;
        for (&end, &count) in self.ends.iter().zip(&self.classes) {
            below += f64::from(count);
            if count > 0 && below >= wanted {
                return end;
            }
        }
        Duration::ZERO
    }
}

fn end(class: usize) -> Duration {
    Duration::from_secs_f64(SMALLEST * 2_f64.powf((class + 1) as f64 / 4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_fifth() {
        let mut seen = RoundTrips::default();
        (1..=2000).for_each(|tick| seen.add(Duration::from_micros(500 * tick)));
        let slowest = seen.slowest().as_secs_f64();
        assert!((1.0..1.2).contains(&slowest), "{slowest}");
        assert_eq!(seen.hedge(), Duration::from_millis(250));
    }

    #[test]
    fn a_near_network_is_hedged_early_but_never_under_a_tenth_of_a_second() {
        let mut seen = RoundTrips::default();
        assert_eq!(seen.hedge(), Duration::from_millis(250));
        (0..100).for_each(|_| seen.add(Duration::from_micros(90)));
        assert_eq!(seen.hedge(), Duration::from_millis(100));
    }

    #[test]
    fn nothing_seen_is_zero() {
        assert_eq!(RoundTrips::default().slowest(), Duration::ZERO);
    }
}
