//! The API and the lists as programs of others use them.

use std::io::Write;
use std::process::Stdio;

use crate::hosts;
use crate::site::Site;

/// Schemathesis sends what the description allows and what it does not, and holds the answers against it.
pub fn described() -> String {
    let site = Site::start("");
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/target/service-python/bin/schemathesis");
    let said = site.succeed(
        program,
        &[
            "run",
            "http://127.0.0.1:9817/api/v1/openapi.json",
            "--checks=all",
            "--phases=examples,coverage,fuzzing",
            "--max-examples=40",
            "--seed=1",
            "--no-color",
        ],
    );
    let last = said.lines().rev().find(|line| line.contains("generated")).unwrap_or_default();
    last.trim().to_owned()
}

/// What a FortiGate's external feed and an EDL of PAN-OS do: a GET every few minutes, with the tag of the last answer.
pub fn fetched() -> String {
    let socket = "/run/egressd.sock";
    let site = Site::start(&format!("[http]\nlisten = [\"127.0.0.1:9817\", \"unix:{socket}\"]\n"));
    let list = site.get("/export/fortios-feed");
    assert_eq!(list.header("content-type"), "text/plain; charset=utf-8");
    assert!(list.text().lines().any(|line| line.starts_with("13.224.0.0/14")), "{}", list.text());
    let url = "http://127.0.0.1:9817/export/fortios-feed";
    let tag = format!("If-None-Match: {}", list.header("etag"));
    let again = site.curl(&["-H", &tag, url]).expect("an answer");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let packed = site.curl(&["-H", "Accept-Encoding: gzip", url]).expect("an answer");
    assert_eq!((packed.header("content-encoding"), packed.body.len() * 2 < list.body.len()), ("gzip", true));
    let unpacked = site.curl(&["--compressed", url]).expect("an answer");
    assert_eq!(unpacked.body, list.body);
    let same = site.curl(&["--unix-socket", socket, "http://anything/export/fortios-feed"]).expect("an answer");
    assert_eq!(same.body, list.body);
    let command_line = site.succeed(&crate::runner::program().to_string_lossy(), &["export", "fortios-feed"]);
    assert_eq!(command_line, list.text(), "the command line writes the same");
    for (arguments, status) in [
        (&["-H", "Host: attacker.example", url][..], 421),
        (&["-X", "POST", "-H", "Origin: http://attacker.example", "http://127.0.0.1:9817/api/v1/check"], 403),
        (&["-X", "POST", "http://127.0.0.1:9817/api/v1/check"], 202),
        (&["-X", "POST", "http://127.0.0.1:9817/api/v1/reload"], 200),
        (&["http://127.0.0.1:9817/api/v1/history?kind=checks&limit=2"], 200),
        (&["-I", url], 200),
    ] {
        let answer = site.curl(arguments).unwrap_or_else(|| panic!("{arguments:?}: {}", site.logs()));
        assert_eq!(answer.status, status, "{arguments:?}: {}", answer.text());
    }
    format!("{} bytes, {} packed", list.body.len(), packed.body.len())
}

/// `promtool check metrics` has nothing to say, and the rules do what their tests say.
pub fn linted() -> String {
    let site = Site::start("");
    let page = site.get("/metrics").body;
    let mut linter = hosts::on("client", "promtool");
    linter.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut linter = linter.spawn().expect("`ip` starts");
    linter.stdin.take().expect("a pipe").write_all(&page).expect("it reads");
    let output = linter.wait_with_output().expect("it was started here");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/data/prometheus");
    site.succeed("promtool", &["check", "rules", "--lint=all", "--lint-fatal", &format!("{rules}/alerts.yml")]);
    site.succeed("promtool", &["test", "rules", &format!("{rules}/alerts.test.yml")]);
    explained();
    let series = page.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#').count();
    format!("{series} series, {} bytes", page.len())
}

/// Each alert has a section in the runbook, and a link to it.
fn explained() {
    let (rules, runbook) =
        (include_str!("../../data/prometheus/alerts.yml"), include_str!("../../data/prometheus/runbook.md"));
    let names: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 8);
    for name in names {
        assert!(runbook.contains(&format!("\n## {name}\n")), "{name}");
        assert!(rules.contains(&format!("/runbook.md#{}\n", name.to_lowercase())), "{name}");
    }
}
