//! Runs cases that make namespaces: each in a process of its own, because a namespace is entered once and for good.
//!
//! The arguments are those of `cargo test`: part of a name. The last line is `N passed, N failed`.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

/// A case: its name and what it does. What it returns is printed behind the name.
pub struct Case {
    /// One that ends in [`AS_NOBODY`] runs without privilege.
    pub name: String,
    /// Panics when the case fails.
    pub run: Box<dyn Fn() -> String + Sync>,
}

/// What came of a case.
#[allow(dead_code)] // not every suite looks into it
pub struct Outcome {
    /// The case's.
    pub name: String,
    /// Whether it did.
    pub passed: bool,
    /// What it wrote to standard output.
    pub said: String,
}

/// Cases and how they are run.
pub struct Suite {
    /// In the order they start.
    pub cases: Vec<Case>,
    /// The command that a case's process is started with; none starts it directly.
    pub launcher: &'static [&'static str],
    /// The program under test; a case asks for it with [`program`].
    pub program: Option<&'static str>,
    /// How many run at a time.
    pub at_once: usize,
}

/// Root of nothing but an empty network, whoever runs this.
#[allow(dead_code)] // not every suite needs one
pub const EMPTY_NETWORK: &[&str] = &["unshare", "--user", "--map-root-user", "--net", "--mount", "--"];

/// The same, where what a case starts ends with it.
#[allow(dead_code)] // not every suite needs one
pub const EMPTY_HOST: &[&str] = &[
    "unshare",
    "--user",
    "--map-root-user",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
];

/// The end of the name of a case that must not run as root.
const AS_NOBODY: &str = "as_nobody";

/// The user of least privilege, `nobody` on most systems.
const NOBODY: u32 = 65_534;

/// Tells a case's process where the program under test is.
const PROGRAM: &str = "PROGRAM_UNDER_TEST";

impl Suite {
    /// The whole of `main`.
    pub fn main(&self) -> ExitCode {
        let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--nocapture").collect();
        match arguments.first().map(String::as_str) {
            Some("--case") => self.run_one(&arguments[1]),
            part => self.run_all(part.unwrap_or_default()),
        }
    }

    /// In the child: panics fail the case.
    fn run_one(&self, name: &str) -> ExitCode {
        let case = self.cases.iter().find(|case| case.name == name).expect("the parent knows the names");
        println!("{}", (case.run)());
        ExitCode::SUCCESS
    }

    fn run_all(&self, part: &str) -> ExitCode {
        let chosen: Vec<&Case> = self.cases.iter().filter(|case| case.name.contains(part)).collect();
        let outcomes = self.outcomes(&chosen);
        let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
        println!("{} passed, {failed} failed", outcomes.len() - failed);
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Runs these, prints what came of each, and gives it in the order in which they ended.
    pub fn outcomes(&self, chosen: &[&Case]) -> Vec<Outcome> {
        let waiting = Mutex::new(chosen.iter());
        let ended = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(|| {
                    // The lock is held only while the next one is taken.
                    let next = || waiting.lock().expect("no thread panics").next();
                    while let Some(case) = next() {
                        let outcome = self.outcome(&case.name);
                        ended.lock().expect("no thread panics").push(outcome);
                    }
                });
            }
        });
        ended.into_inner().expect("no thread panics")
    }

    fn outcome(&self, name: &str) -> Outcome {
        let start = Instant::now();
        let output = self.child(name);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let passed = output.status.success();
        if passed {
            println!("ok      {name} ({} ms) {said}", start.elapsed().as_millis());
        } else {
            println!("FAILED  {name}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Outcome { name: name.to_owned(), passed, said }
    }

    fn child(&self, name: &str) -> Output {
        let test = env::current_exe().expect("the test's own path");
        if !name.ends_with(AS_NOBODY) || !nix::unistd::geteuid().is_root() {
            let mut command = self.command(&test, name);
            command.envs(self.program.map(|program| (PROGRAM, program)));
            return command.output().expect("the case starts");
        }
        // The build folder may be closed to others.
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("an open folder");
        let mut command = self.command(&copied(&test, &folder), name);
        command.envs(self.program.map(|program| (PROGRAM, copied(Path::new(program), &folder))));
        command.uid(NOBODY).gid(NOBODY).current_dir("/").output().expect("the case starts")
    }

    fn command(&self, test: &Path, name: &str) -> Command {
        let mut words = self.launcher.iter();
        let mut command = match words.next() {
            Some(launcher) => Command::new(launcher),
            None => Command::new(test),
        };
        command.args(words);
        if !self.launcher.is_empty() {
            command.arg(test);
        }
        command.args(["--case", name]);
        command
    }
}

/// In a case: the program under test.
#[allow(dead_code)] // not every suite has one
pub fn program() -> PathBuf {
    env::var_os(PROGRAM).expect("the suite names the program").into()
}

fn copied(program: &Path, folder: &TempDir) -> PathBuf {
    let copy = folder.path().join(program.file_name().expect("a program has a name"));
    fs::copy(program, &copy).expect("a copy of the program");
    copy
}
