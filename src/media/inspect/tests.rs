use std::io::Cursor;

use super::*;

fn of(bytes: impl Into<Vec<u8>>) -> Inspection {
    inspect(Cursor::new(bytes.into())).unwrap()
}

#[test]
fn types_come_from_content() {
    for (bytes, name, kind) in [
        (made::mp4(b"isom", true), "video/mp4", Kind::Video),
        (made::mp4(b"qt  ", true), "video/quicktime", Kind::Video),
        (made::mp4(b"3gp4", true), "video/3gpp", Kind::Video),
        (made::heic(), "image/heic", Kind::Image),
        (made::png(1, 1, 8, 2), "image/png", Kind::Image),
        (made::jpeg(1, 1, 3), "image/jpeg", Kind::Image),
        (made::GIF.to_vec(), "image/gif", Kind::Image),
        (made::opus(1), "audio/ogg", Kind::Audio),
        (made::mp3(0), "audio/mpeg", Kind::Audio),
        (made::mp3(300), "audio/mpeg", Kind::Audio),
        (made::wav(), "audio/wav", Kind::Audio),
        (made::AMR.to_vec(), "audio/amr", Kind::Audio),
        (made::mpeg(), "video/mpeg", Kind::Video),
        (made::PDF.to_vec(), "application/pdf", Kind::Document),
        ([b"junk before\n", made::PDF].concat(), "application/pdf", Kind::Document),
        (made::zip(&["a.txt"]), "application/zip", Kind::Document),
        (made::zip(&["word/notes.txt"]), "application/zip", Kind::Document),
        (made::tar(), "application/x-tar", Kind::Document),
        (made::compound(&["/WordDocument"]), "application/msword", Kind::Document),
        (made::compound(&["/Workbook"]), "application/vnd.ms-excel", Kind::Document),
        (made::compound(&["/PowerPoint Document"]), "application/vnd.ms-powerpoint", Kind::Document),
        (made::compound(&["/EncryptedPackage"]), "application/encrypted", Kind::Document),
        (b"hello\n".to_vec(), "text/plain", Kind::Document),
        (b"a,b\n1,2\n".to_vec(), "text/csv", Kind::Document),
        (b"<?xml version=\"1.0\"?><a/>".to_vec(), "application/xml", Kind::Document),
        (b"<!DOCTYPE html><title>blocked</title>".to_vec(), "text/html", Kind::Document),
        ("Grüße\n".encode_utf16().flat_map(u16::to_be_bytes).collect(), "text/plain", Kind::Document),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), "application/x-executable", Kind::Document),
        (vec![1, 2, 3, 0, 0x80], "application/octet-stream", Kind::Document),
        (vec![], "application/x-empty", Kind::Document),
    ] {
        let found = of(bytes);
        assert_eq!((found.media_type.name.as_str(), found.kind), (name, kind), "{found:?}");
    }
}

#[test]
fn documents_are_told_apart_by_their_main_part() {
    let types = "[Content_Types].xml";
    for (names, extension, macros) in [
        (&["customXml/item1.xml", types, "xl/workbook.xml"][..], "xlsx", false),
        (&[types, "word/document.xml"], "docx", false),
        (&[types, "ppt/presentation.xml"], "pptx", false),
        (&[types, "word/document.xml", "word/vbaProject.bin"], "docm", true),
    ] {
        let found = of(made::zip(names));
        assert_eq!((found.media_type.extension.as_str(), found.details.macros), (extension, Some(macros)), "{names:?}");
    }
}

#[test]
fn a_film_is_described() {
    let details = of(made::mp4(b"isom", true)).details;
    let video = VideoTrack {
        codec: "h264",
        profile: Some("High"),
        level: Some("3.1".to_owned()),
        width: Some(1280),
        height: Some(720),
        b_frames: Some(true),
    };
    let audio = AudioTrack { codec: "aac", profile: Some("LC"), channels: Some(2), sample_rate: Some(48_000) };
    assert_eq!((details.video, details.audio), (vec![video], vec![audio]));
    assert_eq!(
        (details.duration_seconds, details.fragmented, details.index_first),
        (Some(2.5), Some(false), Some(true))
    );
    assert_eq!(of(made::mp4(b"isom", false)).details.index_first, Some(false));
}

#[test]
fn images_are_described() {
    let of_png = |depth, color| of(made::png(9000, 10_000, depth, color)).details;
    assert_eq!(of_png(8, 2).megapixels, Some(90.0));
    assert_eq!((of_png(16, 6).bit_depth, of_png(16, 6).color), (Some(16), Some(Color::Rgba)));
    let jpeg = of(made::jpeg(640, 480, 4)).details;
    assert_eq!((jpeg.width, jpeg.height, jpeg.color), (Some(640), Some(480), Some(Color::Cmyk)));
    assert_eq!((of(made::heic()).details.width, of(made::heic()).details.bit_depth), (Some(4032), Some(8)));
    assert_eq!(of(made::GIF).details.animated, Some(true));
    // OS/2: sizes of two bytes, which others read as four.
    let os2 = [b"BM".as_slice(), &[0; 12], &12_u32.to_le_bytes(), &[64, 0, 48, 0, 1, 0, 24, 0], &[0; 9216]].concat();
    assert_eq!((of(os2.clone()).details.width, of(os2).details.height), (Some(64), Some(48)));
}

#[test]
fn sound_is_described() {
    let opus = of(made::opus(2)).details;
    assert_eq!((opus.audio[0].codec, opus.audio[0].channels, opus.duration_seconds), ("opus", Some(2), Some(2.0)));
    let mp3 = of(made::mp3(0)).details;
    assert_eq!((mp3.audio[0].codec, mp3.audio[0].sample_rate, mp3.audio[0].channels), ("mp3", Some(44_100), Some(2)));
    assert_eq!(of(made::wav()).details.audio[0].codec, "pcm_s16le");
    let film = of(made::mpeg()).details;
    assert_eq!((film.video[0].codec, film.audio[0].codec, film.width), ("mpeg2video", "mp2", Some(320)));
}

#[test]
fn what_is_cut_is_known() {
    for whole in [
        made::mp4(b"isom", true),
        made::png(9, 9, 8, 2),
        made::jpeg(9, 9, 3),
        made::wav(),
        made::tar(),
        made::GIF.to_vec(),
        made::PDF.to_vec(),
        made::zip(&["a"]),
    ] {
        let cut = whole[..whole.len() * 3 / 4].to_vec();
        assert_eq!(of(whole).details.fault, None);
        assert!(of(cut.clone()).details.fault.is_some(), "{:?}", of(cut));
    }
    assert_eq!(of(vec![]).details.fault, Some(Fault::Empty));
}

#[test]
fn an_archive_declares_what_it_holds() {
    let details = of(made::zip(&["a", "b", "c"])).details;
    assert_eq!((details.entries, details.encrypted, details.macros), (Some(3), Some(false), None));
}

/// 20 MB of the smallest boxes, of directory entries and of segments.
#[test]
fn a_hostile_file_is_left_after_its_budget() {
    const MOST: usize = 20 << 20;
    let boxes = [made::boxed(b"ftyp", b"isom\0\0\0\0"), [0, 0, 0, 8, b'f', b'r', b'e', b'e'].repeat(MOST / 8)].concat();
    let segments = [&[0xff, 0xd8][..], &[0xff, 0xe0, 0, 2].repeat(MOST / 4)].concat();
    let names: Vec<String> = (0..60_000).map(|number| format!("{number:0300}")).collect();
    let many = made::zip(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut nested = vec![7; 16];
    for _ in 0..1000 {
        nested = made::boxed(b"moov", &nested);
    }
    for bytes in [boxes, segments, many, [made::boxed(b"ftyp", b"isom\0\0\0\0"), nested].concat(), vec![0xff; MOST]] {
        let start = std::time::Instant::now();
        let found = of(bytes);
        assert!(start.elapsed().as_millis() < 1000, "{:?} after {:?}", found.media_type, start.elapsed());
    }
}
