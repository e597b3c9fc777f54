//! The commands `audit` and `prove` as an admin runs them.

use crate::runner::Case;

pub fn cases() -> Vec<Case> {
    Vec::new()
}
