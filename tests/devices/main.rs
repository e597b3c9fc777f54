//! What network devices make of the exported rules, by readers that share no code with the exporters: models of the
//! devices that take the commands one by one, refuse what they do not know, and say what they then allow.
//!
//! A model holds to the grammar in the vendor's documents, but it is ours; `fwshift`, where it knows the syntax, is a
//! reader by somebody else. `tests/run` installs it.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

mod cases;
mod fixtures;
mod fwshift;
mod model;
mod read;
mod shell;
