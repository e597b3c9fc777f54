//! What refuses some files and not others, on the way: by type, extension, content, time and method.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::hosts;
use crate::place::{FILES, HOST, Place, Said, egressd};

const KINDS: &str = "kinds = [\"jpeg\", \"pdf\", \"mp4\", \"txt\"]\nslow_seconds = 0\nmax_bytes = 131072\n";
const BY_PROXY: &str = "proxy = \"http://127.0.0.1:3128\"\n";

/// What Squid does with these lines.
fn by_squid(lines: &str) -> Said {
    let mut place = Place::new();
    place.start_store("");
    place.start_squid(lines);
    let said = place.send(&format!("{FILES}{KINDS}{BY_PROXY}"));
    assert_eq!(said.over("direct")["verdict"], "open", "{:#}", said.report);
    assert_eq!((said.over("proxy")["verdict"].as_str(), place.stored()), (Some("partly_blocked"), 0));
    said
}

fn factors(one: &Value) -> Vec<&str> {
    one["factors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

pub fn declared_type() {
    let said = by_squid("acl dlp req_mime_type -i ^application/pdf$\nhttp_access deny dlp");
    let breaks = said.breaks("proxy");
    assert_eq!((breaks.len(), breaks[0]["by"].as_str(), factors(breaks[0])), (1, Some("type"), vec!["declared_type"]));
    assert_eq!((said.failed_kinds("proxy"), said.diagnoses()), (vec!["pdf"], vec!["file_type_refused"]));
    let owner = &said.report["diagnoses"][0]["owner"];
    assert_eq!(owner, "proxy", "{:#}", said.report);
}

pub fn extension() {
    let said = by_squid("acl ext urlpath_regex -i [.]mp4$\nhttp_access deny ext");
    let breaks = said.breaks("proxy");
    assert_eq!((breaks.len(), breaks[0]["by"].as_str(), factors(breaks[0])), (1, Some("type"), vec!["extension"]));
    assert_eq!((said.failed_kinds("proxy"), said.diagnoses()), (vec!["mp4"], vec!["file_type_refused"]));
}

/// The upload passes, and what comes back does not.
pub fn answers() {
    let said = by_squid("acl video rep_mime_type -i ^video/\nhttp_reply_access deny video");
    let breaks = said.breaks("proxy");
    assert_eq!((said.failed_kinds("proxy"), said.diagnoses()), (vec!["mp4"], vec!["file_not_received"]));
    assert_eq!((breaks.len(), breaks[0]["status"].as_u64()), (1, Some(403)), "{breaks:#?}");
}

/// A scanner behind Squid reads what is sent: a signature of one kind, and none of its names.
pub fn content() {
    let mut place = Place::new();
    place.start_store("");
    let folder = place.folder().display().to_string();
    // The first bytes of a PDF, wherever they come from.
    place.write("clamdb/dlp.ndb", "Dlp.Pdf:0:0:255044462d\n");
    let clamd = place.write(
        "clamd.conf",
        &format!("LocalSocket {folder}/clamd.sock\nDatabaseDirectory {folder}/clamdb\nLogFile {folder}/clamd.log\nForeground yes\nTCPSocket 3310\nTCPAddr 127.0.0.1\n"),
    );
    place.start(&["clamd", "-c", &clamd], &[3310]);
    let scanner = place.write("c-icap.conf", &c_icap(&folder));
    place.start(&["c-icap", "-N", "-f", &scanner], &[1344]);
    place.start_squid(
        "icap_enable on
icap_preview_enable on
icap_preview_size 1024
icap_service req reqmod_precache icap://127.0.0.1:1344/avscan bypass=off
adaptation_access req allow all",
    );
    let said = place.send(&format!("{FILES}{KINDS}{BY_PROXY}"));
    let breaks = said.breaks("proxy");
    let content: Vec<&&Value> = breaks.iter().filter(|one| one["by"] == "inspection").collect();
    assert_eq!((content.len(), factors(content[0])), (1, vec!["content"]), "{:#}", said.report);
    assert_eq!(said.failed_kinds("proxy"), ["pdf"], "{:#}", said.over("proxy"));
    assert!(said.diagnoses().contains(&"content_refused"), "{:?}", said.diagnoses());
}

/// c-icap with its scanner's module.
fn c_icap(folder: &str) -> String {
    let modules =
        fs::read_dir("/usr/lib").expect("a folder").filter_map(Result::ok).map(|entry| entry.path().join("c_icap"));
    let modules = modules.into_iter().find(|path| path.exists()).expect("c-icap's modules are installed");
    let modules = modules.display();
    format!(
        "PidFile {folder}/c-icap.pid
CommandsSocket {folder}/c-icap.ctl
Timeout 30
StartServers 1
MaxServers 2
MinSpareThreads 2
MaxSpareThreads 4
ThreadsPerChild 4
Port 127.0.0.1:1344
TmpDir {folder}
DebugLevel 1
ModulesDir {modules}
ServicesDir {modules}
TemplateDir /usr/share/c_icap/templates/
TemplateDefaultLanguage en
LoadMagicFile /etc/c-icap/c-icap.magic
ServerLog {folder}/c-icap-server.log
AccessLog {folder}/c-icap-access.log
Service virus_scan virus_scan.so
ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GRAPHICS STREAM DOCUMENT
virus_scan.MaxObjectSize 5M
Module common clamd_mod.so
clamd_mod.ClamdSocket {folder}/clamd.sock
virus_scan.DefaultEngine clamd
"
    )
}

/// A limit on time, a header that is refused, a body without a length that is, and a method.
pub fn haproxy() {
    let target = FILES.replace(":8000", ":8080");
    let with = |lines: &str, more: &str| {
        let mut place = Place::new();
        place.start_store("");
        place.start_haproxy(lines);
        place.send(&format!("{target}kinds = [\"jpeg\"]\nmax_bytes = 131072\n{more}"))
    };
    let slow = with("option http-buffer-request\n  timeout http-request 3s", "slow_seconds = 8\n");
    let breaks = slow.breaks("direct");
    assert_eq!((breaks.len(), breaks[0]["by"].as_str(), breaks[0]["status"].as_u64()), (1, Some("time"), Some(408)));
    let trials = slow.over("direct")["trials"].as_array().expect("a list");
    let seconds = trials.iter().find(|trial| trial["purpose"] == "slow").and_then(|trial| trial["seconds"].as_f64());
    assert!(seconds.is_some_and(|seconds| (2.5..4.5).contains(&seconds)), "cut after {seconds:?} s");
    assert_eq!(slow.diagnoses(), ["slow_upload_cut"]);
}

/// The rest of it in one place: what the head of a request says.
pub fn heads() {
    let target = FILES.replace(":8000", ":8080");
    let mut place = Place::new();
    place.start_store("");
    place.start_haproxy(
        "http-request return status 417 if { req.hdr(expect) -m found }
  http-request return status 411 if { method PUT } !{ req.hdr(content-length) -m found }",
    );
    let said = place.send(&format!("{target}kinds = [\"jpeg\"]\nmax_bytes = 131072\nslow_seconds = 0\n"));
    let reasons: Vec<(&str, u64)> =
        said.breaks("direct").iter().filter_map(|one| Some((one["by"].as_str()?, one["status"].as_u64()?))).collect();
    assert_eq!(reasons, [("method", 417), ("method", 411)], "{:#}", said.report);
    assert_eq!(said.diagnoses(), ["expect_mishandled"]);
    let mut place = Place::new();
    place.start_store("");
    place.start_haproxy("http-request deny deny_status 405 unless METH_GET");
    let said = place.send(&format!("{target}kinds = [\"jpeg\", \"txt\"]\n"));
    assert_eq!(said.over("direct")["breaks"][0]["by"], "method", "{:#}", said.report);
    assert_eq!((said.diagnoses(), said.over("direct")["verdict"].as_str()), (vec!["upload_refused"], Some("blocked")));
}

/// A firewall resets what has sent 300 KB.
pub fn cut() {
    let mut place = Place::new();
    place.start_store("");
    hosts::set(HOST, "net/netfilter/nf_conntrack_acct", "1");
    let rule = "tcp dport 8000 ct original bytes > 300000 reject with tcp reset";
    hosts::filter(HOST, "type filter hook input priority 0", &[rule]);
    let said = place.send(&format!("{FILES}kinds = [\"jpeg\"]\nslow_seconds = 0\n"));
    let size = &said.over("direct")["size"];
    // What was acknowledged by the time of the reset is less than what passed.
    assert!(size["cut_bytes"].as_u64().is_some_and(|cut| cut < 350_000), "{size:#}");
    assert!(
        size["largest_bytes"].as_u64() < Some(300_000)
            && (Some(300_000)..Some(700_000)).contains(&size["refused_bytes"].as_u64()),
        "{size:#}"
    );
    assert_eq!(said.diagnoses(), ["transfer_cut"], "{:#}", said.report);
}

/// A limiter of requests stops the search, and is told.
pub fn limited() {
    let mut place = Place::new();
    place.start_store("");
    place.start_haproxy(
        "stick-table type ip size 100 expire 30s store http_req_cnt
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_cnt(0) gt 3 }",
    );
    let target = FILES.replace(":8000", ":8080");
    let said = place.send(&format!("{target}kinds = [\"jpeg\"]\nslow_seconds = 0\n"));
    let size = &said.over("direct")["size"];
    assert_eq!((&size["rate_limited"], &size["exact"]), (&true.into(), &false.into()), "{:#}", said.report);
}

/// What would go beyond the budget is not sent, and said; Ctrl-C deletes what lies there.
pub fn interrupted() {
    let mut place = Place::new();
    place.start_store("");
    let said = place.send_with(&format!("{FILES}slow_seconds = 0\nkinds = [\"jpeg\"]\n"), &["--budget", "300000"], &[]);
    let run = said.over("direct");
    assert!(run["sent_bytes"].as_u64().is_some_and(|sent| sent <= 300_000), "{run:#}");
    assert!(run["skipped"][0].as_str().is_some_and(|text| text.contains("budget")), "{run:#}");

    let configuration = format!(
        "controls = []\n[[media.send]]\nname = \"files\"\n{FILES}kinds = [\"jpeg\"]\nslow_seconds = 60\nmax_bytes = 131072\n"
    );
    let path = place.write("slow.toml", &configuration);
    let mut command = egressd(place.folder(), &[]);
    // Straight to the program: `timeout` and `ip` would take the signal for themselves.
    command.args(["media", "send", "--format", "json", "--config", &path]).stdout(Stdio::piped());
    let child = command.spawn().expect("`ip` starts");
    let program = awaited(|| descendant(child.id()));
    // nginx keeps a body aside until it is whole, so that an upload under way is one there.
    awaited(|| fs::read_dir(place.folder().join("store-client_body")).ok()?.next().map(drop));
    kill(program, Signal::SIGINT).expect("it runs");
    let output = child.wait_with_output().expect("it was started here");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report all the same");
    assert_eq!((&report["interrupted"], place.stored()), (&true.into(), 0), "{report:#}");
    assert!(report["media"][0]["kinds"][0]["passed"] == true, "what was known by then is told: {report:#}");
}

/// The program under test below `ip` and `timeout`, which become one another or start one another.
fn descendant(process: u32) -> Option<Pid> {
    let name = |process: u32| fs::read_to_string(format!("/proc/{process}/comm")).ok();
    let children = |process: u32| fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok();
    let mut next = vec![process];
    while let Some(process) = next.pop() {
        if name(process).is_some_and(|name| name.trim() == "egressd") {
            return Some(Pid::from_raw(i32::try_from(process).ok()?));
        }
        next.extend(children(process)?.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    None
}

fn awaited<T>(look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
