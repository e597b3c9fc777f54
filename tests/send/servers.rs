//! Servers that media are sent to: each form of sending against a real one.

use std::process::Command;

use crate::hosts;
use crate::place::{FILES, HOST, Place};

/// Where `tests/run` installs what no distribution has.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools");

/// nginx takes everything.
pub fn nginx() {
    let mut place = Place::new();
    place.start_store("");
    let said = place.send(&format!("{FILES}slow_seconds = 2\n"));
    let run = said.over("direct");
    assert_eq!((run["verdict"].as_str(), said.status), (Some("open"), Some(0)), "{:#}", said.report);
    assert!(said.failed_kinds("direct").is_empty() && said.breaks("direct").is_empty(), "{run:#}");
    let kinds = run["kinds"].as_array().expect("a list");
    assert!(kinds.len() == 17 && kinds.iter().all(|kind| kind["received"]["same"] == true), "{kinds:#?}");
    assert_eq!(run["size"]["largest_bytes"], 21 << 20, "{:#}", run["size"]);
    let largest = run["trials"].as_array().expect("a list").iter().find(|trial| trial["purpose"] == "largest");
    assert_eq!(largest.expect("it was sent")["received"]["same"], true);
    assert_eq!((run["left"].as_u64(), place.stored()), (Some(0), 0), "all of it is deleted");
    let report = &said.report["endpoints"];
    let directions: Vec<&str> =
        report.as_array().expect("a list").iter().filter_map(|endpoint| endpoint["direction"].as_str()).collect();
    assert_eq!(directions, ["send", "receive"], "{report:#}");
}

/// A form with a field more, a header from the environment, an id in the answer, and a limit on the whole form.
pub fn form() {
    const MOST: u64 = 2_000_000;
    let mut place = Place::new();
    let script = place.write("api.py", include_str!("api.py"));
    place.start(&["python3", &script, "8090", &MOST.to_string(), "secret"], &[8090]);
    let lines = "url = \"http://127.0.0.1:8090/media\"\nform = \"multipart\"\nfields = { product = \"whatsapp\" }\n\
                 headers = { authorization = { env = \"TOKEN\" } }\nid = \"$.media[0].id\"\nslow_seconds = 0\n\
                 receive = \"http://127.0.0.1:8090/media/{id}\"\ndelete = \"http://127.0.0.1:8090/media/{id}\"\n";
    let said = place.send_with(lines, &[], &[("TOKEN", "secret")]);
    let run = said.over("direct");
    assert!(said.failed_kinds("direct").is_empty(), "{run:#}");
    assert_eq!(
        (&run["size"]["largest_bytes"], &run["size"]["exact"]),
        (&MOST.into(), &true.into()),
        "{:#}",
        run["size"]
    );
    assert_eq!(run["left"], 0);
    let reasons: Vec<&str> = said.breaks("direct").iter().filter_map(|one| one["by"].as_str()).collect();
    assert_eq!(reasons, ["size", "method"], "the form is limited, and chunks are refused: {run:#}");
    assert!(!said.report.to_string().contains("secret"));
    let refused = place.send_with(lines, &["--kinds", "jpeg"], &[("TOKEN", "wrong")]);
    assert_eq!((refused.diagnoses(), refused.status), (vec!["upload_refused"], Some(1)), "{:#}", refused.report);
}

/// s3s-fs holds links to their signature and their time.
pub fn presigned() {
    let mut place = Place::new();
    start_s3(&mut place);
    let link = |method: &str, age: &str| presign(&place, method, age);
    let lines = |age: &str| {
        format!(
            "url = \"{}\"\nreceive = \"{}\"\ndelete = \"{}\"\nkinds = [\"jpeg\", \"pdf\"]\nslow_seconds = 0\n",
            link("PUT", age),
            link("GET", age),
            link("DELETE", age)
        )
    };
    let said = place.send(&lines("0"));
    let run = said.over("direct");
    assert!(run["kinds"][0]["received"]["same"] == true && said.failed_kinds("direct").is_empty(), "{run:#}");
    assert_eq!(run["left"], 0);
    assert!(!said.report.to_string().contains("X-Amz-Signature"), "links are secrets");
    let expired = place.send(&lines("3600"));
    assert_eq!((expired.diagnoses(), expired.status), (vec!["upload_refused"], Some(1)), "{:#}", expired.report);
    assert_eq!(expired.over("direct")["breaks"][0]["status"], 403);
}

/// Three parts, each signed.
pub fn parts() {
    let mut place = Place::new();
    start_s3(&mut place);
    let lines = "url = \"http://127.0.0.1:8014/bucket/{name}\"\nreceive = \"http://127.0.0.1:8014/bucket/{name}\"\n\
                 delete = \"http://127.0.0.1:8014/bucket/{name}\"\nform = \"s3-multipart\"\nkinds = [\"mp4\"]\n\
                 s3 = { region = \"us-east-1\", access_key = \"AKTEST\", secret_key = { env = \"KEY\" } }\n\
                 max_bytes = 12582912\n";
    let said = place.send_with(lines, &[], &[("KEY", "SKTEST")]);
    let run = said.over("direct");
    assert_eq!((said.status, &run["size"]["largest_bytes"]), (Some(0), &12_582_912.into()), "{:#}", said.report);
    let same = |trial: &serde_json::Value| trial["received"]["same"] == true;
    assert!(same(&run["kinds"][0]) && run["trials"].as_array().expect("a list").iter().all(same), "{run:#}");
    assert_eq!(run["left"], 0);
    let wrong = place.send_with(lines, &[], &[("KEY", "WRONG")]);
    assert_eq!(wrong.diagnoses(), ["upload_refused"], "{:#}", wrong.report);
}

/// The tus project's own server.
pub fn resumable() {
    const MOST: u64 = 3 << 20;
    let mut place = Place::new();
    let script = place.write("tus.mjs", include_str!("tus.mjs"));
    let store = place.folder().join("tus");
    std::fs::create_dir_all(&store).expect("a folder");
    let modules = format!("TUS_MODULES={TOOLS}/tus/node_modules");
    let store = store.to_str().expect("UTF-8");
    place.start(&["env", &modules, "node", &script, "1080", store, &MOST.to_string()], &[1080]);
    let lines = "url = \"http://127.0.0.1:1080/files\"\nform = \"tus\"\nreceive = \"{id}\"\ndelete = \"{id}\"\n\
                 kinds = [\"jpeg\", \"zip\"]\nmax_bytes = 4194304\n";
    let said = place.send(lines);
    let run = said.over("direct");
    let kinds = run["kinds"].as_array().expect("a list");
    assert!(kinds.iter().all(|kind| kind["received"]["same"] == true), "{run:#}");
    let size = &run["size"];
    let (largest, refused) = (size["largest_bytes"].as_u64(), size["refused_bytes"].as_u64());
    assert!(largest <= Some(MOST) && refused > Some(MOST) && size["status"] == 413, "{size:#}");
    assert_eq!((said.diagnoses(), &run["left"]), (vec!["upload_size_limit"], &0.into()), "{:#}", said.report);
}

fn start_s3(place: &mut Place) {
    let root = place.folder().join("s3");
    std::fs::create_dir_all(root.join("bucket")).expect("a folder");
    let program = format!("{TOOLS}/bin/s3s-fs");
    let root = root.to_str().expect("UTF-8");
    let keys = ["--access-key", "AKTEST", "--secret-key", "SKTEST"];
    place.start(&[&[&program, "--host", "127.0.0.1", "--port", "8014"], &keys[..], &[root]].concat(), &[8014]);
}

fn presign(place: &Place, method: &str, age: &str) -> String {
    let script = place.write("presign.py", include_str!("presign.py"));
    let mut command: Command = hosts::on(HOST, "python3");
    command.args([&script, method, "127.0.0.1:8014", "/bucket/object", "AKTEST", "SKTEST", age]);
    String::from_utf8(hosts::fed(&mut command, "").stdout).expect("a URL")
}
