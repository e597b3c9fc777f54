//! What the audit makes of configurations of devices and clouds: written by hand with every construct, written by our
//! exporters, and cut off anywhere.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

mod aerleon;
mod fwshift;
mod golden;
mod policies;
mod round_trip;
mod truncation;
mod world;
