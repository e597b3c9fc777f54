//! The names of a visit: which addresses are asked.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;

use super::{Lane, Visit};
use crate::endpoint::{Detail, Step, Variant};
use crate::net::endpoint::resolve::Answer;
use crate::observe::Operation;
use crate::prefix::Family;

/// Addresses that are asked of each family: more say nothing new.
const MOST_ADDRESSES: usize = 4;

impl Visit<'_> {
    /// Asks all resolvers, and says which addresses are to be tried.
    pub(super) async fn resolve(&self) -> Vec<Lane> {
        let url = &self.endpoint.url;
        if let Ok(address) = url.host().parse::<IpAddr>() {
            return vec![Lane { address: SocketAddr::new(address, url.port()), variant: Variant::Plain, whole: true }];
        }
        let families = [Family::V4, Family::V6].into_iter().filter(|family| self.endpoint.takes(*family));
        let asked: Vec<_> = families
            .flat_map(|family| self.means.askers.iter().map(move |asker| asker.ask(url.host(), family)))
            .collect();
        let mut answers = join_all(asked).await;
        self.doubt(&mut answers).await;
        let lanes = self.lanes(&answers);
        for answer in answers {
            self.looked_up(answer);
        }
        lanes
    }

    /// A resolver whose answer is in doubt is asked for another name: does everything lead to the same place?
    async fn doubt(&self, answers: &mut [Answer]) {
        let known: Vec<IpAddr> = answers
            .iter()
            .filter(|answer| !answer.detail.system)
            .flat_map(|answer| answer.detail.answers.clone())
            .collect();
        for answer in answers.iter_mut().filter(|answer| answer.detail.system && !answer.detail.answers.is_empty()) {
            let detail = &mut answer.detail;
            let alone = !known.is_empty() && !detail.answers.iter().any(|address| known.contains(address));
            if !alone && self.endpoint.misled_by(&detail.answers, self.means.published).is_none() {
                continue;
            }
            let family = Family::of(detail.answers[0]);
            if let Some(asker) = self.means.askers.iter().find(|asker| asker.is(&detail.resolver)) {
                let other = asker.ask_for_another(family).await.detail.answers;
                detail.every_name = Some(other.iter().any(|address| detail.answers.contains(address)));
            }
        }
    }

    fn looked_up(&self, answer: Answer) {
        let misled = self.endpoint.misled_by(&answer.detail.answers, self.means.published);
        self.push(Step {
            operation: Operation::Resolve,
            variant: if answer.detail.system { Variant::Plain } else { Variant::OtherResolver },
            address: None,
            started: answer.started.saturating_duration_since(self.means.began),
            took: answer.took,
            detail: Detail::Resolve(answer.detail),
            failure: answer.failure.or(misled),
        });
    }

    /// What is asked: the addresses that the system's resolvers give, then those that only others give.
    fn lanes(&self, answers: &[Answer]) -> Vec<Lane> {
        let given = |system| answers.iter().filter(move |answer| answer.detail.system == system);
        let addresses = |system| given(system).flat_map(|answer| answer.detail.answers.iter().copied());
        let mut lanes: Vec<Lane> = Vec::new();
        // Without a resolver of its own the system goes by the others.
        let own = given(true).next().is_some();
        for (system, variant) in
            [(true, Variant::Plain), (false, if own { Variant::OtherResolver } else { Variant::Plain })]
        {
            for address in addresses(system) {
                let same = |lane: &&Lane| lane.address.is_ipv4() == address.is_ipv4() && lane.variant == variant;
                let known = lanes.iter().any(|lane| lane.address.ip() == address);
                if known || address.is_unspecified() || lanes.iter().filter(same).count() >= MOST_ADDRESSES {
                    continue;
                }
                let whole = lanes.iter().filter(same).count() == 0;
                lanes.push(Lane { address: SocketAddr::new(address, self.endpoint.url.port()), variant, whole });
            }
        }
        lanes
    }
}
