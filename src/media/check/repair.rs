//! The exact command that makes a file one that sends.
//!
//! `ImageMagick` reads a name as much more than one (formats, ranges, `@file`, wild cards), so it gets the file on standard
//! input; ffmpeg gets `file:` before the name, which switches every other protocol off.

use std::path::Path;

use super::{Kind, Sending};
use crate::media::shell::{beside, word};

/// The sound of a repaired video, in kbit/s.
const SOUND: u64 = 96;
/// Below this rate a picture is no longer worth sending, in kbit/s.
const LEAST_PICTURE: u64 = 64;
/// Container and rate control need a margin.
const SHARE_OF_LIMIT: u64 = 90;

/// A file, and the bytes that surely pass every limit.
pub(super) struct Repair<'a> {
    pub(super) sending: &'a Sending<'a>,
    pub(super) fits: u64,
}

impl Repair<'_> {
    /// The same bytes under another name.
    pub(super) fn rename(&self, extension: &str) -> Option<String> {
        let new = beside(self.sending.file, extension);
        Some(format!("cp {} {}", self.input()?, word(&new)?))
    }

    /// A type, codec or shape that is taken.
    pub(super) fn convert(&self) -> Option<String> {
        match self.sending.inspection.kind {
            Kind::Image | Kind::Sticker if self.sending.inspection.details.animated == Some(true) => self.video(),
            Kind::Image | Kind::Sticker => self.image(),
            Kind::Video => self.video(),
            Kind::Audio => self.audio(),
            Kind::Document => self.document(),
        }
    }

    /// Fewer bytes.
    pub(super) fn shrink(&self) -> Option<String> {
        match self.sending.inspection.kind {
            Kind::Document => self.archive(),
            _ => self.convert(),
        }
    }

    /// A JPEG below 85 megapixels and the limit, on white where it was transparent.
    fn image(&self) -> Option<String> {
        let (input, output) = (self.input()?, self.output("jpg")?);
        let most = self.fits / 100 * SHARE_OF_LIMIT;
        Some(format!(
            "convert - -auto-orient -resize '4096x4096>' -background white -flatten -colorspace sRGB -depth 8 -strip \
             -define jpeg:extent={most} jpeg:- < {input} > {output}"
        ))
    }

    /// H.264 in Main profile without B-frames, and AAC: it plays on every client.
    fn video(&self) -> Option<String> {
        let (input, output) = (file_url(self.sending.file)?, file_url(&beside(self.sending.file, "mp4"))?);
        let rate = self.picture_rate()?;
        Some(format!(
            "ffmpeg -nostdin -y -i {input} -map 0:v:0 -map '0:a:0?' -c:v libx264 -profile:v main -bf 0 -pix_fmt yuv420p \
             -vf \"scale='min(1280,iw)':'min(1280,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2\" \
             {rate}-c:a aac -b:a {SOUND}k -ac 2 -movflags +faststart {output}"
        ))
    }

    /// What is left for the picture of a film this long; none when that is too little.
    fn picture_rate(&self) -> Option<String> {
        let Some(seconds) = self.sending.inspection.details.duration_seconds else { return Some(String::new()) };
        let rate = self.kilobits(seconds)?.checked_sub(SOUND)?.min(2_000);
        (rate >= LEAST_PICTURE).then(|| format!("-b:v {rate}k -maxrate {rate}k -bufsize {rate}k "))
    }

    /// MP3, which platform and channels take.
    fn audio(&self) -> Option<String> {
        let (input, output) = (file_url(self.sending.file)?, file_url(&beside(self.sending.file, "mp3"))?);
        let rate =
            self.sending.inspection.details.duration_seconds.map_or(Some(128), |seconds| self.kilobits(seconds))?;
        let rate = [128, 96, 64, 48, 32].into_iter().find(|&step| step <= rate)?;
        Some(format!("ffmpeg -nostdin -y -i {input} -vn -map 0:a:0 -c:a libmp3lame -b:a {rate}k {output}"))
    }

    /// The rate at which so many seconds fit, in kbit/s.
    fn kilobits(&self, seconds: f64) -> Option<u64> {
        let bits = self.fits as f64 * 8.0 / 100.0 * SHARE_OF_LIMIT as f64;
        let rate = bits / seconds.max(1.0) / 1000.0;
        // Up to 1e11, and never negative.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (rate >= 1.0).then_some(rate.min(1e9) as u64)
    }

    /// What an Office program opens becomes a PDF; what none does is packed.
    fn document(&self) -> Option<String> {
        let opened = [
            "doc", "ppt", "xls", "txt", "csv", "rtf", "odt", "ods", "odp", "docx", "xlsx", "pptx", "docm", "xlsm",
            "pptm", "html",
        ];
        let content = self.sending.inspection.media_type.extension.as_str();
        if !opened.contains(&content) {
            return self.archive();
        }
        let folder = self.sending.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = word(folder.unwrap_or(Path::new(".")))?;
        Some(format!("soffice --headless --convert-to pdf --outdir {folder} {}", self.input()?))
    }

    /// A ZIP, where that helps: what is packed already does not shrink.
    fn archive(&self) -> Option<String> {
        let packed = [
            "zip", "gz", "docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "pdf", "7z", "rar", "odt", "ods", "odp",
            "epub",
        ];
        let over = self.sending.inspection.bytes > self.fits;
        if over && packed.contains(&self.sending.inspection.media_type.extension.as_str()) {
            return Some(
                "it is packed already and would not shrink: split it, or share it by a link of your own".to_owned(),
            );
        }
        Some(format!("zip -9 -q -j {} {}", self.output("zip")?, self.input()?))
    }

    fn input(&self) -> Option<String> {
        word(self.sending.file)
    }

    fn output(&self, extension: &str) -> Option<String> {
        word(&beside(self.sending.file, extension))
    }
}

/// A name that ffmpeg takes for nothing but a file.
fn file_url(file: &Path) -> Option<String> {
    let mut url = std::ffi::OsString::from("file:");
    url.push(file);
    word(Path::new(&url))
}
