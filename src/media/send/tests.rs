use std::time::Duration;

use super::*;
use crate::config::Config;
use crate::endpoint::Path;
use crate::media::generate::SampleKind;
use crate::media::ladder::Found;
use crate::observe::{Failure, HttpFailure, TransferFailure};

const BYTES: u64 = 64 << 10;

fn target() -> SendTarget {
    let text = "[[media.send]]\nname = \"files\"\nurl = \"https://up.example/{name}\"\n\
                receive = \"https://cdn.example/{name}\"\ndelete = \"https://up.example/{name}\"";
    Config::parse(text).unwrap().media.send.remove(0)
}

fn trial(purpose: Purpose, shape: Shape, failure: Option<Failure>) -> Trial {
    let status = match failure {
        None => Some(201),
        Some(Failure::Http(HttpFailure::Status(status))) => Some(status),
        Some(Failure::Http(HttpFailure::BlockPage)) => Some(200),
        Some(_) => None,
    };
    let took = Duration::from_secs(3);
    Trial { purpose, shape, passed_bytes: BYTES, took, status, product: None, failure, received: None }
}

fn run(trials: Vec<Trial>) -> SendRun {
    SendRun { trials, ..SendRun::new(target(), Path::Direct) }
}

fn denied() -> Failure {
    HttpFailure::Status(403).into()
}

/// What something refuses.
type Rule = fn(&Shape) -> bool;

/// Sends a kind as it is and in all variations, where something refuses it by this rule.
fn varied(refuses: impl Fn(&Shape) -> bool) -> SendRun {
    let kinds = [SampleKind::Jpeg, SampleKind::Pdf].map(|kind| (Purpose::Kind, Shape::honest(kind, BYTES)));
    let others = variations(SampleKind::Pdf, SampleKind::Jpeg, BYTES).into_iter().map(|shape| (Purpose::Factor, shape));
    let judge = |(purpose, shape)| trial(purpose, shape, refuses(&shape).then(denied));
    run(kinds.into_iter().chain(others).map(judge).collect())
}

#[test]
fn what_refuses_a_kind_is_told_by_varying_type_extension_and_content() {
    use Factor as F;
    let pdf = SampleKind::Pdf;
    let table: [(Rule, &[Factor], &str); 5] = [
        (|shape| shape.declared == SampleKind::Pdf, &[F::DeclaredType], "type"),
        (|shape| shape.named == SampleKind::Pdf, &[F::Extension], "type"),
        (|shape| shape.content == SampleKind::Pdf, &[F::Content], "inspection"),
        (
            |shape| shape.declared == SampleKind::Pdf || shape.content == SampleKind::Pdf,
            &[F::DeclaredType, F::Content],
            "inspection",
        ),
        (
            |shape| shape.declared == SampleKind::Pdf && shape.named == SampleKind::Pdf,
            &[F::DeclaredType, F::Extension],
            "type",
        ),
    ];
    for (rule, due, name) in table {
        let run = varied(rule);
        assert_eq!(factors(&run, pdf), due);
        let found = breaks(&run);
        assert!(matches!(&found[..], [Break::Kinds { kinds, by, .. }] if *kinds == [pdf] && by == due), "{found:?}");
        assert_eq!(found[0].name(), name);
    }
    assert!(breaks(&varied(|_| false)).is_empty());
    assert_eq!(variations(pdf, SampleKind::Jpeg, 1).len(), 6);
}

#[test]
fn each_way_to_break_is_named() {
    let honest = |kind| Shape::honest(kind, BYTES);
    let good = || trial(Purpose::Kind, honest(SampleKind::Jpeg), None);
    let with = |purpose, failure| run(vec![good(), trial(purpose, honest(SampleKind::Jpeg), Some(failure))]);
    let names = |run: &SendRun| breaks(run).iter().map(Break::name).collect::<Vec<_>>();
    assert_eq!(names(&with(Purpose::Slow, HttpFailure::Status(408).into())), ["time"]);
    assert_eq!(names(&with(Purpose::Expect, HttpFailure::Broken.into())), ["method"]);
    assert_eq!(names(&with(Purpose::Chunked, HttpFailure::Status(411).into())), ["method"]);
    let nothing =
        |status| run(vec![trial(Purpose::Kind, honest(SampleKind::Jpeg), Some(HttpFailure::Status(status).into()))]);
    assert_eq!((names(&nothing(405)), names(&nothing(403))), (vec!["method"], vec!["path"]));
    let size = Found { largest_bytes: 1, refused_bytes: Some(2), status: Some(413), ..Found::default() };
    assert_eq!(names(&SendRun { size: Some(size), ..run(vec![good()]) }), ["size"]);
    assert_eq!(names(&SendRun { segment_bytes: Some(1240), ..run(vec![good()]) }), ["path"]);
    assert!(names(&run(Vec::new())).is_empty());
}

#[test]
fn what_comes_back_is_held_against_what_was_sent() {
    let received = |failure, content_type: &str| Received {
        bytes: BYTES,
        same: true,
        content_type: Some(content_type.to_owned()),
        status: Some(200),
        took: Duration::ZERO,
        failure,
    };
    let back = |received: Received| {
        let sent = trial(Purpose::Kind, Shape::honest(SampleKind::Bmp, BYTES), None);
        breaks(&run(vec![Trial { received: Some(received), ..sent }]))
    };
    let kinds = vec![SampleKind::Bmp];
    assert!(back(received(None, "image/x-ms-bmp; charset=binary")).is_empty());
    let retyped = Break::Retyped { kinds: kinds.clone(), seen: "text/plain".to_owned() };
    assert_eq!(back(received(None, "text/plain")), [retyped]);
    assert_eq!(back(received(Some(TransferFailure::Changed.into()), "image/bmp")), [Break::Changed(kinds)]);
    let page = back(received(Some(HttpFailure::BlockPage.into()), "text/html"));
    assert!(matches!(&page[..], [Break::NotReceived { refusal, .. }] if refusal.is_page()), "{page:?}");
}

#[test]
fn a_target_is_checked() {
    let with = |lines: &str| format!("[[media.send]]\nname = \"a\"\nurl = \"https://a.example/{{name}}\"\n{lines}");
    let parsed = |lines: &str| Config::parse(&with(lines));
    assert!(parsed("form = \"multipart\"\nid = \"$.id\"\nreceive = \"{id}\"").is_ok());
    for (lines, message) in [
        ("form = \"s3-multipart\"", "media.send.s3"),
        ("receive = \"https://a.example/{id}\"", "media.send.id"),
        ("max_bytes = 1", "media.send.max_bytes"),
        ("slow_seconds = 601", "media.send.slow_seconds"),
        ("field = \"a\\\"b\"", "media.send.fields"),
        ("form = \"fax\"", "unknown variant"),
        ("id = \"id\"", "no place in an answer"),
        ("headers = { a = { env = \"A\" } }\ncolour = 1", "colour"),
    ] {
        let error = parsed(lines).unwrap_err().to_string();
        assert!(error.contains(message), "{lines}: {error}");
    }
    let twice = format!("{}\n{}", with(""), with(""));
    assert!(Config::parse(&twice).unwrap_err().to_string().contains("different for each target"));
}

#[test]
fn a_form_is_what_rfc_7578_says() {
    let form = MultipartForm::new(&[("k".into(), "v".into())], "file", "a.txt", "text/plain");
    let body = form.around(b"CONTENT");
    assert_eq!(body.len() as u64, form.overhead_bytes() + 7);
    let text = String::from_utf8(body).unwrap();
    let boundary = MultipartForm::media_type();
    let boundary = boundary.split("boundary=").nth(1).unwrap();
    let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4);
    assert!(parts[1].ends_with("name=\"k\"\r\n\r\nv\r\n") && parts[2].ends_with("text/plain\r\n\r\nCONTENT\r\n"));
    assert_eq!(parts[3], "--\r\n");
}
