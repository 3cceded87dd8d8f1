#!/usr/bin/env bash
# Install what building (and with --tests, testing) gapeval needs, on Debian 12 and Ubuntu 24.04.
#
#   jobs/setup.sh [--tests]
#
# Packages that are there already are left alone; without root it uses sudo, and without either it
# says what to ask an administrator for. Sourced by nobody; called by jobs/demo.sh and tests/run.sh.
set -euo pipefail

packages=(
    gcc libc6-dev cmake ninja-build pkg-config git
    libopenmpi-dev openmpi-bin      # message passing
    libhdf5-dev                     # the store
    libcjson-dev                    # JSON
    libdnnl-dev                     # fast CPU matrix products
    libhwloc-dev                    # CPUs near a GPU
    libjpeg-dev libspng-dev libwebp-dev zlib1g-dev # images (zlib: and the compression ratio)
    libutf8proc-dev libpcre2-dev    # tokenizers
    libxxhash-dev                   # hashes
)
if [ "${1:-}" = --tests ]; then
    packages+=(
        libcmocka-dev clang clang-format # unit tests, the second compiler, the style
        g++                              # the CUDA sources run on the CPU as C++
        python3-h5py python3-pandas                      # one test reads the store with them
    )
fi

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

if ! command -v apt-get >/dev/null; then
    echo "setup: this is no Debian or Ubuntu. Install by your own package manager or modules:" >&2
    printf '  %s\n' "${packages[@]}" >&2
    echo "then configure with: cmake --preset release" >&2
    exit 0
fi

missing=()
for p in "${packages[@]}"; do
    installed "$p" || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: these packages are missing, and neither root nor sudo is at hand:" >&2
        echo "  ${missing[*]}" >&2
        echo "ask an administrator for: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

echo "setup: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { "${as_root[@]}" apt-get update -qq &&
       "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/tmp/gapeval-setup.$$ 2>&1; then
    tail -n 20 /tmp/gapeval-setup.$$ >&2
    rm -f /tmp/gapeval-setup.$$
    echo "setup: apt-get failed (see above). Is the network there, and the package list current?" >&2
    echo "Install by hand, then run this command again: apt-get install ${missing[*]}" >&2
    exit 1
fi
rm -f /tmp/gapeval-setup.$$
