//! What is asked of it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Engine;
use crate::daemon::services::Services;
use crate::daemon::setup::Setup;
use crate::daemon::{Begun, Check, Command, notify};
use crate::text::told;

impl Engine {
    pub(super) fn obey(&mut self, command: Command, services: &mut Services) {
        match command {
            Command::Check(answer) => self.check_now(answer),
            Command::Reload(answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.reload(services));
            }
        }
    }

    fn check_now(&mut self, answer: oneshot::Sender<Begun>) {
        let kinds = [Check::Endpoints, Check::Ranges];
        let idle = kinds.iter().any(|check| !self.schedule.runs(*check));
        for check in kinds {
            if !self.schedule.runs(check) {
                self.schedule.hasten(check, self.now());
            }
        }
        let _ = answer.send(if idle { Begun::Now } else { Begun::Already });
    }

    /// Puts the file in force, or says what is wrong with it.
    pub(super) fn reload(&mut self, services: &mut Services) -> Result<(), String> {
        notify::reloading();
        let outcome = Setup::read(&self.file).map_err(|error| told(&error)).and_then(|setup| {
            let moved = setup.config.state != self.setup.config.state;
            let stays = "`state` cannot change while the daemon runs: restart it";
            if moved {
                return Err(stays.to_owned());
            }
            services.reload(&self.setup, &setup).map_err(|error| told(&error))?;
            Ok(setup)
        });
        let outcome = outcome.map(|setup| {
            tracing::info!("the configuration is in force");
            self.put_in_force(setup);
        });
        if let Err(error) = &outcome {
            tracing::error!("the configuration was refused, and the old one stays in force: {error}");
        }
        self.reload_error = outcome.as_ref().err().cloned();
        self.swap_in();
        notify::ready(&self.said);
        outcome
    }

    pub(super) fn put_in_force(&mut self, setup: Setup) {
        let now = self.now();
        let before = std::mem::replace(&mut self.setup, Arc::new(setup));
        if *before.config == *self.setup.config {
            // The same value in the same place: what is under way is not for nothing.
            Arc::make_mut(&mut self.setup).config = Arc::clone(&before.config);
        } else {
            self.schedule.set(&self.setup.intervals(), now);
            self.watch.hysteresis_mut().set(self.setup.flapping());
            self.schedule.hasten(Check::Endpoints, now);
        }
        if before.feeds.feeds.newest.sha256 != self.setup.feeds.feeds.newest.sha256 {
            self.schedule.hasten(Check::Ranges, now);
        }
        let setup = Arc::clone(&self.setup);
        self.watch.retain(|subject| setup.checks(subject));
    }
}
