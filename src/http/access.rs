//! Who may ask: passwords and tokens from files, hashed there.
//!
//! A password is held against its bcrypt hash once, and remembered by a digest under a key of this process: scrapes every few
//! seconds cost no bcrypt. What is not remembered is tried one at a time and a few times a second, so that guesses cost an
//! attacker more than they cost this host.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::limit::Limiter;
use super::problem::Problem;
use crate::config::http::HttpConfig;

/// Why the files of passwords and tokens are not used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A file cannot be read.
    #[error("cannot read {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{} line {line}: {reason}", .file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file has nobody in it, and would lock everybody out.
    #[error("{} names nobody", .0.display())]
    Nobody(PathBuf),
}

/// The door: whom it lets in can be changed while it stands.
#[derive(Debug)]
pub(super) struct Access {
    known: RwLock<Option<Arc<Known>>>,
    /// Passwords are tried one at a time.
    trying: Semaphore,
    tries: Limiter,
    key: [u8; 32],
}

/// Who is let in.
#[derive(Debug, Default)]
struct Known {
    /// Names and bcrypt hashes.
    passwords: BTreeMap<String, String>,
    tokens: Vec<[u8; 32]>,
    /// Digests of names and passwords that were right.
    right: Mutex<BTreeSet<[u8; 32]>>,
}

/// A name and a password as they were sent, or a token.
enum Offered {
    Password { name: String, password: Vec<u8> },
    Token(Vec<u8>),
}

/// bcrypt of cost 12 takes a fifth of a second: guesses keep a core busy for less than half of the time.
const TRIES: (u32, Duration) = (8, Duration::from_millis(500));
/// Files of thousands of users are another program's business.
const MOST_BYTES: u64 = 1 << 20;
/// Digests that are remembered; each user needs one.
const MOST_REMEMBERED: usize = 1024;

impl Access {
    pub(super) fn read(config: &HttpConfig) -> Result<Self, AccessError> {
        let mut key = [0; 32];
        let provider = rustls::crypto::ring::default_provider();
        provider.secure_random.fill(&mut key).expect("the kernel has random numbers");
        Ok(Self {
            known: RwLock::new(known(config)?),
            trying: Semaphore::new(1),
            tries: Limiter::new(TRIES.0, TRIES.1),
            key,
        })
    }

    /// Lets in whom the files name now; what is wrong with them leaves those who were.
    pub(super) fn reload(&self, config: &HttpConfig) -> Result<(), AccessError> {
        let next = known(config)?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Whether clients have to say who they are.
    pub(super) fn is_guarded(&self) -> bool {
        self.known().is_some()
    }

    /// Whether whoever sent these headers is let in.
    ///
    /// # Errors
    /// The answer to those who are not.
    pub(super) async fn admit(&self, headers: &HeaderMap, now: Instant) -> Result<(), Problem> {
        let Some(known) = self.known() else { return Ok(()) };
        match headers.get(header::AUTHORIZATION).and_then(offered) {
            Some(Offered::Token(token)) if known.has_token(&token) => Ok(()),
            Some(Offered::Password { name, password }) => self.admit_password(known, name, password, now).await,
            _ => Err(unauthorized()),
        }
    }

    async fn admit_password(
        &self,
        known: Arc<Known>,
        name: String,
        password: Vec<u8>,
        now: Instant,
    ) -> Result<(), Problem> {
        let digest = self.digest(&name, &password);
        if known.remembers(&digest) {
            return Ok(());
        }
        self.tries.take(now).map_err(|wait| too_many().retry_after(wait))?;
        let _one = self.trying.acquire().await.map_err(|_| unauthorized())?;
        if known.remembers(&digest) {
            return Ok(());
        }
        let asked = Arc::clone(&known);
        let right = tokio::task::spawn_blocking(move || asked.has_password(&name, &password)).await;
        if right.unwrap_or(false) {
            known.remember(digest);
            return Ok(());
        }
        Err(unauthorized())
    }

    fn digest(&self, name: &str, password: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(&(name.len() as u64).to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(password);
        mac.finalize().into_bytes().into()
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    /// An unknown name takes as long as a known one.
    fn has_password(&self, name: &str, password: &[u8]) -> bool {
        let hash = self.passwords.get(name);
        let Some(tried) = hash.or_else(|| self.passwords.values().next()) else { return false };
        bcrypt::verify(password, tried).unwrap_or(false) && hash.is_some()
    }

    /// Digests are compared whole, so that the time says nothing.
    fn has_token(&self, token: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let differs = |known: &[u8; 32]| known.iter().zip(&digest).fold(0, |sum, (a, b)| sum | (a ^ b));
        self.tokens.iter().fold(false, |found, known| found | (differs(known) == 0))
    }

    fn remembers(&self, digest: &[u8; 32]) -> bool {
        self.right.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= MOST_REMEMBERED {
            right.clear();
        }
        right.insert(digest);
    }
}

fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "this server wants a name and a password, or a token")
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"egressd\", charset=\"UTF-8\""))
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"egressd\""))
}

fn too_many() -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "passwords are tried a few times a second")
}

fn offered(value: &HeaderValue) -> Option<Offered> {
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Offered::Token(rest.as_bytes().to_vec()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64.decode(rest.as_bytes()).ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let name = String::from_utf8(pair[..colon].to_vec()).ok()?;
    Some(Offered::Password { name, password: pair[colon + 1..].to_vec() })
}

fn known(config: &HttpConfig) -> Result<Option<Arc<Known>>, AccessError> {
    if !config.has_authentication() {
        return Ok(None);
    }
    let passwords = lines(&config.passwords, password)?.into_iter().collect();
    let tokens = lines(&config.tokens, token)?;
    Ok(Some(Arc::new(Known { passwords, tokens, right: Mutex::default() })))
}

/// What each line of a file says that is neither empty nor a comment; an empty path has none.
fn lines<T>(file: &Path, read: fn(&str) -> Result<T, &'static str>) -> Result<Vec<T>, AccessError> {
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |source| AccessError::File { file: file.to_owned(), source };
    let bytes = super::files::bounded(file, MOST_BYTES).map_err(wrong)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let refused = |line, reason| AccessError::Line { file: file.to_owned(), line, reason };
    let known: Vec<T> =
        said.map(|(line, text)| read(text).map_err(|reason| refused(line, reason))).collect::<Result<_, _>>()?;
    if known.is_empty() { Err(AccessError::Nobody(file.to_owned())) } else { Ok(known) }
}

fn password(line: &str) -> Result<(String, String), &'static str> {
    let (name, hash) = line.split_once(':').ok_or("expected a name, a colon and a bcrypt hash")?;
    let sound = hash.len() == 60 && ["$2y$", "$2b$", "$2a$"].iter().any(|kind| hash.starts_with(kind));
    // A cost of 16 takes seconds, and would keep everybody else waiting.
    let bearable = hash.get(4..6).and_then(|cost| cost.parse().ok()).is_some_and(|cost: u8| (4..16).contains(&cost));
    match (sound, bearable) {
        (false, _) => Err("not a bcrypt hash, as `htpasswd -B` writes it"),
        (_, false) => Err("the cost of the hash must be from 4 to 15"),
        _ => Ok((name.to_owned(), hash.to_owned())),
    }
}

fn token(line: &str) -> Result<[u8; 32], &'static str> {
    let digest = line.split_whitespace().next().unwrap_or_default();
    let bytes = HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or("expected the SHA-256 of a token, 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hunter2 | htpasswd -niBC 4 ops` and `printf %s s3cret | sha256sum`.
    fn access(folder: &Path) -> (Access, HttpConfig) {
        let hash = bcrypt::hash("hunter2", 4).unwrap();
        std::fs::write(folder.join("p"), format!("# people\n\nops:{hash}\n")).unwrap();
        let digest = crate::text::hexadecimal(&Sha256::digest(b"s3cret"));
        std::fs::write(folder.join("t"), format!("{digest}  prometheus\n")).unwrap();
        let config = HttpConfig { passwords: folder.join("p"), tokens: folder.join("t"), ..HttpConfig::default() };
        (Access::read(&config).unwrap(), config)
    }

    fn status(access: &Access, authorization: Option<&str>) -> u16 {
        use axum::response::IntoResponse;
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let admitted = runtime.block_on(access.admit(&headers, Instant::now()));
        admitted.map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64.encode(pair.as_bytes()))
    }

    #[test]
    fn names_and_tokens_are_let_in_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (access, _) = access(folder.path());
        for (authorization, expected) in [
            (basic("ops:hunter2"), 200),
            (basic("ops:hunter2"), 200),
            ("bearer s3cret".to_owned(), 200),
            (basic("ops:hunter3"), 401),
            (basic("oops:hunter2"), 401),
            (basic("ops"), 401),
            ("Basic ???".to_owned(), 401),
            ("Bearer s3cre".to_owned(), 401),
            ("Bearer ".to_owned(), 401),
            ("Digest x".to_owned(), 401),
        ] {
            assert_eq!(status(&access, Some(&authorization)), expected, "{authorization}");
        }
        assert_eq!(status(&access, None), 401);
    }

    #[test]
    fn guesses_are_slowed_down_and_keep_out_nobody_who_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let (access, _) = access(folder.path());
        assert_eq!(status(&access, Some(&basic("ops:hunter2"))), 200);
        let guesses: Vec<u16> = (0..30).map(|guess| status(&access, Some(&basic(&format!("ops:{guess}"))))).collect();
        assert!(guesses.contains(&429) && !guesses.contains(&200), "{guesses:?}");
        assert_eq!(status(&access, Some(&basic("ops:hunter2"))), 200);
    }

    #[test]
    fn files_are_read_again_and_wrong_ones_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (access, config) = access(folder.path());
        for wrong in
            ["", "ops\n", "ops:{SHA}xyz\n", "ops:$2y$31$abcdefghijklmnopqrstuv1234567890123456789012345678901\n"]
        {
            std::fs::write(folder.path().join("p"), wrong).unwrap();
            assert!(access.reload(&config).is_err(), "{wrong}");
        }
        assert_eq!(status(&access, Some(&basic("ops:hunter2"))), 200);
        std::fs::write(folder.path().join("p"), format!("new:{}\n", bcrypt::hash("x", 4).unwrap())).unwrap();
        access.reload(&config).unwrap();
        assert_eq!(status(&access, Some(&basic("ops:hunter2"))), 401, "what was remembered is forgotten");
        assert_eq!(status(&access, Some(&basic("new:x"))), 200);
    }
}
