"""Answers as no server should: HTTPS requests on port 8443 as the path says, and on port 8081, in clear, each as a proxy
whose header has no end. Arguments: certificate, key."""
import itertools
import socket
import socketserver
import ssl
import sys
import threading
import time

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(*sys.argv[1:3])
CHUNK = bytes(1 << 16)


def body_of_10_gb(send, _):
    send(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n")
    for _ in range(10 << 30 >> 16):
        send(CHUNK)


def body_without_end(send, _):
    send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        send(b"10000\r\n" + CHUNK + b"\r\n")


def body_in_drops(send, _):
    send(b"HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n")
    while True:
        send(b"x")
        time.sleep(0.2)


def header_of_1_mb(send, _):
    send(b"HTTP/1.1 200 OK\r\nx-filler: " + b"x" * (1 << 20) + b"\r\ncontent-length: 0\r\n\r\n")


def headers_without_end(send, _):
    send(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        send(f"x-filler-{number}: {'x' * 1000}\r\n".encode())


def headers_in_drops(send, _):
    send(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        send(f"x-{number}: x\r\n".encode())
        time.sleep(0.2)


def interim_answers_without_end(send, _):
    while True:
        send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n")


def redirects_without_end(send, path):
    number = int(path.rsplit("/", 1)[-1] or 0)
    send(f"HTTP/1.1 302 Found\r\nlocation: /redirects_without_end/{number + 1}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())


def redirects_to_itself(send, path):
    send(f"HTTP/1.1 302 Found\r\nlocation: {path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())


def nonsense(send, _):
    send(b"\x00\xff" * 4096 + b"\r\n\r\n")


def nothing(_send, _path):
    pass


def silence(_send, _path):
    time.sleep(60)


WAYS = {way.__name__: way for way in (
    body_of_10_gb, body_without_end, body_in_drops, header_of_1_mb, headers_without_end, headers_in_drops,
    interim_answers_without_end, redirects_without_end, redirects_to_itself, nonsense, nothing, silence)}


class Proxy(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            self.request.recv(4096)
            headers_without_end(self.request.sendall, "")
        except OSError:
            pass  # the client had enough


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            with CONTEXT.wrap_socket(self.request, server_side=True) as session:
                request = b""
                while b"\r\n\r\n" not in request and len(request) < 1 << 16:
                    received = session.recv(4096)
                    if not received:
                        return
                    request += received
                path = request.split(b" ")[1].decode()
                WAYS[path.split("/")[1]](session.sendall, path)
        except (OSError, ssl.SSLError):
            pass  # the client had enough


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


threading.Thread(target=Server(("::", 8081), Proxy).serve_forever, daemon=True).start()
Server(("::", 8443), Handler).serve_forever()
