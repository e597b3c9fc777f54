"""Writes a line for each IPv4 packet of TCP and UDP on a link, until ended: when, from, to, whether it opens a connection,
how many bytes it carries, and the record that a query asks for. Argument: the link.

The times are the kernel's. tcpdump would do, but gives up root for a user whom a namespace of one user does not have.
"""
import socket
import struct
import sys

SO_TIMESTAMPNS = 35
ETH_P_ALL, ETH_P_IP = 3, 0x0800
TCP, UDP, SYN = 6, 17, 2
RECORDS = {1: "A", 28: "AAAA"}


def asked(payload):
    """The record type of a query: behind the header come the labels of the name, and a zero."""
    end = payload.index(b"\0", 12)
    return RECORDS.get(struct.unpack_from("!H", payload, end + 1)[0], "other")


def line(seconds, packet):
    header = (packet[0] & 15) * 4
    length, protocol = struct.unpack_from("!H", packet, 2)[0], packet[9]
    source, destination = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    ports = struct.unpack_from("!HH", packet, header)
    opening, record = 0, "-"
    if protocol == TCP:
        offset = header + (packet[header + 12] >> 4) * 4
        opening = int(packet[header + 13] & SYN != 0)
    else:
        offset = header + 8
        if 53 in ports:
            record = asked(packet[offset:length])
    return f"{seconds:.6f} {source}:{ports[0]} {destination}:{ports[1]} {opening} {length - offset} {record}"


link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
link.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
link.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    packet, control, _, address = link.recvmsg(65536, 256)
    if address[1] == ETH_P_IP and packet[9] in (TCP, UDP):
        seconds, nanoseconds = struct.unpack("qq", control[0][2])
        print(line(seconds + nanoseconds / 1e9, packet), flush=True)
