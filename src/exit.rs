//! The process status that scripts rely on.

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Everything asked for is reachable.
    Reachable = 0,
    /// Something is not.
    NotReachable = 1,
    /// Wrong usage or configuration, or the tool could not work.
    Unusable = 2,
    /// The evidence does not suffice.
    Inconclusive = 3,
}
