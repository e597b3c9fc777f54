"""Moves frames between the links w0 and w1 of this host, each held back for so many milliseconds, until standard input ends.

Packet sockets, as the kernel may have no netem and /dev/net/tun belongs to root on some machines.
"""
import collections
import select
import socket
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
DELAY = float(sys.argv[1]) / 1000


def opened(link):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.bind((link, 0))
    end.setblocking(False)
    return end


ends = [opened("w0"), opened("w1")]
across = {ends[0]: ends[1], ends[1]: ends[0]}
held = collections.deque()
print("ready", flush=True)
while True:
    patience = max(0.0, held[0][0] - time.monotonic()) if held else None
    readable, _, _ = select.select([*ends, sys.stdin], [], [], patience)
    if sys.stdin in readable:
        break
    due = time.monotonic() + DELAY
    for end in ends:
        try:
            while end in readable:
                held.append((due, across[end], end.recv(65536)))
        except BlockingIOError:
            pass
    while held and held[0][0] <= time.monotonic():
        _, end, frame = held.popleft()
        try:
            end.send(frame)
        except OSError:
            pass  # as a line does with a frame that is too long for the other side
