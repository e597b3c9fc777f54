//! A second corpus by other programs, on which nothing was tuned: `GStreamer`, `GraphicsMagick`, sox, lame, opus-tools,
//! vorbis-tools and Python's own library.

use std::path::Path;

use crate::corpus::{Recipe, Sample, made_by, recipe};

const PICTURE: &str = "videotestsrc num-buffers=12 ! video/x-raw,width=160,height=120,framerate=10/1";
const SOUND: &str = "audiotestsrc num-buffers=40";

/// Makes all of them in this folder; says which could not be made.
pub fn make(folder: &Path) -> Result<Vec<Sample>, String> {
    let recipes: Vec<Recipe> = [films(), sounds(), images(), archives()].into_iter().flatten().collect();
    made_by(folder, &recipes)
}

fn gst(media_type: &str, name: &str, pipeline: &str) -> Recipe {
    recipe(media_type, name, format!("gst-launch-1.0 -q {pipeline} location={name}"))
}

fn films() -> Vec<Recipe> {
    let film = |media_type: &str, name: &str, picture: &str, sound: &str, mux: &str| {
        let pipeline = format!(
            "{PICTURE} ! {picture} ! queue ! m. {SOUND} ! audioconvert ! {sound} ! queue ! m. {mux} name=m ! filesink"
        );
        gst(media_type, name, &pipeline)
    };
    let (mp4, mov, phone) = ("video/mp4", "video/quicktime", "video/3gpp");
    vec![
        film(mp4, "gst-a.mp4", "x264enc", "voaacenc", "mp4mux"),
        film(mp4, "gst-b.mp4", "x264enc ! video/x-h264,profile=baseline", "voaacenc", "mp4mux faststart=true"),
        film(mp4, "gst-c.mp4", "x264enc ! video/x-h264,profile=high", "lamemp3enc", "mp4mux"),
        film(mp4, "gst-d.mp4", "x264enc ! video/x-h264,profile=main", "voaacenc", "mp4mux fragment-duration=200"),
        film(mp4, "gst-e.mp4", "x264enc", "opusenc", "mp4mux"),
        film(mov, "gst-a.mov", "x264enc", "voaacenc", "qtmux"),
        film(mov, "gst-b.mov", "jpegenc", "voaacenc", "qtmux"),
        film(mov, "gst-c.mov", "x264enc", "audio/x-raw,format=S16LE", "qtmux"),
        film(mov, "gst-d.mov", "x264enc", "alawenc", "qtmux"),
        film(phone, "gst-a.3gp", "x264enc", "audioresample ! audio/x-raw,rate=8000 ! amrnbenc", "3gppmux"),
        film(phone, "gst-b.3gp", "x264enc", "voaacenc", "3gppmux"),
        gst("audio/mp4", "gst-sound.m4a", &format!("{SOUND} ! voaacenc ! mp4mux ! filesink")),
        gst("video/mp4", "gst-silent.mp4", &format!("{PICTURE} ! x264enc ! mp4mux ! filesink")),
    ]
}

fn sounds() -> Vec<Recipe> {
    let mut all = vec![
        // The encoder writes bare frames; a file begins with a name.
        recipe(
            "audio/amr",
            "gst.amr",
            format!(
                "gst-launch-1.0 -q {SOUND} ! audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! amrnbenc ! filesink location=frames; {{ printf '#!AMR\\n'; cat frames; }} > gst.amr"
            ),
        ),
        gst("audio/aac", "gst.aac", &format!("{SOUND} ! voaacenc ! audio/mpeg,stream-format=adts ! filesink")),
        gst("audio/ogg", "gst-opus.ogg", &format!("{SOUND} ! audioconvert ! opusenc ! oggmux ! filesink")),
        gst("audio/ogg", "gst-vorbis.ogg", &format!("{SOUND} ! audioconvert ! vorbisenc ! oggmux ! filesink")),
        gst("audio/ogg", "gst-flac.ogg", &format!("{SOUND} ! audioconvert ! flacenc ! oggmux ! filesink")),
        gst("audio/wav", "gst.wav", &format!("{SOUND} ! wavenc ! filesink")),
        gst("audio/mpeg", "gst.mp3", &format!("{SOUND} ! lamemp3enc ! filesink")),
        gst("audio/mpeg", "gst-tagged.mp3", &format!("{SOUND} ! lamemp3enc ! id3v2mux ! filesink")),
    ];
    for (name, flags) in [
        ("u8", "-b 8 -e unsigned-integer"),
        ("s16", "-b 16"),
        ("s24", "-b 24"),
        ("s32", "-b 32"),
        ("f32", "-b 32 -e floating-point"),
        ("ulaw", "-e mu-law"),
        ("alaw", "-e a-law"),
        ("ima", "-e ima-adpcm"),
        ("four", "-b 16 -c 4"),
    ] {
        all.push(recipe(
            "audio/wav",
            format!("sox-{name}.wav"),
            format!("sox -n {flags} sox-{name}.wav synth 0.5 sine 440"),
        ));
    }
    let input = |name: &str, command: &str| {
        format!("sox -n -r 44100 -b 16 -c 2 {name}.in.wav synth 1 sine 440; {command} {name}.in.wav")
    };
    for (name, flags) in [
        ("cbr", "-b 128"),
        ("vbr", "-V 4"),
        ("abr", "--abr 100"),
        ("mono", "-m m"),
        ("tagged", "--tt Title --add-id3v2"),
        ("bare", "-t"),
        ("low", "--resample 16"),
    ] {
        let name = format!("lame-{name}");
        all.push(recipe(
            "audio/mpeg",
            format!("{name}.mp3"),
            input(&name, &format!("lame --quiet {flags}")) + &format!(" {name}.mp3"),
        ));
    }
    for (name, flags) in [("plain", ""), ("mono", "--downmix-mono"), ("low", "--bitrate 16")] {
        let name = format!("opusenc-{name}");
        all.push(recipe(
            "audio/ogg",
            format!("{name}.opus"),
            input(&name, &format!("opusenc --quiet {flags}")) + &format!(" {name}.opus"),
        ));
    }
    for quality in [0, 5, 9] {
        let name = format!("oggenc-{quality}");
        all.push(recipe(
            "audio/ogg",
            format!("{name}.ogg"),
            input(&name, &format!("oggenc --quiet -q {quality} -o {name}.ogg")),
        ));
    }
    all
}

fn images() -> Vec<Recipe> {
    let mut all = Vec::new();
    for (media_type, extension) in [
        ("image/jpeg", "jpg"),
        ("image/png", "png"),
        ("image/gif", "gif"),
        ("image/bmp", "bmp"),
        ("image/webp", "webp"),
    ] {
        for (name, flags) in
            [("plain", ""), ("gray", "-colorspace GRAY"), ("small", "-resize 3x2"), ("few", "-colors 8")]
        {
            let name = format!("gm-{name}.{extension}");
            all.push(recipe(media_type, name.clone(), format!("gm convert -size 80x60 plasma:fractal {flags} {name}")));
        }
    }
    let still = "videotestsrc num-buffers=1 ! video/x-raw,width=160,height=120 ! videoconvert";
    all.push(gst("image/jpeg", "gst.jpg", &format!("{still} ! jpegenc ! filesink")));
    all.push(gst("image/png", "gst.png", &format!("{still} ! pngenc ! filesink")));
    all.push(gst("image/webp", "gst.webp", &format!("{still} ! webpenc ! filesink")));
    all
}

fn archives() -> Vec<Recipe> {
    let python = |media_type: &str, name: &str, code: &str| recipe(media_type, name, format!("python3 -c '{code}'"));
    let zip = |method: &str, name: &str| {
        python(
            "application/zip",
            name,
            &format!(
                "import zipfile as z; f = z.ZipFile(\"{name}\", \"w\", z.ZIP_{method}); f.writestr(\"a.txt\", \"a\" * 99); f.close()"
            ),
        )
    };
    let tar = |format: &str, mode: &str, media_type: &str, name: &str| {
        python(
            media_type,
            name,
            &format!(
                "import tarfile as t; f = t.open(\"{name}\", \"{mode}\", format=t.{format}_FORMAT); f.addfile(t.TarInfo(\"a\")); f.close()"
            ),
        )
    };
    vec![
        zip("STORED", "py-stored.zip"),
        zip("DEFLATED", "py-deflated.zip"),
        zip("BZIP2", "py-bzip2.zip"),
        zip("LZMA", "py-lzma.zip"),
        tar("USTAR", "w", "application/x-tar", "py-ustar.tar"),
        tar("GNU", "w", "application/x-tar", "py-gnu.tar"),
        tar("PAX", "w", "application/x-tar", "py-pax.tar"),
        tar("PAX", "w:gz", "application/gzip", "py.tgz"),
        python("application/gzip", "py.gz", "import gzip; gzip.open(\"py.gz\", \"w\").write(b\"text\")"),
        python(
            "text/csv",
            "py.csv",
            "import csv; csv.writer(open(\"py.csv\", \"w\")).writerows([[1, \"a, b\"], [2, \"c\"], [3, \"d\"]])",
        ),
        python(
            "text/csv",
            "py-excel.csv",
            "import csv; csv.writer(open(\"py-excel.csv\", \"w\", encoding=\"utf-8-sig\"), delimiter=\";\").writerows([[1, \"ü\"], [2, \"c\"]])",
        ),
        python(
            "application/xml",
            "py.xml",
            "import xml.etree.ElementTree as e; e.ElementTree(e.Element(\"a\")).write(\"py.xml\", xml_declaration=True)",
        ),
        python("text/plain", "py-16.txt", "open(\"py-16.txt\", \"w\", encoding=\"utf-16\").write(\"Grüße\\n\")"),
        python(
            "text/plain",
            "py-1252.txt",
            "open(\"py-1252.txt\", \"w\", encoding=\"cp1252\").write(\"Größe: 5 € \\n\" * 9)",
        ),
        python(
            "text/plain",
            "py.log",
            "import logging; logging.basicConfig(filename=\"py.log\", level=10); logging.info(\"started\"); logging.warning(\"slow\")",
        ),
        python(
            "audio/wav",
            "py.wav",
            "import wave; w = wave.open(\"py.wav\", \"w\"); w.setparams((1, 2, 8000, 0, \"NONE\", \"\")); w.writeframes(bytes(800)); w.close()",
        ),
    ]
}
