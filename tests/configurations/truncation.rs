//! Files that were cut off: they are refused, or allow no more than the whole ones.

use egressd::audit::{AddressSet, Question, SourceFile};

use crate::world::{Golden, goldens, judged};

/// What says that a cut cannot be seen in this format.
const CAVEAT: &str = "no end mark";

#[test]
fn no_cut_allows_more_than_the_whole_file() {
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = goldens().into_iter().map(|golden| scope.spawn(move || cut(&golden))).collect();
        threads.into_iter().for_each(|thread| wrong.extend(thread.join().unwrap()));
    });
    assert!(wrong.is_empty(), "{} cuts:\n{}", wrong.len(), wrong.join("\n"));
}

fn cut(golden: &Golden) -> Vec<String> {
    let whole = allowed(golden, &golden.files).expect("it is read").0;
    let mut wrong = Vec::new();
    for (index, file) in golden.files.iter().enumerate() {
        // A multiple of a number that shares no divisor with the length passes by every place.
        let step = (file.text.len() / 400).max(1);
        let lines = file.text.match_indices('\n').map(|(at, _)| at + 1);
        for at in lines.chain((0..file.text.len()).step_by(step)) {
            if at >= file.text.len() || !file.text.is_char_boundary(at) {
                continue;
            }
            let mut files = golden.files.clone();
            file.text[..at].clone_into(&mut files[index].text);
            let Some((allowed, caveat)) = allowed(golden, &files) else { continue };
            let more = allowed.difference(&whole);
            if !more.is_empty() && !caveat {
                let line = file.text[..at].lines().count();
                wrong.push(format!(
                    "{} cut at byte {at}, line {line}: also {:?}",
                    golden.name,
                    more.prefixes().first()
                ));
            }
        }
    }
    wrong
}

/// What passes, and whether the report says that a cut cannot be seen; none where the file is refused.
fn allowed(golden: &Golden, files: &[SourceFile]) -> Option<(AddressSet, bool)> {
    let coverage = judged(golden.format, files, &Question::default()).ok()?;
    let caveat = coverage.notes.iter().any(|note| note.contains(CAVEAT));
    Some((coverage.allowed, caveat))
}
