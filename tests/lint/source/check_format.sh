#!/bin/bash
# clang-format 14 has nothing to change under src/, cuda/ and tests/ of the tree ROOT.
# check_format.sh ROOT
set -euo pipefail
cd "$1"
format=
for name in clang-format-14 clang-format; do
    command -v $name >/dev/null && $name --version | grep -q 'version 14\.' && format=$name && break
done
if [[ -z $format ]]; then
    echo "Skipped: clang-format 14 is not installed; other versions format differently"
    exit 77
fi
find src cuda tests -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) -print0 2>/dev/null |
    xargs -0 $format --dry-run -Werror
