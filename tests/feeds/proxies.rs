//! Lists that are fetched through the proxies of others.

use std::fs;

use crate::lists::serial;
use crate::server::{Server, certify};
use crate::site::{Ran, Site, older_and_newer};

/// A proxy that refuses root is nobody in a namespace of its own.
const AS_NOBODY: [&str; 6] = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--", "env"];

/// A mirror with TLS, and a site that trusts it and has the older of its lists.
fn served() -> (Site, Server) {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    certify(&site);
    fs::create_dir_all(site.path("www")).unwrap();
    fs::write(site.path("www/list.json"), newer).unwrap();
    let folder = site.path("");
    let server = Server::nginx(
        &site,
        &format!(
            "server {{ listen 127.0.0.1:80; listen 127.0.0.1:443 ssl;
                 ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.key; }}",
            folder = folder.display()
        ),
    );
    (site, server)
}

fn update(site: &Site, url: &str, variables: &[(&str, &str)]) -> Ran {
    let mut command = site.command(&["ranges", "update", "--config", "trusting.toml", "--url", url]);
    command.envs(variables.iter().copied()).output().unwrap().into()
}

pub fn squid() -> String {
    let (site, _mirror) = served();
    let helper = site.file(
        "login",
        "#!/bin/sh\nwhile read -r line; do\n[ \"$line\" = 'me open%20sesame' ] && echo OK || echo ERR\ndone\n",
    );
    std::process::Command::new("chmod").args(["755", helper.to_str().unwrap()]).status().unwrap();
    let folder = site.path("");
    let text = format!(
        "http_port 127.0.0.1:3128
auth_param basic program {folder}/login
auth_param basic realm corp
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
access_log stdio:{folder}/squid-access.log
cache_log {folder}/squid-cache.log
coredump_dir {folder}
pid_filename none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname proxy.example
",
        folder = folder.display()
    );
    let file = site.file("squid.conf", text);
    let words = [AS_NOBODY.as_slice(), &["squid", "-N", "-n", "egressdfeeds", "-f", file.to_str().unwrap()]].concat();
    let _squid = Server::start(&words, &site.path("squid.log"), &[3128]);
    let before = site.exported();
    let url = "https://127.0.0.1/list.json";
    let refused = update(&site, url, &[("https_proxy", "http://127.0.0.1:3128")]);
    assert!(refused.status == Some(2) && refused.said.contains("no connection"), "{refused:?}");
    let refused = update(&site, "http://127.0.0.1/list.json", &[("http_proxy", "http://127.0.0.1:3128")]);
    assert!(refused.status == Some(2) && refused.said.contains("the server answers 407"), "{refused:?}");
    assert_eq!(site.exported(), before);
    let taken = update(&site, url, &[("https_proxy", "http://me:open%20sesame@127.0.0.1:3128")]);
    assert!(taken.status == Some(0) && taken.out.contains("accepted"), "{taken:?}");
    let again = update(&site, url, &[("https_proxy", "http://me:open%20sesame@127.0.0.1:3128")]);
    assert!(again.out.contains("unchanged"), "{again:?}");
    let log = fs::read_to_string(site.path("squid-access.log")).unwrap();
    assert_eq!(log.matches("/200 ").count(), 2, "{log}");
    assert_eq!(site.serial(), serial(1));
    let shown = format!("{refused:?}{taken:?}{again:?}");
    assert!(!shown.contains("sesame"), "{shown}");
    "CONNECT with a login".to_owned()
}

pub fn tinyproxy() -> String {
    let (site, _mirror) = served();
    let text = "Port 8888\nListen 127.0.0.1\nTimeout 20\nAllow 127.0.0.1\nConnectPort 443\n".to_owned();
    let file = site.file("tinyproxy.conf", text);
    let words = [AS_NOBODY.as_slice(), &["tinyproxy", "-d", "-c", file.to_str().unwrap()]].concat();
    let _proxy = Server::start(&words, &site.path("tinyproxy.log"), &[8888]);
    let url = "https://127.0.0.1/list.json";
    let taken = update(&site, url, &[("ALL_PROXY", "http://127.0.0.1:8888")]);
    assert!(taken.status == Some(0) && taken.out.contains("accepted"), "{taken:?}");
    let log = fs::read_to_string(site.path("tinyproxy.log")).unwrap();
    assert!(log.contains("CONNECT 127.0.0.1:443"), "{log}");
    // The configuration goes before the environment, and an exception before both.
    let none = site.file("none.toml", fs::read_to_string(site.path("trusting.toml")).unwrap() + "proxy = \"none\"\n");
    let dead = ("https_proxy", "http://127.0.0.1:9");
    let mut command = site.command(&["ranges", "update", "--url", url, "--config", none.to_str().unwrap()]);
    assert_eq!(command.envs([dead]).output().unwrap().status.code(), Some(0));
    assert_eq!(update(&site, url, &[dead, ("no_proxy", "127.0.0.1")]).status, Some(0));
    let lost = update(&site, url, &[dead]);
    assert!(lost.status == Some(2) && lost.said.contains("no connection"), "{lost:?}");
    let socks = update(&site, url, &[("https_proxy", "socks5://127.0.0.1:9")]);
    assert!(socks.said.contains("SOCKS is not spoken here"), "{socks:?}");
    "CONNECT, none, exceptions".to_owned()
}
