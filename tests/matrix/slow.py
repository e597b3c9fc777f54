"""Passes queries on to a resolver and answers back, each answer held back for so many seconds: a slow resolver."""
import select
import socket
import sys
import time

ADDRESS, RESOLVER, SECONDS = sys.argv[1], (sys.argv[2], 53), float(sys.argv[3])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((ADDRESS, 53))
asked, held = {}, []
while True:
    patience = max(0.0, held[0][0] - time.monotonic()) if held else None
    readable, _, _ = select.select([server, *asked], [], [], patience)
    for end in readable:
        if end is server:
            query, client = server.recvfrom(4096)
            onward = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            onward.connect(RESOLVER)
            onward.send(query)
            asked[onward] = client
        else:
            held.append((time.monotonic() + SECONDS, end.recv(4096), asked.pop(end)))
            end.close()
    while held and held[0][0] <= time.monotonic():
        _, answer, client = held.pop(0)
        server.sendto(answer, client)
