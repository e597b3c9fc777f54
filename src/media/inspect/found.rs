//! What an inspection found.

use serde::Serialize;

use crate::media::rules::Kind;

/// What a file is, by its content alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Its length.
    pub bytes: u64,
    /// Its type.
    pub media_type: MediaType,
    /// What it is to a channel.
    pub kind: Kind,
    /// What the headers say.
    pub details: Details,
}

/// A content type and its usual extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// As in a `Content-Type` header.
    pub name: String,
    /// Without the dot; empty where there is none.
    pub extension: String,
}

/// What the headers say; absent is what they do not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Details {
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Width times height, in millions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub megapixels: Option<f64>,
    /// Bits of a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<u8>,
    /// Colour model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// More than one picture follows in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub animated: Option<bool>,
    /// The main brand of an ISO base media file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Streams of pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub video: Vec<VideoTrack>,
    /// Streams of sound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audio: Vec<AudioTrack>,
    /// How long it plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// It is in pieces with an index each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragmented: Option<bool>,
    /// The index stands before the data, so that it plays before it is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_first: Option<bool>,
    /// Files in an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// Their sizes unpacked, as declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpacked_bytes: Option<u64>,
    /// It asks for a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// It carries programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macros: Option<bool>,
    /// Encoding of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// Why it is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// A stream of pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VideoTrack {
    /// As `ffprobe` calls it; `unknown` where the header names none that is known.
    pub codec: &'static str,
    /// Profile of H.264: Baseline, Main, High …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<&'static str>,
    /// Level of H.264, as in 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Pictures are shown in another order than they are stored in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b_frames: Option<bool>,
}

/// A stream of sound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AudioTrack {
    /// As `ffprobe` calls it; `unknown` where the header names none that is known.
    pub codec: &'static str,
    /// Profile of AAC: LC, HE-AAC …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<&'static str>,
    /// One is mono.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<u16>,
    /// Samples a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
}

/// A colour model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// Shades of grey, with transparency or without.
    Gray,
    /// Red, green and blue, or what is stored for them.
    Rgb,
    /// The same with transparency.
    Rgba,
    /// An index into a table of colours.
    Palette,
    /// For print.
    Cmyk,
}

/// Why a file is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// The end is missing.
    Truncated,
    /// What the header announces is not there.
    Malformed,
}

impl MediaType {
    pub(super) fn new(name: &str, extension: &str) -> Self {
        Self { name: name.to_owned(), extension: extension.to_owned() }
    }

    /// What it is to a channel when nothing but the type is known.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.name.split('/').next() {
            Some("image") => Kind::Image,
            Some("audio") => Kind::Audio,
            Some("video") => Kind::Video,
            _ => Kind::Document,
        }
    }
}

impl Details {
    /// With the size of the picture and what follows from it.
    pub(super) fn sized(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (Some(width), Some(height));
        self.megapixels = Some(f64::from(width) * f64::from(height) / 1e6);
        self
    }

    /// With a fault unless it is whole.
    pub(super) fn whole(mut self, whole: bool) -> Self {
        if !whole {
            self.fault = Some(Fault::Truncated);
        }
        self
    }
}

impl Color {
    /// The name in rules and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Rgb => "rgb",
            Self::Rgba => "rgba",
            Self::Palette => "palette",
            Self::Cmyk => "cmyk",
        }
    }
}

impl Fault {
    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Empty => "the file is empty",
            Self::Truncated => "the end of the file is missing",
            Self::Malformed => "the file is not what its header says",
        }
    }
}
