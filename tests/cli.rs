//! The command line as scripts see it: exit statuses, what goes to which stream, and what is never printed.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::fs;
use std::io::{Write, pipe};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What was asked wrongly: the words, and a part of the complaint.
const WRONG_USAGE: &[(&str, &str)] = &[
    ("", "Usage"),
    ("frobnicate", "frobnicate"),
    ("--frobnicate", "--frobnicate"),
    ("ranges", "Usage"),
    ("ranges frobnicate", "frobnicate"),
    ("ranges list --list some", "some"),
    ("ranges list --family 5", "5"),
    ("ranges list --format yaml", "yaml"),
    ("ranges diff documented", "<B>"),
    ("ranges explain", "<ADDRESS|HOST>"),
    ("ranges aggregate", "<FILE>..."),
    ("ranges import", "<DIR>"),
    ("ranges accept now", "now"),
    ("ranges update --url ftp://a/", "must be https or http"),
    ("ranges update --url https://me:pw@a/", "must not hold a name"),
    ("ranges update --url @one --state off", "--state DIR"),
    ("check --profile ludicrous", "ludicrous"),
    ("check --depth icmp", "icmp"),
    ("check --family 5", "5"),
    ("check --list some", "some"),
    ("check --resolution 15", "15"),
    ("check --resolution 25", "25"),
    ("check --resolution fine", "fine"),
    ("check --rate -1", "-1"),
    ("check --rate 0", "0"),
    ("check --rate quickly", "quickly"),
    ("check --format yaml", "yaml"),
    ("check --ranges-only --endpoints-only", "--endpoints-only"),
    ("check --scenario open", "--scenario"),
    ("demo --scenario nowhere", "nowhere"),
    ("export", "<FORMAT>"),
    ("export frobnicate", "frobnicate"),
    ("export plain --role some", "some"),
    ("export plain --only missing", "--report"),
    ("export plain --report @one", "--only missing"),
    ("export plain --rollback", "--rollback"),
    ("export plain --max-extra 5", "--on-overflow cover"),
    ("export plain --on-overflow cover --max-extra much", "much"),
    ("export plain --max-entries 0", "0"),
    ("export plain --port 0", "0"),
    ("export plain --name 9;rm", "9;rm"),
    ("export plain --format json", "-o"),
    ("export plain --endpoint a_b!", "a_b!"),
    ("export plain --prefixes @list --feed @one", "--feed"),
    ("trace", "Usage"),
    ("trace 13.32.0.1:0", "0"),
    ("trace 13.32.0.1:65536", "65536"),
    ("media", "Usage"),
    ("media check", "<F>"),
    ("media check @one", "--channel"),
    ("media check @one --channel pager", "pager"),
    ("media check @one --channel line:twilio", "line:twilio"),
    ("media check @one --channel line --last-inbound soon", "soon"),
    ("media check @one --channel line --rules best", "best"),
    ("media which", "<F>"),
    ("media send", "--config"),
    ("media send --config @targets --kinds fax", "fax"),
    ("media send --config @targets --max-bytes 1", "131072"),
    ("media send --config @targets --target nobody", "nobody"),
    ("media send --config @no-name", "[[media.send]]"),
    ("config", "Usage"),
    ("config frobnicate", "frobnicate"),
    ("explain nothing_of_the_kind", "nothing_of_the_kind"),
    ("explain tls_intercept", "did you mean `tls_intercepted`"),
    ("explain reset --list", "--list"),
    ("explain reset --format yaml", "yaml"),
    ("completions", "<SHELL>"),
    ("completions dos", "dos"),
];

/// What cannot be done: the words (`@name` is a file of the folder), and a part of the complaint.
const TROUBLE: &[(&str, &str)] = &[
    ("ranges list --feed @none", "none"),
    ("ranges list --feed @folder", "folder"),
    ("ranges list --feed @junk", "junk"),
    ("ranges list --feed @cut", "cut"),
    ("ranges list --feed @empty", "empty"),
    ("ranges list --feed @one --feed @junk", "junk"),
    ("ranges diff @none documented", "none"),
    ("ranges diff documented @junk", "junk"),
    ("ranges explain 13.32.0.1 --feed @junk", "junk"),
    ("ranges aggregate @none", "none"),
    ("ranges aggregate @folder", "folder"),
    ("ranges aggregate @junk", "line 1"),
    ("ranges list -o @none/list", "none/list"),
    ("ranges list --config @unknown-key", "nobody_knows_this_key"),
    ("ranges accept", "no list waits"),
    ("ranges update --url @none", "cannot read it"),
    ("ranges update --url @one --state /dev/null/state", "/dev/null/state"),
    ("ranges import @none", "none"),
    ("ranges import @one", "one"),
    ("ranges list -o @folder", "folder"),
    ("ranges list -o /dev/full", "/dev/full"),
    ("check --ranges-only --feed @none", "none"),
    ("check --ranges-only --feed @folder", "folder"),
    ("check --ranges-only --feed @junk", "junk"),
    ("check --config @none", "none"),
    ("check --config @folder", "folder"),
    ("check --config @junk", "junk"),
    ("check --ranges-only --baseline @none", "none"),
    ("check --ranges-only --config @no-roots", "roots"),
    ("check --ranges-only --config @no-name", "not a host name"),
    ("export plain --feed @junk", "junk"),
    ("export plain --prefixes @none", "none"),
    ("export plain --prefixes @junk", "line 1"),
    ("export plain --only missing --report @none", "none"),
    ("export plain --only missing --report @junk", "not a report"),
    ("export plain --only missing --report @one", "not a report"),
    ("export plain --only missing --report @beyond", "10.0.0.0/8, which is not on the list"),
    ("export plain --since @one", "replaces the whole list"),
    ("export ipset --since @junk", "line 1"),
    ("export plain --family 6 --feed @one", "nothing is left"),
    ("export plain --endpoint api.example.com", "takes no host names"),
    ("export aws-security-group", "118 IPv4 entries are too many for one security group, which takes 60"),
    ("export haproxy --max-entries 5 --on-overflow split", "no form for several objects"),
    ("export haproxy --max-entries 5 --on-overflow cover", "leave forbidden space closed"),
    ("export haproxy --max-entries 60 --on-overflow cover --max-extra 1", "60 entries open"),
    ("export plain -o @folder", "folder"),
    ("baseline show @junk", "junk"),
    ("baseline merge @none", "none"),
    ("explain reset -o @none/reset", "none/reset"),
    ("media check @none --channel line", "none"),
    ("media which @folder", "not a file"),
    ("media which /dev/zero", "not a file"),
    ("media which @one --config @no-rules", "rules.toml"),
    ("media channels --config @junk", "junk"),
    ("config check @none", "none"),
    ("config check @junk", "junk"),
    ("config check @unknown-key", "nobody_knows_this_key"),
];

#[test]
fn wrong_usage_is_status_2_and_says_what_is_wrong() {
    complains(WRONG_USAGE);
}

#[test]
fn trouble_is_status_2_and_names_its_subject() {
    complains(TROUBLE);
}

#[test]
fn a_full_disk_behind_standard_output_is_status_2() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for line in ["ranges list", "ranges list --format json", "explain", "completions bash", "man", "config default"] {
        let output = egressd(line, &folder()).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {}", said(&output));
        assert!(!said(&output).is_empty() && !said(&output).contains("panicked"), "{line}: {}", said(&output));
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    const SIGPIPE: i32 = 13;
    for line in
        ["ranges list", "ranges list --format json", "completions bash", "man", "config default", "check --help"]
    {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = egressd(line, &folder()).stdout(writer).output().unwrap();
        let quiet = output.status.success() || output.status.signal() == Some(SIGPIPE);
        assert!(quiet && output.stderr.is_empty(), "{line}: {} {}", output.status, said(&output));
    }
}

#[test]
fn each_subcommand_has_help() {
    for command in [
        "check",
        "demo",
        "trace",
        "ranges",
        "ranges list",
        "ranges diff",
        "ranges explain",
        "ranges update",
        "ranges accept",
        "ranges import",
        "explain",
        "media",
        "media check",
        "media which",
        "media channels",
        "media send",
        "ranges aggregate",
        "export",
        "config",
        "config default",
        "config check",
        "config show",
        "completions",
        "man",
    ] {
        let help = succeeds(&format!("{command} --help"));
        assert!(help.contains(&format!("Usage: egressd {command}")), "{command}: {help}");
    }
    assert!(succeeds("--help").contains("Usage: egressd"));
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(succeeds("--version"), concat!("egressd ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn nothing_is_coloured_where_colour_is_not_wanted() {
    for line in ["frobnicate", "--help", "ranges list", "ranges list --feed @junk"] {
        let folder = folder();
        let piped = egressd(line, &folder).output().unwrap();
        assert!(!escaped(&piped.stdout) && !escaped(&piped.stderr), "{line} into a pipe");
        let terminal = on_a_terminal(line, &folder).env("NO_COLOR", "1").output().unwrap();
        assert!(!escaped(&terminal.stdout), "{line} with NO_COLOR: {}", String::from_utf8_lossy(&terminal.stdout));
    }
}

#[test]
fn ranges_diff_and_explain_exit_like_a_question() {
    for (line, status) in [
        ("ranges diff documented documented", 0),
        ("ranges diff @one @one", 0),
        ("ranges diff documented @one", 1),
        ("ranges diff @one documented --family 6", 0),
        ("ranges explain 13.32.0.1", 0),
        ("ranges explain 9.9.9.9", 1),
        ("ranges explain 192.0.2.1", 1),
    ] {
        let output = egressd(line, &folder()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}: {}", said(&output));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{line}: {}", said(&output));
    }
}

#[test]
fn media_exits_by_what_becomes_of_the_file() {
    let folder = folder();
    fs::write(folder.path().join("a.pdf"), b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").unwrap();
    fs::write(folder.path().join("a.txt"), b"text\n").unwrap();
    fs::write(folder.path().join("large.txt"), "text\n".repeat(4_100_000)).unwrap();
    for (line, status, part) in [
        ("media check @a.pdf --channel whatsapp:twilio", 0, "\"will_send\""),
        ("media check @a.txt --channel whatsapp:twilio", 0, "\"will_send_as_link\""),
        ("media check @a.txt --channel whatsapp:twilio --rules observed", 0, "\"will_send\""),
        ("media check @a.pdf --channel whatsapp:twilio --last-inbound 26h", 1, "\"needs_template\""),
        ("media check @one --channel telegram", 1, "\"will_fail\""),
        ("media check @large.txt --channel telegram", 3, "\"at_risk\""),
        ("media which @a.pdf", 0, "\"egressd.media/1\""),
        ("media which @one", 1, "platform.types"),
    ] {
        let output = egressd(&format!("{line} --format json"), &folder).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}: {}", said(&output));
        assert!(document.to_string().contains(part), "{line}: {document}");
    }
}

#[test]
fn json_is_one_document() {
    for line in
        ["ranges list", "ranges diff documented documented", "ranges explain 13.32.0.1", "explain", "explain reset"]
    {
        let document: Value = serde_json::from_str(&succeeds(&format!("{line} --format json"))).unwrap();
        assert!(document["schema"].as_str().is_some_and(|schema| schema.starts_with("egressd.")), "{line}");
    }
}

#[test]
fn every_format_is_listed_and_written() {
    let formats: Value = serde_json::from_str(&succeeds("export --list-formats --format json")).unwrap();
    let formats = formats["formats"].as_array().unwrap();
    assert!(formats.len() > 30);
    let listed = succeeds("export --list-formats");
    for format in formats {
        let name = format["name"].as_str().unwrap();
        assert!(listed.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
        assert!(succeeds(&format!("export {name} --feed @one")).len() > 10, "{name}");
    }
}

#[test]
fn a_change_and_its_rollback_are_opposites() {
    let add = "add cloudfront-v4 -exist 13.32.0.0/15";
    let remove = "del cloudfront-v4 -exist 13.32.0.0/15";
    for (line, expected) in [
        ("export ipset --feed @one --since @list", [Some(add), None]),
        ("export ipset --feed @one --since @list --rollback", [None, Some(remove)]),
        ("export ipset --feed @one --only missing --report @report", [Some(add), None]),
        ("export ipset --feed @one --only missing --report @report --rollback", [None, Some(remove)]),
        ("export ipset --feed @one --since @one", [None, None]),
    ] {
        let written = succeeds(line);
        let begins = |verb: &str| written.lines().find(|text| text.starts_with(verb) && text.contains("13.32"));
        let found = [begins("add"), begins("del")].map(|text| text.map(|text| text.split(" comment").next().unwrap()));
        assert_eq!(found, expected, "{line}: {written}");
    }
}

#[test]
fn what_is_missing_is_a_list_of_its_own_where_lists_are_replaced() {
    assert!(
        succeeds("export nftables --feed @one --only missing --report @report")
            .contains("table inet cloudfront_missing")
    );
    let output =
        egressd("export plain --feed @one --only missing --report @nothing -o @out", &folder()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && said(&output).contains("nothing is missing"), "{}", said(&output));
}

#[test]
fn the_price_of_a_cover_is_told() {
    let folder = folder();
    let line = "export haproxy --max-entries 100 --on-overflow cover --max-extra 50 -o @out --format json";
    let output = egressd(line, &folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["schema"], &summary["entries"], &summary["limit"]),
        (&"egressd.export/1".into(), &100.into(), &100.into())
    );
    let extra = summary["extra_addresses"].as_u64().unwrap();
    assert!(extra > 0 && said(&output).contains("beyond the list"), "{}", said(&output));
    assert!(fs::read_to_string(folder.path().join("out")).unwrap().contains("beyond the list"));
}

#[test]
fn a_feed_is_read_from_standard_input() {
    let folder = folder();
    let mut child = egressd("ranges list --feed - --format json", &folder).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ONE_RANGE).unwrap();
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ranges"][0]["prefix"], "13.32.0.0/15");
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = folder();
    fs::write(folder.path().join("out"), "old").unwrap();
    let output = egressd("ranges list --feed @junk -o @out", &folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read(folder.path().join("out")).unwrap(), b"old");
}

#[test]
fn the_default_configuration_is_one() {
    let folder = folder();
    fs::write(folder.path().join("default.toml"), succeeds("config default")).unwrap();
    let output = egressd("config check @default.toml", &folder).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn completions_are_what_the_shell_reads() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(succeeds(&format!("completions {shell}")).contains("egressd"), "{shell}");
    }
    accepted_by(Command::new("bash").args(["-n", "/dev/stdin"]), &succeeds("completions bash"));
}

#[test]
fn the_manual_is_what_mandoc_reads() {
    accepted_by(Command::new("mandoc").args(["-T", "lint", "-W", "error"]), &succeeds("man"));
}

#[test]
fn the_readme_has_the_causes_that_explain_lists() {
    let listed = succeeds("explain --format markdown");
    let causes = listed.split("\n\n").next().unwrap();
    assert!(causes.starts_with("| diagnosis |") && causes.lines().count() > 10, "{causes}");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(
        readme.contains(causes),
        "the table of the README is not what `egressd explain --format markdown` writes first"
    );
}

#[test]
fn explain_without_a_name_lists_all() {
    assert_eq!(succeeds("explain"), succeeds("explain --list"));
    assert!(succeeds("explain block_page").matches("block_page (").count() == 3);
}

#[test]
fn nft_takes_the_rules_that_explain_shows() {
    let document: Value = serde_json::from_str(&succeeds("explain --format json")).unwrap();
    let entries = document["entries"].as_array().unwrap().iter();
    let lines = entries.flat_map(|entry| entry["reproduce"].as_array().unwrap()).map(|line| line.as_str().unwrap());
    let commands = lines.flat_map(|line| line.split(['#', ';'])).map(str::trim);
    let rules: Vec<String> = commands.filter_map(|command| command.strip_prefix("nft ")).map(rule).collect();
    assert!(rules.len() > 15, "{rules:?}");
    let file = format!("{TABLES}{}\n", rules.join("\n"));
    accepted_by(Command::new("unshare").args(NO_NETWORK).args(["nft", "--check", "--file", "/dev/stdin"]), &file);
}

/// Where the rules belong on a router.
const TABLES: &str = "add table inet filter
add chain inet filter forward { type filter hook forward priority 0; }
add chain inet filter output { type filter hook output priority 0; }
add table ip nat
add chain ip nat prerouting { type nat hook prerouting priority -100; }
";

fn rule(shown: &str) -> String {
    shown.replace("ITS_ADDRESS", "192.0.2.1")
}

#[test]
fn demo_lists_its_scenarios() {
    assert!(succeeds("demo --list-scenarios").contains("dropped-range"));
}

/// All lines are tried before any is complained of.
fn complains(lines: &[(&str, &str)]) {
    let folder = folder();
    let wrong: Vec<String> = lines.iter().filter_map(|(line, part)| fault(line, part, &folder)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}

fn fault(line: &str, part: &str, folder: &TempDir) -> Option<String> {
    let output = egressd(line, folder).output().unwrap();
    let said = said(&output);
    let as_due = output.status.code() == Some(2) && said.contains(part) && output.stdout.is_empty();
    (!as_due || said.contains("panicked")).then(|| {
        let out = String::from_utf8_lossy(&output.stdout);
        format!("`{line}` -> {}, wanted 2 and {part:?}; stderr {said:?}, stdout {out:?}", output.status)
    })
}

/// Standard output of what has to succeed without a word on standard error.
fn succeeds(line: &str) -> String {
    let output = egressd(line, &folder()).output().unwrap();
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""), "{line}");
    String::from_utf8(output.stdout).unwrap()
}

fn accepted_by(command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {complaint}{}", said(&output));
}

/// The program with these words, in a network of its own: a mistake must not send a packet anywhere.
fn egressd(line: &str, folder: &TempDir) -> Command {
    let mut command = Command::new("unshare");
    command.args(NO_NETWORK).arg(env!("CARGO_BIN_EXE_egressd"));
    command.args(line.split_whitespace().map(|word| named(word, folder.path())));
    at_home(&mut command, folder);
    command
}

/// The same, where it sees a terminal.
fn on_a_terminal(line: &str, folder: &TempDir) -> Command {
    let words: Vec<String> = line.split_whitespace().map(|word| named(word, folder.path())).collect();
    let mut command = Command::new("unshare");
    command.args(NO_NETWORK).args(["script", "--quiet", "--command"]);
    command.arg(format!("{} {}", env!("CARGO_BIN_EXE_egressd"), words.join(" "))).arg("/dev/null");
    at_home(&mut command, folder);
    command.env("TERM", "xterm-256color");
    command
}

const NO_NETWORK: [&str; 4] = ["--user", "--map-root-user", "--net", "--"];

/// Nothing of the user's own settings or saved feeds may have a say.
fn at_home(command: &mut Command, folder: &TempDir) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

fn named(word: &str, folder: &Path) -> String {
    match word.strip_prefix('@') {
        Some(name) => folder.join(name).to_str().unwrap().to_owned(),
        None => word.to_owned(),
    }
}

const ONE_RANGE: &[u8] = br#"{"CLOUDFRONT_GLOBAL_IP_LIST": ["13.32.0.0/15"], "CLOUDFRONT_REGIONAL_EDGE_IP_LIST": []}"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("one", ONE_RANGE);
    file("list", b"99.84.0.0/16\n");
    file(
        "report",
        br#"{"schema": "egressd.report/1", "ranges": [{"mechanism": "dropped", "blocked": ["13.32.0.0/15"]}]}"#,
    );
    file("nothing", br#"{"schema": "egressd.report/1", "ranges": []}"#);
    file("beyond", br#"{"schema": "egressd.audit/1", "missing": ["10.0.0.0/8"]}"#);
    file("junk", b"<html>blocked by your administrator</html>");
    file("cut", &ONE_RANGE[..40]);
    file("empty", b"");
    file("no-roots", b"roots = \"/nowhere/roots.pem\"\n");
    file("no-name", b"server_name = \"*.example\"\n");
    file("no-rules", b"[media]\nrules = \"/nowhere/rules.toml\"\n");
    file("targets", b"[[media.send]]\nname = \"a\"\nurl = \"http://127.0.0.1:9/{name}\"\n");
    file("unknown-key", b"nobody_knows_this_key = 1\n");
    fs::create_dir(folder.path().join("folder")).unwrap();
    folder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn escaped(bytes: &[u8]) -> bool {
    bytes.contains(&0x1b)
}
