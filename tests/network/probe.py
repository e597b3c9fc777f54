"""Connects to port 443 of an address; prints open, silent, or the error and who sent which ICMP message for it."""
import errno
import select
import socket
import struct
import sys

SOL_IP, IP_RECVERR, MSG_ERRQUEUE = 0, 11, 0x2000
PATIENCE_MILLISECONDS = 500


def icmp_of(connection):
    """The ICMP message in the error queue: the kernel's sock_extended_err, then the sender's sockaddr_in."""
    try:
        _, messages, _, _ = connection.recvmsg(512, 512, MSG_ERRQUEUE)
    except BlockingIOError:
        return ""
    for level, kind, data in messages:
        if (level, kind) == (SOL_IP, IP_RECVERR):
            icmp_type, icmp_code = struct.unpack_from("BB", data, 5)
            return f" {icmp_type}/{icmp_code} {socket.inet_ntoa(data[20:24])}"
    return ""


connection = socket.socket()
connection.setblocking(False)
connection.setsockopt(SOL_IP, IP_RECVERR, 1)
error = connection.connect_ex((sys.argv[1], 443))
if error == errno.EINPROGRESS:
    writable = select.select([], [connection], [], PATIENCE_MILLISECONDS / 1000)[1]
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if writable else errno.ETIMEDOUT
if error == errno.ETIMEDOUT:
    print("silent")
elif error == 0:
    print("open")
else:
    print(errno.errorcode[error] + icmp_of(connection))
