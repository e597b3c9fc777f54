//! From files to a policy.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use super::super::CliError;
use super::{RuleSet, RuleSetArgs};
use crate::audit::{Exhausted, Format, ParseError, Question, SourceFile, nftables};
use crate::lab::{self, NftListing};
use crate::prefix::{Prefix, PrefixSet};
use crate::text::printable;

/// Why a rule set was not audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The operating system gave no bytes.
    #[error("cannot read {}", printable(.file, 256))]
    Io {
        /// The path, or `standard input`.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// No configuration is that large.
    #[error("{} has more than {MOST_BYTES} bytes", printable(.file, 256))]
    TooLarge {
        /// The path, or `standard input`.
        file: String,
    },
    /// No reader knows the files, or not all of them belong to one.
    #[error("no one format fits {}", printable(.files, 256))]
    Unrecognised {
        /// The files.
        files: String,
    },
    /// A file that was to be an audit is none.
    #[error("{} is no audit: {reason}", printable(.file, 256))]
    NoAudit {
        /// The path, or `standard input`.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// They are not whole, or not of their format.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The rules cannot be followed.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

impl AuditError {
    /// What to do next.
    pub(in crate::cli) fn hint(&self) -> Option<String> {
        match self {
            Self::Unrecognised { .. } => {
                let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
                Some(format!("name it with --from: {}", names.join(", ")))
            }
            Self::NoAudit { .. } => Some("`egressd audit … --format json -o F` writes one".to_owned()),
            _ => None,
        }
    }
}

/// The running configuration of a large firewall has 10 MB; 100,000 rules of iptables have 8.
const MOST_BYTES: u64 = 128 << 20;

impl RuleSetArgs {
    /// Reads the files as one rule set.
    pub(in crate::cli) fn read(&self, question: &Question) -> Result<RuleSet, CliError> {
        let files = self.files.iter().map(|file| source(file)).collect::<Result<Vec<_>, _>>()?;
        let format = self.from.0.or_else(|| Format::recognise(&files));
        let unrecognised = || {
            let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
            AuditError::Unrecognised { files: names.join(", ") }
        };
        let format = format.ok_or_else(unrecognised)?;
        let text = format == Format::Nftables && files.iter().any(|file| nftables::is_text(&file.text));
        let listing = if text { Some(self.listed_by_nft(&files)?) } else { None };
        let json = |listing: &NftListing| SourceFile { name: files[0].name.clone(), text: listing.json.clone() };
        let readable = listing.as_ref().map_or_else(|| files.clone(), |listing| vec![json(listing)]);
        let mut policy = format.read(&readable, question).map_err(AuditError::from)?;
        if let (Some(listing), [only]) = (&listing, files.as_slice()) {
            nftables::locate(&mut policy, &listing.text, &only.text);
        }
        Ok(RuleSet { format, files, readable, policy })
    }

    /// What nft reads, nft itself brings into the form that is audited: in a network namespace that nobody uses.
    fn listed_by_nft(&self, files: &[SourceFile]) -> Result<NftListing, CliError> {
        let texts: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
        let folder = self.files.first().and_then(|path| path.parent()).filter(|folder| !folder.as_os_str().is_empty());
        lab::enter_user_namespace()?;
        Ok(lab::list_nft(&texts, folder.unwrap_or(Path::new(".")))?)
    }
}

/// What an audit in JSON found allowed.
pub(in crate::cli) fn allowed(path: &Path) -> Result<PrefixSet, AuditError> {
    let file = source(path)?;
    let audit: Audited = serde_json::from_str(&file.text)
        .map_err(|source| AuditError::NoAudit { file: file.name.clone(), reason: source.to_string() })?;
    if audit.schema != SCHEMA {
        let reason = format!("its schema is `{}`", printable(&audit.schema, 64));
        return Err(AuditError::NoAudit { file: file.name, reason });
    }
    Ok(audit.allowed.into_iter().collect())
}

/// The part of an audit that a check looks into.
#[derive(Deserialize)]
struct Audited {
    schema: String,
    allowed: Vec<Prefix>,
}

const SCHEMA: &str = "egressd.audit/1";

fn source(path: &Path) -> Result<SourceFile, AuditError> {
    let standard = path == Path::new("-");
    let name = if standard { "standard input".to_owned() } else { path.to_string_lossy().into_owned() };
    let mut bytes = Vec::new();
    let read = if standard {
        io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(source) => Err(AuditError::Io { file: name, source }),
        Ok(length) if length as u64 > MOST_BYTES => Err(AuditError::TooLarge { file: name }),
        Ok(_) => Ok(SourceFile { name, text: decoded(bytes) }),
    }
}

/// The text of a file; PowerShell writes UTF-16, and old devices write names in Latin-1, which matter to nobody.
fn decoded(bytes: Vec<u8>) -> String {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_other_systems_are_read() {
        assert_eq!(decoded(b"\xff\xfea\0\n\0".to_vec()), "a\n");
        assert_eq!(decoded(b"\xfe\xff\0a".to_vec()), "a");
        assert_eq!(decoded(b"\xef\xbb\xbfa\xe4".to_vec()), "a\u{fffd}");
    }
}
