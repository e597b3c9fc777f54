//! Choices that are the same for the same seed.

/// `SplitMix64`, of Java's `SplittableRandom`.
pub struct Chance(u64);

impl Chance {
    /// The choices of this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`; the bias of the remainder is of no consequence for a few dozen.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("an address has 64 bits");
        usize::try_from(self.next() % end).expect("below a usize")
    }

    /// So many different items, in any order.
    pub fn some<T>(&mut self, mut items: Vec<T>, count: usize) -> Vec<T> {
        (0..count).map(|_| items.swap_remove(self.below(items.len()))).collect()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
