//! Media against the real programs: types against libmagic, codecs against `ffprobe`, repairs with the program that each
//! names, and the table of sentences.
#![allow(clippy::print_stdout)] // figures for the README: `--nocapture`
#![allow(clippy::unwrap_used)] // a test that cannot go on panics

mod corpus;
mod generated;
mod oracle;
mod repairs;
mod second;
mod sentences;

use std::path::Path;
use std::sync::OnceLock;

use corpus::Sample;
use tempfile::TempDir;

/// Made once for all tests.
fn samples() -> &'static (TempDir, Vec<Sample>) {
    static MADE: OnceLock<(TempDir, Vec<Sample>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let samples = corpus::make(folder.path()).unwrap_or_else(|failed| panic!("could not be made:\n{failed}"));
        (folder, samples)
    })
}

/// The same of the second corpus.
fn others() -> &'static (TempDir, Vec<Sample>) {
    static MADE: OnceLock<(TempDir, Vec<Sample>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let samples = second::make(folder.path()).unwrap_or_else(|failed| panic!("could not be made:\n{failed}"));
        (folder, samples)
    })
}

fn inspected(path: &Path) -> egressd::media::inspect::Inspection {
    egressd::media::inspect::inspect(std::fs::File::open(path).unwrap()).unwrap()
}
