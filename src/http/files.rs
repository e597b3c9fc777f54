//! Small files that a server needs.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file that is not larger than any of its kind.
pub(super) fn bounded(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {most} bytes")));
    }
    Ok(bytes)
}
