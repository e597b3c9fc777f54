//! One track of a film.

use super::super::found::{AudioTrack, Details, VideoTrack};
use super::super::number::{be32, be64};
use super::sample;

/// What the boxes of a track say.
#[derive(Default)]
pub(super) struct Track {
    handler: [u8; 4],
    /// Units a second, and units.
    duration: Option<(u32, u64)>,
    /// Sample descriptions as stored; read when the handler is known.
    descriptions: Vec<u8>,
    reordered: bool,
}

impl Track {
    pub(super) fn take(&mut self, kind: &[u8; 4], payload: &[u8]) {
        match kind {
            // QuickTime has a second handler, for the data; the first is the media's.
            b"hdlr" if self.handler == [0; 4] => {
                self.handler = payload.get(8..12).and_then(|name| name.try_into().ok()).unwrap_or_default();
            }
            b"mdhd" => self.duration = duration(payload),
            b"stsd" => self.descriptions = payload.to_vec(),
            b"ctts" => self.reordered = be32(payload, 4).is_some_and(|entries| entries > 1),
            _ => {}
        }
    }

    pub(super) fn seconds(&self) -> Option<f64> {
        seconds(self.duration?)
    }

    pub(super) fn add_to(self, details: &mut Details) {
        let entry = self.descriptions.get(8..).unwrap_or_default();
        match &self.handler {
            b"vide" => details.video.push(VideoTrack { b_frames: Some(self.reordered), ..sample::video(entry) }),
            b"soun" => details.audio.push(sample::audio(entry)),
            _ => {}
        }
    }
}

impl AudioTrack {
    /// Sound of which only the codec is known.
    pub(in crate::media::inspect) fn of(codec: &'static str) -> Self {
        Self { codec, ..Self::default() }
    }
}

/// Units a second and units, of `mvhd` and `mdhd`; none when unknown.
pub(super) fn duration(payload: &[u8]) -> Option<(u32, u64)> {
    if payload.first()? == &1 {
        return Some((be32(payload, 20)?, be64(payload, 24)?)).filter(|(_, units)| *units != u64::MAX);
    }
    Some((be32(payload, 12)?, u64::from(be32(payload, 16)?))).filter(|(_, units)| *units != u64::from(u32::MAX))
}

pub(super) fn seconds((scale, units): (u32, u64)) -> Option<f64> {
    (scale > 0 && units > 0).then(|| units as f64 / f64::from(scale))
}
