"""Validates exported files and prints the addresses that each of them allows, as JSON.

    examine.py FORMAT FILE...
    examine.py --changes FORMAT WHOLE CHANGE...   after each change, on a device that began with the whole list

The validators are the programs that the formats are for, where there are any; the readers are independent of the
exporter. Either may fail: then nothing is printed and the status is 1.
"""

import ipaddress
import json
import sys

import readers
import validators


def blocks(text):
    """The networks of `a/len`, `a-b` or a bare address; host bits are an error."""
    if "-" in text:
        first, last = (ipaddress.ip_address(end) for end in text.split("-"))
        return list(ipaddress.summarize_address_range(first, last))
    return [ipaddress.ip_network(text, strict=True)]


def collapsed(found):
    """The same addresses as the fewest networks, as text."""
    networks = [network for text in found for network in blocks(text)]
    if len(set(networks)) != len(networks):
        raise ValueError("an entry is there twice")
    families = ([n for n in networks if n.version == version] for version in (4, 6))
    return [str(network) for family in families for network in ipaddress.collapse_addresses(family)]


def main():
    # Some programs listen on the loopback interface even while they only read.
    readers.run("ip", "link", "set", "lo", "up")
    if sys.argv[1] == "--changes":
        name, whole, *changes = sys.argv[2:]
        json.dump([collapsed(after) for after in readers.CHANGES[name](whole, changes)], sys.stdout)
        return
    name, files = sys.argv[1], sys.argv[2:]
    for validate in validators.OF[name]:
        validate(files)
    allowed = {}
    for file in files:
        first, *others = [collapsed(read(file)) for read in readers.OF[name]]
        for other in others:
            if other != first:
                raise ValueError(f"{file}: two readers differ")
        allowed[file] = first
    json.dump(allowed, sys.stdout)


if __name__ == "__main__":
    main()
