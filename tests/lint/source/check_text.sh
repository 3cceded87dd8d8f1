#!/bin/bash
# Words and paths that must not be in the tree ROOT: notes to self, paths of the machine that
# something was made on, and deletions that trust an argument. check_text.sh ROOT
set -euo pipefail
cd "$1"
failed=0

# forbid PATTERN WHY FOLDERS... : text files only; brackets keep this file from matching itself
forbid() {
    local pattern=$1 why=$2
    shift 2
    if grep -rnIE --exclude-dir=.git --exclude-dir=build --exclude-dir=out --exclude-dir=shared \
            --exclude-dir=__pycache__ "$pattern" "$@" >&2; then
        echo "$why" >&2
        failed=1
    fi
}

forbid '\b(TO[D]O|FIX[M]E|X[X]X)\b' 'do it or leave it out' .
forbid '/[w]ork/|/[r]oot/|/[h]ome/[a-z]|/[t]mp/build' 'a path of one machine' .
forbid '/[t]mp/' 'ask for a folder instead' src
forbid '[r]m -[a-z]*r[a-z]* +"?\$(\{?[1-9@*]|folder"? *$)' 'delete only what mktemp made: tests/scratch.sh' .
exit $failed
