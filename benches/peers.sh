#!/bin/sh
# Installs the peers that are missing, builds the bench, and runs it where no packet can leave the machine.
# Arguments go to the bench: [--only TOOL] [--rate N] [--runs N] [--wan] [--throughput]
set -eu
cd "$(dirname "$0")/.."

packages=
for pair in nmap:nmap masscan:masscan zmap:zmap fping:fping \
    prometheus-blackbox-exporter:prometheus-blackbox-exporter time:time nft:nftables; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || packages="$packages ${pair#*:}"
done
if [ -n "$packages" ]; then
    echo "installing:$packages" >&2
    # Runlevel 1 keeps the packages from starting their services.
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    # shellcheck disable=SC2086 # a list of words
    $as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >&2
fi
[ -x target/peers/bin/rustscan ] || cargo install rustscan --version 2.4.1 --locked --root target/peers >&2

cargo bench --bench peers --no-run >&2
bench=$(cargo bench --bench peers --no-run --message-format json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*peers-[^"]*\)".*/\1/p')
# -r maps the user to root there, so that an ordinary user can make the network namespace as well.
exec unshare -rn "$bench" "$@"
