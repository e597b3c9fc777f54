"""Validators: the programs that read a format, or what their makers ship to check it. Each raises what it finds."""

import json
import os
import re
import shutil
import subprocess
import tempfile

from readers import TERRAFORM, lines, run, text

VALIDATORS = os.environ.get("VALIDATORS", "")


def each(validate):
    """A validator that takes one file at a time."""
    return lambda files: [validate(file) for file in files]


def tool(name):
    """A program of the virtual environment."""
    return os.path.join(VALIDATORS, name)


def yamllint(files):
    run("yamllint", "--strict", "-d", "{extends: default, rules: {line-length: disable}}", *files)


@each
def firewalld(file):
    folder = f"{file}.checked"
    run("sh", file, folder)
    said = run("firewall-offline-cmd", "--system-config", folder, "--check-config")
    if "WARNING" in said:
        raise ValueError(said)


@each
def shell(file):
    run("sh", "-n", file)


@each
def ufw(file):
    """Each command with `--dry-run`; ufw takes a moment for each, so some of many."""
    commands = [line for line in lines(file) if line.startswith("ufw ")]
    for command in commands[:2] + commands[-1:]:
        words = re.findall(r"'[^']*'|\S+", command)
        said = run("ufw", "--dry-run", *[word.strip("'") for word in words[1:]])
        if "ERROR" in said:
            raise ValueError(said)


@each
def squid(file):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(f"http_port 3128\ninclude {file}\nhttp_access deny all\n")
        config.flush()
        done = subprocess.run(["squid", "-k", "parse", "-f", config.name], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "WARNING" in said or "ERROR" in said:
        raise ValueError(said)


@each
def haproxy(file):
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as config:
        config.write(
            "defaults\n mode tcp\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
            f"frontend f\n bind 127.0.0.1:1443\n acl listed dst -f {file}\n tcp-request connection reject unless listed\n"
            " default_backend b\nbackend b\n server s 127.0.0.1:2443\n"
        )
        config.flush()
        run("haproxy", "-c", "-f", config.name)


@each
def nginx(file):
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/nginx.conf"
        with open(config, "w", encoding="ascii") as opened:
            opened.write(f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; include {file}; }}\n")
        done = subprocess.run(["nginx", "-t", "-p", folder, "-c", config], capture_output=True, text=True)
    if done.returncode != 0 or "[warn]" in done.stderr.replace('the "user" directive', ""):
        raise ValueError(done.stderr)


@each
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


@each
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


def kubernetes(files):
    done = subprocess.run([tool("kubernetes-validate"), "--strict", *files], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "error" in said.lower():
        raise ValueError(said)


def cfn_lint(files):
    run(tool("cfn-lint"), "-t", *files)


@each
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


@each
def powershell(file):
    """A tree without an error, and no call but those that are meant."""
    import tree_sitter
    import tree_sitter_powershell

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    tree = parser.parse(text(file).encode())
    if tree.root_node.has_error:
        raise ValueError(f"{file}: {tree.root_node}")
    called, open_nodes = set(), [tree.root_node]
    while open_nodes:
        node = open_nodes.pop()
        open_nodes += node.children
        if node.type == "command_name":
            called.add(node.text.decode())
    wanted = {"Get-NetFirewallRule", "Set-NetFirewallRule", "New-NetFirewallRule", "Remove-NetFirewallRule", "Where-Object"}
    if called != wanted:
        raise ValueError(f"{file}: it calls {called}")


@each
def terraform(file):
    run("terraform", "fmt", "-check", "-diff", "-", given=text(file), env=TERRAFORM)


def nothing(_files):
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
    "windows": [powershell],
    "aws-security-group": [shell],
    "aws-prefix-list": [shell],
    "cloudformation": [cfn_lint],
    "aws-waf": [cfn_lint],
    "terraform": [terraform] if shutil.which("terraform") else [nothing],
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
