//! A network with the platform on it, and its client.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::certificate::{Authority, Files};
use crate::daemon::{self, Daemon, Port};
use crate::hosts;

/// The hosts, what serves on them, and the folder that holds its files.
pub struct Network {
    folder: TempDir,
    /// Signed the platform's certificate; the client's configuration trusts it.
    pub platform: Authority,
    /// Who inspects TLS in this company.
    pub company: Authority,
    daemons: Vec<Daemon>,
}

/// Where files are received from, in a published range.
pub const CDN: &str = "13.224.10.10";
/// A second address of the same.
pub const CDN_OTHER: &str = "13.226.20.20";
/// The same over IPv6.
pub const CDN_V6: &str = "2600:9000:2000::10";
/// Where files are sent to.
pub const UPLOAD: &str = "52.95.110.20";
/// The same over IPv6.
pub const UPLOAD_V6: &str = "2600:1fa0:8000::20";
/// Something else outside, for controls.
pub const OTHER: &str = "192.88.99.1";
/// The same over IPv6.
pub const OTHER_V6: &str = "2a00:1450:1::1";
/// The provider's resolver, which the client's system asks.
pub const RESOLVER: &str = "192.88.99.53";
/// Another resolver outside.
pub const OTHER_RESOLVER: &str = "192.88.99.54";
/// The firewall's address on the client's side, where companies have proxies and resolvers.
pub const FIREWALL: &str = "10.9.1.1";
/// The same over IPv6.
pub const FIREWALL_V6: &str = "2001:db8:1::1";

/// The resolver of the provider over IPv6.
pub const RESOLVER_V6: &str = "2a00:1450:1::53";

/// What differs between networks before anything interferes.
pub struct Conditions {
    /// What the line takes each way.
    pub delay_ms: u32,
    /// Whether the platform speaks HTTP/2.
    pub http2: bool,
}

impl Default for Conditions {
    /// There and back it makes the 30 ms of a good line.
    fn default() -> Self {
        Self { delay_ms: 15, http2: true }
    }
}

/// Names and sizes of the files that the platform has.
pub const FILES: &[(&str, usize)] =
    &[("1k.bin", 1 << 10), ("64k.bin", 64 << 10), ("1m.bin", 1 << 20), ("8m.bin", 8 << 20)];

impl Network {
    /// Everything serves when this returns, and nothing interferes.
    pub fn build() -> Self {
        Self::under(&Conditions::default())
    }

    /// The same under other conditions.
    pub fn under(conditions: &Conditions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Some programs here are nobody.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("an open folder");
        let platform = Authority::new(folder.path(), "platform", "/O=Example Trust/CN=Example Root CA 1");
        let company = Authority::new(folder.path(), "company", "/O=Example Corp/CN=Example Corp Inspection CA");
        hosts::build();
        let mut network = Self { folder, platform, company, daemons: Vec::new() };
        network.start_wire(conditions.delay_ms);
        network.start_platform(conditions.http2);
        network.start_resolver();
        network.use_resolvers(&[RESOLVER]);
        network
    }

    /// Where files of the case go.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the case and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        text(&path)
    }

    /// Starts a program that serves as long as the network.
    pub fn start(&mut self, host: &str, program: &[&str], ports: &[Port]) {
        let daemon = Daemon::start(host, self.folder.path(), program, ports);
        self.daemons.push(daemon);
    }

    /// The same for one that says when it is ready; gives the file that it writes to.
    pub fn start_until(&mut self, host: &str, program: &[&str], ready: &str) -> PathBuf {
        let mut daemon = Daemon::start(host, self.folder.path(), program, &[]);
        daemon.await_line(ready);
        let log = daemon.log.clone();
        self.daemons.push(daemon);
        log
    }

    /// The same for a program that must not be root.
    pub fn start_as_nobody(&mut self, host: &str, program: &[&str], ports: &[Port]) {
        let daemon = Daemon::start_as_nobody(host, self.folder.path(), program, ports);
        self.daemons.push(daemon);
    }

    /// Which resolvers the system has.
    pub fn use_resolvers(&self, addresses: &[&str]) {
        let lines: Vec<String> = addresses.iter().map(|address| format!("nameserver {address}\n")).collect();
        let path = self.write("resolv.conf", lines.concat());
        hosts::replace("/etc/resolv.conf", Path::new(&path));
    }

    /// Adds the company's authority to what the client's system trusts.
    pub fn trust_company(&self) {
        hosts::fed(Command::new("mount").args(["-t", "tmpfs", "none", "/etc/ssl/certs"]), "");
        fs::copy(self.company.certificate(), "/etc/ssl/certs/ca-certificates.crt").expect("a store");
    }

    /// The key of an endpoint that says which file the URL is of; empty where the platform has none of this name.
    pub fn expected_hash(&self, url: &str) -> String {
        let name = url.rsplit('/').next().expect("a path");
        let Ok(file) = fs::read(self.folder().join("store").join(name)) else { return String::new() };
        let hash: Vec<String> = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("expect_sha256 = \"{}\"\n", hash.concat())
    }

    /// What the daemons have written, for a case that fails.
    pub fn logs(&self) -> String {
        daemon::logs(self.folder())
    }

    fn start_wire(&mut self, milliseconds: u32) {
        let script = self.write("wire.py", include_str!("wire.py"));
        self.start_until("wire", &["python3", &script, &milliseconds.to_string()], "ready");
    }

    fn start_platform(&mut self, http2: bool) {
        for (name, bytes) in FILES {
            self.write(&format!("store/{name}"), content(*bytes));
        }
        self.write(
            "store/index.html",
            "<html><head><title>Example</title></head><body>Example platform</body></html>\n",
        );
        for address in [CDN, CDN_OTHER, UPLOAD, OTHER, RESOLVER, OTHER_RESOLVER] {
            hosts::own("server", &format!("{address}/32"));
        }
        for address in [CDN_V6, UPLOAD_V6, OTHER_V6, RESOLVER_V6] {
            hosts::own("server", &format!("{address}/128"));
        }
        let leaf = self.platform.sign("site", &NAMES);
        let configuration = nginx(self.folder(), "platform", &platform(&leaf, self.folder(), http2));
        let path = self.write("platform.conf", configuration);
        self.start("server", &["nginx", "-c", &path], &[Port::Tcp(443), Port::Tcp(80)]);
    }

    fn start_resolver(&mut self) {
        let path = self.write("resolver.conf", RECORDS);
        self.start("server", &["dnsmasq", "--no-daemon", &format!("--conf-file={path}")], &[Port::Udp(53)]);
    }
}

/// As a content network's certificate has many names, the handshake takes more than one packet.
const NAMES: [&str; 16] = [
    "cdn.example.test",
    "old.example.test",
    "upload.example.test",
    "www.example.test",
    "*.images.media.example.test",
    "*.videos.media.example.test",
    "*.documents.media.example.test",
    "*.stickers.media.example.test",
    "*.voice-messages.media.example.test",
    "*.customer-uploads.media.example.test",
    "*.profile-pictures.media.example.test",
    "*.message-templates.media.example.test",
    "*.broadcast-attachments.media.example.test",
    "*.asia-pacific-southeast.media.example.test",
    "*.europe-middle-east-africa.media.example.test",
    "*.north-and-south-america.media.example.test",
];

const RECORDS: &str = "\
no-resolv
no-hosts
local-ttl=60
host-record=cdn.example.test,13.224.10.10,2600:9000:2000::10
host-record=upload.example.test,52.95.110.20,2600:1fa0:8000::20
host-record=old.example.test,13.224.10.10
host-record=dns.example.test,192.88.99.54
host-record=nasty.example.test,192.88.99.1,2a00:1450:1::1
host-record=www.example.test,192.88.99.1,2a00:1450:1::1
local=/test/
";

/// Bytes that no compression makes much smaller, the same every time.
pub fn content(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        // Marsaglia's xorshift32.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(bytes).collect()
}

/// A whole configuration of nginx with this in its `http` block. It runs in the foreground as one process: a master would
/// change to a user whom this namespace does not have.
pub fn nginx(folder: &Path, name: &str, http: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{name}-{kind};\n"))
        .concat();
    format!(
        "user root;\ndaemon off;\nmaster_process off;\npid {folder}/{name}.pid;\nerror_log {folder}/{name}-error.log info;\n\
         events {{ worker_connections 512; }}\nhttp {{\naccess_log {folder}/{name}-access.log;\n{temporary}{http}\n}}\n"
    )
}

fn platform(leaf: &Files, folder: &Path, http2: bool) -> String {
    let http2 = if http2 { " http2" } else { "" };
    let (chain, key, folder) = (leaf.certificate.display(), leaf.key.display(), folder.display());
    format!(
        "include /etc/nginx/mime.types;
        default_type application/octet-stream;
        server {{
            listen 443 ssl{http2};
            listen [::]:443 ssl{http2};
            listen 80;
            listen [::]:80;
            ssl_certificate {chain};
            ssl_certificate_key {key};
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_buffer_size 4k;
            root {folder}/store;
            add_header x-cache 'Hit from cloudfront' always;
            add_header x-amz-cf-pop HKG62-C1 always;
            location /moved/ {{ return 302 https://www.example.test/1m.bin; }}
            location /up/ {{ dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 0; }}
        }}"
    )
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
