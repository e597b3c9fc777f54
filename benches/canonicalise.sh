#!/usr/bin/env bash
# A million prefixes made canonical, the whole process: egressd beside firehol's iprange (Debian package `iprange`), the
# same file, in turn. Prints the medians of time and of peak memory, and egressd's as a share of iprange's.
#
#   benches/canonicalise.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v iprange >/dev/null || { echo 'benches/canonicalise.sh: iprange is missing: apt-get install iprange' >&2; exit 2; }
cargo build --release --quiet --offline --locked

python3 - "${1:-11}" <<'PY'
import ipaddress, os, random, statistics, subprocess, sys, tempfile, time

PREFIXES = 1_000_000
RUNS = int(sys.argv[1])


def prefixes():
    """IPv4 alone, which is all that Debian's iprange reads; half of them /24, neighbours and nested ones among them."""
    numbers = random.Random(7)
    for _ in range(PREFIXES):
        length = numbers.choices([16, 20, 22, 24, 28, 32], [1, 10, 10, 60, 10, 9])[0]
        first = numbers.randrange(1 << 24, 224 << 24) >> (32 - length) << (32 - length)
        yield f"{first >> 24}.{first >> 16 & 255}.{first >> 8 & 255}.{first & 255}/{length}\n"


def run(command, output):
    """Seconds and peak MB of one run."""
    start = time.perf_counter()
    with open(output, "wb") as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def same(one, other):
    """Whether two lists are the same prefixes, one of them with single addresses left bare."""
    whole = lambda line: line if "/" in line else line + "/32"
    return [whole(line) for line in open(one).read().split()] == [whole(line) for line in open(other).read().split()]


with tempfile.TemporaryDirectory() as folder:
    path = lambda name: os.path.join(folder, name)
    with open(path("list"), "w") as out:
        out.writelines(prefixes())
    commands = {
        "iprange": ["iprange", path("list")],
        "egressd": ["target/release/egressd", "ranges", "aggregate", path("list")],
    }
    seen = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            seen[name].append(run(command, path(name)))
    assert same(path("iprange"), path("egressd")), "the two do not agree"
    print(f"{PREFIXES:,} prefixes, {RUNS} runs in turn: median seconds, peak MB")
    median = {name: [statistics.median(column) for column in zip(*runs)] for name, runs in seen.items()}
    for name, (seconds, megabytes) in median.items():
        print(f"{name:<8} {seconds:6.3f} {megabytes:6.1f}")
    ratios = [own[0] / other[0] for own, other in zip(seen["egressd"], seen["iprange"])]
    print(f"time {statistics.median(ratios):.2f} of iprange's (pair by pair {min(ratios):.2f} to {max(ratios):.2f})")
    print(f"memory {median['egressd'][1] / median['iprange'][1]:.2f} of iprange's")
PY
