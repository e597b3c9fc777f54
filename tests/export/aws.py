"""The AWS command line interface in front of moto's imitation of AWS, in one process: no network, no account.

A script is run with an `aws` that hands its words to the interface's own driver.
"""

import atexit
import contextlib
import functools
import io
import json
import os
import re
import socketserver
import subprocess
import sys
import tempfile
import threading

SHIM = """#!{python}
import json, socket, sys
asked = socket.socket(socket.AF_UNIX)
asked.connect({path!r})
asked.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
status, out, err = json.loads(asked.makefile().read())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(status)
"""


class Handler(socketserver.StreamRequestHandler):
    """One call of `aws`."""

    def handle(self):
        words = json.loads(self.rfile.readline())
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = self.server.driver.main(words)
        out.flush()
        answer = (status, out.buffer.getvalue().decode(), err.getvalue())
        self.wfile.write(json.dumps(answer).encode())


def limit_by_family(self, group, _count, ip_ranges, source_groups=None, egress=False):
    """Amazon counts the rules of each family for itself, moto both together."""
    from moto.ec2.exceptions import RulesPerSecurityGroupLimitExceededError

    rules = group.egress_rules if egress else group.ingress_rules
    new = [str(found) for found in ip_ranges]
    held = [str(rule.ip_range) for rule in rules]
    for v6 in (False, True):
        if sum(("CidrIpv6" in found) == v6 for found in held + new) > 60:
            raise RulesPerSecurityGroupLimitExceededError


def keep_name(modify):
    """Amazon keeps the name that a change does not give; moto forgets it, and knows no change of the room."""

    def kept(self, *args, **kwargs):
        named = self.managed_prefix_lists[kwargs["prefix_list_id"]].prefix_list_name
        return modify(self, *args, **{**kwargs, "prefix_list_name": kwargs.get("prefix_list_name") or named})

    return kept


@functools.cache
def account():
    """An account, and a function that runs a script in it, until the process ends."""
    opened = contextlib.ExitStack()
    atexit.register(opened.close)
    return opened.enter_context(imitated())


@contextlib.contextmanager
def imitated():
    """Amazon as moto has it."""
    from moto import mock_aws

    os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="eu-west-1", AWS_PAGER="")
    from moto.ec2.models.managed_prefixes import ManagedPrefixListBackend
    from moto.ec2.models.security_groups import SecurityGroupBackend

    SecurityGroupBackend._verify_group_will_respect_rule_count_limit = limit_by_family
    ManagedPrefixListBackend.modify_managed_prefix_list = keep_name(ManagedPrefixListBackend.modify_managed_prefix_list)
    with mock_aws(), tempfile.TemporaryDirectory() as folder:
        import boto3
        from awscli.clidriver import create_clidriver

        path = f"{folder}/socket"
        with socketserver.UnixStreamServer(path, Handler) as server:
            server.driver = create_clidriver()
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with open(f"{folder}/aws", "w", encoding="ascii") as shim:
                shim.write(SHIM.format(python=sys.executable, path=path))
            os.chmod(f"{folder}/aws", 0o755)
            env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

            def script(file, *words):
                done = subprocess.run(["sh", file, *words], capture_output=True, text=True, env=env)
                if done.returncode != 0:
                    raise ValueError(f"{file}: {done.stdout[-1000:]}{done.stderr[-3000:]}")

            yield boto3.client("ec2"), script
            server.shutdown()


def security_group(file):
    """As many groups as the script asks for, without the rule that allows everything."""
    with open(file, encoding="ascii") as opened:
        count = max([int(place) for place in re.findall(r'--group-id "\$\{(\d+)\}"', opened.read())])
    ec2, script = account()
    groups = [ec2.create_security_group(GroupName=f"{file}{at}", Description="d")["GroupId"] for at in range(count)]
    for group in groups:
        found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found)
    script(file, *groups)
    return permissions(ec2, groups)


def security_group_changes(whole, files):
    """After each of the changes to one group."""
    ec2, script = account()
    security_group(whole)
    group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [f"{whole}0"]}])
    group = group["SecurityGroups"][0]["GroupId"]
    for file in files:
        script(file, group)
        yield permissions(ec2, [group])


def permissions(ec2, groups):
    """What the groups let out."""
    allowed = []
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        for rule in group["IpPermissionsEgress"]:
            if (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) != ("tcp", 443, 443):
                raise ValueError(rule)
            allowed += [r["CidrIp"] for r in rule["IpRanges"]] + [r["CidrIpv6"] for r in rule["Ipv6Ranges"]]
    return allowed


def prefix_list(file):
    """What the lists of the account hold."""
    ec2, script = account()
    known = {found["PrefixListId"] for found in ec2.describe_managed_prefix_lists()["PrefixLists"]}
    script(file)
    lists = [found for found in ec2.describe_managed_prefix_lists()["PrefixLists"] if found["PrefixListId"] not in known]
    held = [(found, entries(ec2, found)) for found in lists]
    for found, listed in held:
        if len(listed) > found["MaxEntries"]:
            raise ValueError(found)
    return [entry["Cidr"] for _, listed in held for entry in listed]


def prefix_list_changes(whole, files):
    """After each of the changes to the lists that the whole one made."""
    ec2, script = account()
    known = {found["PrefixListId"] for found in ec2.describe_managed_prefix_lists()["PrefixLists"]}
    script(whole)
    for file in files:
        script(file)
        lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
        yield [e["Cidr"] for found in lists if found["PrefixListId"] not in known for e in entries(ec2, found)]


def entries(ec2, found):
    """All pages of a list, which are of its family."""
    pages = ec2.get_paginator("get_managed_prefix_list_entries").paginate(PrefixListId=found["PrefixListId"])
    held = [entry for page in pages for entry in page["Entries"]]
    if {":" in e["Cidr"] for e in held} != {found["AddressFamily"] == "IPv6"}:
        raise ValueError(found)
    return held
