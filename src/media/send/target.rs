//! Where media are sent, as it stands in the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Place, Template};
use crate::config::ConfigError;
use crate::endpoint::{Direction, Endpoint, EndpointUrl, FamilyChoice, HeaderSource, Inside, Method, ProxySource};
use crate::media::generate::SampleKind;

/// A place that media are sent to, fetched from and deleted at.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SendTarget {
    /// Its name in reports and labels.
    pub name: String,
    /// Where files are sent.
    pub url: Template,
    /// How they are sent.
    #[serde(default)]
    pub form: Form,
    /// Of a multipart form: the field of the file.
    #[serde(default = "file_field")]
    pub field: String,
    /// Of a multipart form: further fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, HeaderSource>,
    /// Further headers of all requests to the host of `url`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderSource>,
    /// Where the answer has the id or the URL of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Place>,
    /// Where the file is then fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive: Option<Template>,
    /// Where it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Template>,
    /// The keys of an S3 bucket, for requests that are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Keys>,
    /// The proxy that is asked besides the direct way.
    #[serde(default)]
    pub proxy: ProxySource,
    /// A proxy auto-configuration file, by path or URL; it decides in the place of `proxy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pac: Option<String>,
    /// Address families to ask over.
    #[serde(default)]
    pub family: FamilyChoice,
    /// What is sent; none: one of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<SampleKind>,
    /// The largest upload that is tried.
    #[serde(default = "most_bytes")]
    pub max_bytes: u64,
    /// How long the slow upload takes; 0: none is made.
    #[serde(default = "slow_seconds")]
    pub slow_seconds: u64,
}

/// How a file is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// PUT, as to a presigned URL.
    #[default]
    Put,
    /// POST of the file itself.
    Post,
    /// POST of a form with the file in it (RFC 7578).
    Multipart,
    /// The parts of an S3 multipart upload, signed with the keys.
    S3Multipart,
    /// Resumable upload: a POST and a PATCH (tus 1.0).
    Tus,
}

/// The keys of an S3 bucket.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct S3Keys {
    /// The region that is signed for.
    pub region: String,
    /// The id of the key.
    pub access_key: HeaderSource,
    /// The key.
    pub secret_key: HeaderSource,
}

/// A little over what the platform takes, so that its own limit is not taken for somebody else's.
const MOST_BYTES: u64 = 21 << 20;
/// The largest that any channel takes has 100 MB.
const LARGEST_BYTES: u64 = 128 << 20;
/// What a person on a slow line needs for a picture.
const SLOW_SECONDS: u64 = 20;

fn file_field() -> String {
    "file".to_owned()
}

fn most_bytes() -> u64 {
    MOST_BYTES
}

fn slow_seconds() -> u64 {
    SLOW_SECONDS
}

impl SendTarget {
    /// The endpoint behind one of its URLs.
    #[must_use]
    pub fn endpoint(&self, direction: Direction, url: EndpointUrl) -> Endpoint {
        let method = match (direction, self.form) {
            (Direction::Receive, _) => Method::Get,
            (Direction::Send, Form::Put) => Method::Put,
            (Direction::Send, _) => Method::Post,
        };
        Endpoint {
            name: self.name.clone(),
            direction,
            url,
            method: Some(method),
            headers: self.headers.clone(),
            body_bytes: None,
            expect_status: Vec::new(),
            expect_header: BTreeMap::new(),
            expect_bytes: None,
            expect_sha256: None,
            must_be_in: Inside::Any,
            proxy: self.proxy.clone(),
            pac: self.pac.clone(),
            family: self.family,
            idle_seconds: 0,
        }
    }

    /// The kinds that are sent.
    #[must_use]
    pub fn kinds(&self) -> &[SampleKind] {
        if self.kinds.is_empty() { &SampleKind::ALL } else { &self.kinds }
    }

    /// # Errors
    /// Names the key that is out of bounds.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bound = |key, value: String, bounds, holds| {
            if holds { Ok(()) } else { Err(ConfigError::Bounds { key, value, bounds }) }
        };
        let named = (1..=60).contains(&self.name.len())
            && self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        bound("media.send.name", format!("{:?}", self.name), "1 to 60 letters, digits, `-`, `_` or `.`", named)?;
        let sized = (1 << 17..=LARGEST_BYTES).contains(&self.max_bytes);
        bound("media.send.max_bytes", self.max_bytes.to_string(), "from 131072 to 134217728", sized)?;
        let slow = self.slow_seconds;
        bound("media.send.slow_seconds", slow.to_string(), "at most 600", slow <= 600)?;
        let headers = self.headers.len().max(self.fields.len());
        bound("media.send.headers", headers.to_string(), "at most 32 headers and 32 fields", headers <= 32)?;
        let plain = |text: &str| !text.is_empty() && !text.contains(['"', '\r', '\n', '\\']);
        let fields = plain(&self.field) && self.fields.keys().all(|name| plain(name));
        bound("media.send.fields", "one".to_owned(), "names without quotes and line breaks", fields)?;
        let keys = self.form != Form::S3Multipart || self.s3.is_some();
        bound("media.send.s3", "absent".to_owned(), "there for the form s3-multipart", keys)?;
        let wants = |template: &Option<Template>| template.as_ref().is_some_and(Template::wants_id);
        // The answer to an announcement of tus always has the URL.
        let known = self.id.is_some()
            || self.form == Form::Tus
            || !(wants(&self.receive) || wants(&self.delete) || self.url.wants_id());
        bound("media.send.id", "absent".to_owned(), "there where {id} is", known)?;
        bound("media.send.url", "{id}".to_owned(), "known before the upload", !self.url.wants_id())
    }
}

impl Form {
    /// The name in JSON and in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Post => "post",
            Self::Multipart => "multipart",
            Self::S3Multipart => "s3-multipart",
            Self::Tus => "tus",
        }
    }

    /// The method of the request that carries the file.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Put | Self::S3Multipart => "PUT",
            Self::Post | Self::Multipart => "POST",
            Self::Tus => "PATCH",
        }
    }

    /// Whether the file is the body of one request, so that head, framing and length can be varied.
    #[must_use]
    pub fn is_one_request(self) -> bool {
        matches!(self, Self::Put | Self::Post | Self::Multipart)
    }
}
