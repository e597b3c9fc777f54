//! What is held, kept over a restart: a block that was announced is not announced again.
//!
//! One file, schema `egressd.held/1`: for each subject what was announced last.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::output::{self, OutputError};
use crate::prefix::Prefix;
use crate::store::Store;
use crate::verdict::{Layer, Mechanism, Outline, Subject, Verdict};

const FILE: &str = "held.json";
const SCHEMA: &str = "egressd.held/1";
/// Larger than the verdicts on any list and 64 endpoints.
const MOST_BYTES: u64 = 4 << 20;

/// Why what was held is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeldError {
    /// It cannot be read.
    #[error("cannot read {}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is damaged; it is written anew.
    #[error("{} is damaged and is written anew: {reason}", .file.display())]
    Content {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    held: Vec<Record>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<Prefix>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mechanism: Option<Mechanism>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<Layer>,
}

/// What was held when the daemon ended the last time.
pub(super) fn read(store: &Store) -> Result<Vec<(Subject, Outline)>, HeldError> {
    let file = store.folder().join(FILE);
    let bytes = match bytes(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(HeldError::File { file, source }),
    };
    parse(&bytes).map_err(|reason| HeldError::Content { file, reason })
}

/// Writes what is held, whole or not at all.
pub(super) fn write(store: &Store, held: &[(Subject, Outline)]) -> Result<(), OutputError> {
    let held = held.iter().map(|(subject, outline)| Record::of(subject, *outline)).collect();
    let document = Document { schema: SCHEMA.to_owned(), held };
    let text = serde_json::to_string(&document).expect("a document has no map with keys other than text");
    output::write(Some(&store.folder().join(FILE)), &mut io::sink(), text.as_bytes())
}

fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Vec<(Subject, Outline)>, String> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err("too large".to_owned());
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.schema != SCHEMA {
        return Err(format!("its schema is not {SCHEMA}"));
    }
    document.held.into_iter().map(Record::read).collect()
}

impl Record {
    fn of(subject: &Subject, outline: Outline) -> Self {
        let Outline { verdict, mechanism, layer } = outline;
        let (range, endpoint, path) = match subject {
            Subject::Range(prefix) => (Some(*prefix), None, None),
            Subject::Endpoint { name, path } => (None, Some(name.clone()), Some((*path).to_owned())),
        };
        Self { range, endpoint, path, verdict, mechanism, layer }
    }

    fn read(self) -> Result<(Subject, Outline), String> {
        let outline = Outline { verdict: self.verdict, mechanism: self.mechanism, layer: self.layer };
        let subject = match (self.range, self.endpoint, self.path.as_deref()) {
            (Some(prefix), None, None) => Subject::Range(prefix),
            (None, Some(name), Some("direct")) => Subject::Endpoint { name, path: "direct" },
            (None, Some(name), Some("proxy")) => Subject::Endpoint { name, path: "proxy" },
            _ => return Err("a record is of neither a range nor an endpoint".to_owned()),
        };
        Ok((subject, outline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(folder.path())).unwrap();
        assert!(read(&store).unwrap().is_empty());
        let open = Outline { verdict: Verdict::Open, mechanism: None, layer: None };
        let dropped =
            Outline { verdict: Verdict::Blocked, mechanism: Some(Mechanism::Dropped), layer: Some(Layer::Ip) };
        let held = vec![
            (Subject::Range("13.32.0.0/15".parse().unwrap()), open),
            (Subject::Endpoint { name: "up".to_owned(), path: "proxy" }, dropped),
        ];
        write(&store, &held).unwrap();
        assert_eq!(read(&store).unwrap(), held);
    }

    #[test]
    fn what_is_damaged_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(folder.path())).unwrap();
        for (text, message) in [
            ("{", "EOF"),
            (r#"{"schema":"egressd.held/2","held":[]}"#, "schema"),
            (r#"{"schema":"egressd.held/1","held":[{"verdict":"open"}]}"#, "neither a range"),
            (r#"{"schema":"egressd.held/1","held":[{"endpoint":"a","path":"b","verdict":"open"}]}"#, "neither a range"),
        ] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let error = read(&store).unwrap_err().to_string();
            assert!(error.contains("damaged") && error.contains(message), "{text}: {error}");
        }
    }
}
