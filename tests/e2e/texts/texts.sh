#!/bin/bash
# The demo of texts finds the planted faults, and people's ratings correct what it misses; wrong results are noticed.
# texts.sh PROGRAM SOURCES FOLDER
set -euo pipefail
program=$1 sources=$2
data=$sources/data/demo/texts
. "$(dirname "$0")/../../scratch.sh"
here=$(cd "$(dirname "$0")" && pwd)
scratch "$3"

check() { # RUN
    python3 "$here/check.py" "$data" "$1"
}

notices() { # WORDS RUN
    if check "$2" >"$folder/said" 2>&1; then
        echo "FAILED: not noticed: $1"
        exit 1
    fi
    grep -q -- "$1" "$folder/said" || { cat "$folder/said"; echo "FAILED: noticed for another reason: $1"; exit 1; }
}

"$program" run "$sources/jobs/demo-texts.json" --output "$folder/good" --quiet >"$folder/good.md"
good=$folder/good/demo-texts
check "$good"

# The same tables from the store alone.
"$program" aggregate "$good" --output "$folder/again" --quiet
cmp "$good/summary.json" "$folder/again/summary.json"
cmp "$good/samples.csv" "$folder/again/samples.csv"

# Another system's answers under this one's name must be noticed.
mkdir "$folder/swapped"
cp "$data/"*.jsonl "$folder/swapped/"
sed 's/"system": "omits"/"system": "faithful"/' "$data/omits.jsonl" >"$folder/swapped/faithful.jsonl"
systems=
for name in faithful templated omits invents disobeys; do
    systems+="${systems:+, }"'{"name": "'$name'", "answers": "'$folder/swapped/$name.jsonl'"}'
done
"$program" run "$sources/jobs/demo-texts.json" --output "$folder/bad" --quiet --set "systems=[$systems]" >"$folder/bad.md"
notices 'faithful: missing-details' "$folder/bad/demo-texts"
