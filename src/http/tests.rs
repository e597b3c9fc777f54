//! The routes, without a socket: what is answered to whom.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc};

use super::*;
use crate::daemon::{self, Begun, Command, Publisher, Snapshot};
use crate::metrics::made;
use crate::ranges::Withdrawn;

/// A site with its routes.
struct Site {
    publisher: Publisher,
    asked: mpsc::Receiver<Command>,
    routes: TowerToHyperService<Router>,
    runtime: Runtime,
}

/// An answer, read whole.
struct Read {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Site {
    fn new(snapshot: Snapshot) -> Self {
        let publisher = Publisher::new(snapshot);
        let (commands, asked) = daemon::channel();
        let handle = Handle { view: publisher.view(), commands, transitions: broadcast::channel(4).0 };
        let service = Service::new(&handle, &Arc::new(Live::new()), None);
        let gate = Gate { access: access::Access::read(&HttpConfig::default()).unwrap(), hosts: Vec::new() };
        let routes = TowerToHyperService::new(router(&service, &Arc::new(gate)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { publisher, asked, routes, runtime }
    }

    fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Read {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:9817");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.routes.call(request.body(Body::empty()).unwrap());
        self.runtime.block_on(async {
            let (head, body) = answer.await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            Read { status: head.status.as_u16(), headers: head.headers, body }
        })
    }

    fn get(&self, path: &str) -> Read {
        self.ask(Method::GET, path, &[])
    }
}

impl Read {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body has just the shape that is described.
    fn fits<T: DeserializeOwned>(&self) {
        let read = serde_json::from_slice::<T>(&self.body);
        assert!(self.status == 200 && read.is_ok(), "{}: {:?} {}", self.status, read.err(), self.text());
    }
}

const RESULTS: [&str; 4] = ["/api/v1/report", "/api/v1/ranges", "/api/v1/endpoints", "/api/v1/diagnoses"];

#[test]
fn results_have_the_shapes_that_are_described() {
    for snapshot in [made::open(), made::worst()] {
        let site = Site::new(snapshot);
        site.get("/api/v1/report").fits::<schema::Report>();
        site.get("/api/v1/ranges").fits::<schema::Ranges>();
        site.get("/api/v1/endpoints").fits::<schema::Endpoints>();
        site.get("/api/v1/diagnoses").fits::<schema::Causes>();
        site.get("/api/v1/feed").fits::<schema::Feed>();
        site.get("/api/v1/status").fits::<schema::Status>();
    }
}

#[test]
fn nothing_is_made_up_before_the_first_result() {
    let site = Site::new(made::fresh());
    for path in RESULTS.iter().chain(&["/readyz"]) {
        let read = site.get(path);
        assert_eq!((read.status, read.header("retry-after")), (503, "10"), "{path}");
        assert_eq!(read.header("content-type"), "application/problem+json");
        assert_eq!(read.json()["status"], 503);
    }
    assert_eq!((site.get("/healthz").status, site.get("/metrics").status, site.get("/").status), (200, 200, 200));
    let open = made::open();
    site.publisher.change(|snapshot| *snapshot = open);
    assert_eq!((site.get("/readyz").status, site.get("/api/v1/report").status), (200, 200));
}

#[test]
fn ranges_are_chosen() {
    let site = Site::new(made::worst());
    let count = |query: &str| {
        let ranges = site.get(&format!("/api/v1/ranges{query}")).json()["ranges"].clone();
        ranges.as_array().unwrap().len()
    };
    assert_eq!((count(""), count("?verdict=blocked"), count("?verdict=open")), (243, 243, 0));
    assert_eq!((count("?family=6"), count("?list=regional-edge&family=4")), (32, 93));
    for wrong in ["?verdict=bad", "?family=5", "?list=", "?vendor=x"] {
        assert_eq!(site.get(&format!("/api/v1/ranges{wrong}")).status, 400, "{wrong}");
    }
}

#[test]
fn lists_are_those_of_the_command_line() {
    use crate::export::{Intent, Overflow, Request, RuleFormat, Selection};
    let site = Site::new(made::open());
    let feed = crate::ranges::FeedSnapshot::documented();
    for format in RuleFormat::ALL {
        let selected = Selection::default().of(&feed);
        let rules = Request {
            format: *format,
            name: "cloudfront",
            source: &feed.edition(),
            origin: &feed.origin(),
            selected: &selected,
            intent: Intent::Replace,
            ports: &[443],
            hosts: &[],
            max_entries: None,
            overflow: Overflow::Fail,
        }
        .rules();
        let read = site.get(&format!("/export/{format}"));
        let Ok(rules) = rules else {
            assert_eq!(read.status, 409, "{format}");
            assert!(read.json()["hint"].is_string());
            continue;
        };
        let mut text = String::new();
        format.write(&rules, &mut text).unwrap();
        assert_eq!((read.status, read.text() == text), (200, true), "{format}");
    }
}

#[test]
fn wrong_questions_about_lists_are_refused() {
    let site = Site::new(made::open());
    for (path, status) in [
        ("/export/none", 404),
        ("/export/", 404),
        ("/export/plain?name=9;rm", 400),
        ("/export/plain?port=0", 400),
        ("/export/plain?port=443,x", 400),
        ("/export/plain?role=viewer,some", 400),
        ("/export/plain?max-entries=0", 400),
        ("/export/plain?max-entries=-1", 400),
        ("/export/plain?on-overflow=some", 400),
        ("/export/plain?max-extra=5", 200),
        ("/export/plain?max-extra=nan&on-overflow=cover", 400),
        ("/export/plain?url=http://10.0.0.1/", 400),
        ("/export/plain?family=6", 409),
        ("/export/aws-security-group", 409),
        ("/export/aws-security-group?on-overflow=split", 200),
        ("/export/plain?list=global&role=viewer,carrier-cn&family=4&name=x&port=80,443", 200),
        ("/export/haproxy?max-entries=60&on-overflow=cover&max-extra=1", 409),
    ] {
        assert_eq!(site.get(path).status, status, "{path}");
    }
}

#[test]
fn removed_prefixes_stay_in_lists_for_a_while() {
    let site = Site::new(made::open());
    let before = site.get("/export/plain");
    site.publisher.change(|snapshot| {
        let feeds = Arc::make_mut(&mut snapshot.feeds);
        let mut range = feeds.feeds.newest.ranges[0].clone();
        range.prefix = "192.88.99.0/24".parse().unwrap();
        let since = made::NOW.parse().unwrap();
        feeds.withdrawn.push(Withdrawn { range, since, told: true });
    });
    let after = site.get("/export/plain");
    assert!(!before.text().contains("192.88.99.0/24") && after.text().contains("192.88.99.0/24\n"));
    assert_ne!(before.header("etag"), after.header("etag"));
    assert!(!site.get("/export/plain?family=6").text().contains("192.88"));
}

#[test]
fn a_list_is_written_once_and_sent_once() {
    let site = Site::new(made::open());
    let (first, again) = (site.get("/export/plain"), site.get("/export/plain"));
    assert_eq!(first.body, again.body);
    let tag = first.header("etag");
    let held = site.ask(Method::GET, "/export/plain", &[("if-none-match", tag)]);
    assert_eq!((held.status, held.body.len(), held.header("etag")), (304, 0, tag));
    let packed = site.ask(Method::GET, "/export/plain", &[("accept-encoding", "gzip")]);
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "Accept-Encoding"));
    assert!(packed.body.len() * 2 < first.body.len());
    let empty = site.ask(Method::HEAD, "/export/plain", &[]);
    assert_eq!((empty.status, empty.body.len(), empty.header("etag")), (200, 0, tag));
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let site = Site::new(made::open());
    let description = site.get("/api/v1/openapi.json").json();
    let paths = description["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths.keys().cloned().collect();
    let page = site.get("/").text();
    for path in described.iter().filter(|path| !path.contains('{') && paths[*path].get("get").is_some()) {
        assert_eq!(site.get(path).status, if path.contains("history") { 503 } else { 200 }, "{path}");
        assert!(path == "/healthz" || page.contains(&format!("href=\"{path}\"")), "{path}");
    }
    assert_eq!(described.len(), 14, "{described:?}");
}

#[test]
fn what_is_not_there_is_said_in_one_form() {
    let site = Site::new(made::open());
    for (method, path, status) in [
        (Method::GET, "/nothing", 404),
        (Method::GET, "/api/v1/check", 405),
        (Method::POST, "/metrics", 405),
        (Method::DELETE, "/api/v1/report", 405),
        (Method::TRACE, "/", 405),
        (Method::GET, "/export/../../etc/passwd", 404),
        (Method::GET, "/api/v1/history?limit=0", 400),
        (Method::GET, "/api/v1/history?since=yesterday", 400),
        (Method::GET, "/api/v1/history?kind=all", 400),
        (Method::GET, "/api/v1/history", 503),
    ] {
        let read = site.ask(method.clone(), path, &[]);
        assert_eq!((read.status, read.header("content-type")), (status, "application/problem+json"), "{method} {path}");
        assert!(status != 405 || !read.header("allow").is_empty());
    }
}

#[test]
fn every_answer_is_hardened() {
    let site = Site::new(made::open());
    for path in ["/", "/metrics", "/nothing", "/export/plain", "/api/v1/report"] {
        let read = site.get(path);
        assert_eq!(read.header("x-content-type-options"), "nosniff", "{path}");
        assert!(read.header("content-security-policy").starts_with("default-src 'none'"));
    }
    let report = site.get("/report").text();
    assert!(report.starts_with("<!DOCTYPE html>") && !report.contains("hq <b>"), "{report}");
    let page = site.get("/").text();
    assert!(page.contains("hq &lt;b&gt;&amp;") && !page.contains("hq <b>"), "{page}");
}

#[test]
fn checks_are_asked_for_politely_and_of_nothing_else() {
    let mut site = Site::new(made::open());
    let (stop, mut stopped) = (Arc::new(tokio::sync::Notify::new()), site.asked);
    let told = Arc::clone(&stop);
    site.asked = mpsc::channel(1).1;
    site.runtime.spawn(async move {
        let mut begun = Begun::Now;
        loop {
            tokio::select! {
                command = stopped.recv() => match command {
                    Some(Command::Check(answer)) => {
                        let _ = answer.send(std::mem::replace(&mut begun, Begun::Already));
                    }
                    Some(Command::Reload(answer)) => {
                        let _ = answer.send(Err("line 3: unknown key `sight`".to_owned()));
                    }
                    _ => return,
                },
                () = told.notified() => return,
            }
        }
    });
    let post = |path: &str| site.ask(Method::POST, path, &[]);
    assert_eq!(post("/api/v1/check").json()["begun"], "now");
    assert_eq!((post("/api/v1/check").json()["begun"].clone(), post("/api/v1/check").status), ("already".into(), 429));
    let wait: u32 = post("/api/v1/check").header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let refused = post("/api/v1/reload");
    assert_eq!((refused.status, refused.json()["detail"].clone()), (422, "line 3: unknown key `sight`".into()));
    stop.notify_one();
}
