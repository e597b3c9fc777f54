"""Runs a program under what a unit of systemd asks for, where no systemd runs: confine.py UNIT STATE_FOLDER PROGRAM...

Each directive of [Service] is applied, or is in a list that says why it cannot be here; one that is in neither is an error.
The process has to be in user, network and mount namespaces of its own.
"""
import ctypes
import os
import re
import resource
import struct
import subprocess
import sys

UNIT, STATE, PROGRAM = sys.argv[1], sys.argv[2], sys.argv[3:]

# What systemd itself does, and the program does not see.
ELSEWHERE = {
    "Type", "ExecStart", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus", "WatchdogSec",
    "TimeoutStopSec", "TimeoutStartSec", "SuccessExitStatus", "User", "ConfigurationDirectory", "RuntimeDirectory",
    "StateDirectoryMode", "RemoveIPC",
}
# What needs control groups of one's own, or a process namespace that the test would have to look into.
NOT_HERE = {"TasksMax", "DevicePolicy", "ProtectProc"}

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_MDWE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 38, 65, 22, 24
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, EAFNOSUPPORT, ENOSYS = 1, 97, 38
NAMESPACES = 0x7E020080  # CLONE_NEW* of clone(2)


def directives():
    section = None
    for line in open(UNIT):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            yield line.split("=", 1)


def prctl(*arguments):
    if libc.prctl(*map(ctypes.c_ulong, [*arguments, *[0] * (5 - len(arguments))])):
        raise OSError(ctypes.get_errno(), f"prctl {arguments}")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def numbers():
    """The system calls of this machine by name."""
    text = subprocess.run(
        ["cc", "-E", "-dM", "-xc", "-"], input="#include <asm/unistd.h>", capture_output=True, text=True, check=True
    ).stdout
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)\n", text)}


def calls(group):
    """What systemd understands by a group, with the groups in it."""
    if not group.startswith("@"):
        return {group}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True
    ).stdout
    members = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(calls(member) for member in members))


class Filter:
    """A seccomp filter: rules about arguments first, then the calls that are allowed."""

    def __init__(self):
        self.numbers, self.code, self.allowed = numbers(), [], set()
        machine = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[os.uname().machine]
        self.add(LOAD, 4)
        self.add(EQUAL, machine, 1, 0)
        self.add(RETURN, ERRNO | EPERM)

    def add(self, code, value, on_true=0, on_false=0):
        self.code.append(struct.pack("HBBI", code, on_true, on_false, value))

    def deny(self, name, errno=EPERM):
        if name in self.numbers:
            self.add(LOAD, 0)
            self.add(EQUAL, self.numbers[name], 0, 1)
            self.add(RETURN, ERRNO | errno)

    def deny_bits(self, name, argument, bits):
        if name in self.numbers:
            self.add(LOAD, 0)
            self.add(EQUAL, self.numbers[name], 0, 3)
            self.add(LOAD, 16 + 8 * argument)
            self.add(ANY_BIT, bits, 0, 1)
            self.add(RETURN, ERRNO | EPERM)

    def only_families(self, families):
        self.add(LOAD, 0)
        self.add(EQUAL, self.numbers["socket"], 0, len(families) + 2)
        self.add(LOAD, 16)
        for place, family in enumerate(families):
            self.add(EQUAL, family, len(families) - place, 0)
        self.add(RETURN, ERRNO | EAFNOSUPPORT)

    def install(self):
        self.add(LOAD, 0)
        for name in sorted(self.allowed & set(self.numbers)):
            self.add(EQUAL, self.numbers[name], 0, 1)
            self.add(RETURN, ALLOW)
        self.add(RETURN, ERRNO | EPERM)
        code = ctypes.create_string_buffer(b"".join(self.code))
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(self.code), ctypes.addressof(code)))
        prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))


def read_only():
    """Everything but the state folder and what the kernel shows."""
    mount("--bind", STATE, STATE)
    for line in open("/proc/self/mountinfo").read().splitlines():
        place, options = line.split()[4:6]
        hidden = not os.path.exists(place)
        if hidden or place == STATE or place.startswith(("/proc", "/sys", "/dev")):
            continue
        kept = [option for option in options.split(",") if option in ("nosuid", "nodev", "noexec", "noatime", "relatime")]
        mount("-o", ",".join(["remount", "bind", "ro", *kept]), place)


def private_devices():
    folder = STATE + ".devices"
    os.mkdir(folder)
    mount("-t", "tmpfs", "-o", "mode=755", "none", folder)
    for name in ("null", "zero", "full", "random", "urandom"):
        open(f"{folder}/{name}", "w").close()
        mount("--bind", f"/dev/{name}", f"{folder}/{name}")
    mount("--rbind", folder, "/dev")


def no_capabilities():
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    if libc.capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def main():
    wanted, applied, filters = {}, [], Filter()
    for name, value in directives():
        wanted.setdefault(name, []).append(value)
    unknown = set(wanted) - ELSEWHERE - NOT_HERE

    def take(name):
        unknown.discard(name)
        applied.append(name)
        return wanted[name]

    def asked(name):
        return name in wanted and take(name) == ["yes"]

    mount("--make-rprivate", "/")
    if asked("PrivateDevices"):
        private_devices()
    if asked("ProtectHome"):
        for folder in ("/home", "/root"):
            mount("-t", "tmpfs", "-o", "ro", "none", folder)
    if asked("PrivateTmp"):
        mount("-t", "tmpfs", "none", "/var/tmp")
    if asked("ProtectKernelTunables"):
        mount("--bind", "/proc/sys", "/proc/sys")
        mount("-o", "remount,bind,ro", "/proc/sys")
    asked("ProtectControlGroups")  # what is mounted at /sys belongs to other namespaces: it cannot be written to
    if take("ProtectSystem") == ["strict"]:
        read_only()
    asked("PrivateMounts"), asked("PrivateUsers"), asked("DynamicUser")  # the namespaces that this runs in
    take("StateDirectory")
    os.umask(int(take("UMask")[0], 8))
    files = int(take("LimitNOFILE")[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, 1024), files))
    take("MemoryMax")
    resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))
    if take("KeyringMode") == ["private"]:
        libc.syscall(filters.numbers["keyctl"], 1, None)
    assert take("CapabilityBoundingSet") == [""] and take("AmbientCapabilities") == [""]
    no_capabilities()
    if asked("NoNewPrivileges"):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
    if asked("MemoryDenyWriteExecute"):
        prctl(PR_SET_MDWE, 1)

    assert take("SystemCallArchitectures") == ["native"] and take("SystemCallErrorNumber") == ["EPERM"]
    families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
    filters.only_families([families[family] for family in take("RestrictAddressFamilies")[0].split()])
    if asked("RestrictNamespaces"):
        filters.deny("unshare"), filters.deny("setns"), filters.deny("clone3", ENOSYS)
        filters.deny_bits("clone", 0, NAMESPACES)
    if asked("RestrictSUIDSGID"):
        for call, argument in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("open", 2), ("openat", 3), ("mkdir", 1)):
            filters.deny_bits(call, argument, 0o6000)
    for name, denied in (
        ("RestrictRealtime", ["sched_setscheduler"]),
        ("LockPersonality", ["personality"]),
        ("ProtectHostname", ["sethostname", "setdomainname"]),
        ("ProtectKernelLogs", ["syslog"]),
        ("ProtectClock", sorted(calls("@clock"))),
        ("ProtectKernelModules", sorted(calls("@module"))),
    ):
        if asked(name):
            for call in denied:
                filters.deny(call)
    for group in " ".join(take("SystemCallFilter")).split(" "):
        deny = group.startswith("~") or (group.startswith("@") and group in ("@resources", "@privileged"))
        listed = calls(group.removeprefix("~"))
        filters.allowed = filters.allowed - listed if deny else filters.allowed | listed
    # systemd allows what starts a program.
    filters.allowed |= {"execve"}
    if unknown:
        sys.exit(f"confine.py does not know {sorted(unknown)}")
    print(f"applied: {' '.join(applied)}", file=sys.stderr, flush=True)
    filters.install()
    os.execvp(PROGRAM[0], PROGRAM)


main()
