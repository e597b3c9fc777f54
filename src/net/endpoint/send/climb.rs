//! What is tried with one target over one path, one thing after another.

use std::time::Duration;

use futures_util::future::{join, join_all};

use super::carrier::{Carrier, Exchanged};
use super::upload::Parcel;
use crate::media::generate::SampleKind;
use crate::media::ladder::{Answer, Ladder, Probe};
use crate::media::send::{Filling, Purpose, Shape, Trial, variations};
use crate::net::endpoint::http::{Expect, Manner};
use crate::net::endpoint::visit::SMALL_SEGMENT;
use crate::observe::{Failure, HttpFailure};

/// Enough for every kind and for many packets.
const KIND_BYTES: u64 = 32 << 10;
/// Uploads at a time: as many as a browser makes.
const AT_ONCE: usize = 4;
/// Kinds of which type, extension and content are varied.
const MOST_VARIED: usize = 3;
/// What waits for a body before it judges has buffers of 16 KiB.
const BEGINNING_BYTES: u64 = 24 << 10;
/// A head is answered within a round trip, and a proxy asks the server.
const HEAD: Duration = Duration::from_secs(3);

impl Carrier<'_> {
    /// Tries everything that can be told apart.
    pub(super) async fn run(&self) {
        let kinds = self.ready.target.kinds();
        let Some((first, stuck)) = self.honest(kinds[0]).await else { return };
        if stuck && first.failure.is_some() && self.passes_in(SMALL_SEGMENT).await == Some(true) {
            self.keep_trial(first);
            return self.sweep().await;
        }
        // What does not reach the server is no kind's fault.
        let reached = first.is_refused() || first.failure.is_none();
        self.keep_trial(first);
        if !reached {
            return;
        }
        for some in kinds[1..].chunks(AT_ONCE) {
            for (trial, _) in join_all(some.iter().map(|kind| self.honest(*kind))).await.into_iter().flatten() {
                self.keep_trial(trial);
            }
        }
        let Some(passes) = self.first_that_passes() else { return };
        self.vary(passes).await;
        Box::pin(join(self.climb(passes), self.slowly(passes))).await;
        if self.ready.target.form.is_one_request() {
            let expect = Manner { expect: Expect::Continue, ..Manner::default() };
            let chunked = Manner { chunked: true, ..Manner::default() };
            for (purpose, manner) in [(Purpose::Expect, expect), (Purpose::Chunked, chunked)] {
                self.once(purpose, Shape::honest(passes, KIND_BYTES), manner).await;
            }
        }
    }

    /// A file that is what it is called.
    async fn honest(&self, kind: SampleKind) -> Option<(Trial, bool)> {
        self.round_trip(Purpose::Kind, Shape::honest(kind, KIND_BYTES), Manner::default(), None).await
    }

    /// One upload that is kept.
    async fn once(&self, purpose: Purpose, shape: Shape, manner: Manner) {
        if let Some((trial, _)) = self.round_trip(purpose, shape, manner, None).await {
            self.keep_trial(trial);
        }
    }

    fn keep_trial(&self, trial: Trial) {
        self.record.lock().expect("no holder panics").trials.push(trial);
    }

    fn first_that_passes(&self) -> Option<SampleKind> {
        let record = self.record.lock().expect("no holder panics");
        let taken = || record.of(Purpose::Kind).filter(|trial| trial.failure.is_none());
        taken().find(|trial| trial.passed()).or_else(|| taken().next()).map(|trial| trial.shape.content)
    }

    // --- type, extension and content ----------------------------------------------------------------------------------

    async fn vary(&self, passes: SampleKind) {
        let refused: Vec<SampleKind> = {
            let record = self.record.lock().expect("no holder panics");
            record
                .of(Purpose::Kind)
                .filter(|trial| trial.is_refused() || (trial.failure.is_none() && !trial.passed()))
                .map(|trial| trial.shape.content)
                .collect()
        };
        for kind in refused.into_iter().take(MOST_VARIED) {
            let shapes = variations(kind, passes, KIND_BYTES);
            join_all(shapes.into_iter().map(|shape| self.once(Purpose::Factor, shape, Manner::default()))).await;
        }
    }

    // --- time ---------------------------------------------------------------------------------------------------------

    /// An upload that takes long although the network could do better.
    async fn slowly(&self, passes: SampleKind) {
        let seconds = self.ready.target.slow_seconds;
        if seconds == 0 || !self.ready.target.form.is_one_request() {
            return;
        }
        let manner = Manner {
            bytes_per_second: Some((KIND_BYTES / seconds).max(1)),
            limit: Some(Duration::from_secs(2 * seconds) + HEAD),
            ..Manner::default()
        };
        self.once(Purpose::Slow, Shape::honest(passes, KIND_BYTES), manner).await;
    }

    // --- size ---------------------------------------------------------------------------------------------------------

    /// Looks for the largest that passes.
    async fn climb(&self, kind: SampleKind) {
        let most = self.ready.target.max_bytes;
        let passed = KIND_BYTES + self.overhead_bytes(kind, KIND_BYTES);
        let mut ladder = if self.ready.target.form.is_one_request() {
            Ladder::new(passed, most)
        } else {
            Ladder::of_whole_files(passed, most)
        };
        while let Some(probe) = ladder.next() {
            let began = std::time::Instant::now();
            let Some((answer, sent)) = self.probe(probe, kind).await else { break };
            ladder.answered(answer, began.elapsed(), sent);
            self.record.lock().expect("no holder panics").size = Some(ladder.found());
        }
    }

    /// None where it cannot be tried.
    async fn probe(&self, probe: Probe, kind: SampleKind) -> Option<(Answer, u64)> {
        match probe {
            Probe::Ask(bytes) => {
                let manner = Manner { expect: Expect::HeadAlone, limit: Some(HEAD), ..Manner::default() };
                Some(self.head(bytes, kind, manner).await)
            }
            Probe::Announce { bytes, patience } => {
                let manner = Manner { stop_after: Some(BEGINNING_BYTES), limit: Some(patience), ..Manner::default() };
                Some(self.head(bytes, kind, manner).await)
            }
            Probe::Send(bytes) => self.whole(bytes, kind).await,
        }
    }

    /// Announces a body, and sends no more than its beginning.
    async fn head(&self, bytes: u64, kind: SampleKind, manner: Manner) -> (Answer, u64) {
        let Some(parcel) = self.announced(bytes, kind) else { return (Answer::Silent, 0) };
        let Ok(url) = self.ready.target.url.fill(Filling { name: &parcel.name, id: None }) else {
            return (Answer::Silent, 0);
        };
        let mut request = self.single(&parcel, url, &manner, None);
        request.body_bytes = Some(bytes);
        let Exchanged { reply, failure, .. } = self.exchange(request).await;
        let Some(reply) = reply else { return (Answer::Silent, 0) };
        let sent = reply.answered.transfer.as_ref().map_or(0, |transfer| transfer.sent_bytes);
        let answer = match reply.answered.head.status {
            Some(status) if failure.is_some() => Answer::Refused(Some(status)),
            Some(_) => Answer::Taken,
            None if reply.answered.continued => Answer::Taken,
            None => Answer::Silent,
        };
        (answer, sent)
    }

    /// A body of which no more than the beginning is ever sent: that of a small file, under the name of the large one.
    fn announced(&self, bytes: u64, kind: SampleKind) -> Option<Parcel> {
        let name = Shape::honest(kind, bytes.checked_sub(self.overhead_bytes(kind, bytes))?).name();
        Some(Parcel { name, ..self.parcel(&Shape::honest(kind, KIND_BYTES))? })
    }

    /// Sends, and fetches, all of it.
    async fn whole(&self, bytes: u64, kind: SampleKind) -> Option<(Answer, u64)> {
        let overhead = self.overhead_bytes(kind, bytes);
        let shape = Shape::honest(kind, bytes.checked_sub(overhead)?);
        let (trial, unclear) = self.round_trip(Purpose::Largest, shape, Manner::default(), None).await?;
        let answer = match (&trial.failure, unclear) {
            (None, false) => Answer::Taken,
            (Some(Failure::Http(HttpFailure::NoAnswer)), _) if trial.status.is_none() => Answer::Silent,
            (Some(_), _) if trial.is_refused() => Answer::Refused(trial.status),
            _ => Answer::Silent,
        };
        let sent = trial.passed_bytes;
        if trial.failure.is_none() && !unclear {
            self.keep_trial(trial);
        }
        Some((answer, sent))
    }

    // --- segments -----------------------------------------------------------------------------------------------------

    /// Whether an upload passes with segments of at most so many bytes; none where the budget is spent.
    async fn passes_in(&self, segment: u32) -> Option<bool> {
        let shape = Shape::honest(self.ready.target.kinds()[0], KIND_BYTES);
        let (trial, _) = self.round_trip(Purpose::Kind, shape, Manner::default(), Some(segment)).await?;
        // Whoever answers has seen all of it.
        Some(trial.failure.is_none() || trial.status.is_some())
    }

    /// Looks for the largest segment that passes: several at a time, since those that do not take seconds each.
    async fn sweep(&self) {
        const LARGEST: u32 = 1460;
        const AT_A_TIME: u32 = 9;
        let (mut passes, mut vanishes) = (SMALL_SEGMENT, LARGEST);
        while vanishes - passes > 1 {
            let step = (vanishes - passes).div_ceil(AT_A_TIME + 1);
            let sizes: Vec<u32> = (1..=AT_A_TIME).map(|n| passes + n * step).filter(|size| *size < vanishes).collect();
            let seen = join_all(sizes.iter().map(|size| self.passes_in(*size))).await;
            for (size, passed) in sizes.into_iter().zip(seen) {
                match passed {
                    Some(true) => passes = passes.max(size),
                    Some(false) => vanishes = vanishes.min(size),
                    None => return self.keep_segment(passes),
                }
            }
            if vanishes <= passes {
                break;
            }
        }
        self.keep_segment(passes);
    }

    fn keep_segment(&self, passes: u32) {
        self.record.lock().expect("no holder panics").segment_bytes = Some(passes);
    }
}
