//! Real files by the real programs: every type, codec and brand of the two pages, and what pretends to be one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// A file and the type that its maker says it has.
pub struct Sample {
    /// Where it is.
    pub path: PathBuf,
    /// The type of its content.
    pub media_type: String,
    /// How it came about.
    pub origin: Origin,
}

/// How a file came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// As its program wrote it.
    Whole,
    /// Under a name of another type.
    Misnamed,
    /// Without its end.
    Truncated,
    /// With something of another type before or behind.
    Polyglot,
}

/// The type, the name, and the shell command that makes it.
pub struct Recipe {
    media_type: String,
    name: String,
    command: String,
}

const PICTURE: &str = "-f lavfi -i testsrc=s=176x144:r=10:d=0.6";
const SOUND: &str = "-f lavfi -i sine=d=0.6";
const FFMPEG: &str = "ffmpeg -nostdin -v error -y";

/// AMR by hand: neither ffmpeg nor sox of Debian encode it. Name, start, and header and length of a frame (RFC 4867, 5.3).
const AMR: [(&str, &str, u8, usize); 4] = [
    ("in-4.75.amr", "#!AMR\n", 0x04, 12),
    ("in-7.4.amr", "#!AMR\n", 0x24, 19),
    ("in-12.2.amr", "#!AMR\n", 0x3c, 31),
    ("in-wide.awb", "#!AMR-WB\n", 0x14, 32),
];

/// Makes all of them in this folder; says which could not be made.
pub fn make(folder: &Path) -> Result<Vec<Sample>, String> {
    let recipes: Vec<Recipe> = [films(), quicktime(), phones(), sounds(), streams(), images(), documents(), texts()]
        .into_iter()
        .flatten()
        .collect();
    prepare(folder);
    let whole = made_by(folder, &recipes)?;
    let derived = [misnamed(folder), truncated(folder, &whole), polyglots(folder)].into_iter().flatten();
    Ok(whole.into_iter().chain(derived).collect())
}

/// Follows the recipes.
pub fn made_by(folder: &Path, recipes: &[Recipe]) -> Result<Vec<Sample>, String> {
    run(folder, recipes)?;
    let whole = |recipe: &Recipe| Sample {
        path: folder.join(&recipe.name),
        media_type: recipe.media_type.clone(),
        origin: Origin::Whole,
    };
    Ok(recipes.iter().map(whole).collect())
}

/// What several recipes begin with.
fn prepare(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    for (name, start, header, length) in AMR {
        let frame = [&[header][..], &vec![0; length]].concat();
        fs::write(folder.join(name), [start.as_bytes(), &frame.repeat(30)].concat()).unwrap();
    }
    write("in.txt", "Dear customer,\n\nyour file did not arrive.\n");
    write("in.csv", "name,size\nphoto,5\nfilm,16\n");
    write("in.fodp", SLIDES);
}

/// Two at a time; `soffice` alone, because a second one would wait for the first or fail.
fn run(folder: &Path, recipes: &[Recipe]) -> Result<(), String> {
    let (waiting, office) = (Mutex::new(recipes.iter()), Mutex::new(()));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let next = || waiting.lock().unwrap().next();
                while let Some(recipe) = next() {
                    let _alone = recipe.command.contains("soffice").then(|| office.lock().unwrap());
                    if let Err(why) = made(folder, recipe) {
                        failed.lock().unwrap().push(format!("{}: {why}", recipe.name));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn made(folder: &Path, recipe: &Recipe) -> Result<(), String> {
    let mut command = Command::new("sh");
    command.args(["-ec", &recipe.command]).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    let length = fs::metadata(folder.join(&recipe.name)).map_or(0, |file| file.len());
    if output.status.success() && length > 0 {
        return Ok(());
    }
    Err(format!("{}\n{}", recipe.command, String::from_utf8_lossy(&output.stderr)))
}

pub fn recipe(media_type: &str, name: impl Into<String>, command: impl Into<String>) -> Recipe {
    Recipe { media_type: media_type.to_owned(), name: name.into(), command: command.into() }
}

/// MP4: profiles of H.264, other codecs, order of index and data, fragments, brands.
fn films() -> Vec<Recipe> {
    let film = |name: String, flags: &str| {
        recipe("video/mp4", name.clone(), format!("{FFMPEG} {PICTURE} {SOUND} -shortest {flags} {name}"))
    };
    let mut all = Vec::new();
    let profiles = [
        ("baseline", "yuv420p"),
        ("main", "yuv420p"),
        ("high", "yuv420p"),
        ("high10", "yuv420p10le"),
        ("high422", "yuv422p"),
        ("high444", "yuv444p"),
    ];
    for (profile, pixels) in profiles {
        for (sound, codec) in [("aac", "-c:a aac"), ("mp3", "-c:a libmp3lame"), ("ac3", "-c:a ac3"), ("none", "-an")] {
            for (order, flags) in [
                ("end", ""),
                ("start", "-movflags +faststart"),
                ("frag", "-movflags +frag_keyframe+empty_moov+delay_moov"),
            ] {
                let name = format!("h264-{profile}-{sound}-{order}.mp4");
                all.push(film(name, &format!("-c:v libx264 -profile:v {profile} -pix_fmt {pixels} {codec} {flags}")));
            }
        }
    }
    for codec in [
        "libx265 -x265-params log-level=none",
        "mpeg4",
        "mpeg2video",
        "mpeg1video -r 25",
        "libvpx-vp9",
        "libaom-av1 -cpu-used 8",
        "mjpeg -pix_fmt yuvj420p",
    ] {
        let name = format!("video-{}.mp4", codec.split(' ').next().unwrap());
        all.push(film(name, &format!("-c:v {codec} -c:a aac")));
    }
    for codec in ["libmp3lame", "libopus -strict -2", "flac -strict -2", "alac", "ac3", "eac3", "libvorbis", "mp2"] {
        let name = format!("audio-{}.mp4", codec.split(' ').next().unwrap());
        all.push(film(name, &format!("-c:v libx264 -pix_fmt yuv420p -c:a {codec}")));
    }
    for brand in ["mp41", "mp42", "isom", "iso2", "iso5", "iso6", "avc1", "dash", "MSNV", "M4V ", "f4v "] {
        let name = format!("brand-{}.mp4", brand.trim());
        all.push(film(name, &format!("-c:v libx264 -pix_fmt yuv420p -c:a aac -brand '{brand}'")));
    }
    for (name, flags) in [
        ("two-sounds", "-map 0:v -map 1:a -map 1:a -c:v libx264 -pix_fmt yuv420p -c:a aac"),
        ("no-b-frames", "-c:v libx264 -pix_fmt yuv420p -bf 0 -c:a aac"),
        ("stereo", "-c:v libx264 -pix_fmt yuv420p -c:a aac -ac 2"),
        ("rotated", "-c:v libx264 -pix_fmt yuv420p -c:a aac -metadata:s:v rotate=90"),
        ("dash", "-c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +dash+frag_every_frame+empty_moov"),
    ] {
        all.push(film(format!("film-{name}.mp4"), flags));
    }
    all
}

/// MOV with what cameras and cutting programs put into it.
fn quicktime() -> Vec<Recipe> {
    let pictures = [
        "libx264 -pix_fmt yuv420p",
        "libx265 -x265-params log-level=none",
        "mpeg4",
        "mjpeg -pix_fmt yuvj420p",
        "prores_ks",
        "qtrle",
        "png",
        "h263",
        "rawvideo -pix_fmt uyvy422",
        "mpeg2video",
        "jpeg2000",
    ];
    let sounds = [
        "aac",
        "alac",
        "ac3",
        "libmp3lame",
        "pcm_s16le",
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f32be",
        "pcm_f64le",
        "pcm_f64be",
        "pcm_mulaw",
        "pcm_alaw",
        "pcm_u8",
        "adpcm_ima_qt",
    ];
    let film = |name: String, flags: String| {
        recipe("video/quicktime", name.clone(), format!("{FFMPEG} {PICTURE} {SOUND} -shortest {flags} {name}"))
    };
    let pictures = pictures.iter().map(|codec| {
        film(format!("video-{}.mov", codec.split(' ').next().unwrap()), format!("-c:v {codec} -c:a pcm_s16le"))
    });
    let sounds =
        sounds.iter().map(|codec| film(format!("audio-{codec}.mov"), format!("-c:v mpeg4 -c:a {codec} -ac 2")));
    pictures.chain(sounds).collect()
}

/// 3GP and M4A.
fn phones() -> Vec<Recipe> {
    let mut all = Vec::new();
    for (name, flags) in [
        ("h263-amr.3gp", "-map 0:v -map 2:a -c:v h263 -c:a copy"),
        ("mpeg4-aac.3gp", "-c:v mpeg4 -c:a aac"),
        ("h264-aac.3gp", "-c:v libx264 -pix_fmt yuv420p -c:a aac"),
        ("h264-amrwb.3gp", "-map 0:v -map 3:a -c:v libx264 -pix_fmt yuv420p -c:a copy"),
        ("h264-silent.3gp", "-c:v libx264 -pix_fmt yuv420p -an"),
    ] {
        all.push(recipe(
            "video/3gpp",
            name,
            format!("{FFMPEG} {PICTURE} {SOUND} -i in-12.2.amr -i in-wide.awb -t 0.5 {flags} {name}"),
        ));
    }
    all.push(recipe(
        "video/3gpp2",
        "h264-aac.3g2",
        format!("{FFMPEG} {PICTURE} {SOUND} -shortest -c:v libx264 -pix_fmt yuv420p -c:a aac h264-aac.3g2"),
    ));
    for (name, flags) in [
        ("amr.3gp", "-i in-12.2.amr -map 1:a -c:a copy"),
        ("amrwb.3gp", "-i in-wide.awb -map 1:a -c:a copy"),
        ("aac.3gp", "-c:a aac"),
    ] {
        all.push(recipe("audio/3gpp", format!("sound-{name}"), format!("{FFMPEG} {SOUND} {flags} sound-{name}")));
    }
    for (name, flags) in [
        ("mono.m4a", "-c:a aac"),
        ("stereo.m4a", "-c:a aac -ac 2"),
        ("alac.m4a", "-c:a alac"),
        ("sixchannels.m4a", "-c:a aac -ac 6"),
        ("low.m4a", "-c:a aac -ar 8000"),
        ("sound.mp4", "-c:a aac"),
        ("mp3.mp4", "-c:a libmp3lame"),
        ("frag.m4a", "-c:a aac -f mp4 -movflags +frag_keyframe+empty_moov"),
    ] {
        all.push(recipe("audio/mp4", format!("sound-{name}"), format!("{FFMPEG} {SOUND} {flags} sound-{name}")));
    }
    all
}

/// Sound by itself.
fn sounds() -> Vec<Recipe> {
    let mut all = Vec::new();
    let mut add = |media_type: &str, name: String, flags: String| {
        all.push(recipe(media_type, name.clone(), format!("{FFMPEG} {SOUND} {flags} {name}")));
    };
    for rate in [32, 64, 128, 192, 256, 320] {
        add("audio/mpeg", format!("mp3-{rate}.mp3"), format!("-c:a libmp3lame -b:a {rate}k"));
        add(
            "audio/mpeg",
            format!("mp3-{rate}-stereo.mp3"),
            format!("-c:a libmp3lame -b:a {rate}k -ac 2 -write_xing 0"),
        );
    }
    for rate in [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
        add("audio/mpeg", format!("mp3-at-{rate}.mp3"), format!("-c:a libmp3lame -ar {rate}"));
        add("audio/aac", format!("aac-at-{rate}.aac"), format!("-c:a aac -ar {rate}"));
    }
    for (name, flags) in [
        ("vbr", "-q:a 4"),
        ("no-tag", "-id3v2_version 0 -write_xing 0"),
        ("tag-3", "-id3v2_version 3 -metadata title=Title"),
        ("tag-1", "-id3v2_version 0 -write_id3v1 1 -metadata title=x"),
        ("long-tag", "-metadata comment=$(printf '%09000d' 0)"),
    ] {
        add("audio/mpeg", format!("mp3-{name}.mp3"), format!("-c:a libmp3lame {flags}"));
    }
    for count in [1, 2, 6] {
        add("audio/aac", format!("aac-{count}.aac"), format!("-c:a aac -ac {count}"));
        add("audio/wav", format!("wav-{count}.wav"), format!("-c:a pcm_s16le -ac {count}"));
        add("audio/ogg", format!("opus-{count}.opus"), format!("-c:a libopus -ac {count}"));
    }
    for codec in ["libopus", "libvorbis", "flac", "libspeex"] {
        for count in [1, 2] {
            add("audio/ogg", format!("{codec}-{count}.ogg"), format!("-c:a {codec} -ac {count} -f ogg"));
        }
    }
    for rate in [6, 24, 64, 128] {
        add("audio/ogg", format!("opus-{rate}.ogg"), format!("-c:a libopus -b:a {rate}k"));
    }
    for codec in [
        "pcm_u8",
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64le",
        "pcm_mulaw",
        "pcm_alaw",
        "adpcm_ms",
        "adpcm_ima_wav",
    ] {
        add("audio/wav", format!("{codec}.wav"), format!("-c:a {codec}"));
    }
    add("audio/mpeg", "two.mp2".to_owned(), "-c:a mp2".to_owned());
    for rate in ["4.75", "7.4", "12.2"] {
        all.push(recipe("audio/amr", format!("amr-{rate}k.amr"), format!("cp in-{rate}.amr amr-{rate}k.amr")));
    }
    all.push(recipe("audio/amr-wb", "wide.awb", "cp in-wide.awb wide.awb"));
    all
}

/// MPEG program streams.
fn streams() -> Vec<Recipe> {
    let film = |name: &str, flags: &str| {
        recipe("video/mpeg", name, format!("{FFMPEG} {PICTURE} {SOUND} -shortest -r 25 {flags} {name}"))
    };
    vec![
        film("one.mpg", "-c:v mpeg1video -c:a mp2"),
        film("one.mpeg", "-c:v mpeg1video -c:a mp2"),
        film("two.mpg", "-c:v mpeg2video -c:a mp2 -f dvd"),
        film("two.mpeg", "-c:v mpeg2video -c:a mp2 -f vob"),
        film("svcd.mpg", "-c:v mpeg2video -c:a mp2 -f svcd"),
        film("vcd.mpg", "-c:v mpeg1video -c:a mp2 -f vcd"),
        film("mp3.mpg", "-c:v mpeg1video -c:a libmp3lame"),
        film("ac3.mpg", "-c:v mpeg2video -c:a ac3 -f dvd"),
        film("silent.mpg", "-c:v mpeg1video -an"),
        film("bare.m1v", "-c:v mpeg1video -an -f mpeg1video"),
        film("bare.m2v", "-c:v mpeg2video -an -f mpeg2video"),
    ]
}

fn images() -> Vec<Recipe> {
    let mut all = Vec::new();
    let mut add = |media_type: &str, name: &str, flags: &str| {
        all.push(recipe(media_type, name, format!("convert -size 96x64 plasma:red-blue {flags} {name}")));
    };
    for (name, flags) in [
        ("plain", ""),
        ("low", "-quality 5"),
        ("best", "-quality 100 -sampling-factor 1x1"),
        ("gray", "-colorspace Gray"),
        ("cmyk", "-colorspace CMYK"),
        ("progressive", "-interlace JPEG"),
        ("comment", "-set comment long"),
        ("tiny", "-resize 1x1!"),
    ] {
        add("image/jpeg", &format!("{name}.jpg"), flags);
        add("image/jpeg", &format!("{name}.jpeg"), flags);
    }
    for kind in ["png24", "png32", "png48", "png64", "png00"] {
        add("image/png", &format!("{kind}.png"), &format!("-colors 99 -define png:format={kind}"));
    }
    for (name, flags) in [
        ("gray", "-colorspace Gray"),
        ("gray16", "-colorspace Gray -depth 16"),
        ("bilevel", "-monochrome"),
        ("palette", "-type Palette -define png:format=png8"),
        ("interlaced", "-interlace PNG"),
        ("four", "-colors 16 -depth 4 -type Palette"),
    ] {
        add("image/png", &format!("{name}.png"), flags);
    }
    add("image/gif", "still.gif", "");
    add("image/gif", "animated.gif", "\\( -size 96x64 plasma: \\) \\( -size 96x64 plasma: \\) -loop 0");
    add("image/gif", "once.gif", "\\( -size 96x64 plasma: \\)");
    for (name, flags) in [
        ("one.bmp", "-monochrome"),
        ("eight.bmp", "-colors 200 -type Palette"),
        ("alpha.bmp", "-alpha set -define bmp:format=bmp4"),
        ("rle.bmp", "-colors 16 -compress RLE"),
    ] {
        add("image/bmp", name, flags);
    }
    for (name, flags) in [
        ("lossy.webp", "-quality 50"),
        ("lossless.webp", "-define webp:lossless=true"),
        ("alpha.webp", "-alpha set -channel A -evaluate set 50%"),
        ("sticker.webp", "-resize 512x512!"),
    ] {
        add("image/webp", name, flags);
    }
    for (name, form) in [("os2.bmp", "BMP2"), ("v3.bmp", "BMP3")] {
        let command = format!("convert -size 96x64 plasma: -type TrueColor {form}:{name}");
        all.push(recipe("image/bmp", name, command));
    }
    all.push(recipe("image/webp", "moving.webp", format!("{FFMPEG} {PICTURE} -c:v libwebp_anim moving.webp")));
    for quality in [10, 50, 90] {
        all.push(recipe(
            "image/heic",
            format!("q{quality}.heic"),
            format!(
                "convert -size 96x64 plasma: h{quality}.png; heif-enc -q {quality} -o q{quality}.heic h{quality}.png"
            ),
        ));
    }
    all
}

fn documents() -> Vec<Recipe> {
    let office = |media_type: &str, name: &str, from: &str, format: &str| {
        let (stem, extension) = name.split_once('.').unwrap();
        let (input, kind) = from.split_once('.').unwrap();
        recipe(
            media_type,
            name,
            format!(
                "mkdir -p o-{stem}-{extension}; cp {input}.{kind} o-{stem}-{extension}/{stem}.{kind}; soffice --headless --convert-to {format} --outdir . o-{stem}-{extension}/{stem}.{kind} >/dev/null"
            ),
        )
    };
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let slides = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    vec![
        office(word, "letter.docx", "in.txt", "docx"),
        office("application/msword", "letter.doc", "in.txt", "doc"),
        office("application/pdf", "letter.pdf", "in.txt", "pdf"),
        office(sheet, "sheet.xlsx", "in.csv", "xlsx"),
        office("application/vnd.ms-excel", "sheet.xls", "in.csv", "xls"),
        office("application/pdf", "sheet.pdf", "in.csv", "pdf"),
        office(slides, "slides.pptx", "in.fodp", "pptx"),
        office("application/vnd.ms-powerpoint", "slides.ppt", "in.fodp", "ppt"),
        office("application/pdf", "slides.pdf", "in.fodp", "pdf"),
        recipe("application/zip", "text.zip", "zip -q text.zip in.txt in.csv"),
        recipe("application/zip", "stored.zip", "zip -q -0 stored.zip in.txt"),
        recipe("application/zip", "locked.zip", "zip -q -P secret locked.zip in.txt"),
        recipe("application/zip", "word.zip", "mkdir -p word; cp in.txt word/; zip -q -r word.zip word"),
        recipe("application/x-tar", "ustar.tar", "tar --format=ustar -cf ustar.tar in.txt"),
        recipe("application/x-tar", "gnu.tar", "tar --format=gnu -cf gnu.tar in.txt in.csv"),
        recipe("application/x-tar", "pax.tar", "tar --format=pax -cf pax.tar in.txt"),
        recipe("application/x-tar", "v7.tar", "tar --format=v7 -cf v7.tar in.txt"),
        recipe("application/gzip", "text.gz", "gzip -c in.txt > text.gz"),
        recipe("application/gzip", "fast.gz", "gzip -1 -n -c in.csv > fast.gz"),
        recipe("application/gzip", "both.tgz", "tar -czf both.tgz in.txt in.csv"),
    ]
}

fn texts() -> Vec<Recipe> {
    let text = |media_type: &str, name: &str, command: &str| recipe(media_type, name, format!("{command} > {name}"));
    vec![
        text("text/plain", "ascii.txt", "printf 'one line\\nand another\\n'"),
        text("text/plain", "utf8.txt", "printf 'Gr\\303\\274\\303\\237e\\n'"),
        text("text/plain", "bom.txt", "printf '\\357\\273\\277Gr\\303\\274\\303\\237e\\n'"),
        text("text/plain", "utf16le.txt", "printf '\\377\\376h\\000i\\000\\n\\000'"),
        text("text/plain", "utf16be.txt", "printf '\\376\\377\\000h\\000i\\000\\n'"),
        text("text/plain", "latin1.txt", "printf 'Gr\\374\\337e aus Z\\374rich\\n'"),
        text("text/plain", "dos.txt", "printf 'one\\r\\ntwo\\r\\n'"),
        text("text/plain", "one.txt", "printf 'x'"),
        text(
            "text/plain",
            "server.log",
            "printf '2026-01-01 10:00:00 INFO started\\n2026-01-01 10:00:01 WARN slow, very\\n'",
        ),
        text("text/plain", "coloured.log", "printf '\\033[31mred\\033[0m\\n'"),
        text("text/csv", "comma.csv", "printf 'a,b,c\\n1,2,3\\n4,5,6\\n'"),
        text("text/csv", "semicolon.csv", "printf 'a;b;c\\n1;2;3\\n4;5;6\\n'"),
        text("text/csv", "quoted.csv", "printf 'a,b\\n\"x, y\",1\\n\"z\\nw\",2\\n'"),
        text("text/csv", "tab.csv", "printf 'a\\tb\\n1\\t2\\n3\\t4\\n'"),
        text("text/csv", "long.csv", "seq 1 3000 | sed 's/.*/&,&,x/'"),
        text("application/xml", "plain.xml", "printf '<?xml version=\"1.0\"?>\\n<a><b/></a>\\n'"),
        text("application/xml", "bom.xml", "printf '\\357\\273\\277<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>\\n'"),
        text("application/xml", "bare.xml", "printf '<feed><entry id=\"1\">x</entry></feed>\\n'"),
        text(
            "application/xml",
            "latin1.xml",
            "printf '<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\\374</a>\\n'",
        ),
    ]
}

/// Names of one type with content of another.
fn misnamed(folder: &Path) -> Vec<Sample> {
    let pairs = [
        ("plain.jpg", "image/jpeg", "jpg-as.png"),
        ("png24.png", "image/png", "png-as.jpg"),
        ("q50.heic", "image/heic", "heic-as.jpg"),
        ("lossy.webp", "image/webp", "webp-as.jpg"),
        ("video-libx264.mov", "video/quicktime", "mov-as.mp4"),
        ("sound-mono.m4a", "audio/mp4", "m4a-as.mp3"),
        ("libopus-1.ogg", "audio/ogg", "ogg-as.mp3"),
        ("mp3-128.mp3", "audio/mpeg", "mp3-as.mp4"),
        ("text.zip", "application/zip", "zip-as.docx"),
        ("comma.csv", "text/csv", "csv-as.xls"),
        ("letter.pdf", "application/pdf", "pdf-as"),
        ("ascii.txt", "text/plain", "txt-as.pdf"),
        ("letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx-as.zip"),
        ("wav-1.wav", "audio/wav", "wav-as.ogg"),
        ("amr-7.4k.amr", "audio/amr", "amr-as.mp3"),
        ("two.mpg", "video/mpeg", "mpg-as.mp4"),
        ("both.tgz", "application/gzip", "tgz-as.zip"),
        ("plain.xml", "application/xml", "xml-as.png"),
        ("still.gif", "image/gif", "gif-as.webp"),
    ];
    pairs
        .into_iter()
        .map(|(from, media_type, name)| {
            let path = folder.join(name);
            fs::copy(folder.join(from), &path).unwrap();
            Sample { path, media_type: media_type.to_owned(), origin: Origin::Misnamed }
        })
        .collect()
}

/// The first two thirds of one of each extension; an archive without its list is one all the same.
fn truncated(folder: &Path, whole: &[Sample]) -> Vec<Sample> {
    let mut seen = std::collections::BTreeSet::new();
    let text = |sample: &&Sample| !sample.media_type.starts_with("text/") && sample.media_type != "application/xml";
    let office = |sample: &&Sample| {
        !sample.media_type.contains("openxml")
            && !sample.media_type.contains("ms-")
            && sample.media_type != "application/msword"
    };
    whole
        .iter()
        .filter(text)
        .filter(office)
        .filter(|sample| seen.insert(sample.path.extension()))
        .map(|sample| {
            let bytes = fs::read(&sample.path).unwrap();
            let path = folder.join(format!("cut-{}", sample.path.file_name().unwrap().to_str().unwrap()));
            fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
            Sample { path, media_type: sample.media_type.clone(), origin: Origin::Truncated }
        })
        .collect()
}

/// What a file begins with is what a reader takes it for.
fn polyglots(folder: &Path) -> Vec<Sample> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let zip = read("text.zip");
    [
        ("image/jpeg", "jpg-zip.jpg", [read("plain.jpg"), zip.clone()].concat()),
        ("image/png", "png-zip.png", [read("png24.png"), zip.clone()].concat()),
        ("application/pdf", "junk.pdf", [b"some line\n".to_vec(), read("letter.pdf")].concat()),
        ("application/pdf", "pdf-zip.pdf", [read("letter.pdf"), zip.clone()].concat()),
        ("image/gif", "gif-script.gif", [read("still.gif"), b"<script>alert(1)</script>".to_vec()].concat()),
        ("video/mp4", "mp4-zip.mp4", [read("h264-main-aac-start.mp4"), zip].concat()),
    ]
    .into_iter()
    .map(|(media_type, name, bytes)| {
        fs::write(folder.join(name), bytes).unwrap();
        Sample { path: folder.join(name), media_type: media_type.to_owned(), origin: Origin::Polyglot }
    })
    .collect()
}

const SLIDES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.presentation">
<office:body><office:presentation><draw:page draw:name="one"><draw:frame svg:width="10cm" svg:height="5cm" svg:x="1cm" svg:y="1cm"><draw:text-box><text:p>One</text:p></draw:text-box></draw:frame></draw:page></office:presentation></office:body>
</office:document>
"#;
