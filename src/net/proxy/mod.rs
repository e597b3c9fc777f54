//! Proxies: tunnels through them, and the scripts that choose one.

pub mod connect;
pub mod fetch;
pub mod script;

pub use connect::{ProxyAnswer, Refusal, connect};
pub use fetch::fetch;
pub use script::{Script, ScriptError, Surroundings};

use std::future::Future;
use std::pin::pin;

/// More headers than any proxy sends.
const MOST_HEADERS: usize = 100;
/// Larger heads are refused.
const HEAD_BYTES: usize = 64 << 10;

/// The answer, while the connection that brings it is worked.
async fn driven<T>(answer: impl Future<Output = T>, connection: impl Future<Output = hyper::Result<()>>) -> T {
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The connection has nothing more to do: what it brought is there.
        _ = &mut connection => answer.await,
    }
}
