//! An answer's body: written once, compressed once, and not sent to who has it already.

use std::io::Write;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::text::hexadecimal;

/// A body with its type and its tag.
#[derive(Debug)]
pub(super) struct Representation {
    kind: &'static str,
    tag: String,
    plain: Bytes,
    gzip: OnceLock<Bytes>,
}

/// Below a packet's size nothing is won.
const WORTH_COMPRESSING: usize = 1400;

impl Representation {
    pub(super) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        let tag = hexadecimal(&Sha256::digest(&plain)[..16]);
        Self { kind, tag, plain, gzip: OnceLock::new() }
    }

    pub(super) fn json(value: &impl Serialize) -> Self {
        let mut text = serde_json::to_vec(value).expect("what is served holds nothing that JSON cannot");
        text.push(b'\n');
        Self::new("application/json", text)
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, asked: &HeaderMap) -> Response {
        let compressed = self.plain.len() >= WORTH_COMPRESSING && takes_gzip(asked);
        // The two forms are different bytes, and so have different strong tags.
        let tag = if compressed { format!("\"{}-gzip\"", self.tag) } else { format!("\"{}\"", self.tag) };
        let kind = [(header::CONTENT_TYPE, self.kind)];
        let mut response = match (self.is_held(asked), compressed) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (_, true) => (kind, [(header::CONTENT_ENCODING, "gzip")], Body::from(self.gzip())).into_response(),
            _ => (kind, Body::from(self.plain.clone())).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        response
    }

    fn gzip(&self) -> Bytes {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::with_capacity(self.plain.len() / 4), Compression::default());
            encoder.write_all(&self.plain).expect("memory takes it");
            Bytes::from(encoder.finish().expect("memory takes it"))
        };
        self.gzip.get_or_init(compress).clone()
    }

    /// `If-None-Match` compares weakly (RFC 9110, section 13.1.2): either form will do.
    fn is_held(&self, asked: &HeaderMap) -> bool {
        let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        tags.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || tag.strip_suffix("-gzip").unwrap_or(tag) == self.tag
        })
    }
}

/// Whether `gzip` is among what the client takes; one that says nothing gets no coding.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<(&str, bool)> = values.flat_map(|value| value.split(',')).map(coding).collect();
    let of = |name: &str| codings.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name)).map(|(_, taken)| *taken);
    of("gzip").or_else(|| of("x-gzip")).or_else(|| of("*")).unwrap_or(false)
}

/// A coding and whether it is taken: `gzip;q=0` is not.
fn coding(text: &str) -> (&str, bool) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let quality = parameters.trim().strip_prefix("q=").and_then(|quality| quality.trim().parse::<f32>().ok());
    (name.trim(), quality.is_none_or(|quality| quality > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn answer(headers: &[(header::HeaderName, &str)], body: &str) -> Response {
        let asked = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        Representation::new("text/plain", body.to_owned()).answer(&asked)
    }

    fn tag(response: &Response) -> String {
        response.headers()[header::ETAG].to_str().unwrap().to_owned()
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        let known = tag(&answer(&[], "list"));
        for (value, status) in [
            (known.clone(), 304),
            (format!("W/{known}"), 304),
            (format!("\"x\", {known}"), 304),
            ("*".to_owned(), 304),
            (known.replace('"', ""), 304),
            (format!("{}-gzip\"", known.trim_end_matches('"')), 304),
            ("\"x\"".to_owned(), 200),
            (String::new(), 200),
        ] {
            let response = answer(&[(header::IF_NONE_MATCH, &value)], "list");
            assert_eq!(response.status(), status, "{value}");
            assert_eq!(tag(&response), known);
            assert_eq!(response.headers().contains_key(header::CONTENT_TYPE), status == 200);
        }
    }

    #[test]
    fn who_takes_gzip_gets_it() {
        let long = "13.32.0.0/15\n".repeat(1000);
        for (value, coded) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("br;q=1, gzip ; q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("deflate", false),
            ("identity", false),
        ] {
            let response = answer(&[(header::ACCEPT_ENCODING, value)], &long);
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), coded, "{value}");
        }
        assert!(!answer(&[(header::ACCEPT_ENCODING, "gzip")], "x").headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn what_is_compressed_is_the_same() {
        let body = "13.32.0.0/15\n".repeat(1000);
        let packed = Representation::new("text/plain", body.clone()).gzip();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, body);
        assert!(packed.len() * 20 < body.len());
    }
}
