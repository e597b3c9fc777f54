"""Validators: the programs that read a format, or what their makers ship to check it. Each raises what it finds."""

import json
import os
import re
import subprocess
import tempfile

from readers import lines, run, text

VALIDATORS = os.environ.get("VALIDATORS", "")


def tool(name):
    """A program of the virtual environment."""
    return os.path.join(VALIDATORS, name)


def yamllint(file):
    run(tool("yamllint"), "--strict", "-d", "{extends: default, rules: {line-length: disable}}", file)


def firewalld(file):
    folder = f"{file}.checked"
    run("sh", file, folder)
    said = run("firewall-offline-cmd", "--system-config", folder, "--check-config")
    if "WARNING" in said:
        raise ValueError(said)


def shell(file):
    run("sh", "-n", file)


def ufw(file):
    """Each command with `--dry-run`; ufw takes a moment for each, so some of many."""
    commands = [line for line in lines(file) if line.startswith("ufw ")]
    for command in commands[:5] + commands[-3:]:
        words = re.findall(r"'[^']*'|\S+", command)
        said = run("ufw", "--dry-run", *[word.strip("'") for word in words[1:]])
        if "ERROR" in said:
            raise ValueError(said)


def squid(file):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(f"http_port 3128\ninclude {file}\nhttp_access deny all\n")
        config.flush()
        done = subprocess.run(["squid", "-k", "parse", "-f", config.name], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "WARNING" in said or "ERROR" in said:
        raise ValueError(said)


def haproxy(file):
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(
            "defaults\n mode tcp\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
            f"frontend f\n bind 127.0.0.1:1443\n acl listed dst -f {file}\n tcp-request connection reject unless listed\n"
            " default_backend b\nbackend b\n server s 127.0.0.1:2443\n"
        )
        config.flush()
        run("haproxy", "-c", "-f", config.name)


def nginx(file):
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/nginx.conf"
        with open(config, "w", encoding="ascii") as opened:
            opened.write(f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include {file}; }}\n")
        done = subprocess.run(["nginx", "-t", "-p", folder, "-c", config], capture_output=True, text=True)
    if done.returncode != 0 or "[warn]" in done.stderr.replace('the "user" directive', ""):
        raise ValueError(done.stderr)


def envoy(file):
    listener = {
        "name": "l",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1443}},
        "filter_chains": [
            {
                "filters": [
                    json.loads(text(file)),
                    {
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                            "stat_prefix": "t",
                            "cluster": "c",
                        },
                    },
                ]
            }
        ],
    }
    cluster = {"name": "c", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", "connect_timeout": "1s"}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({"static_resources": {"listeners": [listener], "clusters": [cluster]}}, config)
        config.flush()
        run(tool("envoy"), "--mode", "validate", "-c", config.name)


def pac(file):
    """The first and last address of each prefix goes around the proxy, those before and behind through it."""
    import ipaddress

    import pacparser
    import readers

    networks = [ipaddress.ip_network(prefix) for prefix in readers.pac(file)]
    listed = ipaddress.collapse_addresses
    v4 = list(listed(n for n in networks if n.version == 4))
    pacparser.init()
    pacparser.parse_pac_string(text(file))
    for network in v4[:40] + v4[-40:]:
        first, last = network[0], network[-1]
        asked = {first: "DIRECT", last: "DIRECT"}
        for outside in (first - 1, last + 1):
            if not any(outside in other for other in v4):
                asked[outside] = "PROXY proxy.invalid:3128"
        for address, wanted in asked.items():
            found = pacparser.find_proxy(f"https://{address}/", str(address))
            if found != wanted:
                raise ValueError(f"{address}: {found}")
            if pacparser.find_proxy(f"http://{address}/", str(address)) == "DIRECT":
                raise ValueError(f"{address}: port 80")
    pacparser.cleanup()


def kubernetes(file):
    done = subprocess.run([tool("kubernetes-validate"), "--strict", file], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "error" in said.lower():
        raise ValueError(said)


def cfn_lint(file):
    run(tool("cfn-lint"), "-t", file)


def gcp(file):
    """The vendor's own description of a firewall rule: known fields, types and patterns."""
    import googleapiclient

    folder = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache", "documents")
    with open(os.path.join(folder, "compute.v1.json"), encoding="utf-8") as opened:
        schemas = json.load(opened)["schemas"]
    for rule in json.loads(text(file)):
        described(rule, schemas["Firewall"]["properties"])


def described(found, properties):
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    for key, value in found.items():
        known = properties[key]
        if "type" in known and not isinstance(value, kinds[known["type"]]):
            raise ValueError(f"{key} is no {known['type']}")
        if "pattern" in known and not re.fullmatch(known["pattern"], value):
            raise ValueError(f"{key}: {value} does not match {known['pattern']}")
        items = known.get("items", {})
        if "properties" in items:
            for item in value:
                described(item, items["properties"])


def terraform(file):
    run("terraform", "fmt", "-check", "-diff", "-", given=text(file))


def nothing(_file):
    """The reader is the program itself."""


OF = {
    "plain": [nothing],
    "csv": [nothing],
    "json": [nothing],
    "yaml": [yamllint],
    "nftables": [nothing],
    "nftables-set": [nothing],
    "nftables-update": [nothing],
    "iptables": [nothing],
    "iptables-ipset": [nothing],
    "ipset": [nothing],
    "firewalld": [shell, firewalld],
    "ufw": [shell, ufw],
    "pf": [nothing],
    "pfsense": [nothing],
    "opnsense": [nothing],
    "windows": [nothing],
    "cloudformation": [cfn_lint],
    "aws-waf": [cfn_lint],
    "terraform": [terraform],
    "azure-nsg": [nothing],
    "azure-ip-group": [nothing],
    "gcp": [gcp],
    "kubernetes": [yamllint, kubernetes],
    "cilium": [yamllint],
    "calico": [yamllint],
    "istio": [yamllint],
    "squid": [squid],
    "haproxy": [haproxy],
    "nginx": [nginx],
    "envoy": [envoy],
    "pac": [pac],
}
