//! A progress bar on standard error, if that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::scan::Progress;

/// Shows how far a scan is.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("  {bar:40} {pos} of {len} parts settled, {msg}");
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0));
        Self(bar.map(|bar| bar.with_style(style.expect("the template is sound"))))
    }

    pub(super) fn tell(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_length(progress.cells as u64);
            bar.set_position(progress.settled as u64);
            bar.set_message(format!("{} connections", progress.sent));
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
