//! The rules for the device that the admin has: one list of what is to be allowed, written in many syntaxes.
//!
//! Three things are kept apart: *which entries* ([`Selection`], [`Missing`], [`Previous`]), *whether they fit* the device
//! ([`Request`], [`Overflow`]) and *how they are written* ([`RuleFormat`]). The entries that reach a format are canonical:
//! in order, disjoint, IPv4 first; the names and comments are harmless in every syntax. A format turns them into text
//! piece by piece, reads no clock and no terminal, and so always gives the same bytes for the same list.
//!
//! # Adding a format
//!
//! 1. A file `format/NAME.rs` with `pub(super) const EXPORTER: Exporter`: the name, what the device is called, its
//!    [`Capability`] with the source of the limit, and `write`. A format that takes a [`Task::Change`] says `change: true`
//!    and looks at [`Rules::change`] first. Objects come from [`Rules::groups`], names from [`Naming`].
//! 2. A line in the table of `format/mod.rs`, which flags, help and tests read.
//! 3. What reads the file back: the vendor's program where there is one, and always something that gives the addresses,
//!    which must be those of the input for every fixture. It is in `tests/export`, or for network devices in
//!    `tests/devices`.
//! 4. The line of the README's table; a test compares it with the capability.

mod capability;
mod error;
mod fitting;
mod format;
mod missing;
mod previous;
mod request;
mod rules;
mod select;
mod summary;
mod text;

pub use capability::{Capability, Comments, Limit};
pub use error::ExportError;
pub use format::RuleFormat;
pub use missing::{Missing, MissingError};
pub use previous::{MOST_BYTES, Previous, PreviousError};
pub use request::{Intent, Overflow, Request};
pub use rules::{Block, Entry, Families, Group, Rules, Task};
pub use select::{Selected, Selection};
pub use summary::Summary;
pub use text::{Naming, clean, is_object_name};

#[cfg(test)]
mod tests;
