"""Accepts and closes connections to port 443 of every address of the host, until standard input ends."""
import select
import socket
import sys

server = socket.create_server(("0.0.0.0", 443), backlog=4096)
server.setblocking(False)
print("ready", flush=True)
while sys.stdin not in select.select([server, sys.stdin], [], [])[0]:
    try:
        while True:
            server.accept()[0].close()
    except (BlockingIOError, ConnectionAbortedError):
        pass
