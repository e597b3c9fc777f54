//! What a check or an audit found missing.

use serde::Deserialize;

use crate::prefix::Prefix;

/// The prefixes that a report names as blocked or as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// In order; they may overlap.
    pub prefixes: Vec<Prefix>,
}

/// Why a report is refused.
#[derive(Debug, thiserror::Error)]
pub enum MissingError {
    /// The bytes are no JSON report.
    #[error("not a report in JSON")]
    Json(#[from] serde_json::Error),
    /// It is JSON, but of something else.
    #[error("schema `{0}` is neither egressd.report/1 nor egressd.audit/1")]
    Schema(String),
}

/// The parts of both schemas that matter here.
#[derive(Deserialize)]
struct Document {
    schema: String,
    #[serde(default)]
    ranges: Vec<RangeReport>,
    #[serde(default)]
    diagnoses: Vec<DiagnosisReport>,
    #[serde(default)]
    missing: Vec<Prefix>,
}

#[derive(Deserialize)]
struct RangeReport {
    mechanism: Option<String>,
    #[serde(default)]
    blocked: Vec<Prefix>,
}

#[derive(Deserialize)]
struct DiagnosisReport {
    id: String,
    #[serde(default)]
    prefixes: Vec<Prefix>,
}

impl Missing {
    /// Reads `egressd.report/1` or `egressd.audit/1`.
    ///
    /// What is only inspected on the way needs no new rule, so it is not missing.
    pub fn parse(bytes: &[u8]) -> Result<Self, MissingError> {
        let document: Document = serde_json::from_slice(bytes)?;
        let mut prefixes = match document.schema.as_str() {
            "egressd.report/1" => document.blocked(),
            "egressd.audit/1" => document.missing,
            _ => return Err(MissingError::Schema(crate::text::printable(&document.schema, 64))),
        };
        prefixes.sort_unstable();
        prefixes.dedup();
        Ok(Self { prefixes })
    }
}

impl Document {
    /// What is blocked, and what an outdated list lacks besides: ranges whose silence proves nothing.
    fn blocked(&self) -> Vec<Prefix> {
        let ranges = self.ranges.iter().filter(|range| range.mechanism.as_deref() != Some("tls_intercepted"));
        let stale = self.diagnoses.iter().filter(|diagnosis| diagnosis.id == "stale_allowlist");
        ranges
            .flat_map(|range| &range.blocked)
            .chain(stale.flat_map(|diagnosis| &diagnosis.prefixes))
            .copied()
            .collect()
    }
}
