//! Resumable uploads: announced, then sent (tus 1.0).

use super::carrier::{Carrier, Request};
use super::upload::{Parcel, Uploaded};
use crate::endpoint::{Direction, EndpointUrl};

/// The version that is spoken.
pub(super) const TUS: &str = "1.0.0";

impl Carrier<'_> {
    /// A resumable upload: announced, then sent (tus 1.0).
    pub(super) async fn resumable(&self, parcel: &Parcel, url: &EndpointUrl, segment: Option<u32>) -> Uploaded {
        let encode = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
        let described = format!("filename {},filetype {}", encode(&parcel.name), encode(parcel.media_type));
        let announced = Request::new(Direction::Send, "POST", url.clone())
            .with("tus-resumable", TUS)
            .with("upload-length", &parcel.body.len().to_string())
            .with("upload-metadata", &described);
        let announced = self.exchange(Request { body_bytes: Some(0), segment, ..announced }).await;
        let location = announced.reply.as_ref().and_then(|reply| {
            let place = reply.answered.headers.get("location")?.to_str().ok()?;
            url.join(place)
        });
        let Some(place) = location.filter(|_| announced.failure.is_none()) else {
            return Uploaded { exchanged: announced.or_wrong_server(), id: None };
        };
        let id = given(&place);
        let request = Request::new(Direction::Send, "PATCH", place)
            .with("tus-resumable", TUS)
            .with("upload-offset", "0")
            .with("content-type", "application/offset+octet-stream")
            .carrying(parcel.body.clone());
        let exchanged = self.exchange(Request { segment, ..request }).await;
        Uploaded { exchanged, id: Some(id) }
    }
}

/// The whole URL: it leads back to who gave it.
fn given(place: &EndpointUrl) -> String {
    let scheme = if place.is_https() { "https" } else { "http" };
    format!("{scheme}://{}{}", place.authority(), place.target())
}
