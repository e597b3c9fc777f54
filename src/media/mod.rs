//! Whether a file can be sent on a channel: what the channel takes, what the file is, and what follows.
//!
//! 1. [`rules`] reads `data/channels.toml`: every rule of the platform's pages, with its source, and what public documents
//!    say otherwise.
//! 2. [`inspect`] says what a file is, from its content alone, within bounds, without decoding or unpacking anything.
//! 3. [`check`] puts the two together: a verdict for each channel, with every reason that fired and the exact repair.
//! 4. [`report`] writes it for people and for programs.
//!
//! And whether media really are sent: [`generate`] makes them, of each kind and of any size, [`ladder`]
//! searches for the largest that passes, and [`send`] derives from what was seen what breaks the others.

pub mod check;
pub mod generate;
pub mod inspect;
pub mod ladder;
pub mod report;
pub mod rules;
pub mod send;
pub mod shell;
