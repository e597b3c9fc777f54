//! Learns from the ranges that answer what the others should show.

use super::cells::RangeState;
use super::model::{Model, Seen};
use crate::plan::{PlannedRange, ProbePlan};
use crate::ranges::Role;

/// Ranges whose behaviour is taken to be alike: of one role, and whether silence judges them.
pub(super) type Class = (Role, bool);

/// The class of a range.
pub(super) fn class(planned: &PlannedRange) -> Class {
    (planned.range.role, planned.silence_judges())
}

/// One model for each class of ranges.
#[derive(Clone, Debug)]
pub(crate) struct Learner {
    classes: Vec<(Class, Model)>,
    class_of: Vec<usize>,
    version: u32,
    alpha: f64,
    beta: f64,
}

impl Learner {
    pub(crate) fn new(plan: &ProbePlan) -> Self {
        let (alpha, beta) = (plan.alpha, plan.beta);
        let mut learner = Self { classes: Vec::new(), class_of: Vec::new(), version: 0, alpha, beta };
        for planned in &plan.ranges {
            let class = class(planned);
            let at = learner.classes.iter().position(|(other, _)| *other == class).unwrap_or_else(|| {
                learner.classes.push((class, learner.fresh(&Seen::default(), class)));
                learner.classes.len() - 1
            });
            learner.class_of.push(at);
        }
        learner
    }

    pub(crate) fn model(&self, range: usize) -> &Model {
        &self.classes[self.class_of[range]].1
    }

    /// Grows with every change of a model.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// Learns anew; whether anything changed that is worth another look at all ranges.
    pub(crate) fn learn(&mut self, ranges: &[RangeState]) -> bool {
        let classes = self.learnt(ranges);
        let changed = classes.iter().zip(&self.classes).any(|((_, new), (_, old))| new.differs_from(old));
        if changed {
            self.replace(classes);
        }
        changed
    }

    /// Learns anew to the last digit, as the judgement does.
    pub(crate) fn learn_exactly(&mut self, ranges: &[RangeState]) {
        let classes = self.learnt(ranges);
        if classes != self.classes {
            self.replace(classes);
        }
    }

    fn replace(&mut self, classes: Vec<(Class, Model)>) {
        self.classes = classes;
        self.version += 1;
    }

    fn learnt(&self, ranges: &[RangeState]) -> Vec<(Class, Model)> {
        let mut seen = vec![Seen::default(); self.classes.len()];
        for (range, &class) in ranges.iter().zip(&self.class_of) {
            if let Some(lesson) = range.lesson() {
                seen[class].counts.add(&lesson, 1.0);
            }
        }
        Seen::share_baseline(seen.iter_mut());
        self.classes.iter().zip(&seen).map(|(&(class, _), seen)| (class, self.fresh(seen, class))).collect()
    }

    fn fresh(&self, seen: &Seen, (_, silence_judges): Class) -> Model {
        Model::learnt(seen, silence_judges, self.alpha, self.beta)
    }
}
