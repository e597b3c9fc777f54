//! Ogg (RFC 3533): which codecs the streams carry, from the page that each begins with.

use std::io::{self, Read, Seek};

use super::Found;
use super::found::{AudioTrack, Details, Fault, VideoTrack};
use super::number::{be16, le16, le32, le64};
use super::source::Source;

/// All streams begin before the first page of data, so that a few pages suffice.
const MOST_PAGES: usize = 64;
/// The largest page: header, 255 sizes and as many full segments.
const LARGEST_PAGE: usize = 27 + 255 + 255 * 255;

pub(super) fn inspect<R: Read + Seek>(source: &mut Source<R>, head: &[u8]) -> io::Result<Found> {
    let mut details = Details::default();
    let mut clock = None;
    for page in pages(head).take_while(Page::begins_stream) {
        clock = clock.or(stream(page.content, &mut details));
    }
    let tail = source.tail()?;
    let last = tail.windows(4).rposition(|window| window == b"OggS").map(|at| &tail[at..]);
    details.duration_seconds = clock.zip(last).and_then(|(clock, page)| clock.seconds(le64(page, 6)?));
    details.fault = fault(&details, last);
    let video = !details.video.is_empty();
    let opus = details.audio.iter().any(|track| track.codec == "opus");
    Ok(match (video, opus) {
        (true, _) => Found::new("video/ogg", "ogv", details),
        (false, true) => Found::new("audio/ogg", "opus", details),
        (false, false) => Found::new("audio/ogg", "ogg", details),
    })
}

/// A stream without a beginning is none; a page that is cut is the last of a file that is.
fn fault(details: &Details, last: Option<&[u8]>) -> Option<Fault> {
    let Some(page) = last else { return Some(Fault::Malformed) };
    if details.audio.is_empty() && details.video.is_empty() {
        return Some(Fault::Malformed);
    }
    let whole = Page::read(page).is_some_and(|read| read.length <= page.len());
    (!whole && page.len() < LARGEST_PAGE).then_some(Fault::Truncated)
}

struct Page<'a> {
    flags: u8,
    content: &'a [u8],
    length: usize,
}

impl<'a> Page<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let segments = usize::from(*bytes.get(26)?);
        if !bytes.starts_with(b"OggS") {
            return None;
        }
        let sizes = bytes.get(27..27 + segments)?;
        let length = 27 + segments + sizes.iter().map(|&size| usize::from(size)).sum::<usize>();
        let content = bytes.get(27 + segments..length.min(bytes.len()))?;
        Some(Self { flags: bytes[5], content, length })
    }

    fn begins_stream(&self) -> bool {
        self.flags & 2 != 0
    }
}

fn pages(bytes: &[u8]) -> impl Iterator<Item = Page<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let page = Page::read(rest)?;
        rest = rest.get(page.length..).unwrap_or_default();
        Some(page)
    })
    .take(MOST_PAGES)
}

/// What the positions of a stream count.
#[derive(Clone, Copy)]
struct Clock {
    rate: u32,
    before: u64,
}

impl Clock {
    fn seconds(self, position: u64) -> Option<f64> {
        (self.rate > 0 && position < 1 << 62)
            .then(|| position.saturating_sub(self.before) as f64 / f64::from(self.rate))
    }
}

fn stream(start: &[u8], details: &mut Details) -> Option<Clock> {
    let sound = |codec, channels, rate| AudioTrack { channels, sample_rate: rate, ..AudioTrack::of(codec) };
    match start {
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, channels, ..] => {
            details.audio.push(sound("opus", Some(u16::from(*channels)), Some(48_000)));
            // RFC 7845: positions count at 48 kHz whatever the input had.
            Some(Clock { rate: 48_000, before: u64::from(le16(start, 10)?) })
        }
        [1, b'v', b'o', b'r', b'b', b'i', b's', ..] => {
            let rate = le32(start, 12);
            details.audio.push(sound("vorbis", start.get(11).map(|&count| u16::from(count)), rate));
            Some(Clock { rate: rate?, before: 0 })
        }
        [0x7f, b'F', b'L', b'A', b'C', ..] => {
            let rate = super::number::be32(start, 27).map(|bits| bits >> 12);
            let channels = be16(start, 29).map(|bits| (bits >> 1 & 7) + 1);
            details.audio.push(sound("flac", channels, rate));
            Some(Clock { rate: rate?, before: 0 })
        }
        [b'S', b'p', b'e', b'e', b'x', b' ', ..] => {
            let channels = le32(start, 48).and_then(|count| u16::try_from(count).ok());
            let rate = le32(start, 36);
            details.audio.push(sound("speex", channels, rate));
            Some(Clock { rate: rate?, before: 0 })
        }
        [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => {
            let side = |at| be16(start, at).map(|blocks| u32::from(blocks) * 16);
            details.video.push(VideoTrack {
                codec: "theora",
                width: side(10),
                height: side(12),
                ..VideoTrack::default()
            });
            None
        }
        _ => None,
    }
}
