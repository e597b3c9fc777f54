//! `blackbox_exporter` is a server: one HTTP request for each cell, many at a time, as Prometheus would make them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use crate::client::{Client, Finished};
use crate::words::{CLOSED, Word, Words};
use crate::work::Work;

/// As long as egressd waits before silence counts; the exporter's default is as long as Prometheus's, 10 s.
const CONFIG: &str =
    "modules:\n  connect:\n    prober: tcp\n    timeout: 1s\n    tcp:\n      preferred_ip_protocol: ip4\n";

/// Where the exporter listens, on the client's loopback.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9115);

/// All requests must be over by then.
const LONGEST: Duration = Duration::from_mins(1);

/// Runs the exporter and asks it for every cell, `at_once` requests under way.
pub(crate) fn run(client: &mut Client, work: &Work, program: &Path, rate: Option<u32>, at_once: usize) -> Finished {
    let config = client.folder.join("blackbox.yml");
    std::fs::write(&config, CONFIG).expect("the temporary folder can be written to");
    let arguments = [format!("--config.file={}", config.display()), format!("--web.listen-address={ADDRESS}")];
    let more = ["--log.level=error".to_owned(), "--history.limit=1".to_owned()];
    let mut exporter = client.begin(program, &[&arguments[..], &more[..]].concat());
    let targets: Vec<IpAddr> = work.cells.iter().map(|cell| cell.target).collect();
    let asked = client.run(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        LocalSet::new().block_on(&runtime, async {
            wait_until_it_listens().await;
            let began = Instant::now();
            let words = tokio::time::timeout(LONGEST, ask_all(targets, rate, at_once)).await;
            (words, began.elapsed().as_secs_f64())
        })
    });
    let packets = client.packets();
    exporter.end();
    let (words, seconds) = asked;
    Finished { killed: words.is_err(), words: words.unwrap_or_default(), seconds, packets, ..client.usage() }
}

async fn wait_until_it_listens() {
    for _ in 0..500 {
        if TcpStream::connect(ADDRESS).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the exporter does not listen");
}

/// Each of so many workers keeps its connection, as Prometheus does.
async fn ask_all(targets: Vec<IpAddr>, rate: Option<u32>, at_once: usize) -> Words {
    let pace = rate.map(|rate| {
        let mut pace = interval(Duration::from_secs(1) / rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        pace
    });
    let work = Rc::new(tokio::sync::Mutex::new((targets.into_iter(), pace)));
    let workers: Vec<_> = (0..at_once).map(|_| tokio::task::spawn_local(worker(Rc::clone(&work)))).collect();
    let mut words = Words::new();
    for worker in workers {
        words.extend(worker.await.expect("a worker does not panic"));
    }
    words
}

type Queue = tokio::sync::Mutex<(std::vec::IntoIter<IpAddr>, Option<Interval>)>;

async fn next(queue: &Queue) -> Option<IpAddr> {
    let mut queue = queue.lock().await;
    if let Some(pace) = &mut queue.1 {
        pace.tick().await;
    }
    queue.0.next()
}

async fn worker(queue: Rc<Queue>) -> Words {
    let mut words = Words::new();
    let Some(mut target) = next(&queue).await else { return words };
    let stream = TcpStream::connect(ADDRESS).await.expect("the exporter listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("the exporter speaks HTTP");
    tokio::task::spawn_local(connection);
    loop {
        if let Some(word) = ask(&mut sender, target).await {
            words.insert(target, word);
        }
        let Some(another) = next(&queue).await else { return words };
        target = another;
    }
}

async fn ask(sender: &mut http1::SendRequest<Empty<Bytes>>, target: IpAddr) -> Option<Word> {
    let request = Request::get(format!("/probe?module=connect&target={target}:443")).header("host", "exporter");
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    sender.ready().await.ok()?;
    let response = sender.send_request(request).await.ok()?;
    let body = response.into_body().collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("probe_success "))?;
    Some(if line == "1" { Word::Open } else { CLOSED })
}
