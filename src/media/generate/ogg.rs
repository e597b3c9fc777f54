//! Voice: Opus in Ogg (RFC 3533, RFC 7845).

const SERIAL: u32 = 0x6567_7264;
/// 20 ms at the 48 kHz in which positions are counted.
const SAMPLES: u64 = 960;
/// Packets are as long as those of good music.
const PACKET: usize = 1000;
/// Head and lacing of a page with one packet of that length.
const PAGE: usize = 27 + 4 + PACKET;

/// Packets of silence with padding inside (RFC 6716, 3.2.5), one in a page; the last page takes what is left in two.
pub(super) fn opus(bytes: usize) -> Vec<u8> {
    let mut made = page(2, 0, 0, &[head()]);
    made.extend(page(0, 0, 1, &[tags()]));
    let (mut number, mut position) = (2, 0);
    while bytes - made.len() > 3 * PAGE {
        position += SAMPLES;
        made.extend(page(0, position, number, &[packet(PACKET)]));
        number += 1;
    }
    let last = last_two(bytes - made.len() - 27);
    made.extend(page(4, position + 2 * SAMPLES, number, &last.map(packet)));
    made
}

/// Lengths of two packets that make so many bytes with their lacing.
fn last_two(bytes: usize) -> [usize; 2] {
    let laced = |length: usize| length + length / 255 + 1;
    let first = bytes / 2;
    // A length that is a multiple of 255 takes a byte more: one of two neighbours fits.
    let fits = |first: usize| {
        (1..bytes).rev().find(|second| laced(first) + laced(*second) == bytes).map(|second| [first, second])
    };
    fits(first).or_else(|| fits(first + 1)).expect("one of two neighbours fits")
}

fn head() -> Vec<u8> {
    [&b"OpusHead"[..], &[1, 1], &312_u16.to_le_bytes(), &48_000_u32.to_le_bytes(), &[0, 0, 0]].concat()
}

fn tags() -> Vec<u8> {
    [&b"OpusTags"[..], &7_u32.to_le_bytes(), b"egressd", &0_u32.to_le_bytes()].concat()
}

/// One frame of silence, and zeros to that length.
fn packet(length: usize) -> Vec<u8> {
    /// CELT, full band, 20 ms, mono, any number of frames.
    const CONTENTS: u8 = 31 << 3 | 3;
    /// One frame, with padding.
    const COUNT: u8 = 1 << 6 | 1;
    // What the encoder of libopus makes of silence.
    const SILENCE: [u8; 2] = [0xff, 0xfe];
    let rest = length - 2 - SILENCE.len();
    // A byte of 255 stands for 254 and goes on; the counts are a part of the whole.
    let (full, part) = ((rest - 1) / 255, (rest - 1) % 255);
    let mut made = vec![CONTENTS, COUNT];
    made.extend(std::iter::repeat_n(255, full));
    made.push(u8::try_from(part).expect("less than 255"));
    made.extend(SILENCE);
    made.resize(length, 0);
    made
}

fn page(flags: u8, position: u64, number: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut lacing = Vec::new();
    for packet in packets {
        lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        lacing.push(u8::try_from(packet.len() % 255).expect("less than 255"));
    }
    let segments = u8::try_from(lacing.len()).expect("pages here are small");
    let mut page = [&b"OggS\0"[..], &[flags], &position.to_le_bytes(), &SERIAL.to_le_bytes()].concat();
    page.extend([&number.to_le_bytes()[..], &[0; 4], &[segments], &lacing].concat());
    page.extend(packets.concat());
    let check = check(&page);
    page[22..26].copy_from_slice(&check.to_le_bytes());
    page
}

/// The check of a page: the polynomial 0x04c11db7, the highest bit first (RFC 3533, 6).
fn check(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum: u32, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte) << 24, |sum, _| if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 })
    })
}
