"""Answers queries on port 53 as no resolver should; the argument says how."""
import socket
import struct
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
A, CNAME, IN = 1, 5, 1


def encoded(name):
    return b"".join(bytes([len(label)]) + label for label in name.split(b".")) + b"\0"


def question(query):
    end = query.index(b"\0", 12) + 5
    return query[12:end]


def labels(query):
    at, parts = 12, []
    while query[at]:
        parts.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    return parts


def header(query, answers):
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, answers, 0, 0)


def record(name, kind, data):
    return name + struct.pack("!HHIH", kind, IN, 60, len(data)) + data


def aliases_in_a_circle(query):
    """cdn is www and www is cdn, both said each time."""
    cdn, www = encoded(b"cdn.example.test"), encoded(b"www.example.test")
    return header(query, 2) + question(query) + record(cdn, CNAME, www) + record(www, CNAME, cdn)


def aliases_without_end(query):
    """Each name is another name, of which nothing is said."""
    first, *rest = labels(query)
    number = int(first[1:]) + 1 if first[1:].isdigit() else 1
    name = encoded(b".".join([b"a%d" % number, *rest]))
    return header(query, 1) + question(query) + record(b"\xc0\x0c", CNAME, name)


def name_that_points_at_itself(query):
    return header(query, 1) + question(query) + record(b"\xc0" + bytes([len(question(query)) + 12]), A, b"\x0d\xe0\x0a\x0a")


def thousand_addresses(query):
    if struct.unpack("!H", question(query)[-4:-2])[0] != A:
        return header(query, 0) + question(query)
    answers = [record(b"\xc0\x0c", A, struct.pack("!I", 0x0DE00000 + number)) for number in range(1000)]
    return header(query, len(answers)) + question(query) + b"".join(answers)


def nonsense(query):
    return query[:2] + b"\xff" * 100


way = globals()[sys.argv[1]]
while True:
    query, client = server.recvfrom(4096)
    try:
        server.sendto(way(query), client)
    except (OSError, IndexError, ValueError):
        pass
