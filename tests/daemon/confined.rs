//! Under what its unit asks for, as far as can be had without systemd; and what systemd says of the units.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::case;
use crate::cases::{RANGE, SEEN, Site};
use crate::runner::Case;
use crate::watched::Home;

/// Where the units are.
const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/systemd");
/// The most that systemd may find exposed, of ten.
const MOST_EXPOSED: f64 = 1.5;

/// Beside them stand what the package makes users of and its scripts.
const UNIT_KINDS: [&str; 3] = ["service", "socket", "timer"];

pub fn all() -> Vec<Case> {
    vec![
        case("it_works_under_what_its_unit_asks_for", confined),
        case("systemd_finds_nothing_wrong_with_the_units", verified),
        case("the_units_expose_little", exposed),
    ]
}

fn confined() -> String {
    let (site, home) = (Site::build(), Home::new());
    fs::create_dir(&home.state).expect("a folder");
    // What is mounted under /tmp would hide the daemon's own folder.
    let unit = format!("{UNITS}/egressd.service");
    let script = home.path("confine.py");
    fs::write(&script, include_str!("confine.py")).expect("a file");
    let [script, state] = [&script, &home.state].map(|path| path.to_str().expect("a path in UTF-8"));
    // Only what has a folder of its own may be written; the socket stands in that of the state.
    let text = fs::read_to_string(home.path("egressd.toml")).expect("a configuration");
    let socket = home.path("socket");
    let inside = home.state.join("socket");
    fs::write(home.path("egressd.toml"), text.replace(&*socket.to_string_lossy(), &inside.to_string_lossy()))
        .expect("a configuration");
    std::os::unix::fs::symlink(&inside, &socket).expect("a link");
    let program = ["unshare", "--mount", "python3", script, &unit, state];
    let daemon = home.start_linked(&program);
    daemon.ready();
    site.network.filter(&[format!("ip daddr {RANGE} drop")]);
    daemon.says(RANGE, "blocked", SEEN);
    assert!(home.state.join("history.sqlite").exists() && !home.log().contains("not kept"), "{}", home.log());
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}: {}", home.log());
    home.log().lines().next().unwrap_or_default().to_owned()
}

/// With a program in the place where a package has it.
fn verified() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let units: Vec<String> = unit_files();
    for unit in &units {
        let text = fs::read_to_string(format!("{UNITS}/{unit}")).expect("a unit");
        // The manual page is in the package, which is not installed here.
        let text = text.replace("/usr/bin/egressd", "/bin/true").replace("Documentation=man:egressd(1)\n", "");
        fs::write(folder.path().join(unit), text).expect("a file");
    }
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=no"]);
    let output = command.args(units.iter().map(|unit| folder.path().join(unit))).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    format!("{} units", units.len())
}

fn unit_files() -> Vec<String> {
    let names = fs::read_dir(UNITS).expect("a folder").flatten().map(|file| file.file_name());
    let units = names.filter_map(|name| name.into_string().ok());
    let suffix = |name: &String| Path::new(name).extension().and_then(|suffix| suffix.to_str().map(str::to_owned));
    units.filter(|name| suffix(name).is_some_and(|suffix| UNIT_KINDS.contains(&suffix.as_str()))).collect()
}

fn exposed() -> String {
    let mut said = Vec::new();
    for unit in unit_files().into_iter().filter(|unit| unit.ends_with(".service")) {
        let mut command = Command::new("systemd-analyze");
        let output = command.args(["security", "--offline=true", "--no-pager", &format!("{UNITS}/{unit}")]).output();
        let text = String::from_utf8_lossy(&output.expect("it starts").stdout).into_owned();
        let line = text.lines().find(|line| line.contains("Overall exposure level")).expect("a figure").to_owned();
        let figure = line.split_whitespace().find_map(|word| word.parse::<f64>().ok()).expect("a figure");
        assert!(figure <= MOST_EXPOSED, "{line}");
        said.push(format!("{unit} {figure}"));
    }
    said.sort();
    said.join(", ")
}
