//! The lines of the files that are read, and whether they are whole.

use super::{ParseError, SourceFile};
use crate::audit::word::cited;
use crate::audit::{Action, Chain, Default, Hook, Place, Policy};
use crate::prefix::Family;

/// A line of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Where it is.
    pub(super) place: Place,
    /// Without its end.
    pub(super) text: &'a str,
    /// Whether it has an end: the last line of a file that was cut has none.
    pub(super) whole: bool,
}

/// All lines of all files, in order.
pub(super) fn lines(files: &[SourceFile]) -> impl Iterator<Item = Line<'_>> {
    files.iter().zip(0..=u16::MAX).flat_map(|(file, index)| {
        file.text.split_inclusive('\n').zip(1..).map(move |(line, number)| Line {
            place: Place { file: index, line: number },
            text: line.trim_end_matches(['\n', '\r']),
            whole: line.ends_with('\n'),
        })
    })
}

/// What is wrong with files in which nothing of the format is.
pub(super) fn nothing(files: &[SourceFile], expected: &str) -> ParseError {
    let empty = SourceFile { name: "-".to_owned(), text: String::new() };
    files.first().unwrap_or(&empty).error_at(1, 1, format!("there is no {expected} in the file"))
}

/// Why a line that has no end is not believed.
pub(super) const CUT: &str = "the file ends in the middle of this line (a whole file ends with a line feed)";

/// Adds a hook of which nothing is known, for this reason: nothing is allowed then, and what is denied stays denied.
pub(super) fn add_doubt(policy: &mut Policy, name: &str, place: Option<Place>, why: &str) {
    let mut chain = Chain::new(name, Default::Unknown(why.into()));
    chain.default_place = place;
    add_hook(policy, name.to_owned(), chain);
}

/// Adds a chain, and a hook that begins in it.
pub(super) fn add_hook(policy: &mut Policy, name: String, chain: Chain) {
    let chain = policy.add(chain);
    policy.hooks.push(Hook::new(name, chain));
}

/// The same for one family: packets of the other do not come by.
pub(super) fn add_hook_of(policy: &mut Policy, family: Family, name: String, chain: Chain) {
    let chain = policy.add(chain);
    policy.hooks.push(Hook { family: Some(family), ..Hook::new(name, chain) });
}

/// What `permit` and `deny` do, whatever the device calls them.
pub(super) fn action(permits: bool) -> Action {
    if permits { Action::Accept } else { Action::Deny }
}

/// Why a line is a doubt.
pub(super) fn not_understood(line: Line<'_>) -> String {
    if !line.whole {
        return CUT.to_owned();
    }
    format!("line {} is not understood: {}", line.place.line, cited(line.text.trim()))
}
