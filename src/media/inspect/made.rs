//! Small whole files, made by hand: what the parsers are tested with, and what is damaged.
#![allow(clippy::trivially_copy_pass_by_ref)] // a name is written b"moov", which is a reference

/// A box of an ISO base media file.
pub(crate) fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&size[..], kind, content].concat()
}

fn full(kind: &[u8; 4], content: &[&[u8]]) -> Vec<u8> {
    boxed(kind, &[&[0; 4][..], &content.concat()].concat())
}

fn time(units: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[8..12].copy_from_slice(&1000_u32.to_be_bytes());
    header[12..].copy_from_slice(&units.to_be_bytes());
    header
}

/// H.264 in High profile with B-frames, and AAC; with the index first or last.
pub(crate) fn mp4(brand: &[u8; 4], index_first: bool) -> Vec<u8> {
    let mut picture = [0_u8; 78];
    picture[24..28].copy_from_slice(&[5, 0, 2, 0xd0]);
    let avc = boxed(b"avc1", &[&picture[..], &boxed(b"avcC", &[1, 100, 0, 31, 0xff])].concat());
    let mut sound = [0_u8; 28];
    (sound[17], sound[24], sound[25]) = (2, 0xbb, 0x80);
    let stream = [3, 25, 0, 1, 0, 4, 17, 0x40, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x11, 0x90];
    let aac = boxed(b"mp4a", &[&sound[..], &full(b"esds", &[&stream])].concat());
    let reorder = full(b"ctts", &[&2_u32.to_be_bytes(), &[0; 16]]);
    let film = [full(b"mvhd", &[&time(2500)]), track(b"vide", &avc, &reorder), track(b"soun", &aac, &[])].concat();
    let start = boxed(b"ftyp", &[&brand[..], &[0; 4], b"isomavc1"].concat());
    let (index, data) = (boxed(b"moov", &film), boxed(b"mdat", &[7; 64]));
    if index_first { [start, index, data].concat() } else { [start, data, index].concat() }
}

fn track(handler: &[u8; 4], entry: &[u8], more: &[u8]) -> Vec<u8> {
    let table = boxed(b"stbl", &[&full(b"stsd", &[&1_u32.to_be_bytes(), entry]), more].concat());
    let named = full(b"hdlr", &[&[0; 4], handler, &[0; 13]]);
    let media = [full(b"mdhd", &[&time(2500)]), named, boxed(b"minf", &table)].concat();
    boxed(b"trak", &boxed(b"mdia", &media))
}

/// A still image of 4032x3024.
pub(crate) fn heic() -> Vec<u8> {
    let size = full(b"ispe", &[&4032_u32.to_be_bytes(), &3024_u32.to_be_bytes()]);
    let properties = boxed(b"iprp", &boxed(b"ipco", &[size, full(b"pixi", &[&[3, 8, 8, 8]])].concat()));
    let start = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    [start, full(b"meta", &[&properties]), boxed(b"mdat", &[7; 64])].concat()
}

/// Chunks without their sums, which nothing here reads.
pub(crate) fn png(width: u32, height: u32, depth: u8, color: u8) -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], name, content, &[0; 4]].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), chunk(b"IDAT", &[7; 16]), chunk(b"IEND", &[])].concat()
}

/// A frame header behind a segment, and the end.
pub(crate) fn jpeg(width: u16, height: u16, components: u8) -> Vec<u8> {
    let mut frame = vec![0xff, 0xc0, 0, 8 + 3 * components, 8];
    frame.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    frame.push(components);
    frame.extend(vec![0; 3 * usize::from(components)]);
    [&[0xff, 0xd8, 0xff, 0xe0, 0, 16][..], b"JFIF\0\x01\x01", &[0; 7], &frame, &[0xff, 0xda, 0, 2, 7, 7, 0xff, 0xd9]]
        .concat()
}

/// A page that begins a stream, and one that ends it.
pub(crate) fn ogg(start: &[u8]) -> Vec<u8> {
    let page = |flags: u8, position: u64, content: &[u8]| {
        let mut page = [b"OggS\0", &[flags][..], &position.to_le_bytes(), &[0; 12], &[1]].concat();
        page.push(u8::try_from(content.len()).unwrap());
        page.extend(content);
        page
    };
    [page(2, 0, start), page(4, 96_312, &[7; 100])].concat()
}

/// The start of an Opus stream.
pub(crate) fn opus(channels: u8) -> Vec<u8> {
    ogg(&[b"OpusHead\x01", &[channels, 0x38, 1][..], &48_000_u32.to_le_bytes(), &[0; 3]].concat())
}

/// Frames of 128 kbit/s at 44.1 kHz, behind a tag.
pub(crate) fn mp3(tag: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    let mut file = vec![];
    if tag > 0 {
        file.extend(
            [b"ID3\x04\0\0\0\0".as_slice(), &[u8::try_from(tag >> 7).unwrap(), u8::try_from(tag & 0x7f).unwrap()]]
                .concat(),
        );
        file.resize(10 + tag, 0);
    }
    (0..3).for_each(|_| file.extend(&frame));
    file
}

/// Samples of sixteen bits, two channels.
pub(crate) fn wav() -> Vec<u8> {
    let format = [&[1, 0, 2, 0][..], &44_100_u32.to_le_bytes(), &176_400_u32.to_le_bytes(), &[4, 0, 16, 0]].concat();
    let chunk = |name: &[u8; 4], content: &[u8]| {
        [name, &u32::try_from(content.len()).unwrap().to_le_bytes()[..], content].concat()
    };
    let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", &[0; 176])].concat();
    chunk(b"RIFF", &chunks)
}

/// An archive of empty stored files with these names.
pub(crate) fn zip(names: &[&str]) -> Vec<u8> {
    let (mut files, mut list) = (Vec::new(), Vec::new());
    for name in names {
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let at = u32::try_from(files.len()).unwrap().to_le_bytes();
        files.extend([b"PK\x03\x04\x14\0", &[0; 20][..], &length, &[0; 2], name.as_bytes()].concat());
        list.extend([b"PK\x01\x02\x14\0\x14\0", &[0; 20][..], &length, &[0; 12], &at, name.as_bytes()].concat());
    }
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    let (size, start) =
        (u32::try_from(list.len()).unwrap().to_le_bytes(), u32::try_from(files.len()).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &size, &start, &[0; 2]].concat();
    [files, list, end].concat()
}

/// A compound file with these streams.
pub(crate) fn compound(names: &[&str]) -> Vec<u8> {
    use std::io::Write;
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
    for name in names {
        file.create_stream(name).unwrap().write_all(&[0; 64]).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// One file and the two empty blocks at the end.
pub(crate) fn tar() -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..5].copy_from_slice(b"a.txt");
    header[124..135].copy_from_slice(b"00000000000");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    [header, vec![0; 1024]].concat()
}

/// One that names its codec and its size.
pub(crate) fn mpeg() -> Vec<u8> {
    let pack = [0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 0, 3, 0xff, 0xf8];
    let sequence = [0, 0, 1, 0xb3, 0x14, 0, 0xf0, 0x13, 0xff, 0xff, 0xe0, 0x18, 0, 0, 1, 0xb5, 0x14];
    let sound = [&[0, 0, 1, 0xc0, 0, 30, 0x80, 0, 0, 0xff, 0xfd, 0x84, 0][..], &[0; 20]].concat();
    [&pack[..], &[0, 0, 1, 0xe0, 0, 20, 0x80, 0, 0], &sequence, &sound].concat()
}

pub(crate) const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
pub(crate) const AMR: &[u8] = b"#!AMR\n\x3c\x08\x00\x00\x00\x00\x00";
pub(crate) const GIF: &[u8] = b"GIF89a\x02\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\
    \x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0\
    \x2c\0\0\0\0\x02\0\x01\0\0\x02\x02\x04\x0a\0\x2c\0\0\0\0\x02\0\x01\0\0\x02\x02\x04\x0a\0\x3b";
