//! The binary: parse, run, map the exit status.

fn main() {}
