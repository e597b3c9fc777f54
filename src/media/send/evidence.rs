//! What was seen while media were sent: one record for each upload.

use std::time::Duration;

use serde::Serialize;

use super::SendTarget;
use crate::endpoint::Path;
use crate::media::generate::SampleKind;
use crate::media::ladder::Found;
use crate::observe::Failure;

/// Everything that was seen of one target over one path.
#[derive(Clone, Debug, PartialEq)]
pub struct SendRun {
    /// The target.
    pub target: SendTarget,
    /// The way that was taken.
    pub path: Path,
    /// Our own bundle proved who answered.
    pub authenticated: bool,
    /// One upload after another, those of the size ladder left out.
    pub trials: Vec<Trial>,
    /// What the size ladder found; none where it was not climbed.
    pub size: Option<Found>,
    /// Largest segments that pass, in bytes, where larger ones vanish.
    pub segment_bytes: Option<u32>,
    /// Requests of all kinds.
    pub requests: u32,
    /// Bytes of bodies that were sent.
    pub sent_bytes: u64,
    /// Uploads that were deleted again.
    pub deleted: u32,
    /// Uploads that lie there still.
    pub left: u32,
    /// What was not tried, and why.
    pub skipped: Vec<String>,
}

/// One upload, and what came back of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// What it was made for.
    pub purpose: Purpose,
    /// What was sent.
    pub shape: Shape,
    /// Bytes of the request's body that passed.
    pub passed_bytes: u64,
    /// How long the answer took.
    pub took: Duration,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The product whose page came in the place of the answer.
    pub product: Option<String>,
    /// What is wrong with the upload.
    pub failure: Option<Failure>,
    /// What came back; none where it was not fetched.
    pub received: Option<Received>,
}

/// What an upload is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To see whether the kind passes.
    Kind,
    /// To see which of type, extension and content is refused.
    Factor,
    /// To see whether the largest that is taken comes back.
    Largest,
    /// To see whether `Expect: 100-continue` is handled.
    Expect,
    /// To see whether a body without a length passes.
    Chunked,
    /// To see whether something cuts what takes long.
    Slow,
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The kind of which the bytes are.
    pub content: SampleKind,
    /// The kind of the `Content-Type`.
    pub declared: SampleKind,
    /// The kind of the name's extension.
    pub named: SampleKind,
    /// How many bytes.
    pub bytes: u64,
}

/// What came back of an upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// Bytes that came.
    pub bytes: u64,
    /// They are those that were sent.
    pub same: bool,
    /// The type that they came with.
    pub content_type: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// What is wrong with it.
    pub failure: Option<Failure>,
}

impl Shape {
    /// A file that is what it is called.
    #[must_use]
    pub fn honest(kind: SampleKind, bytes: u64) -> Self {
        Self { content: kind, declared: kind, named: kind, bytes }
    }

    /// The file's name, the same in every run.
    #[must_use]
    pub fn name(&self) -> String {
        format!("egressd-{}-{}.{}", self.content.name(), self.bytes, self.named.name())
    }
}

impl Trial {
    /// What is wrong, on the way there or back.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        let back = || self.received.as_ref().and_then(|received| received.failure.as_ref());
        self.failure.as_ref().or_else(back)
    }

    /// It failed although somebody had taken the connection: what reaches nobody says nothing of what was sent.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let told = |failure: &Failure| matches!(failure, Failure::Http(_) | Failure::Transfer(_));
        self.failure.as_ref().is_some_and(|failure| self.status.is_some() || told(failure))
    }

    /// It came, unchanged, to where it is fetched.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure().is_none()
    }
}

impl Received {
    /// It came with another type than it was sent with, parameters and old names left out.
    #[must_use]
    pub fn is_retyped(&self, declared: SampleKind) -> bool {
        let essence = |text: &str| {
            let bare = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            bare.replace("/x-ms-", "/").replace("/x-", "/")
        };
        self.content_type.as_deref().is_some_and(|seen| essence(seen) != essence(declared.media_type()))
    }
}

impl SendRun {
    /// Of which nothing is known yet.
    #[must_use]
    pub fn new(target: SendTarget, path: Path) -> Self {
        Self {
            target,
            path,
            authenticated: false,
            trials: Vec::new(),
            size: None,
            segment_bytes: None,
            requests: 0,
            sent_bytes: 0,
            deleted: 0,
            left: 0,
            skipped: Vec::new(),
        }
    }

    /// The uploads of a purpose.
    pub fn of(&self, purpose: Purpose) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.purpose == purpose)
    }
}
