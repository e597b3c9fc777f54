//! Tunnels through a real Squid, which each run starts for itself on the loopback interface.

#![allow(clippy::unwrap_used)] // a test that cannot go on panics

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use egressd::fingerprint::{Match, PageParts, Says, page, title};
use egressd::net::proxy::{ProxyAnswer, Refusal, connect};
use egressd::proxy::{Credentials, ProxyAddress};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[test]
fn squid_makes_a_tunnel() {
    let squid = Squid::start();
    assert_eq!(squid.asked(squid.open, "127.0.0.1", None).unwrap(), "ping");
}

#[test]
fn squid_refuses_what_is_denied() {
    let squid = Squid::start();
    let refusal = refused(squid.asked(squid.open, "127.0.0.2", None));
    let found = recognised(&refusal);
    assert_eq!((refusal.status, refusal.schemes.len()), (403, 0));
    assert_eq!((found.product.name.as_str(), found.says), ("Squid", Says::Denied));
}

#[test]
fn squid_says_that_nobody_listens() {
    let squid = Squid::start();
    let refusal = refused(squid.asked(squid.open, "127.0.0.3", None));
    let found = recognised(&refusal);
    assert_eq!(refusal.status, 503);
    assert_eq!((found.product.name.as_str(), found.says), ("Squid", Says::Failed));
}

#[test]
fn squid_wants_to_know_who_asks() {
    let squid = Squid::start();
    for credentials in [None, Some("Aladdin:guessed")] {
        let refusal = refused(squid.asked(squid.guarded, "127.0.0.1", credentials));
        let found = recognised(&refusal);
        assert_eq!((refusal.status, refusal.schemes.as_slice()), (407, ["Basic".to_owned()].as_slice()));
        assert_eq!((found.product.name.as_str(), found.says), ("Squid", Says::Login));
    }
    assert_eq!(squid.asked(squid.guarded, "127.0.0.1", Some("Aladdin:open%20sesame")).unwrap(), "ping");
}

/// A Squid with a port for everybody and one that asks, and a server that sends back what it gets.
struct Squid {
    process: Child,
    open: SocketAddr,
    guarded: SocketAddr,
    echo: SocketAddr,
    _folder: TempDir,
}

impl Squid {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Started by root, it becomes another user.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let (open, guarded, echo) = (free(), free(), echo());
        let configuration = configured(folder.path(), open, guarded);
        let mut process = Command::new("squid")
            .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
            // Shared memory is found by the name of the service.
            .args(["-N", "-d", "1", "-n", &format!("egressd{}", open.port()), "-f"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("squid: apt-get install squid-openssl");
        wait_until_it_listens(&mut process);
        Self { process, open, guarded, echo, _folder: folder }
    }

    /// Sends `ping` through a tunnel to the echo's port on a host, and says what comes back.
    fn asked(&self, proxy: SocketAddr, host: &str, credentials: Option<&str>) -> Result<String, ProxyAnswer> {
        let credentials = credentials.map(known);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asking = async {
            let stream = TcpStream::connect(proxy).await.unwrap();
            let mut tunnel = connect(stream, host, self.echo.port(), credentials.as_ref()).await?;
            tunnel.write_all(b"ping").await.unwrap();
            let mut echo = [0; 4];
            tunnel.read_exact(&mut echo).await.unwrap();
            Ok(String::from_utf8(echo.to_vec()).unwrap())
        };
        runtime.block_on(async { timeout(Duration::from_secs(20), asking).await.expect("an answer") })
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        // It is asked, so that it takes its shared memory away.
        let id = Pid::from_raw(i32::try_from(self.process.id()).unwrap());
        let _ = kill(id, Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

fn configured(folder: &Path, open: SocketAddr, guarded: SocketAddr) -> std::path::PathBuf {
    let helper = folder.join("authenticator");
    fs::write(&helper, AUTHENTICATOR).unwrap();
    fs::set_permissions(&helper, Permissions::from_mode(0o755)).unwrap();
    let folder_name = folder.display();
    let text = format!(
        "http_port {open}
         http_port {guarded} name=guarded
         auth_param basic program {folder_name}/authenticator
         auth_param basic realm corp
         auth_param basic casesensitive on
         acl guarded myportname guarded
         acl known proxy_auth REQUIRED
         acl blocked dst 127.0.0.2
         http_access deny blocked
         http_access allow guarded known
         http_access deny guarded
         http_access allow all
         cache deny all
         access_log none
         cache_log {folder_name}/cache.log
         coredump_dir {folder_name}
         pid_filename none
         pinger_enable off
         shutdown_lifetime 0 seconds
         visible_hostname proxy.example
        "
    );
    let file = folder.join("squid.conf");
    fs::write(&file, text.lines().map(|line| line.trim_start().to_owned() + "\n").collect::<String>()).unwrap();
    file
}

/// Knows one name with one password, both of which Squid writes percent-encoded.
const AUTHENTICATOR: &str = "#!/bin/sh
while read -r user password; do
    if [ \"$user $password\" = 'Aladdin open%20sesame' ]; then echo OK; else echo ERR; fi
done
";

/// Reads what it says until both ports are open; what it says later goes nowhere.
///
/// It says that it accepts connections a moment before it does. What its first timer says comes a second later.
fn wait_until_it_listens(process: &mut Child) {
    let mut said = BufReader::new(process.stderr.take().unwrap());
    let mut all = String::new();
    while !all.contains("storeLateRelease") {
        assert!(said.read_line(&mut all).unwrap() > 0, "squid ended: {all}");
    }
    assert_eq!(all.matches("Accepting HTTP Socket connections").count(), 2, "{all}");
    thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
}

/// A port that nobody has: it was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut ping = [0; 4];
            if stream.read_exact(&mut ping).is_ok() {
                let _ = stream.write_all(&ping);
            }
        }
    });
    address
}

fn known(text: &str) -> Credentials {
    format!("http://{text}@proxy.example").parse::<ProxyAddress>().unwrap().credentials.unwrap()
}

fn refused(answer: Result<String, ProxyAnswer>) -> Refusal {
    match answer {
        Err(ProxyAnswer::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// By its page alone: a proxy can be told to leave the header out.
fn recognised(refusal: &Refusal) -> Match {
    let named = refusal.headers.iter().any(|(name, _)| name == "x-squid-error");
    assert!(named, "{:?}", refusal.headers);
    let title = title(&refusal.body);
    let parts =
        PageParts { status: refusal.status, title: title.as_deref(), body: &refusal.body, ..PageParts::default() };
    let by_page = page(&parts).expect("a page of Squid's");
    let by_header =
        page(&PageParts { headers: &refusal.headers, ..PageParts::default() }).expect("a header of Squid's");
    assert_eq!((&by_page.product, by_page.says), (&by_header.product, by_header.says));
    by_page
}
