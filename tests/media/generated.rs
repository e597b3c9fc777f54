//! Media that are made up, judged by the programs of others: each is whole and what it is called.

use std::path::Path;
use std::process::Command;

use egressd::media::generate::SampleKind;

/// Small, odd, and larger than any padding that has a limit of its own.
const SIZES: [usize; 3] = [16 << 10, 99_991, 2_000_003];

#[test]
fn media_that_are_made_up_are_sound_to_the_real_programs() {
    let folder = tempfile::tempdir().unwrap();
    for kind in SampleKind::ALL {
        for bytes in SIZES {
            let path = folder.path().join(format!("{bytes}.{}", kind.name()));
            std::fs::write(&path, kind.make(bytes).unwrap()).unwrap();
            typed(kind, &path);
            opened(kind, &path);
        }
    }
}

/// What libmagic calls it.
fn typed(kind: SampleKind, path: &Path) {
    let seen = said("file", &["--brief", "--mime-type"], path);
    let names: &[&str] = match kind {
        SampleKind::Bmp => &["image/bmp", "image/x-ms-bmp"],
        SampleKind::Aac => &["audio/x-hx-aac-adts", "audio/aac"],
        SampleKind::Csv => &["text/csv", "text/plain", "application/csv"],
        _ => &[kind.media_type()],
    };
    assert!(names.contains(&seen.trim()), "{}: {seen}", path.display());
}

/// It is opened, and all of it read, without a complaint.
fn opened(kind: SampleKind, path: &Path) {
    match kind {
        SampleKind::Jpeg | SampleKind::Png | SampleKind::Gif | SampleKind::Webp | SampleKind::Bmp => {
            let seen = said("identify", &["-regard-warnings", "-format", "%m %w %h\n"], path);
            assert!(seen.trim().ends_with(" 16 16"), "{}: {seen}", path.display());
        }
        SampleKind::Mp4 | SampleKind::Ogg | SampleKind::Mp3 | SampleKind::Aac | SampleKind::Amr => decoded(path),
        SampleKind::Pdf => drop(said("qpdf", &["--check"], path)),
        SampleKind::Docx | SampleKind::Xlsx | SampleKind::Pptx => {
            drop(said("unzip", &["-tqq"], path));
            converted(path);
        }
        SampleKind::Zip => drop(said("unzip", &["-tqq"], path)),
        SampleKind::Txt | SampleKind::Csv => {
            let text = std::fs::read_to_string(path).unwrap();
            assert!(text.ends_with('\n') && text.lines().all(|line| line.len() < 250));
        }
    }
}

/// Guesses at the length, and the type, of what has neither index nor head are no complaint about the file.
const EXPECTED: [&str; 2] = ["Estimating duration", "detected only with low score"];

fn decoded(path: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "warning", "-xerror", "-i"]).arg(path).args(["-f", "null", "-"]);
    let output = command.output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let grave: Vec<&str> = complaints.lines().filter(|line| !EXPECTED.iter().any(|part| line.contains(part))).collect();
    assert!(output.status.success() && grave.is_empty(), "{}: {complaints}", path.display());
}

/// `LibreOffice` reads it; one size of each kind, since it takes seconds.
fn converted(path: &Path) {
    if !path.file_name().unwrap().to_str().unwrap().starts_with("99991") {
        return;
    }
    let folder = path.parent().unwrap();
    let profile = format!("-env:UserInstallation=file://{}/office", folder.display());
    let to = folder.display().to_string();
    said("soffice", &[&profile, "--headless", "--convert-to", "pdf", "--outdir", &to], path);
    assert!(path.with_extension("pdf").exists() && std::fs::metadata(path.with_extension("pdf")).unwrap().len() > 500);
    std::fs::remove_file(path.with_extension("pdf")).unwrap();
}

fn said(program: &str, arguments: &[&str], path: &Path) -> String {
    let output =
        Command::new(program).args(arguments).arg(path).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {}: {said}{complained}", path.display());
    said.into_owned()
}
