#!/usr/bin/env bash
# Install what is missing, build, and run the demo on two MPI ranks.
#
#   jobs/demo.sh [gapeval run options]     e.g. jobs/demo.sh --limit 40
#
# The result is in out/demo/: results.h5, summary.json, samples.csv.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs/setup.sh
mkdir -p build
cmake --preset release -DGE_TESTS=OFF >build/demo.log 2>&1 || { cat build/demo.log >&2; exit 1; }
cmake --build --preset release --target gapeval >>build/demo.log 2>&1 || { tail -n 40 build/demo.log >&2; exit 1; }

# More ranks than cores, and root in a container, must both work.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1
mpirun --oversubscribe -np "${RANKS:-2}" build/release/bin/gapeval run jobs/demo.json "$@"
