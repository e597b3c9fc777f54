//! What readers may ask of the daemon.

use tokio::sync::{mpsc, oneshot};

/// What is asked of the daemon.
#[derive(Debug)]
pub enum Command {
    /// Check the endpoints and ranges now.
    Check(oneshot::Sender<Begun>),
    /// Read the configuration again.
    Reload(oneshot::Sender<Result<(), String>>),
}

/// What came of asking for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It begins.
    Now,
    /// One is under way, and its result is as good.
    Already,
}

/// Why a command did not come through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The daemon is about to end, or too many wait before it.
    #[error("the daemon takes no commands now")]
    Busy,
    /// The configuration was refused, and the old one stays in force.
    #[error("{0}")]
    Refused(String),
}

/// Where commands go.
#[derive(Clone, Debug)]
pub struct Commands(mpsc::Sender<Command>);

/// More than that wait for nobody.
const WAITING: usize = 16;

/// The two ends.
#[must_use]
pub fn channel() -> (Commands, mpsc::Receiver<Command>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Commands(sender), receiver)
}

impl Commands {
    /// Has endpoints and ranges checked now.
    ///
    /// # Errors
    /// When the daemon takes no commands.
    pub async fn check(&self) -> Result<Begun, CommandError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Command::Check(answer)).map_err(|_| CommandError::Busy)?;
        answered.await.map_err(|_| CommandError::Busy)
    }

    /// Has the configuration read again.
    ///
    /// # Errors
    /// Says what is wrong with it, if anything is: then the old one stays in force.
    pub async fn reload(&self) -> Result<(), CommandError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Command::Reload(answer)).map_err(|_| CommandError::Busy)?;
        answered.await.map_err(|_| CommandError::Busy)?.map_err(CommandError::Refused)
    }
}
