//! The program `nft`: where it is, and how it takes and lists rules.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::LabError;

/// A ruleset as `nft` lists it.
#[derive(Clone, Debug)]
pub struct NftListing {
    /// `nft -j list ruleset`.
    pub json: String,
    /// `nft -a list ruleset`.
    pub text: String,
}

/// What becomes of these rules when nft has read them; `folder` is where they include files from.
///
/// The rules are loaded into the network namespace of this process, which must be one that nobody uses
/// ([`super::enter_user_namespace`]).
pub fn list_nft(rules: &[&str], folder: &Path) -> Result<NftListing, LabError> {
    let nft = find("nft").ok_or_else(|| LabError::NftMissing { action: "in text".to_owned() })?;
    let folder = folder.to_string_lossy();
    rules.iter().try_for_each(|rules| feed(&nft, &["-I", &folder, "-f", "-"], rules))?;
    let list = |flag| {
        let failed = |source| LabError::NftStart { program: nft.display().to_string(), source };
        let output = Command::new(&nft).args([flag, "list", "ruleset"]).output().map_err(failed)?;
        Ok::<_, LabError>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    Ok(NftListing { json: list("-j")?, text: list("-a")? })
}

/// A program, also where only root's search path leads.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(known).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Runs a program that reads rules from its standard input.
pub(super) fn feed(program: &Path, arguments: &[&str], rules: &str) -> Result<(), LabError> {
    let failed = |source| LabError::NftStart { program: program.display().to_string(), source };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut stdin = child.stdin.take().expect("the child's input is a pipe");
    // Written beside: a program that complains before it has read everything would wait for its complaint to be read.
    let (written, output) = std::thread::scope(|scope| {
        let writing = scope.spawn(move || stdin.write_all(rules.as_bytes()));
        let output = child.wait_with_output();
        (writing.join().unwrap_or(Ok(())), output)
    });
    let output = output.map_err(failed)?;
    if output.status.success() {
        return written.map_err(failed);
    }
    let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(LabError::Refused { program, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
