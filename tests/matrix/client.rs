//! What is seen from the client: by curl and dig, and by egressd.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::network::Network;
use crate::{hosts, runner};

/// What `egressd check` came to.
pub struct Checked {
    /// Its exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to standard output.
    pub report: Value,
    /// The most memory that was resident, in kilobytes.
    pub peak_kb: u64,
    /// How long it ran.
    pub took: Duration,
}

/// A check takes some seconds; one that hangs must not hang the tests.
const MOST_SECONDS: &str = "60";

/// What curl gave: its exit status, then status, size and type of the answer.
const WRITE_OUT: &str = "%{exitcode} %{http_code} %{size_download} %{content_type} %{redirect_url}";

#[allow(clippy::unused_self)] // the hosts are the process's, but there are none before `build`
impl Network {
    /// Fetches as `curl` does, in the folder of the case, trusting the platform's authority.
    pub fn curl(&self, arguments: &[&str]) -> String {
        let authority = self.platform.certificate();
        let mut command = hosts::on("client", "curl");
        command.current_dir(self.folder());
        command.args([
            "--silent",
            "--connect-timeout",
            "2.5",
            "--max-time",
            "4",
            "--output",
            "/dev/null",
            "--write-out",
            WRITE_OUT,
        ]);
        let output = command.arg("--cacert").arg(authority).args(arguments).stdin(Stdio::null()).output();
        // What curl gave up on is still sent where sending is slow, and would be in egressd's way.
        hosts::run("client", "ss --kill --tcp state connected");
        String::from_utf8_lossy(&output.expect("`ip` starts").stdout).trim().to_owned()
    }

    /// What `dig` has for a name: the status, whether the answer was cut, the addresses.
    pub fn dig(&self, arguments: &[&str]) -> String {
        let output = hosts::on("client", "dig").args(["+tries=1", "+time=2"]).args(arguments).output();
        let said = String::from_utf8_lossy(&output.expect("`ip` starts").stdout).into_owned();
        let status =
            said.split("status: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("SILENT").to_owned();
        let cut = said.lines().any(|line| line.starts_with(";; flags:") && line.contains(" tc ")).then_some("cut");
        let answers =
            said.lines().filter(|line| !line.starts_with(';')).filter_map(|line| line.split_whitespace().nth(4));
        std::iter::once(status.as_str()).chain(cut).chain(answers).collect::<Vec<_>>().join(" ")
    }

    /// Runs `egressd check --endpoints-only` on the client with this configuration and environment.
    pub fn check(&self, configuration: &str, environment: &[(&str, &str)]) -> Checked {
        let path = self.write("egressd.toml", configuration);
        let (script, peak) = (self.write("peak.py", include_str!("peak.py")), self.folder().join("peak"));
        let mut command = hosts::on("client", "timeout");
        // Nothing of the user's own settings may have a say.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder());
        command.envs(environment.iter().copied());
        command.args([MOST_SECONDS, "python3", &script]).args([&peak, &runner::program()]);
        command.args(["check", "--endpoints-only", "--format", "json", "--config", &path]);
        let began = Instant::now();
        let output = command.stdin(Stdio::null()).output().expect("`ip` starts");
        let took = began.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}), {}: {said}", output.status));
        let peak_kb = fs::read_to_string(peak).expect("a figure").parse().expect("a number");
        Checked { status: output.status.code(), report, peak_kb, took }
    }
}

impl Checked {
    /// The only endpoint of the report, over the proxy where there is one: there the direct way is closed.
    pub fn endpoint(&self) -> &Value {
        let endpoints = self.report["endpoints"].as_array().expect("a list of endpoints");
        let proxied = endpoints.iter().find(|endpoint| endpoint["path"] == "proxy");
        proxied.unwrap_or_else(|| endpoints.first().expect("an endpoint"))
    }

    /// The identifiers of the diagnoses; of those that are mere information the wanted one alone.
    pub fn diagnoses(&self, wanted: &str) -> Vec<&str> {
        let diagnoses = self.report["diagnoses"].as_array().expect("a list of diagnoses");
        let counts = |diagnosis: &&Value| diagnosis["severity"] != "info" || diagnosis["id"] == wanted;
        diagnoses.iter().filter(counts).filter_map(|diagnosis| diagnosis["id"].as_str()).collect()
    }
}
