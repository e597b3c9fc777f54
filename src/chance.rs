//! Chance for tests that damage what is read.

/// A stream of numbers that is the same each time (xorshift64*).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// The next one, under `below`.
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % below.max(1)
    }
}
