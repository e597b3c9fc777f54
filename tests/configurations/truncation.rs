//! Files that were cut off: they are refused, or allow no more than the whole ones.

use egressd::audit::{AddressSet, SourceFile};

use crate::world::{Golden, goldens, judged};

/// What says that a cut cannot be seen in this format.
const CAVEAT: &str = "no end mark";

#[test]
fn no_cut_allows_more_than_the_whole_file() {
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = goldens().into_iter().map(|golden| scope.spawn(move || cut(&golden))).collect();
        for thread in threads {
            wrong.extend(thread.join().unwrap());
        }
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

/// Lines that are left out, doubled, exchanged and broken.
#[test]
fn no_damage_ends_a_reader() {
    std::thread::scope(|scope| {
        for golden in goldens() {
            scope.spawn(move || (0..DAMAGES).for_each(|seed| _ = allowed(&golden, &damaged(&golden.files, seed))));
        }
    });
}

const DAMAGES: u64 = 150;

fn damaged(files: &[SourceFile], seed: u64) -> Vec<SourceFile> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let mut files = files.to_vec();
    let file = next(files.len());
    let mut lines: Vec<String> = files[file].text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..=next(6) {
        let (at, to) = (next(lines.len()), next(lines.len()));
        match next(5) {
            0 if lines.len() > 1 => _ = lines.remove(at),
            1 => lines.insert(to, lines[at].clone()),
            2 => lines.swap(at, to),
            3 => {
                let line: Vec<char> = lines[at].chars().collect();
                let cut = next(line.len());
                lines[at] = line[..cut]
                    .iter()
                    .chain(
                        ["\"", "[", "\\", "{", "/", "-", "!", "\u{fffd}"][next(8)].chars().collect::<Vec<_>>().iter(),
                    )
                    .chain(&line[cut..])
                    .collect();
            }
            _ => {
                let words: Vec<&str> = lines[at].split(' ').collect();
                let gone = next(words.len());
                lines[at] = words
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index != gone)
                    .map(|(_, word)| *word)
                    .collect::<Vec<_>>()
                    .join(" ");
            }
        }
    }
    files[file].text = lines.concat();
    files
}

/// What passes, and whether the report says that a cut cannot be seen; none where the file is refused.
fn allowed(golden: &Golden, files: &[SourceFile]) -> Option<(AddressSet, bool)> {
    let coverage = judged(golden.format, files, &golden.question).ok()?;
    let caveat = coverage.notes.iter().any(|note| note.contains(CAVEAT));
    Some((coverage.allowed, caveat))
}
