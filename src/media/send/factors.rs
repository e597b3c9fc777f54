//! Which of three things is refused: the declared type, the extension, or the content.

use serde::Serialize;

use super::{Purpose, SendRun, Shape};
use crate::media::generate::SampleKind;

/// What a refusal goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The `Content-Type` of the request.
    DeclaredType,
    /// The extension of the name.
    Extension,
    /// The bytes themselves.
    Content,
}

/// All ways to send one kind as another, so that each of type, extension and content is once the one and once the other.
#[must_use]
pub fn variations(refused: SampleKind, passes: SampleKind, bytes: u64) -> Vec<Shape> {
    let pick = |bit: bool| if bit { refused } else { passes };
    let shape = |mask: u8| Shape {
        declared: pick(mask & 1 != 0),
        named: pick(mask & 2 != 0),
        content: pick(mask & 4 != 0),
        bytes,
    };
    // All three and none are known already.
    (1..7).map(shape).collect()
}

/// What the refusals of a kind go by: each factor that alone suffices, or those that must come together; none where the
/// trials do not tell.
#[must_use]
pub fn factors(run: &SendRun, refused: SampleKind) -> Vec<Factor> {
    let seen: Vec<(Vec<Factor>, bool)> = run
        .of(Purpose::Factor)
        .filter(|trial| [trial.shape.declared, trial.shape.named, trial.shape.content].contains(&refused))
        .map(|trial| (set(&trial.shape, refused), !trial.passed()))
        .collect();
    if seen.is_empty() {
        return Vec::new();
    }
    let fails = |wanted: &[Factor]| seen.iter().any(|(set, failed)| set == wanted && *failed);
    let alone: Vec<Factor> = ALL.into_iter().filter(|factor| fails(&[*factor])).collect();
    if !alone.is_empty() {
        return alone;
    }
    let pairs = [[ALL[0], ALL[1]], [ALL[0], ALL[2]], [ALL[1], ALL[2]]];
    pairs.into_iter().find(|pair| fails(pair)).map_or_else(|| ALL.to_vec(), |pair| pair.to_vec())
}

const ALL: [Factor; 3] = [Factor::DeclaredType, Factor::Extension, Factor::Content];

fn set(shape: &Shape, refused: SampleKind) -> Vec<Factor> {
    let held = [shape.declared == refused, shape.named == refused, shape.content == refused];
    ALL.into_iter().zip(held).filter_map(|(factor, held)| held.then_some(factor)).collect()
}

impl Factor {
    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::DeclaredType => "the declared type",
            Self::Extension => "the extension",
            Self::Content => "the content",
        }
    }
}
