#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds evagg-watch and shows it on this machine for ten seconds while a small workload runs beside it: a compiler,
# a local web server with requests, and pings. Without root it replays a capture from the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

capture=examples/evagg-watch/demo.pcap
watch=build/release/examples/evagg-watch/evagg-watch

if [ -e build ] && [ ! -w build ]; then
    echo "demo: build/ belongs to another user; remove it, or try in a clone of your own" >&2
    exit 1
fi
cmake --preset release >/dev/null
cmake --build --preset release --target evagg-watch -- --no-print-directory

replay() {
    echo
    echo "$1; replaying $capture instead, in windows of 1 s."
    echo
    "$watch" --pcap "$capture" --interval 1
    exit
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || replay "Watching live needs root, and sudo is missing or asks for a password"
    as_root=(sudo -n)
fi

work=$(mktemp -d)
server=
load=
finish() {
    touch "$work/stop"
    if [ -n "$load" ]; then wait "$load" || true; fi
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

# Port 0: the system picks a free one, and the server prints it.
mkdir "$work/www"
echo '<p>evagg demo</p>' >"$work/www/index.html"
printf 'int main(void) { return 0; }\n' >"$work/hello.c"
python=$(python3 -c 'import sys; print(sys.executable)') # past any wrapper script, which starts processes of its own
PYTHONUNBUFFERED=1 "$python" -m http.server 0 --bind 127.0.0.1 --directory "$work/www" >"$work/server.log" 2>&1 &
server=$!

workload() {
    local port=
    while [ ! -e "$work/stop" ] && [ "$SECONDS" -lt 60 ]; do
        for _ in 1 2 3; do
            gcc -pipe -O2 -c -o "$work/hello.o" "$work/hello.c" # -pipe: no temporary names in the command lines
        done
        port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\).*/\1/p' "$work/server.log")
        if [ -n "$port" ]; then
            for _ in 1 2 3; do
                "$python" -c "import http.client as h; c = h.HTTPConnection('127.0.0.1', $port); c.request('GET', '/'); c.getresponse().read()" || true
            done
        fi
        if command -v ping >/dev/null 2>&1; then ping -c 2 -i 0.2 127.0.0.1 || true; fi
        sleep 0.5
    done
}
workload >/dev/null 2>&1 &
load=$!

echo
echo "Watching this machine: two windows of 5 s, beside a compiler, a local web server and pings."
echo
status=0
"${as_root[@]}" "$watch" --interval 5 --count 2 || status=$?
if [ "$status" -ne 0 ]; then
    # A container may lack the rights although its user is root.
    replay "Watching live failed with exit code $status"
fi
