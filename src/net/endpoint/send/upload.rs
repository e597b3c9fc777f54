//! One file up, down and away again.

use std::time::Duration;

use hyper::body::Bytes;
use sha2::{Digest, Sha256};

use super::carrier::{Carrier, Exchanged, Request};
use super::resumable::TUS;
use super::sign;
use crate::endpoint::{Direction, EndpointUrl, TransferDetail};
use crate::media::generate::SampleKind;
use crate::media::send::{Filling, Form, MultipartForm, Purpose, Received, Shape, Trial};
use crate::net::endpoint::http::Manner;
use crate::observe::{Failure, HttpFailure};
use crate::text::hexadecimal;

/// What the body of an upload is.
pub(super) struct Parcel {
    pub(super) name: String,
    pub(super) media_type: &'static str,
    pub(super) body: Bytes,
    /// SHA-256 of the file alone.
    pub(super) sha256: String,
    /// Its length.
    pub(super) file_bytes: u64,
}

/// What came of an upload.
pub(super) struct Uploaded {
    pub(super) exchanged: Exchanged,
    pub(super) id: Option<String>,
}

impl Carrier<'_> {
    /// A file of the shape, in the form in which it is sent.
    pub(super) fn parcel(&self, shape: &Shape) -> Option<Parcel> {
        let file = shape.content.make(usize::try_from(shape.bytes).ok()?)?;
        let (name, media_type) = (shape.name(), shape.declared.media_type());
        let sha256 = hexadecimal(&Sha256::digest(&file));
        let body = match self.ready.target.form {
            Form::Multipart => self.form(&name, shape.declared).around(&file).into(),
            _ => file.into(),
        };
        Some(Parcel { name, media_type, body, sha256, file_bytes: shape.bytes })
    }

    fn form(&self, name: &str, declared: SampleKind) -> MultipartForm {
        MultipartForm::new(&self.ready.fields, &self.ready.target.field, name, declared.media_type())
    }

    /// What the form adds to a file of the kind.
    pub(super) fn overhead_bytes(&self, kind: SampleKind, bytes: u64) -> u64 {
        match self.ready.target.form {
            Form::Multipart => self.form(&Shape::honest(kind, bytes).name(), kind).overhead_bytes(),
            _ => 0,
        }
    }

    /// Sends a file, fetches it, holds it against what was sent, and deletes it.
    pub(super) async fn round_trip(
        &self,
        purpose: Purpose,
        shape: Shape,
        manner: Manner,
        segment: Option<u32>,
    ) -> Option<(Trial, bool)> {
        if !self.budget.take(shape.bytes) {
            self.skip(&format!("an upload of {} bytes: the budget is spent", shape.bytes));
            return None;
        }
        let parcel = self.parcel(&shape)?;
        let place = self.reserve(&parcel.name);
        let Uploaded { exchanged, id } = self.upload(&parcel, manner, segment).await;
        let Exchanged { reply, failure, stuck } = exchanged;
        let transfer = reply.as_ref().and_then(|reply| reply.answered.transfer.clone()).unwrap_or_default();
        self.budget.give(shape.bytes.saturating_sub(transfer.sent_bytes));
        let head = reply.as_ref().map(|reply| &reply.answered.head);
        let status = head.and_then(|head| head.status);
        let filling = Filling { name: &parcel.name, id: id.as_deref() };
        let may_lie_there = status.is_none_or(|status| status < 400) && reply.is_some();
        let received = if failure.is_none() { self.receive(&parcel, filling).await } else { None };
        self.clear(filling, place, may_lie_there).await;
        let cut_short = transfer.cut_short && failure.is_none();
        let trial = Trial {
            purpose,
            shape,
            passed_bytes: transfer.sent_bytes,
            took: reply.as_ref().map_or(Duration::ZERO, |reply| reply.answered.head_took),
            status,
            product: head.and_then(|head| head.product.clone()),
            failure,
            received,
        };
        Some((trial, stuck || cut_short))
    }

    /// Notes what was not tried, once.
    pub(super) fn skip(&self, what: &str) {
        let mut record = self.record.lock().expect("no holder panics");
        if !record.skipped.iter().any(|known| known == what) {
            record.skipped.push(what.to_owned());
        }
    }

    // --- up -----------------------------------------------------------------------------------------------------------

    pub(super) async fn upload(&self, parcel: &Parcel, manner: Manner, segment: Option<u32>) -> Uploaded {
        let url = match self.ready.target.url.fill(Filling { name: &parcel.name, id: None }) {
            Ok(url) => url,
            Err(error) => return Uploaded::failed(Failure::Unknown(error.to_string())),
        };
        let uploaded = match self.ready.target.form {
            Form::S3Multipart => self.in_parts(parcel, &url).await,
            Form::Tus => self.resumable(parcel, &url, segment).await,
            Form::Put | Form::Post | Form::Multipart => {
                let request = self.single(parcel, url, &manner, segment);
                let exchanged = self.exchange(request).await;
                let id = self.id(&exchanged);
                Uploaded { exchanged, id }
            }
        };
        self.with_an_id(uploaded)
    }

    /// The one request of most forms.
    pub(super) fn single(&self, parcel: &Parcel, url: EndpointUrl, manner: &Manner, segment: Option<u32>) -> Request {
        let (method, media_type) = match self.ready.target.form {
            Form::Put => ("PUT", parcel.media_type.to_owned()),
            Form::Multipart => ("POST", MultipartForm::media_type()),
            _ => ("POST", parcel.media_type.to_owned()),
        };
        let mut request = Request::new(Direction::Send, method, url).with("content-type", &media_type);
        if self.ready.target.form == Form::Post {
            request = request.with("content-disposition", &format!("attachment; filename=\"{}\"", parcel.name));
        }
        request = request.carrying(parcel.body.clone());
        let limit = manner.limit.or(request.manner.limit);
        request.manner = Manner { given: request.manner.given, limit, ..manner.clone() };
        request.segment = segment;
        request
    }

    fn id(&self, exchanged: &Exchanged) -> Option<String> {
        let (place, reply) = (self.ready.target.id.as_ref()?, exchanged.reply.as_ref()?);
        let header = |name: &str| Some(reply.answered.headers.get(name)?.to_str().ok()?.to_owned());
        place.find(header, &reply.answered.page)
    }

    /// An answer without the id that it should have is somebody else's.
    fn with_an_id(&self, mut uploaded: Uploaded) -> Uploaded {
        if self.ready.target.id.is_some() && uploaded.id.is_none() {
            uploaded.exchanged = uploaded.exchanged.or_wrong_server();
        }
        uploaded
    }

    // --- down ---------------------------------------------------------------------------------------------------------

    async fn receive(&self, parcel: &Parcel, filling: Filling<'_>) -> Option<Received> {
        let template = self.ready.target.receive.as_ref()?;
        let url = match template.fill(filling) {
            Ok(url) => url,
            Err(error) => {
                return Some(Received { failure: Some(Failure::Unknown(error.to_string())), ..Received::default() });
            }
        };
        let mut request = self.with_a_signature(Request::new(Direction::Receive, "GET", url));
        request.most_bytes = parcel.file_bytes + 1;
        request.wanted = Some((parcel.file_bytes, parcel.sha256.clone()));
        let Exchanged { reply, failure, .. } = self.exchange(request).await;
        let answered = reply.map(|reply| reply.answered);
        let transfer = answered.as_ref().and_then(|answered| answered.transfer.clone()).unwrap_or_default();
        let head = answered.as_ref().map(|answered| &answered.head);
        Some(Received {
            bytes: transfer.received_bytes,
            same: is_same(&transfer, parcel),
            content_type: head.and_then(|head| head.header("content-type").map(ToOwned::to_owned)),
            status: head.and_then(|head| head.status),
            took: answered.as_ref().map_or(Duration::ZERO, |answered| answered.head_took + answered.transfer_took),
            failure: failure.or_else(|| (!is_same(&transfer, parcel) && !transfer.cut_short).then(changed)),
        })
    }

    // --- away ---------------------------------------------------------------------------------------------------------

    /// Notes what an upload will have to be deleted at, where that is known before it: whoever interrupts it wants it
    /// deleted as well.
    fn reserve(&self, name: &str) -> Option<EndpointUrl> {
        let template = self.ready.target.delete.as_ref().filter(|template| !template.wants_id())?;
        let url = template.fill(Filling { name, id: None }).ok()?;
        self.uploaded.lock().expect("no holder panics").push(url.clone());
        Some(url)
    }

    fn note(&self, url: &EndpointUrl) {
        let mut uploaded = self.uploaded.lock().expect("no holder panics");
        if !uploaded.contains(url) {
            uploaded.push(url.clone());
        }
    }

    /// Deletes an upload that may lie there.
    async fn clear(&self, filling: Filling<'_>, reserved: Option<EndpointUrl>, may_lie_there: bool) {
        let given = || self.ready.target.delete.as_ref().and_then(|template| template.fill(filling).ok());
        match (reserved.or_else(given), may_lie_there) {
            (Some(url), true) => {
                self.note(&url);
                self.remove(url).await;
            }
            (Some(url), false) => self.uploaded.lock().expect("no holder panics").retain(|kept| *kept != url),
            (None, true) => self.record.lock().expect("no holder panics").left += 1,
            (None, false) => {}
        }
    }

    /// Deletes what lies there; what is gone already is as good.
    pub(super) async fn remove(&self, url: EndpointUrl) {
        let mut request = self.with_a_signature(Request::new(Direction::Receive, "DELETE", url.clone()));
        if self.ready.target.form == Form::Tus {
            request = request.with("tus-resumable", TUS);
        }
        let exchanged = self.exchange(request).await;
        let status = exchanged.reply.and_then(|reply| reply.answered.head.status);
        if status.is_some_and(|status| (200..300).contains(&status) || status == 404 || status == 410) {
            self.uploaded.lock().expect("no holder panics").retain(|kept| *kept != url);
            let mut record = self.record.lock().expect("no holder panics");
            record.deleted += u32::from(status.is_some_and(|status| status < 300));
        }
    }

    /// Signed, where the form is S3's own.
    fn with_a_signature(&self, mut request: Request) -> Request {
        if let Some(keys) = self.ready.keys.as_ref().filter(|_| self.ready.target.form == Form::S3Multipart) {
            request.headers.extend(keys.headers(request.method, &request.url, b"", &sign::moment()));
        }
        request
    }
}

fn is_same(transfer: &TransferDetail, parcel: &Parcel) -> bool {
    transfer.sha256.as_ref() == Some(&parcel.sha256)
}

fn changed() -> Failure {
    crate::observe::TransferFailure::Changed.into()
}

impl Exchanged {
    /// An answer that lacks what the next request needs is a failure.
    pub(super) fn or_wrong_server(mut self) -> Self {
        self.failure = self.failure.or_else(|| {
            let head = &self.reply.as_ref()?.answered.head;
            let page = head.is_page();
            Some(if page { HttpFailure::BlockPage } else { HttpFailure::WrongServer }.into())
        });
        self
    }
}

impl Uploaded {
    pub(super) fn failed(failure: Failure) -> Self {
        Self { exchanged: Exchanged { reply: None, failure: Some(failure), stuck: false }, id: None }
    }
}
