//! Each repair that a check names is run as it stands, by a shell, and what it makes is checked again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const FILM: &str = "-f lavfi -i testsrc=s=176x144:r=10:d=0.6 -f lavfi -i sine=d=0.6 -shortest";

/// What is wrong: how the file is made (`$OUT`), its name, the channel, and the rule whose repair is run.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "ffmpeg -v error $FILM -c:v libx265 -x265-params log-level=none -c:a aac $OUT",
        "a.mp4",
        "whatsapp:twilio",
        "wa.video.codec",
    ),
    (
        "ffmpeg -v error $FILM -c:v libx264 -pix_fmt yuv420p -c:a libmp3lame $OUT",
        "a.mp4",
        "whatsapp:vonage",
        "wa.video.codec",
    ),
    ("ffmpeg -v error $FILM -c:v mpeg4 -c:a aac $OUT", "a.mov", "whatsapp:twilio", "wa.types.video"),
    ("ffmpeg -v error $FILM -c:v mpeg1video -r 25 -c:a mp2 $OUT", "a.mpg", "whatsapp:360dialog", "wa.types.video"),
    ("ffmpeg -v error $FILM -c:v libx264 -c:a libopus $OUT", "a.mkv", "whatsapp:twilio", "platform.types"),
    (
        "ffmpeg -v error -f lavfi -i testsrc=s=3840x2160:r=10:d=0.4 -c:v libx264 -pix_fmt yuv420p $OUT",
        "a.mp4",
        "telegram",
        "video.resolution",
    ),
    (
        "ffmpeg -v error -f lavfi -i testsrc=s=1280x720:d=20 -vf noise=alls=100:allf=t -c:v libx264 -preset ultrafast -b:v 40M -fs 18000000 -pix_fmt yuv420p $OUT",
        "a.mp4",
        "whatsapp:twilio",
        "wa.size.video",
    ),
    ("ffmpeg -v error -f lavfi -i sine=d=1 -c:a libvorbis $OUT", "a.ogg", "whatsapp:twilio", "wa.ogg.opus"),
    ("ffmpeg -v error -f lavfi -i sine=d=1 -c:a libopus $OUT", "a.opus", "whatsapp:twilio", "platform.types"),
    ("ffmpeg -v error -f lavfi -i sine=d=1 $OUT", "a.wav", "whatsapp:messagebird", "wa.types.audio"),
    ("ffmpeg -v error -f lavfi -i sine=d=200 -ar 44100 $OUT", "a.wav", "whatsapp:twilio", "wa.size.audio"),
    ("ffmpeg -v error -f lavfi -i sine=d=1 -c:a aac $OUT", "a.m4a", "line", "platform.types"),
    ("convert -size 96x64 plasma: p.png; heif-enc -o $OUT p.png", "a.heic", "whatsapp:twilio", "wa.heic"),
    ("convert -size 1600x1600 xc: +noise Random -quality 100 $OUT", "a.jpg", "whatsapp:twilio", "wa.size.image"),
    ("convert -size 900x900 xc: +noise Random -quality 95 $OUT", "a.jpg", "viber", "size.viber.image"),
    ("convert -size 900x900 xc: +noise Random $OUT", "a.png", "whatsapp:chat-api", "size.wa.chatapi"),
    ("convert -size 10000x9000 xc:blue $OUT", "a.jpg", "messenger", "image.megapixels"),
    ("convert -size 96x64 plasma: $OUT", "a.gif", "whatsapp:twilio", "wa.types.image"),
    ("convert -size 96x64 plasma: plasma: -loop 0 $OUT", "a.gif", "whatsapp:twilio", "wa.types.image"),
    ("convert -size 96x64 plasma: -alpha set $OUT", "a.bmp", "whatsapp:twilio", "wa.types.image"),
    ("convert -size 96x64 plasma: png:$OUT", "a.jpg", "whatsapp:twilio", "wa.trouble.content_type"),
    ("convert -size 96x64 plasma: jpg:$OUT", "a.dat", "telegram", "platform.types"),
    ("printf 'Dear customer\\n' > $OUT", "a.txt", "whatsapp:twilio", "wa.types.document"),
    ("head -c 3000 /dev/urandom > $OUT", "a.bin", "telegram", "platform.types"),
    ("yes 'a line of a log' | head -c 25000000 > $OUT", "a.log", "telegram", "platform.max_size"),
];

/// Names that mean something to a shell, to ffmpeg, to `ImageMagick` or to a terminal.
const HOSTILE: &[&str] = &[
    "a b.mp4",
    "-y.mp4",
    "it's.mp4",
    "$(touch pwned).mp4",
    "`touch pwned`.mp4",
    "a;touch pwned;.mp4",
    "\"x\".mp4",
    "new\nline.mp4",
    "%d.mp4",
    "concat:a|b.mp4",
    "größe.mp4",
    "\u{202e}gpj.mp4",
    "back\\slash.mp4",
    "@list.jpg",
    "*.jpg",
    "a[0].jpg",
    "png:x.jpg",
    "-.jpg",
];

#[test]
fn every_repair_makes_a_file_that_sends() {
    let failed: Vec<String> = WRONG.iter().filter_map(|case| repaired(case).err()).collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), WRONG.len(), failed.join("\n"));
}

#[test]
fn a_hostile_name_is_a_name() {
    let failed: Vec<String> = HOSTILE
        .iter()
        .filter_map(|name| {
            let (recipe, rule) = if name.contains(".mp4") {
                ("ffmpeg -v error $FILM -c:v mpeg4 -c:a aac -f mp4 file:made; mv made \"$OUT\"", "wa.video.codec")
            } else {
                ("convert -size 96x64 plasma: gif:made; mv made \"$OUT\"", "wa.trouble.content_type")
            };
            repaired(&(recipe, name, "whatsapp:twilio", rule)).err()
        })
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), HOSTILE.len(), failed.join("\n"));
}

fn repaired(&(recipe, name, channel, rule): &(&str, &str, &str, &str)) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let made = shell(recipe, folder.path(), name);
    let told = |what: &str, output: &Output| {
        format!("{name} to {channel}: {what}: {}", String::from_utf8_lossy(&output.stderr))
    };
    if !made.status.success() {
        return Err(told("not made", &made));
    }
    let judged = check(folder.path(), Path::new(name), channel);
    let reason = judged["channels"][0]["reasons"].as_array().unwrap().iter().find(|reason| reason["rule"] == rule);
    let fix = reason
        .and_then(|reason| reason["fix"].as_str())
        .ok_or(format!("{name} to {channel}: no repair by {rule}: {judged}"))?;
    let before = files(folder.path());
    let output = shell(fix, folder.path(), name);
    let new: Vec<PathBuf> = files(folder.path()).difference(&before).cloned().collect();
    let [repaired] = new.as_slice() else { return Err(told(&format!("{fix} made {new:?}"), &output)) };
    let again = check(folder.path(), repaired, channel);
    let verdict = again["channels"][0]["verdict"].as_str().unwrap_or_default();
    if verdict == "will_send" { Ok(()) } else { Err(format!("{name} to {channel}: {fix}: {verdict}, {again}")) }
}

/// In the folder, with the name in `$OUT`: the words of a command are not pasted together with a name.
fn shell(command: &str, folder: &Path, name: &str) -> Output {
    let command = command.replace("$FILM", FILM);
    let name = if name.starts_with('-') { format!("./{name}") } else { name.to_owned() };
    let mut shell = Command::new("sh");
    shell.args(["-ec", &command]).current_dir(folder).env("OUT", name).env("HOME", folder).stdin(Stdio::null());
    shell.output().unwrap()
}

fn check(folder: &Path, file: &Path, channel: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egressd"));
    command.args(["media", "check", "--format", "json", "--channel", channel, "--last-inbound", "2h", "--"]).arg(file);
    let output = command.current_dir(folder).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    names.filter(|entry| entry.file_type().unwrap().is_file()).map(|entry| entry.file_name().into()).collect()
}
