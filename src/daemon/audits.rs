//! Rule sets that the configuration names, held against the list in force.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Audited;
use crate::audit::{AddressSet, Coverage, Format, Required, SourceFile, audit};
use crate::config::daemon::AuditConfig;
use crate::job::Feeds;
use crate::text::told;

/// The running configuration of a large firewall has 10 MB.
const MOST_BYTES: u64 = 32 << 20;

/// What each of them lacks; what cannot be read is said, and its figure is absent.
pub(super) fn held_against(audits: &[AuditConfig], feeds: &Feeds) -> Vec<Audited> {
    let one = |audit: &AuditConfig| {
        let missing = missing(audit, feeds);
        if let Err(error) = &missing {
            tracing::error!("rule set {}: {error}", audit.name);
        }
        Audited { name: audit.name.clone(), missing: missing.ok() }
    };
    audits.iter().map(one).collect()
}

/// How many listed prefixes it does not let through, as a whole or in part.
fn missing(wanted: &AuditConfig, feeds: &Feeds) -> Result<usize, String> {
    let files = wanted.files.iter().map(|file| source(file)).collect::<Result<Vec<_>, _>>()?;
    let named = wanted.from.as_deref().and_then(Format::named);
    let format =
        named.or_else(|| Format::recognise(&files)).ok_or("no one format fits its files: name it with `from`")?;
    let policy = format.read(&files, &wanted.question()).map_err(|error| told(&error))?;
    let ranges = feeds.newest.ranges.iter().collect();
    let required = Required { feed: &feeds.newest, held: &feeds.older, ranges };
    let Coverage { missing, unknown, .. } = audit(&policy, &files, &required).map_err(|error| told(&error))?;
    if missing.is_empty() && !unknown.is_empty() {
        return Err("it cannot be told what it lets through: egressd audit says why".to_owned());
    }
    let lacks = |prefix| !AddressSet::from(prefix).intersection(&missing).is_empty();
    Ok(feeds.newest.ranges.iter().filter(|range| lacks(range.prefix)).count())
}

fn source(path: &Path) -> Result<SourceFile, String> {
    let name = path.to_string_lossy().into_owned();
    let bytes = bytes(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    Ok(SourceFile { name, text: String::from_utf8_lossy(&bytes).into_owned() })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)? as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than any configuration"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::daemon::AuditDefault;
    use crate::ranges::FeedSnapshot;

    #[test]
    fn what_rules_lack_is_counted_and_what_cannot_be_read_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let feeds = Feeds { newest: FeedSnapshot::documented(), older: Vec::new() };
        let all: Vec<String> = feeds.newest.ranges.iter().map(|range| range.prefix.to_string()).collect();
        let rules = |name: &str, text: String| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let (from, default) = (Some("plain".to_owned()), Some(AuditDefault::Deny));
            AuditConfig { name: name.to_owned(), files: vec![file], from, default }
        };
        let audits = [
            rules("all", all.join("\n") + "\n"),
            rules("less", all[5..].join("\n") + "\n"),
            rules("cut", all[5..].join("\n") + "\n13.32.0.0/1"),
            AuditConfig { files: vec![folder.path().join("none")], ..rules("gone", String::new()) },
        ];
        let found: Vec<Option<usize>> = held_against(&audits, &feeds).into_iter().map(|one| one.missing).collect();
        assert_eq!(found, [Some(0), Some(5), None, None]);
    }
}
