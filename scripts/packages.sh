# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# For the setup scripts, which source it: collects the Debian packages that are missing and installs them.

# In front, as rustup puts it, so that a cargo among the system's packages does not take the place of rustup's.
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
missing=()

need_command() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need_library() { pkg-config --exists "$1" 2>/dev/null || missing+=("$2"); }

install_missing() {
    if [ "${#missing[@]}" -eq 0 ]; then return; fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: missing, by their Debian names: ${missing[*]}" >&2
        echo "setup: this system has no apt-get; install what corresponds, then run this again" >&2
        exit 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "setup: missing packages; as root, run: apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo -n)
    fi
    echo "setup: installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    missing=()
}
