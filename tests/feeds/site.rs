//! A site: a folder for its state, and the program that is run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use egressd::ranges::Patience;
use egressd::store::feeds::{Feeds, InForce};
use egressd::store::history::{HistoryReader, Query};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use crate::lists::Published;
use crate::runner;

/// A folder with a state and whatever a case puts beside it.
pub struct Site {
    folder: TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub said: String,
}

const PATIENCE: Patience = Patience { debounce: Duration::from_hours(4 * 24), grace: Duration::from_hours(30 * 24) };

impl Site {
    /// Nothing is kept yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// One with a list in force.
    pub fn with_list(list: &str) -> Self {
        let site = Self::new();
        let ran = site.update_from(list);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        site
    }

    /// A file or folder beside the state.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the state.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a file beside the state.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The program with these words and this site's state, and nothing of the user's own.
    pub fn command(&self, words: &[&str]) -> Command {
        self.through(&[], words)
    }

    /// The same, started by another program.
    pub fn through(&self, launcher: &[&str], words: &[&str]) -> Command {
        let program = runner::program();
        let all: Vec<&str> =
            launcher.iter().copied().chain([program.to_str().unwrap()]).chain(words.iter().copied()).collect();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).arg("--state").arg(self.state());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.folder.path());
        command.stdin(Stdio::null()).current_dir(self.folder.path());
        command
    }

    /// Runs it.
    pub fn run(&self, words: &[&str]) -> Ran {
        self.command(words).output().unwrap().into()
    }

    /// Looks for a newer list at these places.
    pub fn update(&self, places: &[&str]) -> Ran {
        let words: Vec<&str> = places.iter().flat_map(|place| ["--url", place]).collect();
        self.run(&[&["ranges", "update"], words.as_slice()].concat())
    }

    /// The same from a file with this text.
    pub fn update_from(&self, list: &str) -> Ran {
        let file = self.file("mirror.json", list);
        self.update(&[file.to_str().unwrap()])
    }

    /// The list that it goes by.
    pub fn in_force(&self) -> InForce {
        self.feeds().in_force(PATIENCE, Timestamp::now())
    }

    /// Its serial, and that nothing is damaged.
    pub fn serial(&self) -> i64 {
        let in_force = self.in_force();
        assert!(in_force.troubles.is_empty(), "{:?}", in_force.troubles);
        in_force.feed.serial.expect("a list is kept").parse().unwrap()
    }

    /// What a firewall would get.
    pub fn exported(&self) -> String {
        let ran = self.run(&["export", "plain"]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        ran.out
    }

    /// The lists that are kept.
    pub fn feeds(&self) -> Feeds {
        Feeds::at(self.state().join("feeds"))
    }

    /// The prefixes that the history says were added.
    pub fn added(&self) -> Vec<String> {
        let file = self.state().join("history.sqlite");
        if !file.exists() {
            return Vec::new();
        }
        let page = HistoryReader::open(&file).unwrap().feed_changes(&Query::default()).unwrap();
        page.entries.iter().map(|kept| kept.entry.prefix.to_string()).collect()
    }

    /// Makes the state that of another site.
    pub fn copy_state(&self, from: &Self) {
        let _ = fs::remove_dir_all(self.state());
        copy(&from.state(), &self.state());
    }
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), out: text(&output.stdout), said: text(&output.stderr) }
    }
}

/// Two lists, of which the second has one range more.
pub fn older_and_newer() -> (String, String) {
    (Published::default().on(0), Published::with(&["3.172.0.0/18"]).on(1))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
