//! nginx as a mirror of the lists, honest and otherwise.

use std::fs::{self, File};
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::lists::{Published, serial};
use crate::server::{Server, certify};
use crate::site::{Ran, Site, older_and_newer};

/// A mirror that never lies, with a list in force.
fn mirror(site: &Site, statements: &str) -> Server {
    Server::nginx(site, &format!("server {{ listen 127.0.0.1:80; {statements} }}"))
}

fn serve(site: &Site, name: &str, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(site.path("www")).unwrap();
    fs::write(site.path("www").join(name), bytes).unwrap();
}

fn asked(site: &Site) -> Vec<String> {
    fs::read_to_string(site.path("access.log")).unwrap().lines().map(str::to_owned).collect()
}

/// What was not taken leaves everything as it was.
fn is_not_taken(site: &Site, before: &str, ran: &Ran, status: i32, due: &str) {
    let said = format!("{}{}", ran.out, ran.said);
    assert!(ran.status == Some(status) && said.contains(due), "{ran:?}\nlacks {due}");
    assert_eq!(site.exported(), before, "{due}");
    assert_eq!(site.serial(), serial(0), "{due}");
}

pub fn etag() -> String {
    let site = Site::new();
    let (older, newer) = older_and_newer();
    serve(&site, "list.json", older);
    let _server = mirror(&site, "");
    let update = || site.update(&["http://127.0.0.1/list.json"]);
    assert!(update().out.contains("accepted"));
    assert!(update().out.contains("unchanged"));
    serve(&site, "list.json", newer);
    let ran = update();
    assert!(ran.out.contains("added     3.172.0.0/18"), "{ran:?}");
    assert!(update().out.contains("unchanged"));
    assert_eq!(asked(&site), [200, 304, 200, 304].map(|status| format!("{status} GET /list.json")));
    assert_eq!(site.serial(), serial(1));
    // Without its files the list that the server has not changed is fetched again.
    fs::remove_dir_all(site.state()).unwrap();
    assert!(update().out.contains("accepted"));
    "200 304 200 304".to_owned()
}

pub fn failures() -> String {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    serve(&site, "list.json", &newer);
    serve(&site, "cut.json", &newer[..newer.len() / 2]);
    serve(&site, "empty.json", "");
    let quick = site.file("quick.toml", "[feed]\ntimeout_seconds = 2\n");
    let quick = quick.to_str().unwrap();
    let slow = format!("location /slow/ {{ alias {}/; limit_rate 100; }}", site.path("www").display());
    let server = mirror(
        &site,
        &format!(
            "{slow} location = /broken {{ return 500; }} location = /unchanged {{ return 304; }}
         location = /portal {{ return 200 '<html>log in</html>'; }}
         location = /early {{ return 444; }}"
        ),
    );
    let before = site.exported();
    let url = |name: &str| format!("http://127.0.0.1/{name}");
    for (name, status, due) in [
        ("broken", 2, "the server answers 500"),
        ("missing.json", 2, "the server answers 404"),
        ("unchanged", 2, "the server answers 304"),
        ("early", 2, "failed: the server could not be asked"),
        ("slow/list.json", 2, "no whole answer within 2 s"),
        ("cut.json", 1, "(the file is cut off)"),
        ("empty.json", 1, "refused: the file is empty"),
        ("portal", 1, "refused: the file is HTML"),
    ] {
        let ran = site.run(&["ranges", "update", "--config", quick, "--url", &url(name)]);
        is_not_taken(&site, &before, &ran, status, due);
    }
    // One that works behind one that does not.
    let ran = site.update(&[&url("broken"), &url("list.json"), &url("never-asked")]);
    assert!(ran.status == Some(0) && !ran.out.contains("never-asked"), "{ran:?}");
    assert_eq!(site.serial(), serial(1));
    drop(server);
    let ran = site.update(&[&url("list.json")]);
    assert!(ran.status == Some(2) && ran.said.contains("no connection"), "{ran:?}");
    let ran = site.update(&["http://mirror.invalid/list.json"]);
    assert!(ran.status == Some(2) && ran.said.contains("no connection"), "{ran:?}");
    "10 ways to fail".to_owned()
}

/// Twice what the whole program needs with its threads' stacks; a thousandth of what it is offered.
const MOST_KILOBYTES: &str = "ulimit -v 1000000; exec \"$@\"";

pub fn hostile() -> String {
    let site = Site::with_list(&Published::default().on(0));
    fs::create_dir_all(site.path("www")).unwrap();
    // A gigabyte that takes no room on the disk, and a megabyte that would become one.
    File::create(site.path("www/huge.json")).unwrap().set_len(1 << 30).unwrap();
    let mut bomb = GzEncoder::new(File::create(site.path("www/bomb.json.gz")).unwrap(), Compression::fast());
    (0..1024).for_each(|_| bomb.write_all(&vec![b' '; 1 << 20]).unwrap());
    bomb.finish().unwrap();
    let headers = "add_header X-Long \"$request_id\";".repeat(4000);
    let _server = mirror(
        &site,
        &format!(
            "location = /bomb.json {{ gzip_static always; }}
             location = /packed.json {{ gzip_static always; add_header Content-Encoding br; try_files /bomb.json.gz =404; }}
             location = /endless/huge.json {{ alias {www}/huge.json; sub_filter_types *; sub_filter nothing more; }}
             location = /headers {{ {headers} return 200; }}",
            www = site.path("www").display()
        ),
    );
    let before = site.exported();
    for (name, status, due) in [
        ("huge.json", 2, "the answer has more than 32 MiB"),
        ("bomb.json", 2, "the answer is packed (gzip), which was not asked for"),
        ("packed.json", 2, "the answer is packed"),
        ("endless/huge.json", 2, "the answer has more than 32 MiB"),
        ("headers", 2, "failed: the server could not be asked"),
    ] {
        let words = ["ranges", "update", "--url", &format!("http://127.0.0.1/{name}")];
        let ran: Ran = site.through(&["sh", "-c", MOST_KILOBYTES, "sh"], &words).output().unwrap().into();
        is_not_taken(&site, &before, &ran, status, due);
    }
    "5 attempts within 1 GB of address space".to_owned()
}

pub fn poisoned() -> String {
    let site = Site::with_list(&Published::default().on(0));
    let _server = mirror(&site, "");
    let before = site.exported();
    let with = |more: &[&'static str]| Published::with(more).on(1);
    let honest = with(&[]);
    let cases: &[(String, &str)] = &[
        (with(&["10.0.0.0/8"]), "refused: prefixes[121].ip_prefix: 10.0.0.0/8 overlaps"),
        (with(&["0.0.0.0/0"]), "refused: prefixes[121].ip_prefix: 0.0.0.0/0 is implausibly large"),
        (with(&["0.0.0.0/1"]), "implausibly large"),
        (with(&["127.0.0.0/8"]), "overlaps 127.0.0.0/8"),
        (with(&["169.254.169.254/32"]), "overlaps 169.254.0.0/16"),
        (with(&["13.32.0.1/15"]), "has host bits set"),
        (Published { foreign: vec!["9.9.9.0/24"], ..Published::default() }.on(1), "9.9.9.0/24 first, lie outside"),
        (Published::with(&["3.172.0.0/18"]).on(-1), "refused: it is older (1785456000)"),
        (Published::with(&["3.172.0.0/18"]).on(0), "held for a person: it has the serial of the list that is held"),
        (with(&["3.160.0.0/12"]), "held for a person: it has 68"),
        (Published { less: vec!["13.224.0.0/14"], ..Published::default() }.on(1), "held for a person: it has 17"),
        (Published::with(&["3.172.0.0/18"]).on(20_000), "refused: it says that it was published at"),
        (honest.replace("\"CLOUDFRONT\"", "\"EC2\""), "refused: the global list is empty"),
        (honest.replace("GLOBAL", "\\u001b[2J"), "is not a name of letters"),
        (honest.replace("syncToken\": \"1", "syncToken\": \"x1"), "refused: syncToken"),
        ("[".repeat(100_000), "refused: line 1"),
    ];
    for (number, (list, due)) in cases.iter().enumerate() {
        let name = format!("{number}.json");
        serve(&site, &name, list);
        let ran = site.update(&[&format!("http://127.0.0.1/{name}")]);
        is_not_taken(&site, &before, &ran, 1, due);
        assert!(!ran.out.contains('\u{1b}'), "{ran:?}");
    }
    // A person may take what is held, and cannot take what is refused.
    assert_eq!(site.run(&["ranges", "accept"]).status, Some(0));
    assert_eq!(site.serial(), serial(1));
    assert!(!site.run(&["ranges", "list"]).out.contains("\n13.224.0.0/14 "));
    let exported = site.run(&["export", "plain"]);
    assert!(exported.out.contains("13.224.0.0/14") && exported.said.contains("1 range withdrawn"), "{exported:?}");
    assert_eq!(site.run(&["ranges", "accept"]).status, Some(2));
    format!("{} lists", cases.len())
}

pub fn redirections() -> String {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    certify(&site);
    serve(&site, "list.json", newer);
    let folder = site.path("");
    let _server = Server::nginx(
        &site,
        &format!(
            "server {{ listen 127.0.0.1:80; location = /up {{ return 302 https://127.0.0.1/list.json; }}
                 location = /file {{ return 302 file:///etc/passwd; }} }}
             server {{ listen 127.0.0.1:443 ssl; ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/leaf.key;
                 location = /loop {{ return 302 https://127.0.0.1/loop; }}
                 location = /down {{ return 302 http://127.0.0.1/list.json; }}
                 location ~ ^/([1-9])$ {{ return 302 https://127.0.0.1/$1$1; }}
                 location ~ ^/([1-9])([1-9])$ {{ return 302 https://127.0.0.1/list.json; }} }}",
            folder = folder.display()
        ),
    );
    let before = site.exported();
    let update = |config: &[&str], url: &str| site.run(&[&["ranges", "update", "--url", url], config].concat());
    let trusting = ["--config", "trusting.toml"];
    for (url, due) in [
        ("https://127.0.0.1/loop", "more than 5 redirections"),
        ("https://127.0.0.1/down", "a redirection to something else than https"),
        ("http://127.0.0.1/file", "failed: "),
    ] {
        is_not_taken(&site, &before, &update(&trusting, url), 2, due);
    }
    // Without its authority the server proves nothing, wherever one was sent from.
    for url in ["https://127.0.0.1/list.json", "http://127.0.0.1/up"] {
        is_not_taken(&site, &before, &update(&[], url), 2, "invalid peer certificate: UnknownIssuer");
    }
    assert_eq!(update(&trusting, "https://127.0.0.1/1").status, Some(0));
    assert_eq!(update(&trusting, "http://127.0.0.1/up").status, Some(0));
    assert_eq!(site.serial(), serial(1));
    "up, down, around".to_owned()
}
