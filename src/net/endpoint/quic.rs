//! Whether QUIC packets pass: a version that does not exist is answered with those that do (RFC 9000, section 6).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::observe::Failure;

/// Two packets, half a second apart.
const LIMIT: Duration = Duration::from_millis(500);
/// Servers answer no Initial that is shorter (RFC 9000, 14.1).
const DATAGRAM_BYTES: usize = 1200;
/// Reserved to force version negotiation (RFC 9000, section 15).
const NO_VERSION: [u8; 4] = [0x1a, 0x2a, 0x3a, 0x4a];

/// Asks for the versions.
pub(super) async fn ask(address: SocketAddr) -> (Vec<String>, Option<Failure>) {
    match negotiate(address).await {
        Ok(versions) => (versions, None),
        Err(failure) => (Vec::new(), Some(failure)),
    }
}

async fn negotiate(address: SocketAddr) -> Result<Vec<String>, Failure> {
    let any: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let local = |error: std::io::Error| Failure::LocalLimit(error.to_string());
    let socket = UdpSocket::bind(any).await.map_err(local)?;
    socket.connect(address).await.map_err(|_| Failure::NoRoute)?;
    for _ in 0..2 {
        // What an ICMP message says of the first packet comes back with the second.
        socket.send(&initial()).await.map_err(|_| Failure::Reset)?;
        let mut answer = [0; 1500];
        match timeout(LIMIT, socket.recv(&mut answer)).await {
            Ok(Ok(length)) => return versions(&answer[..length]).ok_or(Failure::QuicNoAnswer),
            Ok(Err(_)) => return Err(Failure::Reset),
            Err(_) => {}
        }
    }
    Err(Failure::QuicNoAnswer)
}

/// A long header with connection identifiers of 8 bytes each, and padding.
fn initial() -> [u8; DATAGRAM_BYTES] {
    let mut packet = [0; DATAGRAM_BYTES];
    packet[0] = 0xc0;
    packet[1..5].copy_from_slice(&NO_VERSION);
    packet[5] = 8;
    packet[6..14].copy_from_slice(b"egressd0");
    packet[14] = 8;
    packet[15..23].copy_from_slice(b"egressd1");
    packet
}

/// The versions in a version negotiation packet (RFC 9000, 17.2.1); none when it is something else.
fn versions(packet: &[u8]) -> Option<Vec<String>> {
    let (&first, rest) = packet.split_first()?;
    let (version, rest) = rest.split_at_checked(4)?;
    if first & 0x80 == 0 || version != [0; 4] {
        return None;
    }
    let rest = after_identifier(after_identifier(rest)?)?;
    Some(rest.chunks_exact(4).take(16).map(|version| format!("0x{}", crate::text::hexadecimal(version))).collect())
}

fn after_identifier(bytes: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = bytes.split_first()?;
    rest.get(usize::from(length)..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_negotiation_is_read() {
        let mut packet = vec![0x80, 0, 0, 0, 0, 2, 1, 2, 1, 9];
        packet.extend([0, 0, 0, 1, 0xff, 0, 0, 29]);
        assert_eq!(versions(&packet).unwrap(), ["0x00000001", "0xff00001d"]);
        for wrong in [&[][..], &[0x80], &[0x80, 0, 0, 0, 1, 0, 0], &[0x80, 0, 0, 0, 0, 9, 1], &[0x40, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(versions(wrong), None);
        }
    }
}
