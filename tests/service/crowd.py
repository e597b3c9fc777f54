"""Clients that mean it no good, all from this process; prints what came of them as JSON.

crowd.py idle N       opens N connections that say nothing and keeps what the server leaves open, while it scrapes
crowd.py slow         sends a head byte by byte, heads without end, and a body of 1 GB
"""
import json
import resource
import selectors
import socket
import sys
import time

SERVER = ("127.0.0.1", 9817)
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def ask(request=REQUEST, within=5):
    """Status and seconds of one request over a connection of its own."""
    began = time.monotonic()
    with socket.create_connection(SERVER, timeout=within) as client:
        client.sendall(request)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), time.monotonic() - began


def idle(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    selector, closed, times = selectors.DefaultSelector(), 0, []
    for number in range(count):
        client = socket.create_connection(SERVER, timeout=10)
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ)
        if number % 500 == 499:
            status, took = ask()
            assert status == 200, status
            times.append(took)
        if number % 100 == 99:
            closed += reap(selector)
    time.sleep(0.2)
    closed += reap(selector)
    print(json.dumps({"opened": count, "closed": closed, "slowest": max(times), "scrapes": len(times)}))


def reap(selector):
    """How many the server has closed."""
    closed = 0
    for key, _ in selector.select(0):
        selector.unregister(key.fileobj)
        key.fileobj.close()
        closed += 1
    return closed


def slow():
    print(json.dumps({"loris": loris(), "endless": endless(), "many": many(), "giant": giant(), "chunked": chunked()}))


def ended(client, began):
    """Seconds until the server closes."""
    client.settimeout(30)
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


def loris():
    """A head that comes a byte at a time."""
    began = time.monotonic()
    with socket.create_connection(SERVER) as client:
        for byte in REQUEST[:-4] * 1000:
            try:
                client.send(bytes([byte]))
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(0.05)
            if time.monotonic() - began > 30:
                break
    return time.monotonic() - began


def endless():
    """A header without end: the status, or how it ended."""
    with socket.create_connection(SERVER, timeout=10) as client:
        try:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
            for _ in range(1000):
                client.sendall(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            return "closed"
        return client.recv(100).decode().split(" ")[1]


def many():
    return ask(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 200 + b"\r\n")[0]


def giant():
    """A body of 1 GB: how much of it was taken before the server hung up."""
    return body(b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n", b"x" * 65536)


def chunked():
    return body(
        b"POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"x" * 65536 + b"\r\n",
    )


def body(head, piece):
    sent, status = 0, None
    with socket.create_connection(SERVER, timeout=20) as client:
        client.sendall(head)
        try:
            while sent < 1 << 30:
                client.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            status = client.recv(100).decode().split(" ")[1]
        except (ConnectionResetError, IndexError):
            pass
    return {"sent": sent, "status": status}


idle(int(sys.argv[2])) if sys.argv[1] == "idle" else slow()
