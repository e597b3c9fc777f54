//! The scan engine: a state machine that decides what is probed next and knows when it has seen enough.
//!
//! It holds no socket and reads no clock. A shell asks [`Scan::poll_action`] what to do, does it, and returns what came
//! of it through [`Scan::handle`]; [`Scan::poll_timeout`] says when to ask again. In the same way a simulator runs it
//! through thousands of networks in virtual time.

mod cells;
mod count;
mod division;
mod engine;
mod hops;
mod judge;
mod learn;
mod machine;
mod model;
mod pace;
mod pulse;
mod record;
mod rtt;
mod sampler;
mod suspects;
mod timers;
mod trace;
mod tree;
mod walk;
mod wave;

#[cfg(test)]
mod tests;

pub use engine::{Action, Attempt, Event, Evidence, Progress, Scan};
pub use judge::{CellJudgement, CellState, RangeJudgement, judge};
pub use machine::Machine;
pub use model::{Beta, Counts, LEAST_SHARE, Model, Seen};
pub use pace::Pace;
pub use pulse::{Beat, Pulse, PulseCounts, PulseSeen};
pub use record::Recorder;
pub use sampler::Sampler;
pub use timers::ProbeId;
pub use trace::{Path, PathEnd, paths};
pub use tree::RangeTree;
pub use walk::Walks;
pub use wave::ControlTotals;
