#!/bin/bash
# The demo's figures are the planted ones, and wrong ones are noticed.
# demo.sh PROGRAM CHECKER SOURCES FOLDER
set -euo pipefail
program=$1 checker=$2 sources=$3
data=$sources/data/demo
. "$(dirname "$0")/../../scratch.sh"
scratch "$4"

fail() {
    echo "FAILED: $1"
    exit 1
}

# check RUN TABLE SYSTEMS
check() {
    "$checker" "$data" "$data/confusion.json" "$1" "$2" "$3"
}

# notices WORDS RUN TABLE SYSTEMS : the checker must complain about this
notices() {
    local words=$1
    shift
    if check "$@" >"$folder/said" 2>&1; then fail "not noticed: $words"; fi
    grep -q -- "$words" "$folder/said" || { cat "$folder/said"; fail "noticed for another reason: $words"; }
}

# run NAME ARGUMENT... : standard output to NAME.md
run() {
    local name=$1
    shift
    "$program" run "$sources/jobs/demo.json" --output "$folder/$name" --quiet "$@" >"$folder/$name.md"
}

# The confusion was measured on these very weights.
sum=$(sha256sum "$data/clip/model.safetensors" | cut -d' ' -f1)
grep -q "\"weights_sha256\": \"$sum\"" "$data/confusion.json" ||
    fail "confusion.json is about other weights: run data/demo/confusion.py"

run good
check "$folder/good/demo" "$folder/good.md" 5
"$program" verify "$folder/good/demo" >/dev/null

# Wrong verdicts: pictures must now beat the near misses by far.
even='systems=[{"name": "even", "answers": "'$data'/systems/even/answers.jsonl"}]'
run strict --set "$even" --set 'scoring.tasks.generation.verdict={"rule": "contrastive",
    "metric": "similarity.image_text.margin", "margin": 0.05}'
notices 'even, overall : printed gen' "$folder/strict/demo" "$folder/strict.md" 1

# Wrong answers: another system's under this one's name.
mkdir -p "$folder/swapped"
ln -s "$data/systems/says-not-shows/images" "$folder/swapped/images"
sed 's/"system": "says-not-shows"/"system": "even"/' "$data/systems/says-not-shows/answers.jsonl" \
    >"$folder/swapped/answers.jsonl"
run swapped --set 'systems=[{"name": "even", "answers": "'"$folder"'/swapped/answers.jsonl"}]'
notices 'even, overall : table.k11' "$folder/swapped/demo" "$folder/swapped.md" 1

# One und verdict, one error row, one printed figure that are not what they should be.
tampered=$folder/tampered
cp -r "$folder/good/demo" "$tampered"
good=$folder/good/demo
sed '/^even,counting-001,und,/s/,ok,1,/,ok,0,/' "$good/samples.csv" >"$tampered/samples.csv"
notices 'even, counting-001, und: judged 0, drawn 1' "$tampered" "$folder/good.md" 5
sed '/^even,counting-001,und,/s/,ok,1,/,format,,/' "$good/samples.csv" >"$tampered/samples.csv"
notices 'a good answer is an error row' "$tampered" "$folder/good.md" 5
sed '/^even,counting-001,und,/d' "$good/samples.csv" >"$tampered/samples.csv"
notices 'no row in samples.csv' "$tampered" "$folder/good.md" 5
cp "$good/samples.csv" "$tampered/"
sed '0,/^| even | 240 | /s//| even | 239 | /' "$folder/good.md" >"$folder/tampered.md"
notices 'printed n' "$good" "$folder/tampered.md" 5
notices '5 systems, wanted 4' "$good" "$folder/good.md" 4
