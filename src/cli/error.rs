//! What can stop a command, and what to do about it.

use std::io;

use super::audit::AuditError;
use super::explain::ExplainError;
use super::export::InputError;
use super::media::MediaError;
use super::output::OutputError;
use super::{AskedError, ResolveError};
use crate::config;
use crate::daemon::DaemonError;
use crate::export::ExportError;
use crate::job::JobError;
use crate::lab::LabError;
use crate::net::tls::TrustError;
use crate::ranges::read::ReadError;
use crate::scenario::ScenarioError;
use crate::store::feeds::FeedsError;

/// What stopped a command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::read::ReadError),
    /// A feed.
    #[error(transparent)]
    Feed(#[from] ReadError),
    /// The lists that are kept.
    #[error(transparent)]
    Feeds(#[from] FeedsError),
    /// No place gave a list.
    #[error("no list could be fetched: {0}")]
    Update(String),
    /// Rules that the device cannot hold.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A file that an export was to be made of.
    #[error(transparent)]
    Input(Box<InputError>),
    /// A rule set that was to be audited.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A baseline.
    #[error(transparent)]
    Baseline(#[from] super::baseline::ReadError),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// A check.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The roots or the name for handshakes.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The scenario of a demo.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A host name.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Neither address nor host name.
    #[error(transparent)]
    Asked(#[from] AskedError),
    /// A name that `explain` does not know.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A file, or the rules that it is held against.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The kernel refused to wait for sockets or signals.
    #[error("cannot wait for connections")]
    Wait(#[source] io::Error),
    /// Flags that do not go together, or a value out of bounds.
    #[error("{0}")]
    Usage(String),
}

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        Self::Input(Box::new(error))
    }
}

impl CliError {
    /// What to do next, where something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lab(error) => error.hint(),
            Self::Explain(error) => Some(error.hint()),
            Self::Media(error) => error.hint(),
            Self::Export(error) => error.hint(),
            Self::Input(error) => error.hint(),
            Self::Audit(error) => error.hint(),
            Self::Config(_) => Some("`egressd config default` prints every key with its default".to_owned()),
            Self::Scenario(ScenarioError::Unknown { .. }) => {
                Some("`egressd demo --list-scenarios` lists them".to_owned())
            }
            Self::Feed(ReadError::List { .. }) => {
                Some("a list has a prefix in each line, such as 13.32.0.0/15".to_owned())
            }
            Self::Feeds(FeedsError::NothingHeld) => {
                Some("`egressd ranges update` looks for newer lists, and says when one waits".to_owned())
            }
            Self::Update(_) => Some(
                "name a proxy or a mirror under [feed] in the configuration, or a copy of the list with --url FILE".to_owned(),
            ),
            Self::Feed(_) => Some(
                "a feed is AWS's ip-ranges.json or CloudFront's list-cloudfront-ips; without --feed the last good list is used"
                    .to_owned(),
            ),
            Self::Feeds(_)
            | Self::Scenario(_)
            | Self::Baseline(_)
            | Self::Trust(_)
            | Self::Daemon(_)
            | Self::Job(_)
            | Self::Resolve(_)
            | Self::Asked(_)
            | Self::Output(_)
            | Self::Wait(_)
            | Self::Usage(_) => None,
        }
    }

    /// Whether the reader of the output went away: nobody is left to be told.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        let Self::Output(error) = self else { return false };
        matches!(error, OutputError::Stream(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
