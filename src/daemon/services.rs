//! What stands beside the checks: metrics, results and lists over HTTP, and the webhook.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::Handle;
use super::setup::Setup;
use crate::http::{self, HttpError, Listeners};
use crate::metrics::Live;
use crate::webhook::{Webhook, WebhookError};

/// The services; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Services {
    server: Option<http::Server>,
    webhook: Option<Webhook>,
    live: Arc<Live>,
    handle: Handle,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

impl Services {
    /// Starts what is configured; `inherited` are sockets that systemd passed in.
    pub(super) fn start(setup: &Setup, inherited: Vec<OwnedFd>, handle: Handle) -> Result<Self, ServiceError> {
        let live = Arc::new(Live::new());
        let config = &setup.config;
        let listeners = Listeners::open(&config.http, inherited).map_err(HttpError::from)?;
        let history = setup.store.as_ref().map(crate::store::Store::history_file);
        let server = http::Server::start(&config.http, listeners, &handle, &live, history)?;
        for address in server.addresses() {
            tracing::info!("serving on {address}");
        }
        let webhook = Webhook::start(&config.webhook, &setup.roots, &handle, &live)?;
        Ok(Self { server: Some(server), webhook, live, handle })
    }

    /// Certificates, passwords and the webhook of another configuration come in force; sockets stay as they are.
    pub(super) fn reload(&mut self, before: &Setup, setup: &Setup) -> Result<(), ServiceError> {
        if let Some(server) = &self.server {
            server.reload(&setup.config.http)?;
        }
        if before.config.webhook != setup.config.webhook {
            self.webhook = Webhook::start(&setup.config.webhook, &setup.roots, &self.handle, &self.live)?;
        }
        Ok(())
    }

    /// Answers what was asked, and ends.
    pub(super) fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}
