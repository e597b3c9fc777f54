//! The user namespace that makes an ordinary user root of a network of its own, and why a system may refuse it.

use std::fmt;
use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{getegid, geteuid};

use super::error::LabError;

/// Moves the process into a user namespace and an empty network namespace of its own; there is no way back.
///
/// From here on the process can reach nothing outside the lab. It must not have started any thread yet. The limit of open
/// files is raised as far as allowed: the scan and the edge share the process.
pub fn enter_user_namespace() -> Result<(), LabError> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(LabError::Threads { threads });
    }
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(forbidden)?;
    map_root(uid.as_raw(), gid.as_raw()).map_err(|error| forbidden(errno_of(&error)))?;
    raise_open_files();
    Ok(())
}

/// Groups first: the kernel lets an ordinary user map a group only once `setgroups` is off (`user_namespaces(7)`).
fn map_root(uid: u32, gid: u32) -> io::Result<()> {
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

fn raise_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Without more the lab still works, with fewer connections at a time.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// The refusal of a namespace, with the setting that is behind it.
pub(super) fn forbidden(errno: Errno) -> LabError {
    LabError::Forbidden(Forbidden::diagnose(errno, &Settings::read()))
}

pub(super) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}

/// The kernel settings that can forbid namespaces; `None` where the kernel does not have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `user.max_user_namespaces`.
    pub max_user_namespaces: Option<u64>,
    /// `user.max_net_namespaces`.
    pub max_net_namespaces: Option<u64>,
    /// `kernel.unprivileged_userns_clone` (Debian, Arch).
    pub unprivileged_userns_clone: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns` (Ubuntu from 23.10).
    pub apparmor_restrict_unprivileged_userns: Option<u64>,
}

impl Settings {
    /// Reads them from `/proc/sys`.
    #[must_use]
    pub fn read() -> Self {
        let number = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
        Self {
            max_user_namespaces: number("user/max_user_namespaces"),
            max_net_namespaces: number("user/max_net_namespaces"),
            unprivileged_userns_clone: number("kernel/unprivileged_userns_clone"),
            apparmor_restrict_unprivileged_userns: number("kernel/apparmor_restrict_unprivileged_userns"),
        }
    }
}

/// Why namespaces cannot be made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// A setting has a value that forbids them.
    Setting {
        /// Its name, as `sysctl` has it.
        name: &'static str,
        /// Its value.
        value: u64,
        /// A value that allows them.
        wanted: u64,
    },
    /// As many as allowed are in use, by this user or in a namespace above.
    UsedUp,
    /// The kernel is built without them.
    NotInKernel,
    /// No setting forbids them: a seccomp filter, a security module or a changed root does.
    Sandbox,
    /// Something else.
    Other(Errno),
}

impl Forbidden {
    /// The cause of the error `errno` on a system with these settings.
    #[must_use]
    pub fn diagnose(errno: Errno, settings: &Settings) -> Self {
        let setting = |name, value: Option<u64>, bad, wanted| {
            value.filter(|&value| value == bad).map(|value| Self::Setting { name, value, wanted })
        };
        match errno {
            Errno::ENOSPC | Errno::EUSERS => {
                setting("user.max_user_namespaces", settings.max_user_namespaces, 0, ENOUGH)
                    .or_else(|| setting("user.max_net_namespaces", settings.max_net_namespaces, 0, ENOUGH))
                    .unwrap_or(Self::UsedUp)
            }
            Errno::EPERM | Errno::EACCES => {
                setting("kernel.unprivileged_userns_clone", settings.unprivileged_userns_clone, 0, 1)
                    .or_else(|| {
                        let value = settings.apparmor_restrict_unprivileged_userns;
                        setting("kernel.apparmor_restrict_unprivileged_userns", value, 1, 0)
                    })
                    .unwrap_or(Self::Sandbox)
            }
            Errno::EINVAL | Errno::ENOSYS => Self::NotInKernel,
            other => Self::Other(other),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> Option<String> {
        match self {
            Self::Setting { name, wanted, .. } => Some(format!("as root: sysctl -w {name}={wanted}")),
            Self::UsedUp => Some("raise user.max_user_namespaces and user.max_net_namespaces with sysctl".into()),
            Self::Sandbox => {
                Some("run outside the container, or start it with `--security-opt seccomp=unconfined`".into())
            }
            Self::NotInKernel => Some("use a kernel with CONFIG_USER_NS and CONFIG_NET_NS".into()),
            Self::Other(_) => None,
        }
    }
}

/// A usual default on a machine with a few gigabytes of memory.
const ENOUGH: u64 = 15_000;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, value, .. } => write!(f, "{name} is {value}"),
            Self::UsedUp => f.write_str("the limit of user or network namespaces is reached"),
            Self::NotInKernel => f.write_str("the kernel has no user or network namespaces"),
            Self::Sandbox => f.write_str("a sandbox forbids them (a container's seccomp filter, or a security module)"),
            Self::Other(errno) => write!(f, "{}", errno.desc().to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asserts what a system with these settings is told after this error.
    fn told(errno: Errno, settings: Settings) -> String {
        let forbidden = Forbidden::diagnose(errno, &settings);
        format!("{forbidden} | {}", forbidden.hint().unwrap_or_default())
    }

    #[test]
    fn the_setting_behind_the_refusal_is_named() {
        let open =
            Settings { max_user_namespaces: Some(96_365), max_net_namespaces: Some(96_365), ..Settings::default() };
        for (errno, settings, expected) in [
            (
                Errno::ENOSPC,
                Settings { max_user_namespaces: Some(0), ..open },
                "user.max_user_namespaces is 0 | as root: sysctl -w user.max_user_namespaces=15000",
            ),
            (
                Errno::ENOSPC,
                Settings { max_net_namespaces: Some(0), ..open },
                "user.max_net_namespaces is 0 | as root: sysctl -w user.max_net_namespaces=15000",
            ),
            (
                Errno::EPERM,
                Settings { unprivileged_userns_clone: Some(0), ..open },
                "kernel.unprivileged_userns_clone is 0 | as root: sysctl -w kernel.unprivileged_userns_clone=1",
            ),
            (
                Errno::EACCES,
                Settings { apparmor_restrict_unprivileged_userns: Some(1), unprivileged_userns_clone: Some(1), ..open },
                "kernel.apparmor_restrict_unprivileged_userns is 1 | as root: sysctl -w \
                 kernel.apparmor_restrict_unprivileged_userns=0",
            ),
        ] {
            assert_eq!(told(errno, settings), expected);
        }
    }

    #[test]
    fn without_such_a_setting_the_rest_is_told_apart() {
        let open = Settings { max_user_namespaces: Some(1), unprivileged_userns_clone: Some(1), ..Settings::default() };
        let cause = |errno| Forbidden::diagnose(errno, &open);
        assert_eq!(cause(Errno::ENOSPC), Forbidden::UsedUp);
        assert_eq!(cause(Errno::EPERM), Forbidden::Sandbox);
        assert_eq!(cause(Errno::EINVAL), Forbidden::NotInKernel);
        assert_eq!(cause(Errno::ENOMEM), Forbidden::Other(Errno::ENOMEM));
    }
}
