//! What an outcome says for and against "this space is blocked", in nats.

/// A Beta distribution: what is known of the share of addresses that answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    a: f64,
    b: f64,
    log_gamma: [f64; 3],
}

impl Beta {
    /// Nothing is known: any share is as likely as any other.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(1.0, 1.0)
    }

    /// From pseudo-counts of answers and silences, both positive.
    #[must_use]
    pub fn new(a: f64, b: f64) -> Self {
        Self { a, b, log_gamma: [libm::lgamma(a), libm::lgamma(b), libm::lgamma(a + b)] }
    }

    /// From counts seen elsewhere. They weigh as `weight` observations at the most, since ranges differ.
    #[must_use]
    pub fn learnt(answers: f64, silences: f64, weight: f64) -> Self {
        let total = answers + silences + 1.0;
        let weight = weight.min(total);
        let mean = (answers + 0.5) / total;
        Self::new(mean * weight, (1.0 - mean) * weight)
    }

    /// The mean share.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.a / (self.a + self.b)
    }

    /// The logarithm of the probability of a given sequence of answers and silences.
    #[must_use]
    pub fn log_likelihood(&self, answers: f64, silences: f64) -> f64 {
        if answers == 0.0 && silences == 0.0 {
            return 0.0;
        }
        let [a, b, both] = self.log_gamma;
        libm::lgamma(self.a + answers) - a + libm::lgamma(self.b + silences)
            - b
            - (libm::lgamma(self.a + self.b + answers + silences) - both)
    }
}

/// The likelihoods that all nodes of a range's tree share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// The share of addresses that answer where nothing is known of the single address; none: their silence is no
    /// evidence.
    pub uncovered: Option<Beta>,
    /// Dark and lit /24 blocks may lie side by side: only the first silence of a block is evidence. Servers are put
    /// up by the block, so this is ruled out only where many addresses were asked and none was silent.
    pub clustered: bool,
    /// The same for addresses that answered before.
    pub covered: Beta,
    /// Logarithm of the probability that an open address rejects a connection.
    pub rejection: f64,
    /// Logarithm of the probability that an open address draws an ICMP prohibition from a hop before the server.
    pub prohibition: f64,
    /// Logarithm of the probability that an answer comes out of blocked space.
    pub answer_through_block: f64,
}

/// What the ranges of one role showed that answered at all: from it the share is learnt that the others should show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Outcomes in the ranges in which something answered.
    pub counts: Counts,
    /// Outcomes of known addresses in ranges of any role: how old a baseline is does not depend on the role.
    pub baseline: Counts,
}

/// A share of answering addresses under this one makes silence too weak to judge by.
pub const LEAST_SHARE: f64 = 0.1;
/// Fewer outcomes than this say nothing about a share.
const LEAST_SEEN: f64 = 10.0;
/// So many addresses must have answered, and none been silent, for dark blocks to be ruled out. With a share `q` of dark
/// ones that happens by chance with `(1-q)^200`, so that a lone /24 is falsely accused with `q (1-q)^200 < 0.002` at the
/// worst; four of the 121 documented ranges are one, which leaves 6 in 100,000 verdicts.
const EVEN_SEEN: f64 = 200.0;
/// Ranges differ: what others showed weighs as this many outcomes, as many as shares spread evenly from 0.77 to 1 have.
/// Nothing was falsely accused in 60,500 verdicts on networks whose /20 parts have shares from 0 to 1; with 100 neither,
/// and it saved a twentieth of the probes where two ranges in five are blocked.
const WEIGHT_OF_OTHERS: f64 = 20.0;
/// Addresses that answered before differ less: shares of 2 to 10 % that are gone, evenly spread over the ranges, have
/// the variance of a Beta distribution of this weight.
const WEIGHT_OF_BASELINE: f64 = 100.0;

impl Seen {
    /// Adds up what known addresses did in all roles.
    pub(crate) fn share_baseline<'a>(all: impl Iterator<Item = &'a mut Self>) {
        let mut all: Vec<&mut Self> = all.collect();
        let mut baseline = Counts::default();
        for seen in &all {
            baseline.add(&seen.counts, 1.0);
        }
        for seen in &mut all {
            seen.baseline = baseline;
        }
    }
}

impl Model {
    /// From what was seen so far, for the given error rates. `silence_judges`: whether the silence of an address of
    /// which nothing is known may count in ranges of this role and family.
    #[must_use]
    pub fn learnt(seen: &Seen, silence_judges: bool, alpha: f64, beta: f64) -> Self {
        let Counts { answers, known_answers, rejections, .. } = seen.counts;
        let silences = seen.counts.silences + seen.counts.repeats;
        let share = Beta::learnt(answers, silences, WEIGHT_OF_OTHERS);
        let known = answers + silences >= LEAST_SEEN && share.mean() >= LEAST_SHARE;
        let answering = answers + known_answers;
        // Of the addresses that answered once, 2 to 10 % are gone weeks later: 6 of 100 until more is seen.
        let Counts { known_answers, known_silences, .. } = seen.baseline;
        let covered = Beta::learnt(9.4 + known_answers, 0.6 + known_silences, WEIGHT_OF_BASELINE);
        // An address that answered before is no less likely to answer than one of which nothing is known.
        let fresh = Beta::learnt(answers, silences, WEIGHT_OF_BASELINE);
        let covered = if known && fresh.mean() > covered.mean() { fresh } else { covered };
        Self {
            uncovered: Some(share).filter(|_| silence_judges && known),
            clustered: silences > 0.5 || answers < EVEN_SEEN,
            covered,
            rejection: ((rejections + 1.0) / (answering + rejections + 2.0)).ln(),
            prohibition: alpha.ln(),
            answer_through_block: beta.ln(),
        }
    }

    /// The same where silence of unknown addresses is no evidence, as something else in the range answers: a dark part
    /// cannot be told from a blocked one.
    #[must_use]
    pub fn without_uncovered(self) -> Self {
        Self { uncovered: None, ..self }
    }

    /// Whether the difference to another model could change a judgement.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        let far = |a: f64, b: f64| (a - b).abs() > 0.1;
        let silence = |beta: &Beta| beta.log_likelihood(0.0, 3.0);
        self.clustered != other.clustered
            || self.uncovered.is_some() != other.uncovered.is_some()
            || self.uncovered.zip(other.uncovered).is_some_and(|(a, b)| far(silence(&a), silence(&b)))
            || far(silence(&self.covered), silence(&other.covered))
            || far(self.rejection, other.rejection)
    }

    /// What one more silence says at the most, in nats.
    pub(crate) fn most_nats(&self) -> f64 {
        let covered = self.covered.mean();
        -(1.0 - self.uncovered.map_or(covered, |beta| beta.mean().max(covered))).ln()
    }

    /// What part of its weight a silence keeps when only this share of the controls answered.
    #[must_use]
    pub fn silence_weight(share: f64, attested: f64) -> f64 {
        ((1.0 - share * attested).ln() / (1.0 - share).ln()).clamp(0.0, 1.0)
    }

    /// `log P(counts | open)` and `log P(counts | blocked)`.
    pub(crate) fn log_likelihoods(&self, counts: &Counts) -> (f64, f64) {
        let silences = if self.clustered { counts.silences } else { counts.silences + counts.repeats };
        let uncovered = self.uncovered.map_or(0.0, |beta| beta.log_likelihood(counts.answers, silences));
        let open = uncovered
            + self.covered.log_likelihood(counts.known_answers, counts.known_silences)
            + counts.rejections * self.rejection
            + counts.prohibitions * self.prohibition;
        let blocked = (counts.answers + counts.known_answers) * self.answer_through_block;
        (open, blocked)
    }
}

/// What came of the probes below one node. Fractions: a silence while controls failed weighs less than one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Answers of addresses of which nothing was known.
    pub answers: f64,
    /// Silences of such, the first of each /24.
    pub silences: f64,
    /// The further ones: no evidence where whole blocks may be dark.
    pub repeats: f64,
    /// Answers of addresses that answered before.
    pub known_answers: f64,
    /// Silences of such.
    pub known_silences: f64,
    /// Resets, and ICMP errors that name no prohibition.
    pub rejections: f64,
    /// ICMP prohibitions, and rejections known to come from before the server.
    pub prohibitions: f64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self, times: f64) {
        self.answers += times * other.answers;
        self.silences += times * other.silences;
        self.repeats += times * other.repeats;
        self.known_answers += times * other.known_answers;
        self.known_silences += times * other.known_silences;
        self.rejections += times * other.rejections;
        self.prohibitions += times * other.prohibitions;
    }

    /// Silences of any kind.
    #[must_use]
    pub fn all_silences(&self) -> f64 {
        self.silences + self.repeats + self.known_silences
    }

    /// Rejections, and silences of addresses that answered before.
    #[must_use]
    pub fn failures(&self) -> f64 {
        self.rejections + self.prohibitions + self.known_silences
    }

    /// Whether anything answered.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.answers + self.known_answers > 0.5
    }

    /// Whether somebody rejected.
    #[must_use]
    pub fn rejected(&self) -> bool {
        self.rejections + self.prohibitions > 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beta_prior_needs_eight_silences_where_a_fixed_share_needs_four() {
        // detection: Beta(9,1) at alpha 1e-4 with the root's prior of 0.1.
        let beta = Beta::new(9.0, 1.0);
        let needed = (1..100).find(|&n| beta.log_likelihood(0.0, f64::from(n)) < (1e-4_f64 / 9.0).ln()).unwrap();
        assert!((8..=12).contains(&needed), "{needed}");
    }

    #[test]
    fn an_unknown_share_never_turns_silence_into_certainty() {
        let beta = Beta::unknown();
        assert!(beta.log_likelihood(0.0, 1000.0) > (1e-4_f64).ln());
    }

    fn seen(counts: Counts) -> Seen {
        Seen { counts, baseline: Counts::default() }
    }

    #[test]
    fn silence_counts_only_where_a_share_is_known_and_large_enough() {
        let learnt = |answers, silences, judges| {
            Model::learnt(&seen(Counts { answers, silences, ..Counts::default() }), judges, 1e-4, 1e-4).uncovered
        };
        assert!(learnt(4.0, 4.0, true).is_none(), "too few");
        assert!(learnt(5.0, 95.0, true).is_none(), "share under a tenth");
        assert!(learnt(90.0, 10.0, false).is_none(), "not a viewer's range");
        assert!(learnt(90.0, 10.0, true).is_some());
    }

    #[test]
    fn a_reset_weighs_by_how_rare_resets_are_where_answers_come() {
        let rejection = |answers, rejections| {
            Model::learnt(&seen(Counts { answers, rejections, ..Counts::default() }), true, 1e-4, 1e-4).rejection
        };
        assert!(rejection(0.0, 0.0) > -1.0, "no answers seen: a reset says nothing");
        assert!(rejection(400.0, 0.0) < -5.0);
        assert!(rejection(400.0, 100.0) > -2.0);
    }

    #[test]
    fn what_was_learnt_is_bounded_by_its_weight() {
        let beta = Beta::learnt(10_000.0, 0.0, 20.0);
        assert!(beta.mean() > 0.99);
        assert!((beta.a + beta.b - 20.0).abs() < 1e-9);
        assert!((Beta::learnt(0.0, 0.0, 20.0).mean() - 0.5).abs() < 1e-9);
    }
}
