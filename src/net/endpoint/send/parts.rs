//! S3 multipart uploads: begun, sent in parts and completed, or aborted.

use hyper::body::Bytes;

use super::carrier::{Carrier, Exchanged, Request};
use super::sign;
use super::upload::{Parcel, Uploaded};
use crate::endpoint::{Direction, EndpointUrl};
use crate::media::send::percent_encoded;
use crate::observe::Failure;

/// The least that S3 takes for a part that is not the last.
const PART_BYTES: usize = 5 << 20;

impl Carrier<'_> {
    /// Uploads in parts, one after another.
    pub(super) async fn in_parts(&self, parcel: &Parcel, url: &EndpointUrl) -> Uploaded {
        let Some(first) = at(url, "uploads=") else {
            return Uploaded::failed(Failure::Unknown("no URL of an object".to_owned()));
        };
        let begun = self.signed("POST", first, Bytes::new(), parcel.media_type).await;
        let page = begun.reply.as_ref().map(|reply| String::from_utf8_lossy(&reply.answered.page).into_owned());
        let Some(upload) = page.as_deref().and_then(|page| element(page, "UploadId")) else {
            return Uploaded { exchanged: begun.or_wrong_server(), id: None };
        };
        let query = format!("uploadId={}", percent_encoded(&upload));
        let exchanged = match self.parts(parcel, url, &query).await {
            Ok(done) => self.end("POST", url, &query, done.into()).await,
            Err(failed) => {
                self.end("DELETE", url, &query, Bytes::new()).await;
                failed
            }
        };
        Uploaded { exchanged, id: None }
    }

    /// What completes the upload, or the part that failed.
    async fn parts(&self, parcel: &Parcel, url: &EndpointUrl, query: &str) -> Result<String, Exchanged> {
        let mut done = String::new();
        for (number, start) in (1..).zip((0..parcel.body.len()).step_by(PART_BYTES)) {
            let part = parcel.body.slice(start..parcel.body.len().min(start + PART_BYTES));
            let Some(url) = at(url, &format!("partNumber={number}&{query}")) else { break };
            let sent = self.signed("PUT", url, part, parcel.media_type).await;
            let tag = sent.reply.as_ref().and_then(|reply| reply.answered.headers.get("etag")?.to_str().ok());
            let Some(tag) = tag.filter(|_| sent.failure.is_none()) else { return Err(sent.or_wrong_server()) };
            let tag = tag.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            done.extend([format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")]);
        }
        Ok(format!("<CompleteMultipartUpload>{done}</CompleteMultipartUpload>"))
    }

    async fn end(&self, method: &'static str, url: &EndpointUrl, query: &str, body: Bytes) -> Exchanged {
        match at(url, query) {
            Some(url) => self.signed(method, url, body, "application/xml").await,
            None => Exchanged { reply: None, failure: None, stuck: false },
        }
    }

    /// A request that is signed with the target's keys.
    async fn signed(&self, method: &'static str, url: EndpointUrl, body: Bytes, media_type: &str) -> Exchanged {
        let mut request = Request::new(Direction::Send, method, url).with("content-type", media_type);
        if let Some(keys) = &self.ready.keys {
            request.headers.extend(keys.headers(method, &request.url, &body, &sign::moment()));
        }
        let request = if method == "DELETE" { request } else { request.carrying(body) };
        self.exchange(request).await
    }
}

/// The object's URL with this query.
fn at(url: &EndpointUrl, query: &str) -> Option<EndpointUrl> {
    url.join(&format!("?{query}"))
}

/// The text of the first element of this name.
fn element(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
}
