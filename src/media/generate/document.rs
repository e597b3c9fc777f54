//! Texts, and a PDF of one page.

use std::fmt::Write as _;

use super::letters;

/// Longer lines are unusual in texts, and PDF readers take no longer comments.
const LINE: usize = 80;

/// Lines of noise.
pub(super) fn txt(bytes: usize) -> Vec<u8> {
    let mut made = letters(bytes);
    made.iter_mut().skip(LINE - 1).step_by(LINE).for_each(|byte| *byte = b'\n');
    made[bytes - 1] = b'\n';
    made
}

/// A number and a value in each line; the last value is as long as it has to be.
pub(super) fn csv(bytes: usize) -> Vec<u8> {
    let mut made = b"number,value\n".to_vec();
    let mut number = 0_u32;
    while bytes - made.len() >= 2 * LINE {
        number += 1;
        let begin = format!("{number},");
        made.extend(begin.as_bytes());
        made.extend(letters(LINE - begin.len() - 1));
        made.push(b'\n');
    }
    made.extend(b"0,");
    let left = bytes - made.len() - 1;
    made.extend(letters(left));
    made.push(b'\n');
    made
}

/// A page with a word on it, and comments between it and the table of objects (ISO 32000-1, 7.2.3).
pub(super) fn pdf(bytes: usize) -> Vec<u8> {
    const TEXT: &str = "BT /F1 12 Tf 20 100 Td (egressd) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R \
         /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{TEXT}\nendstream", TEXT.len()),
    ];
    let mut made = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = "xref\n0 5\n0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(table, "{:010} 00000 n ", made.len());
        made.extend(format!("{number} 0 obj\n{object}\nendobj\n").into_bytes());
    }
    // The place of the table has ten digits wherever that is.
    let end = |place: usize| format!("{table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{place:010}\n%%EOF\n");
    made.extend(comments(bytes - made.len() - end(0).len()));
    let place = made.len();
    made.extend(end(place).into_bytes());
    made
}

fn comments(bytes: usize) -> Vec<u8> {
    let mut made = letters(bytes);
    for line in made.chunks_mut(LINE) {
        line[0] = b'%';
        // A lone first letter would begin a line and not end it.
        *line.last_mut().expect("no chunk is empty") = b'\n';
    }
    made
}
