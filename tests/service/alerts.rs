//! From a rule on the firewall to the pager and back, through Prometheus and Alertmanager.

use std::path::Path;

use serde_json::Value;

use crate::daemon::Port;
use crate::site::{Site, documents};

/// What the rule drops.
const RANGE: &str = "13.224.0.0/14";
/// The key of the webhook.
const KEY: &str = "correct horse";

const PROMETHEUS: &str = "
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [RULES]
alerting:
  alertmanagers:
    - static_configs: [{ targets: ['127.0.0.1:9093'] }]
scrape_configs:
  - job_name: egressd
    static_configs: [{ targets: ['127.0.0.1:9817'] }]
";

const ALERTMANAGER: &str = "
route: { receiver: pager, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: pager
    webhook_configs: [{ url: 'http://127.0.0.1:9099/alerts', send_resolved: true }]
";

/// A range is dropped: one alert fires and reaches the receiver, the daemon's own webhook tells the same, and both take it
/// back when the rule is gone. Meanwhile every query of the dashboard has data.
pub fn block() -> String {
    let site = watched();
    site.wait("scrape", || !query(&site, "egressd_endpoint_up == 1").is_empty());
    let firing = query(&site, "ALERTS{alertstate=\"firing\"}");
    assert!(firing.is_empty(), "nothing is wrong yet: {firing:?}");

    site.network.filter(&[format!("ip daddr {RANGE} drop")]);
    let blocked = format!("egressd_range_blocked{{list=\"global\",mechanism=\"dropped\",prefix=\"{RANGE}\"}}");
    let told = site.wait("metric", || site.metric(&blocked) == Some(1.0));
    let paged = told
        + site.wait("alert", || notified(&site).contains(&("firing".to_owned(), "EgressdRangeBlocked".to_owned())));
    assert_eq!(site.metric("egressd_range_blocked_omitted"), Some(0.0));
    site.wait("event", || !events(&site).is_empty());
    dashboard(&site);

    site.network.unfilter();
    let resolved = site
        .wait("resolution", || notified(&site).contains(&("resolved".to_owned(), "EgressdRangeBlocked".to_owned())));
    site.wait("second event", || events(&site).len() > 1);
    signed(&site);

    let alerts: Vec<(String, String)> = notified(&site);
    assert!(alerts.iter().all(|(_, name)| name == "EgressdRangeBlocked"), "one cause, one alert: {alerts:?}");
    let (told, paged, resolved) = (told.as_secs(), paged.as_secs(), resolved.as_secs());
    assert!(told < 20, "an endpoint interval and 10 s: {told} s");
    format!("metric after {told} s, page after {paged} s, resolved after {resolved} s")
}

fn watched() -> Site {
    let mut site = Site::build();
    let received = site.path("received");
    let script = site.write("receiver.py", include_str!("receiver.py"));
    site.start_on("client", &["python3", &script, "9099", &received], &[Port::Tcp(9099)]);
    site.serve(&format!("[webhook]\nurl = \"http://127.0.0.1:9099/events\"\nsecret = {KEY:?}\n"));
    site.await_result();
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/data/prometheus/alerts.yml");
    let configuration = site.write("prometheus.yml", &PROMETHEUS.replace("RULES", rules));
    let manager = site.write("alertmanager.yml", ALERTMANAGER);
    let (data, silences) = (site.path("prometheus"), site.path("alertmanager"));
    site.start_on(
        "client",
        &[
            "prometheus-alertmanager",
            &format!("--config.file={manager}"),
            &format!("--storage.path={silences}"),
            "--web.listen-address=127.0.0.1:9093",
            "--cluster.listen-address=",
        ],
        &[Port::Tcp(9093)],
    );
    site.start_on(
        "client",
        &[
            "prometheus",
            &format!("--config.file={configuration}"),
            &format!("--storage.tsdb.path={data}"),
            "--web.listen-address=127.0.0.1:9090",
        ],
        &[Port::Tcp(9090)],
    );
    site
}

/// Status and name of each alert that reached the receiver.
fn notified(site: &Site) -> Vec<(String, String)> {
    let bodies = received(site, "/alerts").into_iter().map(|(_, body)| body);
    let alerts = bodies.flat_map(|body| body["alerts"].as_array().cloned().unwrap_or_default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    alerts.map(|alert| (text(&alert["status"]), text(&alert["labels"]["alertname"]))).collect()
}

/// What the daemon itself told.
fn events(site: &Site) -> Vec<Value> {
    received(site, "/events").into_iter().map(|(_, body)| body).collect()
}

/// Headers and body of each post to a path.
fn received(site: &Site, path: &str) -> Vec<(Value, Value)> {
    let posts = documents(Path::new(&site.path("received"))).into_iter().filter(|post| post["path"] == path);
    posts
        .map(|post| {
            (post["headers"].clone(), serde_json::from_str(post["body"].as_str().unwrap_or("")).unwrap_or_default())
        })
        .collect()
}

/// The signature is what `openssl` makes of the body; each event has the change in it.
fn signed(site: &Site) {
    for post in documents(Path::new(&site.path("received"))).iter().filter(|post| post["path"] == "/events") {
        let (body, header) = (post["body"].as_str().expect("text"), post["headers"]["egressd-signature"].as_str());
        let (time, tag) = header.and_then(|header| header.strip_prefix("t=")?.split_once(",v1=")).expect("a signature");
        let message = site.write("message", &format!("{time}.{body}"));
        let digest = site.succeed("openssl", &["dgst", "-sha256", "-hmac", KEY, &message]);
        assert!(digest.trim().ends_with(tag), "{digest} {tag}");
        let event: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(
            (event["schema"].as_str(), event["site"].as_str()),
            (Some("egressd.event/1"), Some("hq")),
            "{event}"
        );
        assert!(body.contains(RANGE), "{body}");
    }
}

/// The result of an instant query.
fn query(site: &Site, expression: &str) -> Vec<Value> {
    let answer =
        site.curl(&["-G", "http://127.0.0.1:9090/api/v1/query", "--data-urlencode", &format!("query={expression}")]);
    let answer = answer.unwrap_or_else(|| panic!("{}", site.logs())).json();
    assert_eq!(answer["status"], "success", "{expression}: {answer}");
    answer["data"]["result"].as_array().cloned().unwrap_or_default()
}

/// Every query of the dashboard parses, and has data while something is blocked.
fn dashboard(site: &Site) {
    let dashboard: Value = serde_json::from_str(include_str!("../../data/grafana/egressd.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let filled: Vec<String> = targets.map(|target| with_variables(target["expr"].as_str().expect("a query"))).collect();
    assert!(filled.len() > 20);
    for expression in filled {
        site.wait(&format!("data for {expression}"), || !query(site, &expression).is_empty());
    }
    let annotation = with_variables(dashboard["annotations"]["list"][0]["expr"].as_str().expect("a query"));
    assert!(!query(site, &annotation).is_empty(), "{annotation}");
}

/// As Grafana sends it for all sites.
fn with_variables(expression: &str) -> String {
    expression.replace("$instance", ".*").replace("$job", ".*").replace("$__rate_interval", "30s")
}
