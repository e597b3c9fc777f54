//! Sockets to accept connections from: of the configuration, or passed in by whoever started the daemon.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use nix::sys::socket::{AddressFamily, Backlog, SockaddrLike, SockaddrStorage, getsockname, listen};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::config::http::{GUARDED, HttpConfig, Listen};

/// Why a socket is not served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The operating system refuses it.
    #[error("cannot listen on {listen}")]
    Bind {
        /// Where.
        listen: String,
        /// What it said.
        source: io::Error,
    },
    /// A socket was passed in that no server can use.
    #[error("the socket that was passed in as descriptor {descriptor} cannot be served")]
    Inherited {
        /// Which.
        descriptor: i32,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Other hosts could reach it.
    #[error("{0} is reached by other hosts, and must be {GUARDED}")]
    Unguarded(SocketAddr),
}

/// A socket that accepts connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, before anything was said.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Sockets that are bound, and not served yet.
#[derive(Debug, Default)]
pub struct Listeners {
    sockets: Vec<Socket>,
}

#[derive(Debug)]
enum Socket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Listeners {
    /// Binds what is configured and takes over what was passed in.
    ///
    /// # Errors
    /// When one cannot be had, or other hosts would reach it unguarded.
    pub fn open(config: &HttpConfig, inherited: Vec<OwnedFd>) -> Result<Self, ListenError> {
        let inherited = inherited.into_iter().map(|descriptor| adopt(config, descriptor));
        let bound = config.listen.iter().map(|listen| bind(config, listen));
        Ok(Self { sockets: inherited.chain(bound).collect::<Result<_, _>>()? })
    }

    /// The addresses that are listened to, as a client would write them.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let shown = |socket: &Socket| match socket {
            Socket::Tcp(socket) => socket.local_addr().map(|address| address.to_string()),
            Socket::Unix(socket) => socket.local_addr().map(|address| {
                address.as_pathname().map_or_else(String::new, |path| format!("unix:{}", path.display()))
            }),
        };
        self.sockets.iter().filter_map(|socket| shown(socket).ok()).collect()
    }

    /// In the runtime of the calling thread.
    pub(super) fn served(self) -> io::Result<Vec<Listener>> {
        let served = |socket| match socket {
            Socket::Tcp(socket) => TcpListener::from_std(socket).map(Listener::Tcp),
            Socket::Unix(socket) => UnixListener::from_std(socket).map(Listener::Unix),
        };
        self.sockets.into_iter().map(served).collect()
    }
}

impl Listener {
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => Ok(Accepted::Tcp(listener.accept().await?.0)),
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

fn bind(config: &HttpConfig, place: &Listen) -> Result<Socket, ListenError> {
    let wrong = |source| ListenError::Bind { listen: place.to_string(), source };
    match place {
        Listen::Tcp(address) if !config.may_serve(*address) => Err(ListenError::Unguarded(*address)),
        Listen::Tcp(address) => {
            let socket = std::net::TcpListener::bind(address).map_err(wrong)?;
            // A crowd that comes at once would fill the 128 places of the standard library, and everybody else's first packet
            // would be lost for a second.
            listen(&socket, Backlog::MAXCONN).map_err(|errno| wrong(errno.into()))?;
            socket.set_nonblocking(true).map_err(wrong)?;
            Ok(Socket::Tcp(socket))
        }
        Listen::Unix(path) => bind_unix(path).map(Socket::Unix).map_err(wrong),
    }
}

/// A socket that a daemon left behind when it was killed is replaced; one that is served is not.
fn bind_unix(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let left_behind = fs::symlink_metadata(path).is_ok_and(|known| known.file_type().is_socket());
    if left_behind && UnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    let socket = UnixListener::bind(path)?;
    // Its owner and group may ask; who else may is for whoever made the folder to say.
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Tokio never waits for a socket that blocks: a passed one may.
fn adopt(config: &HttpConfig, descriptor: OwnedFd) -> Result<Socket, ListenError> {
    let number = descriptor.as_raw_fd();
    let wrong = |source| ListenError::Inherited { descriptor: number, source };
    let address: SockaddrStorage = getsockname(number).map_err(|errno| wrong(errno.into()))?;
    if address.family() == Some(AddressFamily::Unix) {
        let socket = std::os::unix::net::UnixListener::from(descriptor);
        socket.set_nonblocking(true).map_err(wrong)?;
        return Ok(Socket::Unix(socket));
    }
    let socket = std::net::TcpListener::from(descriptor);
    socket.set_nonblocking(true).map_err(wrong)?;
    let address = socket.local_addr().map_err(wrong)?;
    if config.may_serve(address) { Ok(Socket::Tcp(socket)) } else { Err(ListenError::Unguarded(address)) }
}
