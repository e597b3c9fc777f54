//! Tells another program of changes: JSON `egressd.event/1`, signed, tried again, and never waited for.
//!
//! Changes that come together are one event. Events wait in a short queue and are delivered in their order by a thread of its
//! own; when the receiver does not keep up the oldest are dropped and counted, since the newest say how things are.

mod event;
mod post;
mod queue;

pub use event::Event;
pub use post::{SIGNATURE, SenderError, signature};

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use crate::config::http::WebhookConfig;
use crate::daemon::{Handle, View};
use crate::metrics::{Delivery, Live};
use crate::verdict::Transition;
use post::Sender;
use queue::Queue;

/// Why nobody is told.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The client.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// The thread.
    #[error("cannot start the thread that tells the webhook")]
    Thread(#[source] io::Error),
}

/// The running messenger; it ends when this is dropped, and what was not delivered is gone.
#[derive(Debug)]
pub struct Webhook {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What comes within so long is one event: a rule that blocks fifty ranges is one change to whoever reads it.
const TOGETHER: Duration = Duration::from_secs(2);

impl Webhook {
    /// Tells of every change from here on; none where no URL is configured.
    ///
    /// # Errors
    /// When the key of the signature cannot be read.
    pub fn start(
        config: &WebhookConfig,
        roots: &[CertificateDer<'static>],
        handle: &Handle,
        live: &Arc<Live>,
    ) -> Result<Option<Self>, WebhookError> {
        let (Some(url), Some(key)) = (&config.url, &config.secret) else { return Ok(None) };
        let sender = Sender::new(url, key, roots)?;
        let queue = Arc::new(Queue::new(Arc::clone(live)));
        let gatherer = Gatherer { transitions: handle.transitions.subscribe(), view: handle.view.clone() };
        let (stop, mut stopping) = watch::channel(false);
        let work = async move {
            tokio::select! {
                () = gatherer.gather(&queue) => {}
                () = sender.deliver(&queue) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        };
        let thread = std::thread::Builder::new().name("webhook".to_owned());
        let thread = thread.spawn(move || run(work)).map_err(WebhookError::Thread)?;
        Ok(Some(Self { stop, thread: Some(thread) }))
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(work: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build() {
        Ok(runtime) => {
            runtime.block_on(work);
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        }
        Err(error) => tracing::error!(%error, "cannot tell the webhook of anything"),
    }
}

/// Makes events of changes.
struct Gatherer {
    transitions: broadcast::Receiver<Arc<Transition>>,
    view: View,
}

impl Gatherer {
    /// Until the daemon ends.
    async fn gather(mut self, queue: &Queue) {
        loop {
            match self.transitions.recv().await {
                Ok(first) => self.together(first, queue).await,
                Err(RecvError::Lagged(missed)) => queue.missed(missed),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn together(&mut self, first: Arc<Transition>, queue: &Queue) {
        sleep(TOGETHER).await;
        let mut changes = vec![first];
        while changes.len() < Event::MOST_CHANGES {
            match self.transitions.try_recv() {
                Ok(next) => changes.push(next),
                Err(TryRecvError::Lagged(missed)) => queue.missed(missed),
                Err(_) => break,
            }
        }
        changes.retain(|change| change.held_back.is_none());
        if !changes.is_empty() {
            let report = self.view.newest().report.clone();
            queue.push(Event::new(&changes, report.as_ref().map(|current| &current.report)));
        }
    }
}

/// Counts what became of an event, and says so where somebody has to look.
fn told(live: &Live, outcome: Delivery, id: &str, why: &str) {
    live.delivery(outcome);
    if outcome == Delivery::Delivered {
        tracing::debug!(event = id, "the webhook took an event");
    } else {
        tracing::warn!(event = id, why, "an event did not reach the webhook");
    }
}
