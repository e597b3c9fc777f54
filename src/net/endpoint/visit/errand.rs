//! Single requests of somebody else's making, over all layers: each is a connection of its own.

use std::net::SocketAddr;
use std::time::Instant;

use super::reach::Trust;
use super::{Lane, Visit};
use crate::endpoint::{ConnectDetail, Detail, HttpVersion, Variant};
use crate::net::endpoint::gateway::addresses;
use crate::net::endpoint::http::{Answered, Asked, Session};
use crate::observe::{DnsFailure, Failure, Operation, ProxyFailure};

/// What came back of a request.
#[derive(Debug)]
pub(in crate::net::endpoint) struct Reply {
    pub(in crate::net::endpoint) answered: Answered,
    /// What is wrong with it.
    pub(in crate::net::endpoint) failure: Option<Failure>,
    /// Our own bundle proves who answered.
    pub(in crate::net::endpoint) authenticated: bool,
}

impl Visit<'_> {
    /// Where the endpoint is asked: the addresses of its name, or of the proxy.
    pub(in crate::net::endpoint) async fn places(&self) -> Vec<Lane> {
        let Some(proxy) = self.gateway else {
            let lanes = self.resolve().await;
            return lanes.into_iter().filter(|lane| lane.variant == Variant::Plain).collect();
        };
        let began = Instant::now();
        let found = addresses(&proxy.host, self.means.askers).await;
        if found.is_empty() {
            let unknown = ProxyFailure::Unreachable(Box::new(DnsFailure::NoSuchName.into()));
            let detail = Detail::Connect(ConnectDetail::default());
            self.done(Operation::Connect, Variant::Plain, None, began, detail, Some(unknown.into()));
        }
        let lane =
            |address| Lane { address: SocketAddr::new(address, proxy.port), variant: Variant::Plain, whole: true };
        found.into_iter().map(lane).collect()
    }

    /// Makes a request at one place, in HTTP/1.1, which has all the ways to send a body that are told apart; none where no
    /// connection stands, or with somebody to whom nothing may be told. The layers are recorded.
    pub(in crate::net::endpoint) async fn request_at(
        &self,
        lane: Lane,
        segment: Option<u32>,
        asked: &Asked,
    ) -> Option<Reply> {
        let connection = self.connect(lane, segment).await;
        if connection.is_none() && self.gateway.is_some() {
            self.blame_the_proxy(lane.address);
        }
        let connection = connection?;
        let witness = connection.witness();
        let io = self.tunnel(lane, connection).await?;
        let ready = self.secure(lane, io, witness).await?;
        if ready.trust == Trust::Nobody {
            return None;
        }
        let began = Instant::now();
        let authenticated = ready.trust == Trust::Authenticated;
        let mut answered = match Session::open(ready.io, HttpVersion::Http1).await {
            Ok(mut session) => session.ask(asked, Some(&ready.witness)).await,
            Err(failure) => Answered { head_failure: Some(failure), ..Answered::default() },
        };
        self.recognise(&mut answered);
        Some(self.reply(lane, began, answered, authenticated))
    }

    fn reply(&self, lane: Lane, began: Instant, mut answered: Answered, authenticated: bool) -> Reply {
        let misanswered = || self.endpoint.misanswered_by(&answered.head, authenticated);
        let head_failure = answered.head_failure.clone().or_else(misanswered);
        let transfer = answered.transfer.clone();
        let changed = || {
            let transfer = transfer.as_ref().filter(|_| head_failure.is_none() && answered.head.status.is_some())?;
            self.endpoint.changed(&answered.head, transfer, authenticated)
        };
        let body_failure = answered.transfer_failure.take().or_else(changed);
        let failure = head_failure.clone().or_else(|| body_failure.clone());
        if answered.head.status.is_some() || head_failure.is_some() {
            let detail = Detail::Http(Box::new(answered.head.clone()));
            self.push(self.step(Operation::HttpRoundTrip, lane, began, answered.head_took, detail, head_failure));
        }
        if let Some(transfer) = transfer {
            let (started, took) = match answered.transfer_started {
                Some(started) => (started, answered.transfer_took),
                None => (began, answered.head_took),
            };
            self.push(self.step(Operation::Transfer, lane, started, took, Detail::Transfer(transfer), body_failure));
        }
        Reply { answered, failure, authenticated }
    }
}
