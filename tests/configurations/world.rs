//! Every address, judged.

use std::fs;
use std::path::{Path, PathBuf};

use egressd::audit::{AddressSet, Assumed, Coverage, Format, ParseError, Question, Required, Side, SourceFile, audit};
use egressd::prefix::Prefix;
use egressd::ranges::{FeedSnapshot, List, Range, Role};

/// What becomes of every address.
pub fn judged(format: Format, files: &[SourceFile], question: &Question) -> Result<Coverage, ParseError> {
    let policy = format.read(files, question)?;
    let everything: Vec<Range> = ["0.0.0.0/0", "::/0"].map(range).to_vec();
    let feed = FeedSnapshot { ranges: everything, ..FeedSnapshot::documented() };
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    Ok(audit(&policy, files, &required).expect("the rules can be followed"))
}

fn range(prefix: &str) -> Range {
    Range { prefix: prefix.parse().unwrap(), list: List::Global, role: Role::Viewer, region: None }
}

pub fn set(texts: &[&str]) -> AddressSet {
    texts.iter().map(|text| text.parse::<Prefix>().unwrap()).collect()
}

pub fn file(name: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.into() }
}

/// A configuration with what is expected of it.
pub struct Golden {
    pub format: Format,
    pub name: String,
    pub files: Vec<SourceFile>,
    pub question: Question,
    pub expected: Vec<(String, String)>,
}

/// What is asked: the lines of a file of expectations that are no verdict.
fn question(lines: &[(String, String)]) -> Question {
    let mut question = Question::default();
    for (word, value) in lines {
        match word.as_str() {
            "port" => question.port = value.parse().unwrap(),
            "source" => question.sources = Some(set(&[value])),
            "inside" => _ = question.sides.insert(value.clone(), Side::Inside),
            "outside" => _ = question.sides.insert(value.clone(), Side::Outside),
            "default" => question.default = Some(if value == "allow" { Assumed::Allow } else { Assumed::Deny }),
            _ => {}
        }
    }
    question
}

/// Every one in `tests/configurations/golden`.
pub fn goldens() -> Vec<Golden> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/configurations/golden");
    let mut goldens = Vec::new();
    for folder in sorted(&root) {
        let format = Format::named(folder.file_name().unwrap().to_str().unwrap()).expect("a folder is a format");
        let paths = sorted(&folder);
        for expected in paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "expect")) {
            let stem = expected.file_stem().unwrap();
            let same = |path: &&PathBuf| {
                path.file_stem() == Some(stem) && path.extension().is_none_or(|kind| kind != "expect")
            };
            let files =
                paths.iter().filter(same).map(|path| file(path.to_str().unwrap(), fs::read_to_string(path).unwrap()));
            let lines = fs::read_to_string(expected).unwrap();
            let lines = lines.lines().filter_map(|line| line.split_once(' '));
            let lines: Vec<_> = lines.map(|(word, value)| (word.to_owned(), value.to_owned())).collect();
            let verdict = |word: &str| matches!(word, "allowed" | "missing" | "unknown");
            goldens.push(Golden {
                format,
                name: expected.display().to_string(),
                files: files.collect(),
                question: question(&lines),
                expected: lines.into_iter().filter(|(word, _)| verdict(word)).collect(),
            });
        }
    }
    goldens
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
