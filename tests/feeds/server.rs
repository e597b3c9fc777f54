//! Servers on the loopback interface of a case's own network.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::site::Site;

/// A program that serves until it is dropped.
pub struct Server(Child);

/// Squid takes longest.
const READY_WITHIN: Duration = Duration::from_secs(20);

impl Server {
    /// Starts it, and waits until its ports are open.
    pub fn start(words: &[&str], log: &Path, ports: &[u16]) -> Self {
        loopback();
        let said = fs::File::create(log).unwrap();
        let both = said.try_clone().unwrap();
        let mut command = Command::new(words[0]);
        let mut child = command.args(&words[1..]).stdin(Stdio::null()).stdout(said).stderr(both).spawn().unwrap();
        let began = Instant::now();
        for port in ports {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err() {
                let ended = child.try_wait().unwrap();
                let said = || fs::read_to_string(log).unwrap_or_default();
                assert!(ended.is_none() && began.elapsed() < READY_WITHIN, "{words:?}: {ended:?}\n{}", said());
                thread::sleep(Duration::from_millis(10));
            }
        }
        Self(child)
    }

    /// nginx with these statements in its `http` block.
    pub fn nginx(site: &Site, http: &str) -> Self {
        let folder = site.path("");
        let folder = folder.display();
        // One process in the foreground: a master would give its root up for a user whom this namespace does not have.
        let text = format!(
            "daemon off; master_process off; user root; pid {folder}/nginx.pid; error_log stderr;
             events {{}}
             http {{
                 log_format short '$status $request_method $uri';
                 access_log {folder}/access.log short;
                 default_type application/json;
                 client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
                 uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
                 root {folder}/www;
                 {http}
             }}"
        );
        fs::create_dir_all(site.path("www")).unwrap();
        let file = site.file("nginx.conf", text);
        Self::start(&["nginx", "-c", file.to_str().unwrap()], &site.path("nginx.log"), &[80])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes a certificate for 127.0.0.1, its key, and a configuration that trusts the authority behind it.
pub fn certify(site: &Site) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    site.file("ca.pem", authority.self_signed(&authority_key).unwrap().pem());
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    site.file("leaf.pem", leaf.pem());
    site.file("leaf.key", key.serialize_pem());
    let ca = site.path("ca.pem");
    site.file("trusting.toml", format!("roots = \"{}\"\n[feed]\ntimeout_seconds = 5\n", ca.display()));
}

fn loopback() {
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
    assert!(up.success());
}
