//! Random choices that a number repeats.

/// `SplitMix64` (Steele, Lea, Flood 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// From 0 to one below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % sides
    }

    /// True in so many of a hundred throws.
    pub fn in_hundred(&mut self, times: u64) -> bool {
        self.roll(100) < times
    }

    pub fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[usize::try_from(self.roll(list.len() as u64)).unwrap()]
    }

    /// A prefix in the field's own space, small enough that rules cut the cells apart.
    pub fn prefix(&mut self, six: bool) -> String {
        let length = self.roll(5);
        let host = self.roll(32) >> (5 - length) << (5 - length);
        if six { format!("2600:9000::{host:x}/{}", 123 + length) } else { format!("13.32.0.{host}/{}", 27 + length) }
    }

    /// Two addresses in order.
    pub fn range(&mut self, six: bool) -> (String, String) {
        let (a, b) = (self.roll(32), self.roll(32));
        let name = |host: u64| if six { format!("2600:9000::{host:x}") } else { format!("13.32.0.{host}") };
        (name(a.min(b)), name(a.max(b)))
    }
}
