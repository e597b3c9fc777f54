//! What libmagic and `ffprobe` say of the same files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::corpus::{Origin, Sample};
use crate::{inspected, others, samples};

/// Other names that libmagic has for the same types.
const SAME: &[(&str, &str)] = &[
    ("audio/x-wav", "audio/wav"),
    ("image/x-ms-bmp", "image/bmp"),
    ("text/xml", "application/xml"),
    ("audio/x-m4a", "audio/mp4"),
    ("video/x-m4v", "video/mp4"),
    ("audio/x-hx-aac-adts", "audio/aac"),
    ("application/csv", "text/csv"),
    ("application/x-gzip", "application/gzip"),
    ("audio/AMR", "audio/amr"),
    ("audio/AMR-WB", "audio/amr-wb"),
    ("video/mpeg4-generic", "video/mp4"),
    ("video/ogg", "audio/ogg"),
];

/// libmagic tells the container alone: a film without a picture counts as right for it.
fn magic_is_right(said: &str, sample: &Sample) -> bool {
    let same = SAME.iter().find(|(other, _)| *other == said).map_or(said, |(_, name)| name);
    same == sample.media_type
        || matches!(
            (same, sample.media_type.as_str()),
            ("video/mp4", "audio/mp4")
                | ("video/3gpp", "audio/3gpp")
                | ("audio/amr", "audio/amr-wb")
                | ("text/plain", "text/csv")
        )
}

#[derive(Default)]
struct Score {
    files: usize,
    ours: usize,
    magic: usize,
}

#[test]
fn types_are_right_and_never_behind_libmagic() {
    let (folder, samples) = samples();
    assert!(samples.len() >= 300);
    types(folder.path(), samples, 97);
}

/// Two points less may be right where nothing was tuned.
#[test]
fn types_of_a_second_corpus_are_right() {
    let (folder, samples) = others();
    types(folder.path(), samples, 95);
}

fn types(folder: &Path, samples: &[Sample], due: usize) {
    let magic = magic(folder, samples);
    let (mut classes, mut wrong) = (BTreeMap::<&str, Score>::new(), Vec::new());
    for sample in samples {
        let name = sample.path.file_name().unwrap().to_str().unwrap();
        let (ours, said) = (inspected(&sample.path).media_type.name, &magic[name]);
        let class = classes.entry(&sample.media_type).or_default();
        class.files += 1;
        class.ours += usize::from(ours == sample.media_type);
        class.magic += usize::from(magic_is_right(said, sample));
        if ours != sample.media_type {
            wrong.push(format!("{name} ({:?}): {ours}, not {}; libmagic {said}", sample.origin, sample.media_type));
        }
    }
    let total = |count: fn(&Score) -> usize| classes.values().map(count).sum::<usize>();
    let (files, right, theirs) = (total(|class| class.files), total(|class| class.ours), total(|class| class.magic));
    println!("{files} files: {right} types right, libmagic {theirs}\n{}", wrong.join("\n"));
    assert!(right * 100 >= files * due, "{right} of {files}\n{}", wrong.join("\n"));
    let behind: Vec<_> = classes.iter().filter(|(_, class)| class.ours < class.magic).map(|(name, _)| name).collect();
    assert!(behind.is_empty(), "behind libmagic in {behind:?}\n{}", wrong.join("\n"));
}

/// One run for all files; names have no colons.
fn magic(folder: &Path, samples: &[Sample]) -> BTreeMap<String, String> {
    let mut command = Command::new("file");
    command.args(["--mime-type", "--no-pad", "--"]).current_dir(folder);
    command.args(samples.iter().map(|sample| sample.path.file_name().unwrap()));
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    said.lines()
        .filter_map(|line| line.rsplit_once(": "))
        .map(|(name, said)| (name.to_owned(), said.to_owned()))
        .collect()
}

#[test]
fn codecs_are_those_of_ffprobe() {
    codecs(&samples().1);
}

#[test]
fn codecs_of_a_second_corpus_are_those_of_ffprobe() {
    codecs(&others().1);
}

fn codecs(samples: &[Sample]) {
    let played = |sample: &&Sample| {
        let kind = sample.media_type.split('/').next().unwrap();
        matches!(kind, "audio" | "video") && sample.origin != Origin::Truncated
    };
    let (mut files, mut wrong) = (0, Vec::new());
    for sample in samples.iter().filter(played) {
        files += 1;
        let details = inspected(&sample.path).details;
        let pictures = details.video.iter().map(|track| ("video".to_owned(), track.codec.to_owned()));
        let sounds = details.audio.iter().map(|track| ("audio".to_owned(), track.codec.to_owned()));
        let mut ours: Vec<_> = pictures.chain(sounds).collect();
        let mut theirs = probed(&sample.path);
        ours.sort();
        theirs.sort();
        if ours != theirs {
            wrong.push(format!("{}: {ours:?}, ffprobe {theirs:?}", sample.path.display()));
        }
    }
    println!("{files} files: {} codecs right", files - wrong.len());
    assert!(files > 0 && wrong.is_empty(), "{} of {files}:\n{}", wrong.len(), wrong.join("\n"));
}

fn probed(path: &Path) -> Vec<(String, String)> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-of", "json", "-show_entries", "stream=codec_type,codec_name"]).arg(path);
    let said: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let streams = said["streams"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let all = streams.iter().map(|stream| (text(&stream["codec_type"]), text(&stream["codec_name"])));
    all.filter(|(kind, _)| kind == "audio" || kind == "video").collect()
}
