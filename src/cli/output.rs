//! Where `-o` writes: a file that is there whole or as it was, or standard output.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::Builder;

/// Why the output was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The file could not be written, and is as it was.
    #[error("cannot write {}", .file.display())]
    File {
        /// What `-o` named.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Standard output was closed or is full.
    #[error("cannot write the output")]
    Stream(#[source] io::Error),
}

/// Writes to the file, or to `out` when there is none or it is `-`.
///
/// A regular file is replaced in one step and keeps its mode; a link stays one; a device or a pipe is written to.
pub fn write(target: Option<&Path>, out: &mut dyn Write, bytes: &[u8]) -> Result<(), OutputError> {
    match target {
        Some(file) if file != Path::new("-") => {
            write_file(file, bytes).map_err(|source| OutputError::File { file: file.to_owned(), source })
        }
        _ => out.write_all(bytes).and_then(|()| out.flush()).map_err(OutputError::Stream),
    }
}

fn write_file(file: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(known) if known.is_file() => replace(&fs::canonicalize(file)?, Some(known.permissions()), bytes),
        Ok(_) => OpenOptions::new().write(true).open(file)?.write_all(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(file, None, bytes),
        Err(error) => Err(error),
    }
}

fn replace(file: &Path, mode: Option<Permissions>, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new file gets what the umask leaves, as any program's would, not the 0600 of a temporary one.
    let mut temporary =
        Builder::new().prefix(".egressd-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    if let Some(mode) = mode {
        temporary.as_file().set_permissions(mode)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        write(Some(&file), &mut io::sink(), b"one").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        write(Some(&file), &mut io::sink(), b"two").unwrap();
        assert_eq!((fs::read(&file).unwrap().as_slice(), mode(&file)), (b"two".as_slice(), 0o640));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("list"), folder.path().join("link"));
        fs::write(&file, b"one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(Some(&link), &mut io::sink(), b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        write(Some(Path::new("/dev/null")), &mut io::sink(), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_hyphen_is_standard_output_and_a_missing_folder_an_error() {
        let mut out = Vec::new();
        write(Some(Path::new("-")), &mut out, b"text").unwrap();
        write(None, &mut out, b" more").unwrap();
        assert_eq!(out, b"text more");
        let folder = tempfile::tempdir().unwrap();
        let error = write(Some(&folder.path().join("none/list")), &mut out, b"").unwrap_err();
        assert!(error.to_string().ends_with("none/list"), "{error}");
    }
}
