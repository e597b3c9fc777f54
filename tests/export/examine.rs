//! The readers and validators, which are in Python: no code of the exporter's can hide a fault in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use egressd::export::RuleFormat;
use egressd::prefix::{Prefix, PrefixSet};
use serde::de::DeserializeOwned;

/// The programs of the virtual environment that `tests/run` makes.
fn validators() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin")
}

/// The addresses that a device allows after each change, when it began with the whole list.
pub fn changed(format: RuleFormat, files: &[PathBuf]) -> Vec<PrefixSet> {
    let read: Vec<Vec<Prefix>> = examined(&["--changes", format.name()], files);
    read.into_iter().map(|prefixes| prefixes.into_iter().collect()).collect()
}

/// Validates files of the format, and gives the addresses that each of them allows.
pub fn read(format: RuleFormat, files: &[PathBuf]) -> BTreeMap<PathBuf, PrefixSet> {
    let read: BTreeMap<PathBuf, Vec<Prefix>> = examined(&[format.name()], files);
    read.into_iter().map(|(file, prefixes)| (file, prefixes.into_iter().collect())).collect()
}

fn examined<T: DeserializeOwned>(words: &[&str], files: &[PathBuf]) -> T {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/examine.py");
    let mut command = Command::new(validators().join("python"));
    command.env("VALIDATORS", validators()).arg(script).args(words).args(files);
    let output = command.output().expect("tests/run installs the validators");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Writes a file for the readers.
pub fn saved(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("a file");
    file
}
