//! Pictures and sound: codecs, sizes of pictures, samples and channels.

use super::super::{Severity, Stage};
use super::{Context, Finding};
use crate::media::inspect::{Color, Details, VideoTrack};
use crate::media::rules::effect::{
    AudioChannels, Codecs, ColorLimit, Dimensions, Megapixels, Photo, Resolution, VideoLimit,
};

impl Context<'_> {
    pub(super) fn codecs(&self, codecs: &Codecs) -> Option<Finding> {
        if !codecs.types.contains(&self.type_name) {
            return None;
        }
        let Details { video, audio, .. } = self.details();
        let wrong =
            |codec: &str, allowed: &[String]| !allowed.is_empty() && !allowed.iter().any(|known| known == codec);
        let pictures = video.iter().map(|track| track.codec).filter(|codec| wrong(codec, &codecs.video));
        let sounds = audio.iter().map(|track| track.codec).filter(|codec| wrong(codec, &codecs.audio));
        let actual: Vec<&str> = pictures.chain(sounds).collect();
        if actual.is_empty() {
            return None;
        }
        let allowed = [codecs.video.join("|"), codecs.audio.join("|")];
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: format!("{} takes this container with other codecs alone", self.to.channel.title),
            limit: Some(allowed.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" with ")),
            actual: Some(actual.join(", ")),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn megapixels(&self, limit: &Megapixels) -> Option<Finding> {
        let actual = self.details().megapixels.filter(|&actual| actual >= limit.below as f64)?;
        let fails = limit.fails_on.contains(&self.to.channel.name);
        Some(Finding {
            stage: Stage::Channel,
            severity: if fails { Severity::Fails } else { Severity::AtRisk },
            message: "the photo has too many pixels".to_owned(),
            limit: Some(format!("less than {} megapixels", limit.below)),
            actual: Some(format!("{actual:.1} megapixels")),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn resolution(&self, limit: Resolution) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        if width.max(height) <= limit.long_side && width.min(height) <= limit.short_side {
            return None;
        }
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::AtRisk,
            message: "some channels refuse videos of high resolution".to_owned(),
            limit: Some(format!("{}x{}", limit.long_side, limit.short_side)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn color(&self, limit: &ColorLimit) -> Option<Finding> {
        let Details { bit_depth, color, .. } = self.details();
        let deep = bit_depth.is_some_and(|depth| depth > limit.bits);
        let other = color.is_some_and(|color| !limit.models.iter().any(|name| name == color.name()));
        (deep || other).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the image has samples that the channel does not show".to_owned(),
            limit: Some(format!("{} bits, {}", limit.bits, limit.models.join("|"))),
            actual: Some(format!(
                "{} bits, {}",
                bit_depth.map_or("?".to_owned(), |depth| depth.to_string()),
                color.map_or("?", Color::name)
            )),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn video(&self, limit: &VideoLimit) -> Option<Finding> {
        let Details { video, audio, index_first, fragmented, .. } = self.details();
        let reordered = |track: &&VideoTrack| {
            track.b_frames == Some(true) && track.profile.is_some_and(|profile| profile.starts_with("High"))
        };
        let (limit, actual) = if limit.b_frames_in_high == Some(false) && video.iter().any(|track| reordered(&track)) {
            ("Main profile without B-frames".to_owned(), "High profile with B-frames".to_owned())
        } else if limit.index_first == Some(true) && *index_first == Some(false) {
            ("moov before mdat".to_owned(), "moov at the end".to_owned())
        } else if limit.index_first == Some(true) && *fragmented == Some(true) {
            ("one moov".to_owned(), "fragmented".to_owned())
        } else {
            let most = limit.most_audio_tracks.filter(|&most| audio.len() > most)?;
            (format!("{most} audio stream"), format!("{} audio streams", audio.len()))
        };
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the video does not play everywhere".to_owned(),
            limit: Some(limit),
            actual: Some(actual),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn audio_channels(&self, limit: &AudioChannels) -> Option<Finding> {
        let channels = self.details().audio.iter().filter_map(|track| track.channels).max();
        let channels = channels.filter(|&channels| limit.types.contains(&self.type_name) && channels > limit.most)?;
        Some(Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the recording has too many channels".to_owned(),
            limit: Some(limit.most.to_string()),
            actual: Some(channels.to_string()),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn dimensions(&self, limit: Dimensions) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        ((width, height) != (limit.width, limit.height)).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the image has another size".to_owned(),
            limit: Some(format!("{}x{}", limit.width, limit.height)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }

    pub(super) fn photo(&self, limit: Photo) -> Option<Finding> {
        let (width, height) = self.details().width.zip(self.details().height)?;
        let (long, short) = (u64::from(width.max(height)), u64::from(width.min(height)));
        (long + short > limit.most_sum || long > short * limit.most_ratio).then(|| Finding {
            stage: Stage::Channel,
            severity: Severity::Fails,
            message: "the photo has a shape that the channel does not take".to_owned(),
            limit: Some(format!("width + height at most {}, ratio at most {}", limit.most_sum, limit.most_ratio)),
            actual: Some(format!("{width}x{height}")),
            fix: self.repair().convert(),
        })
    }
}
