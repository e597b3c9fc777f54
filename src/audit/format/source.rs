//! Files to be audited, and what is wrong with one.

use crate::audit::Place;
use crate::text::printable;

/// One file of a rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name for messages.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Why a rule set was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {problem}", printable(.file, 256))]
pub struct ParseError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong there; what it cites is made harmless.
    pub problem: String,
}

impl SourceFile {
    /// The lines with their places; `file` is the index of this file.
    pub fn lines(&self, file: usize) -> impl Iterator<Item = (Place, &str)> {
        let file = u16::try_from(file).unwrap_or(u16::MAX);
        (1..).zip(self.text.lines()).map(move |(line, text)| (Place { file, line }, text))
    }

    /// What is wrong with the word, which is a part of the line, at this place.
    #[must_use]
    pub fn error(&self, place: Place, line: &str, word: &str, problem: impl Into<String>) -> ParseError {
        let start = word.as_ptr().addr().checked_sub(line.as_ptr().addr());
        let before = start.and_then(|start| line.get(..start)).unwrap_or_default();
        self.error_at(place.line, before.chars().count() + 1, problem)
    }

    /// What is wrong at this line and column, both from 1.
    #[must_use]
    pub fn error_at(&self, line: u32, column: usize, problem: impl Into<String>) -> ParseError {
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        ParseError { file: self.name.clone(), line, column, problem: problem.into() }
    }

    /// It ends where more was to come.
    #[must_use]
    pub fn truncated(&self, expected: &str) -> ParseError {
        let (line, last) = (1..).zip(self.text.lines()).last().unwrap_or((1, ""));
        self.error_at(line, last.chars().count() + 1, format!("the file ends before {expected}"))
    }
}
