//! What follows from a rule, and the sizes it is about.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// What a file is to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A still or animated image.
    Image,
    /// Sound alone.
    Audio,
    /// Moving images, with sound or without.
    Video,
    /// Everything else.
    Document,
    /// A sticker, as `WhatsApp` has them.
    Sticker,
}

/// The step of a send at which a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// To the platform.
    Upload,
    /// Whether the conversation allows a message at all.
    Window,
    /// What the channel takes.
    Channel,
    /// What the provider between platform and channel does.
    Provider,
    /// The customer's side.
    Recipient,
}

/// What follows from a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Extensions that the platform takes; others are refused.
    UploadTypes(Vec<String>),
    /// The largest file that the platform takes.
    UploadSize(Size),
    /// The largest file that the channel takes; a larger one is replaced by a link.
    MaxSize(Size),
    /// A limit on which the sources differ for some providers: for these a file between both is at risk.
    DisputedSize(DisputedSize),
    /// Types that the channel takes; others are replaced by a link.
    Types(Vec<String>),
    /// Types that are no use to anybody until they are converted.
    Convert(Convert),
    /// Types that count as another kind.
    OnlyAs(OnlyAs),
    /// Codecs that these types may hold.
    Codecs(Codecs),
    /// Pixels of an image.
    Megapixels(Megapixels),
    /// Size of a video's picture above which it is at risk.
    Resolution(Resolution),
    /// The customer has to have written less than this long ago.
    Window(Window),
    /// What a business sends to somebody who never wrote.
    FirstMessage(Template),
    /// The kinds that the header of a template takes.
    TemplateHeader(Vec<Kind>),
    /// Whether the channel knows templates.
    Template(Template),
    /// Kinds that swallow the text sent with them.
    SeparateText(Vec<String>),
    /// What it means that extension, content and declared type differ.
    Agreement(Severity),
    /// What it means that content is missing.
    Whole(Severity),
    /// What it means that a document is encrypted or has macros.
    Protected(Severity),
    /// Samples of an image.
    Color(ColorLimit),
    /// How a video has to be made.
    Video(VideoLimit),
    /// Channels of sound.
    AudioChannels(AudioChannels),
    /// Exact size of an image.
    Dimensions(Dimensions),
    /// Bounds on the shape of a photo.
    Photo(Photo),
    /// What takes the place of a file that a channel does not take.
    Fallback(Fallback),
    /// What cannot be seen in a file.
    NotChecked(NotChecked),
    /// What nothing follows from.
    Info(Info),
}

/// How bad it is; a verdict comes from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; changes no verdict.
    Warning,
    /// It may fail.
    AtRisk,
    /// A link is sent in place of the file.
    Link,
    /// Only a template can be sent.
    NeedsTemplate,
    /// It fails.
    Fails,
}

/// Limit, and the larger one that other sources name for some providers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DisputedSize {
    /// The smaller figure.
    pub limit: Size,
    /// The larger one.
    pub up_to: Size,
    /// For whom it is disputed.
    pub providers: Vec<String>,
}

/// Types, and what to convert them into.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Convert {
    /// Which types.
    pub types: Vec<String>,
    /// An extension.
    pub into: String,
}

/// Types, and the only kind they are sent as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OnlyAs {
    /// Which types.
    pub types: Vec<String>,
    /// As what.
    pub kind: Kind,
}

/// Codecs by their names in `ffprobe`; an empty list allows every one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Codecs {
    /// Which types.
    pub types: Vec<String>,
    /// Of the picture.
    #[serde(default)]
    pub video: Vec<String>,
    /// Of the sound.
    pub audio: Vec<String>,
}

/// Bound on width times height.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Megapixels {
    /// In millions; this many is one too many.
    pub below: u64,
    /// Channels on which it fails; elsewhere it is at risk.
    pub fails_on: Vec<String>,
}

/// Bounds on a picture, whichever way it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// In pixels.
    pub long_side: u32,
    /// In pixels.
    pub short_side: u32,
}

/// A customer service window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Closed when this many have passed.
    pub hours: u32,
    /// A template can be sent when it is closed.
    pub template: bool,
    /// The tag with which a person may still answer.
    #[serde(default)]
    pub tag: Option<String>,
}

/// Whether templates are needed or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Nothing but a template.
    Template,
    /// There are none.
    None,
}

/// Bounds on the samples of an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ColorLimit {
    /// A sample.
    pub bits: u8,
    /// Names of colour models.
    pub models: Vec<String>,
}

/// Bounds on how a video is made; what is absent is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct VideoLimit {
    /// B-frames in H.264 High profile.
    pub b_frames_in_high: Option<bool>,
    /// The index stands before the data.
    pub index_first: Option<bool>,
    /// Streams of sound.
    pub most_audio_tracks: Option<usize>,
}

/// Bound on channels of sound.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AudioChannels {
    /// Which types.
    pub types: Vec<String>,
    /// One is mono.
    pub most: u16,
}

/// Exact size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dimensions {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Bounds on the shape of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Photo {
    /// Of width and height, in pixels.
    pub most_sum: u64,
    /// Of the longer side to the shorter.
    pub most_ratio: u64,
}

/// What takes a file's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// A link to the file.
    Link,
}

/// What cannot be seen in a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NotChecked {
    /// Where it would fail.
    pub stage: Stage,
    /// What is not known.
    pub message: String,
    /// How to find out, or what to do.
    pub fix: String,
}

/// Why nothing follows from a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Info {
    /// Who may do it.
    Access,
    /// What to do, not what fails.
    Advice,
    /// What a conversation costs.
    Billing,
    /// A cause that other rules spell out.
    Failure,
    /// What the other rules rest on.
    Principle,
}

/// A size as the pages write it: `20 MB`, which neither of them defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    number: u64,
    mega: bool,
}

impl Size {
    /// Bytes that fit whichever unit was meant: N x 10^6, or N x 10^3.
    #[must_use]
    pub fn surely_fits(self) -> u64 {
        self.number * if self.mega { 1_000_000 } else { 1_000 }
    }

    /// Bytes that fit if the larger unit was meant: N x 2^20, or N x 2^10.
    #[must_use]
    pub fn may_fit(self) -> u64 {
        self.number * if self.mega { 1 << 20 } else { 1 << 10 }
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once(' ')?;
        let number = number.parse().ok().filter(|number| (1..=1_000_000).contains(number))?;
        match unit {
            "MB" => Some(Self { number, mega: true }),
            "KB" => Some(Self { number, mega: false }),
            _ => None,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, if self.mega { "MB" } else { "KB" })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("a size is a whole number and a unit, as in `16 MB` or `100 KB`"))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Kind {
    /// The name in rules and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

impl Stage {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Window => "window",
            Self::Channel => "channel",
            Self::Provider => "provider",
            Self::Recipient => "recipient",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_in_both_units() {
        let size = Size::parse("16 MB").unwrap();
        assert_eq!((size.surely_fits(), size.may_fit(), size.to_string().as_str()), (16_000_000, 16_777_216, "16 MB"));
        let size = Size::parse("100 KB").unwrap();
        assert_eq!((size.surely_fits(), size.may_fit()), (100_000, 102_400));
        for wrong in ["", "16", "16MB", "-1 MB", "0 MB", "1.5 MB", "16 GB", "99999999999 MB"] {
            assert_eq!(Size::parse(wrong), None, "{wrong}");
        }
    }
}
