//! One host with nothing but its loopback interface, what serves on it, and what `egressd media send` says there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{Daemon, Port, logs};
use crate::{hosts, network, runner};

/// The host's name.
pub const HOST: &str = "client";
/// Where [`Place::start_store`] listens.
pub const STORE: u16 = 8000;

/// The host and its files.
pub struct Place {
    folder: TempDir,
    daemons: Vec<Daemon>,
}

/// What `egressd media send` came to.
pub struct Said {
    /// Its exit status.
    pub status: Option<i32>,
    /// Its report.
    pub report: Value,
}

/// A store for targets that are asked straight: up, down and away.
pub const FILES: &str = "url = \"http://127.0.0.1:8000/up/{name}\"\nreceive = \"http://127.0.0.1:8000/up/{name}\"\n\
                         delete = \"http://127.0.0.1:8000/up/{name}\"\n";

impl Place {
    /// The host, on which nothing serves yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("an open folder");
        for line in [
            "mount -t tmpfs none /run",
            "mount -t tmpfs none /dev/shm",
            "ip netns add client",
            "ip -n client link set lo up",
        ] {
            let mut words = line.split(' ');
            hosts::fed(Command::new(words.next().expect("a program")).args(words), "");
        }
        hosts::set(HOST, "net/ipv4/ip_unprivileged_port_start", "0");
        Self { folder, daemons: Vec::new() }
    }

    /// Where files of the case go.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the case and gives its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Starts a program that serves as long as the place.
    pub fn start(&mut self, program: &[&str], ports: &[u16]) {
        let ports: Vec<Port> = ports.iter().map(|port| Port::Tcp(*port)).collect();
        self.daemons.push(Daemon::start(HOST, self.folder.path(), program, &ports));
    }

    /// The same for a program that must not be root.
    pub fn start_as_nobody(&mut self, program: &[&str], ports: &[u16]) {
        let ports: Vec<Port> = ports.iter().map(|port| Port::Tcp(*port)).collect();
        self.daemons.push(Daemon::start_as_nobody(HOST, self.folder.path(), program, &ports));
    }

    /// nginx as a store, with these lines where files are sent.
    pub fn start_store(&mut self, lines: &str) {
        let root = self.folder().join("store");
        fs::create_dir_all(root.join("up")).expect("a folder");
        let http = format!(
            "include /etc/nginx/mime.types;
            default_type application/octet-stream;
            types {{ audio/aac aac; audio/amr amr; text/csv csv; }}
            client_max_body_size 0;
            server {{
                listen 127.0.0.1:{STORE};
                root {};
                location /up/ {{ dav_methods PUT DELETE; create_full_put_path on; {lines} }}
            }}",
            root.display()
        );
        let path = self.write("store.conf", &network::nginx(self.folder(), "store", &http));
        self.start(&["nginx", "-c", &path], &[STORE]);
    }

    /// What lies in the store.
    pub fn stored(&self) -> usize {
        fs::read_dir(self.folder().join("store/up")).expect("a folder").count()
    }

    /// Squid as a proxy on port 3128, with these lines before the one that allows everything.
    pub fn start_squid(&mut self, lines: &str) {
        let folder = self.folder().display();
        let configuration = format!(
            "http_port 127.0.0.1:3128
{lines}
http_access allow all
cache deny all
pid_filename none
pinger_enable off
visible_hostname proxy.corp.example
shutdown_lifetime 0 seconds
coredump_dir {folder}
cache_log {folder}/squid-cache.log
access_log stdio:{folder}/squid-access.log
"
        );
        let path = self.write("squid.conf", &configuration);
        self.start_as_nobody(&["squid", "-N", "-f", &path], &[3128]);
    }

    /// `HAProxy` on port 8080 before the store, with these lines.
    pub fn start_haproxy(&mut self, lines: &str) {
        let configuration = format!(
            "global
  maxconn 200
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 3s
frontend requests
  bind 127.0.0.1:8080
  {lines}
  default_backend store
backend store
  server store 127.0.0.1:{STORE}
"
        );
        let path = self.write("haproxy.cfg", &configuration);
        self.start(&["haproxy", "-db", "-f", &path], &[8080]);
    }

    /// Sends to a target of these lines.
    pub fn send(&self, lines: &str) -> Said {
        self.send_with(lines, &[], &[])
    }

    /// The same with further arguments and variables of the environment.
    pub fn send_with(&self, lines: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let configuration = format!("site = \"send\"\ncontrols = []\n[[media.send]]\nname = \"files\"\n{lines}");
        let path = self.write("egressd.toml", &configuration);
        let mut command = egressd(self.folder(), environment);
        command.args(["media", "send", "--format", "json", "--config", &path]).args(arguments);
        Said::of(&mut command, self.folder())
    }
}

/// The program on the host, with nothing of the user's own settings.
pub fn egressd(folder: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = hosts::on(HOST, "timeout");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.envs(environment.iter().copied()).arg(MOST_SECONDS).arg(runner::program());
    command.stdin(Stdio::null());
    command
}

/// One that hangs must not hang the tests.
const MOST_SECONDS: &str = "100";

impl Said {
    /// Runs it.
    pub fn of(command: &mut Command, folder: &Path) -> Self {
        let output = command.output().expect("`ip` starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}), {}: {complaint}\n{}", output.status, logs(folder)));
        Self { status: output.status.code(), report }
    }

    /// What is said of the only target over a path.
    pub fn over(&self, path: &str) -> &Value {
        let media = self.report["media"].as_array().expect("a list");
        media.iter().find(|run| run["path"] == path).unwrap_or_else(|| panic!("no {path} in {:#}", self.report))
    }

    /// What breaks uploads over a path, mere information left out.
    pub fn breaks(&self, path: &str) -> Vec<&Value> {
        let all = self.over(path)["breaks"].as_array().expect("a list");
        all.iter().filter(|one| !one["reason"].as_str().is_some_and(|reason| reason.contains("came back as"))).collect()
    }

    /// The identifiers of the diagnoses, mere information left out.
    pub fn diagnoses(&self) -> Vec<&str> {
        let diagnoses = self.report["diagnoses"].as_array().expect("a list");
        let weighty = diagnoses.iter().filter(|one| one["severity"] != "info" && one["id"] != "content_type_changed");
        weighty.filter_map(|one| one["id"].as_str()).collect()
    }

    /// The kinds that did not pass over a path.
    pub fn failed_kinds(&self, path: &str) -> Vec<&str> {
        let kinds = self.over(path)["kinds"].as_array().expect("a list");
        kinds.iter().filter(|kind| kind["passed"] == false).filter_map(|kind| kind["kind"].as_str()).collect()
    }
}
