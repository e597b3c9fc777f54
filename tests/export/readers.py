"""Readers: from a file to the addresses that it allows, one or several for each format."""

import csv
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import yaml

import aws


# Nothing of the user's own settings has a say, and nobody is asked for a newer version.
TERRAFORM = {**os.environ, "TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1"}


def text(file):
    with open(file, encoding="ascii", newline="") as opened:
        return opened.read()


def run(*command, given=None, env=None):
    """Standard output of a program that has to succeed without a warning."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise ValueError(f"{command}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def lines(file, comment="#"):
    """What is left of the lines without comments and empty ones."""
    stripped = (line.split(comment)[0].strip() for line in text(file).splitlines())
    return [line for line in stripped if line]


def plain(file):
    if not text(file).endswith("\n") or "#" in text(file):
        raise ValueError("a list has no comments and ends with its last line")
    return text(file).splitlines()


def table(file):
    rows = list(csv.DictReader(text(file).splitlines(keepends=True), strict=True))
    for row in rows:
        if list(row) != ["prefix", "family", "first", "last", "addresses", "comment"]:
            raise ValueError(row)
    return [row["prefix"] for row in rows]


def document(parse):
    def read(file):
        found = parse(text(file))
        if found["schema"] != "egressd.prefixes/1" or found["ports"] != [443]:
            raise ValueError("another document")
        return found["ipv4"] + found["ipv6"]

    return read


def nft_listed():
    """The elements of every set of the namespace."""
    listed = json.loads(run("nft", "-j", "list", "ruleset"))["nftables"]
    elements = [e for item in listed if "set" in item for e in item["set"].get("elem", [])]
    return [element(e) for e in elements]


def element(found):
    if isinstance(found, str):
        return found
    prefix = found["prefix"]
    return f"{prefix['addr']}/{prefix['len']}"


def nftables(file):
    # Twice: what is loaded takes the place of what was.
    run("nft", "flush", "ruleset")
    run("nft", "-f", file)
    run("nft", "-f", file)
    allowed = nft_listed()
    rules = [item["rule"] for item in json.loads(run("nft", "-j", "list", "ruleset"))["nftables"] if "rule" in item]
    if len(rules) not in (2, 4) or any({"accept": None} not in rule["expr"] for rule in rules):
        raise ValueError("other rules than one for each family and chain")
    return allowed


def nftables_set(file):
    run("nft", "flush", "ruleset")
    run("nft", "-f", "-", given=f'table inet own {{\ninclude "{file}"\n}}\n')
    return nft_listed()


def nftables_update(file):
    # The table that the update is for.
    names = re.findall(r"^flush set inet (\S+) (\S+)$", text(file), re.M)
    run("nft", "flush", "ruleset")
    for name, list_name in names:
        kind = "ipv4_addr" if list_name.endswith("4") else "ipv6_addr"
        old = "192.0.2.0/24" if kind == "ipv4_addr" else "2001:db8::/32"
        run("nft", "-f", "-", given=f"table inet {name} {{\nset {list_name} {{\ntype {kind}\nflags interval\nelements = {{ {old} }}\n}}\n}}\n")
    run("nft", "-f", file)
    return nft_listed()


def iptables_rules(program):
    """Flushed, restored twice, and the accepting rules as `iptables-save` has them."""

    def read(file):
        run(f"{program}-restore", "--noflush", file)
        run(f"{program}-restore", "--noflush", file)
        rules = [line for line in run(f"{program}-save").splitlines() if line.startswith("-A ")]
        for rule in rules:
            if not re.search(r" -p tcp .*--dport 443 .*-j ACCEPT$", rule):
                raise ValueError(f"not what was meant: {rule}")
        run(f"{program}", "-F")
        run(f"{program}", "-X")
        return rules

    return read


def iptables(file):
    allowed = []
    for program in ("iptables", "ip6tables"):
        rules = iptables_rules(program)(file)
        found = [re.search(r" -d (\S+) ", rule) for rule in rules]
        allowed += [match.group(1) for match in found]
    return allowed


def iptables_text(file):
    """A second reader, which is not iptables."""
    rules = [line for line in lines(file) if line.startswith("-A ")]
    return [re.fullmatch(r"-A \S+ -[46] -d (\S+) -p tcp -m tcp --dport 443( -m comment --comment \"[^\"]*\")? -j ACCEPT", rule).group(1) for rule in rules]


def iptables_ipset(file):
    """The sets come from the export `ipset` of the same list, which lies beside the file."""
    for _ in range(2):
        run("ipset", "restore", given=text(f"{file}.ipset"))
    used = [rule for program in ("iptables", "ip6tables") for rule in iptables_rules(program)(file)]
    used = {re.search(r"--match-set (\S+) dst ", rule).group(1) for rule in used}
    saved = [line.split() for line in run("ipset", "save").splitlines() if line.startswith("add ")]
    run("ipset", "destroy")
    if used != {words[1] for words in saved}:
        raise ValueError(f"{used} are not the sets")
    return [words[2] for words in saved]


def ipset(file):
    for _ in range(2):
        run("ipset", "restore", given=text(file))
    found = [line.split()[2] for line in run("ipset", "save").splitlines() if line.startswith("add ")]
    run("ipset", "destroy")
    return found


def ipset_text(file):
    """A second reader, which is not ipset."""
    return [line.split()[2] for line in lines(file) if line.startswith("add ")]


def firewalld(file):
    folder = f"{file}.d"
    run("sh", file, folder)
    allowed = []
    for name in sorted(os.listdir(f"{folder}/ipsets")):
        root = ElementTree.parse(f"{folder}/ipsets/{name}").getroot()
        allowed += [entry.text for entry in root.iter("entry")]
    sets = {name.removesuffix(".xml") for name in os.listdir(f"{folder}/ipsets")}
    for name in os.listdir(f"{folder}/policies"):
        used = [d.get("ipset") for d in ElementTree.parse(f"{folder}/policies/{name}").getroot().iter("destination")]
        if sorted(used) != sorted(sets):
            raise ValueError(f"policy {name} uses {used} of {sets}")
    return allowed


def ufw(file):
    found = []
    for line in lines(file):
        if line not in ("set -eu",):
            found.append(re.fullmatch(r"ufw allow out proto tcp to (\S+) port 443( comment '[^']*')?", line).group(1))
    return found


def pf(file):
    return lines(file)


def fwshift(kind, wrap=str):
    """What fwshift reads: the members of groups that are ours, and the destinations of rules that allow."""

    def read(file):
        source, target = f"{file}.{kind}", f"{file}.{kind}.json"
        with open(source, "w", encoding="ascii") as opened:
            opened.write(wrap(text(file)))
        program = os.path.join(os.environ["VALIDATORS"], "fwshift")
        run(program, "convert", "--from", kind, "--to", "json", "--quiet", "--output", target, source)
        with open(target, encoding="utf-8") as opened:
            policy = json.load(opened)
        groups = [group["members"] for group in policy["address_groups"].values() if not group["builtin"]]
        rules = [rule["destinations"] for rule in policy["rules"] if rule["action"] == "allow"]
        found = {member for members in groups + rules for member in members}
        return sorted(member for member in found if re.fullmatch(r"[0-9a-f]*[.:].*", member) and not member.endswith("/0"))

    return read


def in_pfsense(alias):
    """A whole configuration with the alias."""
    return f"<pfsense><version>22.9</version>{alias.split('-->')[-1]}</pfsense>"


def in_opnsense(alias):
    """The same; fwshift asks for the version of the rules."""
    return alias.replace("<Firewall>", '<Firewall><Filter version="1.0.4"><rules/></Filter>')


def pfsense(file):
    alias = ElementTree.parse(file).getroot().find("alias")
    entries = alias.find("address").text.split(" ")
    if len(alias.find("detail").text.split("||") if alias.find("detail").text else [""] * len(entries)) != len(entries):
        raise ValueError("a comment too many or too few")
    return entries


def opnsense(file):
    return ElementTree.parse(file).getroot().find(".//content").text.split("\n")


def windows(file):
    """A reader of the two forms that the script is made of: arrays of addresses and calls."""
    arrays = re.findall(r"\$addresses = @\(\n((?:  '[^'\n]*',?\n)+)\)\n", text(file))
    made = re.findall(r"^  New-NetFirewallRule -Name '([^']+)' .*@rule$", text(file), re.M)
    if len(arrays) != len(made) or len(set(made)) != len(made):
        raise ValueError("an array without a rule, or a name twice")
    return [address for array in arrays for address in re.findall(r"'([^']*)'", array)]


def squid(file):
    rules = [line.split() for line in lines(file)]
    allowed = {rule[-1] for rule in rules if rule[0] == "http_access"}
    listed = {rule[1] for rule in rules if rule[0] == "acl" and rule[2] in ("dst", "dstdomain")}
    if allowed != listed:
        raise ValueError(f"{allowed} are allowed of {listed}")
    return [rule[3] for rule in rules if rule[0] == "acl" and rule[2] == "dst"]


def haproxy(file):
    return lines(file)


def nginx(file):
    body = re.fullmatch(r"geo \$\w+ \{ default 0; (.*) \}", " ".join(lines(file))).group(1)
    return [re.fullmatch(r"(\S+) 1", entry.strip()).group(1) for entry in body.split(";") if entry.strip()]


def envoy(file):
    found = json.loads(text(file))["typed_config"]["rules"]
    (policy,) = found["policies"].values()
    (permission,) = policy["permissions"]
    ports, addresses = (rule["or_rules"]["rules"] for rule in permission["and_rules"]["rules"])
    if found["action"] != "ALLOW" or ports != [{"destination_port": 443}]:
        raise ValueError("other connections are allowed too")
    ranges = [address["destination_ip"] for address in addresses]
    return [f"{r['address_prefix']}/{r['prefix_len']}" for r in ranges]


def pac(file):
    arrays = dict(re.findall(r"^var (ipv4|ipv6) = (\[.*?^\]);", text(file), re.M | re.S))
    masked = ["/".join(pair) for pair in json.loads(arrays["ipv4"])]
    import ipaddress

    return [str(ipaddress.ip_network(network)) for network in masked] + json.loads(arrays["ipv6"])


def objects(file):
    return list(yaml.safe_load_all(text(file)))


def kubernetes(file):
    (policy,) = objects(file)
    (egress,) = policy["spec"]["egress"]
    if egress["ports"] != [{"protocol": "TCP", "port": 443}] or policy["spec"]["policyTypes"] != ["Egress"]:
        raise ValueError(policy)
    return [to["ipBlock"]["cidr"] for to in egress["to"]]


def cilium(file):
    group, policy = objects(file)
    (egress,) = policy["spec"]["egress"]
    if egress["toCIDRSet"] != [{"cidrGroupRef": group["metadata"]["name"]}]:
        raise ValueError(policy)
    return group["spec"]["externalCIDRs"]


def calico(file):
    nets, policy = objects(file)
    (rule,) = policy["spec"]["egress"]
    ((key, value),) = nets["metadata"]["labels"].items()
    if rule["destination"] != {"selector": f"{key} == '{value}'", "ports": [443]} or rule["action"] != "Allow":
        raise ValueError(policy)
    return nets["spec"]["nets"]


def istio(file):
    entries = [found["spec"] for found in objects(file)]
    for entry in entries:
        if entry["ports"] != [{"number": 443, "name": "tls-443", "protocol": "TLS"}] or ("addresses" in entry) == (entry["resolution"] == "DNS"):
            raise ValueError(entry)
    return [address for entry in entries for address in entry.get("addresses", [])]


def resources(kind, list_name, key=None):
    def read(file):
        found = json.loads(text(file))["Resources"].values()
        entries = [e for r in found if r["Type"] == kind for e in r["Properties"][list_name]]
        return [e[key] if key else e for e in entries]

    return read


def azure_nsg(file):
    rules = [resource["properties"] for resource in json.loads(text(file))["resources"]]
    for rule in rules:
        if (rule["direction"], rule["access"], rule["destinationPortRanges"]) != ("Outbound", "Allow", ["443"]):
            raise ValueError(rule)
    return [prefix for rule in rules for prefix in rule["destinationAddressPrefixes"]]


def azure_ip_group(file):
    groups = [resource["properties"]["ipAddresses"] for resource in json.loads(text(file))["resources"]]
    return [prefix for group in groups for prefix in group]


def gcp(file):
    rules = json.loads(text(file))
    for rule in rules:
        if rule["direction"] != "EGRESS" or rule["allowed"] != [{"IPProtocol": "tcp", "ports": ["443"]}]:
            raise ValueError(rule)
        if len({":" in prefix for prefix in rule["destinationRanges"]}) != 1:
            raise ValueError("two families in a rule")
    return [prefix for rule in rules for prefix in rule["destinationRanges"]]


def hcl(file):
    """A reader of the language by somebody else: Terraform itself is in no package of Debian's."""
    import hcl2

    (values,) = hcl2.loads(text(file))["locals"]
    return [json.loads(prefix) for name, prefixes in values.items() if "_ipv" in name for prefix in prefixes]


def terraform(file):
    """The values of the outputs, as terraform computes them."""
    folder = f"{file}.d"
    os.makedirs(folder, exist_ok=True)
    run("cp", file, f"{folder}/main.tf")
    run("terraform", f"-chdir={folder}", "init", "-backend=false", env=TERRAFORM)
    run("terraform", f"-chdir={folder}", "apply", "-auto-approve", env=TERRAFORM)
    outputs = json.loads(run("terraform", f"-chdir={folder}", "output", "-json", env=TERRAFORM))
    return [prefix for name, output in outputs.items() if "_ipv" in name for prefix in output["value"]]


def changed(apply, state):
    """What a device allows after each change."""

    def changes(whole, files):
        apply(whole)
        for file in files:
            apply(file)
            yield state()

    return changes


def ipset_saved():
    return [line.split()[2] for line in run("ipset", "save").splitlines() if line.startswith("add ")]


def ufw_changes(whole, files):
    """Without a kernel's say: the commands add and delete what they name."""
    held = set(ufw(whole))
    for file in files:
        for line in lines(file):
            match = re.fullmatch(r"ufw (allow|delete allow) out proto tcp to (\S+) port 443( comment '[^']*')?", line)
            if match:
                (held.add if match.group(1) == "allow" else held.remove)(match.group(2))
        yield sorted(held)


CHANGES = {
    "nftables-update": changed(lambda file: run("nft", "-f", file), nft_listed),
    "ipset": changed(lambda file: run("ipset", "restore", given=text(file)), ipset_saved),
    "ufw": ufw_changes,
    "aws-security-group": aws.security_group_changes,
    "aws-prefix-list": aws.prefix_list_changes,
}

OF = {
    "plain": [plain],
    "csv": [table],
    "json": [document(json.loads)],
    "yaml": [document(yaml.safe_load)],
    "nftables": [nftables],
    "nftables-set": [nftables_set],
    "nftables-update": [nftables_update],
    "iptables": [iptables, iptables_text],
    "iptables-ipset": [iptables_ipset],
    "ipset": [ipset, ipset_text],
    "firewalld": [firewalld],
    "ufw": [ufw],
    "pf": [pf],
    "pfsense": [pfsense, fwshift("pfsense", in_pfsense)],
    "opnsense": [opnsense, fwshift("opnsense", in_opnsense)],
    "windows": [windows],
    "aws-security-group": [aws.security_group],
    "aws-prefix-list": [aws.prefix_list],
    "cloudformation": [resources("AWS::EC2::PrefixList", "Entries", "Cidr")],
    "aws-waf": [resources("AWS::WAFv2::IPSet", "Addresses")],
    "terraform": [hcl, terraform] if shutil.which("terraform") else [hcl],
    "azure-nsg": [azure_nsg, fwshift("azure")],
    "azure-ip-group": [azure_ip_group],
    "gcp": [gcp, fwshift("gcp")],
    "kubernetes": [kubernetes],
    "cilium": [cilium],
    "calico": [calico],
    "istio": [istio],
    "squid": [squid],
    "haproxy": [haproxy],
    "nginx": [nginx],
    "envoy": [envoy],
    "pac": [pac],
}
