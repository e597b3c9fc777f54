//! A file under inspection: read in small pieces, within a budget.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that one inspection reads at the most. The tables of a film of two hours take less than a hundredth of it.
const MOST_BYTES: u64 = 8 << 20;

/// Pieces that one inspection reads at the most: two system calls each, so that they stay below 10 ms.
const MOST_READS: u32 = 8_192;

/// Bytes at the beginning and at the end in which signatures are looked for.
pub(super) const HEAD: usize = 64 << 10;

/// What is read from, and what of the budget is left.
pub(super) struct Source<R> {
    inner: R,
    length: u64,
    bytes_left: u64,
    reads_left: u32,
}

impl<R: Read + Seek> Source<R> {
    pub(super) fn new(mut inner: R) -> io::Result<Self> {
        let length = inner.seek(SeekFrom::End(0))?;
        Ok(Self { inner, length, bytes_left: MOST_BYTES, reads_left: MOST_READS })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Up to so many bytes at this place: fewer at the end of the file, none when the budget is spent.
    pub(super) fn read_at(&mut self, place: u64, most: usize) -> io::Result<Vec<u8>> {
        let most = (most as u64).min(self.length.saturating_sub(place));
        if most == 0 || most > self.bytes_left || self.reads_left == 0 {
            return Ok(Vec::new());
        }
        self.reads_left -= 1;
        self.bytes_left -= most;
        self.inner.seek(SeekFrom::Start(place))?;
        // One system call where reading to the end needs three.
        let mut bytes = vec![0; usize::try_from(most).unwrap_or(usize::MAX)];
        self.inner.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The first bytes.
    pub(super) fn head(&mut self) -> io::Result<Vec<u8>> {
        self.read_at(0, HEAD)
    }

    /// The last bytes.
    pub(super) fn tail(&mut self) -> io::Result<Vec<u8>> {
        self.read_at(self.length.saturating_sub(HEAD as u64), HEAD)
    }

    /// A reader for a foreign parser; it fails after `most` bytes or as many pieces as one inspection may read.
    pub(super) fn bounded(&mut self, most: u64) -> Bounded<'_, R> {
        Bounded { inner: &mut self.inner, left: Cell::new(most), reads: Cell::new(MOST_READS) }
    }
}

/// A reader that ends with an error when its budget is spent: a parser that loops or asks for too much comes to an end.
pub(super) struct Bounded<'a, R> {
    inner: &'a mut R,
    left: Cell<u64>,
    reads: Cell<u32>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        if (most == 0 && !buffer.is_empty()) || self.reads.get() == 0 {
            return Err(io::Error::other("more than an inspection reads"));
        }
        let read = self.inner.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        self.reads.set(self.reads.get() - 1);
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<'_, R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn reading_ends_with_the_file_and_with_the_budget() {
        let mut source = Source::new(Cursor::new(vec![7; 100])).unwrap();
        assert_eq!(source.read_at(90, 20).unwrap(), [7; 10]);
        assert!(source.read_at(100, 1).unwrap().is_empty() && source.read_at(u64::MAX, 1).unwrap().is_empty());
        for _ in 0..MOST_READS {
            source.read_at(0, 1).unwrap();
        }
        assert!(source.read_at(0, 1).unwrap().is_empty());
    }

    #[test]
    fn a_foreign_parser_is_stopped() {
        let mut source = Source::new(Cursor::new(vec![7; 100])).unwrap();
        let mut bounded = source.bounded(60);
        bounded.rewind().unwrap();
        assert_eq!(bounded.read(&mut [0; 100]).unwrap(), 60);
        assert!(bounded.read(&mut [0; 1]).is_err());
    }
}
