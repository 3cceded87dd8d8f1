#!/usr/bin/env bash
# Install what is missing, build with gcc, clang and sanitizers, and run every test.
#
#   tests/run.sh [ctest options for all runs]     e.g. tests/run.sh -L unit
#
# Three builds: release with gcc (all tests; the CUDA module too, if nvcc is there), ASan + UBSan with
# gcc (all tests, smaller counts), release with clang (compiled with all warnings as errors, unit
# tests).
set -euo pipefail
cd "$(dirname "$0")/.."

jobs/setup.sh --tests
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
parallel=$(nproc)

step() { printf '\n== %s\n' "$*"; }
build() {
    local folder=build/$1
    shift
    cmake -S . -B "$folder" -G Ninja "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
    cmake --build "$folder" >>"$folder.log" 2>&1 || { grep -E -A8 'error|FAILED' "$folder.log" >&2; exit 1; }
}
mkdir -p build

step "release, gcc"
build release -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=gcc -DGE_TESTS=ON
ctest --test-dir build/release --output-on-failure -j "$parallel" "$@"

step "AddressSanitizer and UndefinedBehaviorSanitizer, gcc"
build asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=gcc -DGE_SANITIZE=address,undefined -DGE_TESTS=ON \
    -DGE_CUDA=OFF
ctest --test-dir build/asan --output-on-failure -j "$parallel" "$@"

step "release, clang"
build clang -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
    -DGE_TESTS=ON -DGE_CUDA=OFF
# The emulated GPU has run twice by now.
ctest --test-dir build/clang --output-on-failure -j "$parallel" -L unit -LE cuda "$@"
