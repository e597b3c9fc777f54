//! Windows of probes, and the controls that attest them: silence counts only while addresses that are known to answer do.

use std::net::SocketAddr;
use std::time::Duration;

/// Number of a wave in the run.
pub(crate) type WaveId = usize;

/// Controls in each wave.
pub(crate) const CONTROLS: u32 = 10;
/// Range probes in one wave at the most.
const PROBES: u32 = 100;
/// Under this share of answering controls, silences of the wave are discarded.
pub(crate) const LEAST_ATTESTED: f64 = 0.7;
/// Answering addresses that are kept for use as controls.
const POOL: usize = 256;
/// A control that was silent this often in a row is no longer one: its own path may have changed.
const STRIKES: u8 = 2;
/// The scan may be slowed so often in a row before it gives up: eight times are from the fastest pace to the slowest.
const PATIENCE: u32 = 11;

/// All waves of a run, and the pool of controls.
#[derive(Clone, Debug)]
pub(crate) struct Waves {
    list: Vec<Wave>,
    pool: Vec<Control>,
    turn: usize,
    /// How long a wave stays open.
    longest: Duration,
    /// Waves that were opened before are judged by the pace of before.
    slowed: Duration,
    slowed_times: u32,
    discarded: u32,
}

#[derive(Clone, Debug, Default)]
struct Wave {
    opened: Duration,
    probes: u32,
    sent: u32,
    answered: u32,
    silent: u32,
    closed: bool,
    attested: Option<f64>,
}

#[derive(Clone, Debug)]
struct Control {
    target: SocketAddr,
    strikes: u8,
}

/// The judgement on a wave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Attested {
    pub(crate) wave: WaveId,
    pub(crate) share: f64,
}

/// Totals for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlTotals {
    /// Controls sent in all waves.
    pub sent: u32,
    /// Those that answered.
    pub answered: u32,
    /// Waves whose silences were discarded.
    pub waves_discarded: u32,
}

impl Waves {
    pub(crate) fn new(per_second: f64) -> Self {
        Self {
            list: vec![Wave::default()],
            pool: Vec::new(),
            turn: 0,
            longest: longest(per_second),
            slowed: Duration::ZERO,
            slowed_times: 0,
            discarded: 0,
        }
    }

    pub(crate) fn current(&self) -> WaveId {
        self.list.len() - 1
    }

    /// An address that answered just now: from here on it can serve as a control.
    pub(crate) fn learn(&mut self, target: SocketAddr) {
        if self.pool.len() < POOL {
            self.pool.push(Control { target, strikes: 0 });
        }
    }

    /// Whether a discarded wave is a reason to slow down: it is not if it was opened before the last time, as it shows
    /// the same trouble.
    pub(crate) fn slows(&mut self, id: WaveId, now: Duration) -> bool {
        let slows = self.list[id].opened >= self.slowed;
        if slows {
            self.slowed = now;
            self.slowed_times += 1;
        }
        slows
    }

    /// Waves last as long as this pace needs for their probes.
    pub(crate) fn paced(&mut self, per_second: f64) {
        self.longest = longest(per_second);
    }

    /// Whether so many waves were discarded that more would be too: an uplink that went down does not come back for us.
    pub(crate) fn hopeless(&self) -> bool {
        self.slowed_times > PATIENCE
    }

    pub(crate) fn probe_launched(&mut self, now: Duration) {
        let wave = self.last();
        if wave.probes == 0 {
            wave.opened = now;
        }
        wave.probes += 1;
    }

    /// A control that is due now, with its wave: one for every tenth probe, the rest when the wave closes.
    pub(crate) fn control_due(&mut self, now: Duration) -> Option<(WaveId, SocketAddr)> {
        if self.pool.is_empty() {
            return None;
        }
        self.close_if_full(now);
        let wanted = |wave: &Wave| if wave.closed { CONTROLS } else { CONTROLS.min(wave.probes * CONTROLS / PROBES) };
        // Only the last two can be incomplete: a wave opens when the one before is closed.
        let from = self.list.len().saturating_sub(2);
        let id = (from..self.list.len()).find(|&id| self.list[id].sent < wanted(&self.list[id]))?;
        self.list[id].sent += 1;
        Some((id, self.pick()))
    }

    /// When the current wave closes for its age; none while it is empty or nothing could attest it.
    pub(crate) fn closes_at(&self) -> Option<Duration> {
        let wave = self.list.last().expect("there is always a wave");
        (wave.probes > 0 && !self.pool.is_empty()).then(|| wave.opened + self.longest)
    }

    /// Whether a closed wave still wants controls sent.
    pub(crate) fn wants_controls(&self) -> bool {
        let from = self.list.len().saturating_sub(2);
        !self.pool.is_empty() && self.list[from..].iter().any(|wave| wave.closed && wave.sent < CONTROLS)
    }

    /// Closes the current wave if it holds a probe, so that it can be judged.
    pub(crate) fn close(&mut self) {
        if self.last().probes > 0 && !self.pool.is_empty() {
            self.last().closed = true;
            self.list.push(Wave::default());
        }
    }

    /// Notes the outcome of a control; the judgement, once the last of the wave's controls is in.
    pub(crate) fn control_done(&mut self, id: WaveId, target: SocketAddr, answered: bool) -> Option<Attested> {
        self.strike(target, answered);
        let wave = &mut self.list[id];
        wave.answered += u32::from(answered);
        wave.silent += u32::from(!answered);
        if !wave.closed || wave.answered + wave.silent < CONTROLS {
            return None;
        }
        let share = f64::from(wave.answered) / f64::from(wave.answered + wave.silent);
        wave.attested = Some(share);
        if share < LEAST_ATTESTED {
            self.discarded += 1;
        } else {
            self.slowed_times = 0;
        }
        Some(Attested { wave: id, share })
    }

    /// Notes a control that answered after it was taken for silent; the judgement anew, if the wave had passed.
    pub(crate) fn control_late(&mut self, id: WaveId, target: SocketAddr) -> Option<Attested> {
        self.strike(target, true);
        let wave = &mut self.list[id];
        wave.answered += 1;
        wave.silent -= 1;
        let share = f64::from(wave.answered) / f64::from(wave.answered + wave.silent);
        let attested = wave.attested.as_mut().filter(|attested| **attested >= LEAST_ATTESTED)?;
        *attested = share;
        Some(Attested { wave: id, share })
    }

    /// The share of its controls that answered, once it is judged.
    pub(crate) fn attested(&self, id: WaveId) -> Option<f64> {
        self.list[id].attested
    }

    pub(crate) fn totals(&self) -> ControlTotals {
        ControlTotals {
            sent: self.list.iter().map(|wave| wave.answered + wave.silent).sum(),
            answered: self.list.iter().map(|wave| wave.answered).sum(),
            waves_discarded: self.discarded,
        }
    }

    fn close_if_full(&mut self, now: Duration) {
        let longest = self.longest;
        let wave = self.last();
        if wave.probes >= PROBES || (wave.probes > 0 && now >= wave.opened + longest) {
            self.close();
        }
    }

    /// The next control in turn, in strides through the pool so that neighbours are not asked one after the other.
    fn pick(&mut self) -> SocketAddr {
        self.turn = (self.turn + STRIDE) % self.pool.len();
        self.pool[self.turn].target
    }

    fn strike(&mut self, target: SocketAddr, answered: bool) {
        let Some(at) = self.pool.iter().position(|control| control.target == target) else { return };
        let control = &mut self.pool[at];
        control.strikes = if answered { 0 } else { control.strikes.saturating_add(1) };
        // The last control stays: without any, nothing can be attested any more.
        if control.strikes >= STRIKES && self.pool.len() > 1 {
            self.pool.swap_remove(at);
        }
    }

    fn last(&mut self) -> &mut Wave {
        self.list.last_mut().expect("there is always a wave")
    }
}

fn longest(per_second: f64) -> Duration {
    Duration::from_secs_f64((f64::from(PROBES) / per_second).clamp(0.5, 10.0))
}

/// Coprime to every pool size that is not its multiple.
const STRIDE: usize = 37;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: u8) -> SocketAddr {
        SocketAddr::from(([13, 32, 0, host], 443))
    }

    fn with_pool() -> Waves {
        let mut waves = Waves::new(200.0);
        (1..=40).for_each(|host| waves.learn(target(host)));
        waves
    }

    fn run_wave(waves: &mut Waves, answers: u32) -> Option<Attested> {
        (0..100).for_each(|_| waves.probe_launched(Duration::ZERO));
        let sent: Vec<_> = std::iter::from_fn(|| waves.control_due(Duration::ZERO)).collect();
        assert_eq!(sent.len(), 10);
        (0..).zip(sent).map(|(turn, (id, target))| waves.control_done(id, target, turn < answers)).last()?
    }

    #[test]
    fn ten_controls_attest_a_hundred_probes() {
        let mut waves = with_pool();
        assert_eq!(run_wave(&mut waves, 10), Some(Attested { wave: 0, share: 1.0 }));
        assert_eq!(run_wave(&mut waves, 6), Some(Attested { wave: 1, share: 0.6 }));
        assert_eq!(waves.totals(), ControlTotals { sent: 20, answered: 16, waves_discarded: 1 });
    }

    #[test]
    fn controls_are_spread_over_the_wave() {
        let mut waves = with_pool();
        (0..50).for_each(|_| waves.probe_launched(Duration::ZERO));
        assert_eq!(std::iter::from_fn(|| waves.control_due(Duration::ZERO)).count(), 5);
    }

    #[test]
    fn an_old_wave_closes_with_all_its_controls() {
        let mut waves = with_pool();
        waves.probe_launched(Duration::ZERO);
        assert_eq!(waves.control_due(Duration::ZERO), None);
        let late = waves.closes_at().unwrap();
        assert_eq!(std::iter::from_fn(|| waves.control_due(late)).count(), 10);
        assert_eq!(waves.current(), 1);
    }

    #[test]
    fn without_a_control_no_wave_closes() {
        let mut waves = Waves::new(200.0);
        (0..500).for_each(|_| waves.probe_launched(Duration::ZERO));
        assert_eq!(waves.control_due(Duration::from_secs(100)), None);
        waves.close();
        assert_eq!((waves.current(), waves.closes_at()), (0, None));
    }

    #[test]
    fn a_control_that_went_silent_is_dropped() {
        let mut waves = with_pool();
        (0..2).for_each(|_| _ = waves.control_done(0, target(1), false));
        assert_eq!(waves.pool.len(), 39);
    }

    #[test]
    fn a_late_control_raises_the_share_of_a_wave_that_passed() {
        let mut waves = with_pool();
        run_wave(&mut waves, 8);
        assert_eq!(waves.control_late(0, target(1)), Some(Attested { wave: 0, share: 0.9 }));
        run_wave(&mut waves, 6);
        assert_eq!(waves.control_late(1, target(1)), None, "what was discarded stays so");
    }

    #[test]
    fn one_trouble_slows_down_once() {
        let mut waves = with_pool();
        run_wave(&mut waves, 0);
        run_wave(&mut waves, 0);
        assert!(waves.slows(0, Duration::from_secs(1)));
        assert!(!waves.slows(1, Duration::from_secs(1)), "it was opened before");
        assert!(!waves.hopeless());
        for second in 2..=12 {
            waves.probe_launched(Duration::from_secs(second));
            assert!(waves.slows(waves.current(), Duration::from_secs(second)));
            waves.close();
        }
        assert!(waves.hopeless());
    }
}
