# Common ground of the tests with bad input: sourced, with PROGRAM SOURCES FOLDER as arguments.
# Makes FOLDER/base, a small job of four items with everything it names; `fresh` copies it to
# FOLDER/case and goes there. GE_SANITIZE in the environment: a slow build, do less.
set -euo pipefail
program=$1 sources=$2
demo=$sources/data/demo
. "$(dirname "$0")/../../scratch.sh"
scratch "$3"
problems=0
cases=0

# HDF5 1.10 itself forgets memory when a damaged file stops it.
printf 'leak:libhdf5\n' >"$folder/leaks.txt"
export LSAN_OPTIONS=suppressions=$folder/leaks.txt:print_suppressions=0

base=$folder/base
mkdir -p "$base/even/images" "$base/images"
ids='counting-001|counting-003|attribute-013|place-003'
{
    head -n 1 "$demo/items.jsonl"
    grep -E "^\{\"id\": \"($ids)\"" "$demo/items.jsonl"
} >"$base/items.jsonl"
grep -E "\"item\": \"($ids)\"" "$demo/systems/even/answers.jsonl" >"$base/even/answers.jsonl"
for file in $(grep -oE '"images/[^"]*"' "$base/items.jsonl" | tr -d '"'); do
    cp "$demo/$file" "$base/$file"
done
for file in $(grep -oE '"images/[^"]*"' "$base/even/answers.jsonl" | tr -d '"'); do
    cp "$demo/systems/even/$file" "$base/even/$file"
done
ln -s "$demo/clip" "$base/clip"
ln -s "$demo/sentence" "$base/sentence"
cat >"$base/job.json" <<'JOB'
{
  "name": "small",
  "dataset": {"path": "items.jsonl"},
  "systems": [{"name": "even", "answers": "even/answers.jsonl"}],
  "encoders": {"clip": {"model": "clip"}, "sentence": {"model": "sentence"}},
  "scoring": {
    "roles": {"image_text": "clip", "image_image": "clip", "text_text": "sentence"},
    "tasks": {"open": {"metrics": ["similarity.text_text.reference"], "verdict": {"rule": "alias"}}}
  },
  "output": {"dir": "out"}
}
JOB

problem() {
    echo "FAILED: $name: $*"
    sed 's/^/    /' said | cut -c1-300 | head -n 20
    problems=$((problems + 1))
}

# fresh NAME : a new case
fresh() {
    name=$1
    cases=$((cases + 1))
    cd "$folder"
    rm -rf "${folder:?}/case"
    cp -r base case
    cd case
    : >said
}

# own NAME : turn the link to a model folder into a copy that may be spoilt
own() {
    rm "$1"
    cp -r "$demo/$1" "$1"
}

# call ARGUMENT... : run the program for 20 s at most; sets rc, words go to the file said
call() {
    rc=0
    timeout -k 5 20 "$program" "$@" >stdout 2>said </dev/null || rc=$?
    [[ $rc != 124 && $rc != 137 ]] || problem "hangs: $*"
    if grep -qE 'Sanitizer|runtime error:' said; then problem "sanitizer report: $*"; fi
    [[ $rc -lt 128 ]] || problem "died of signal $((rc - 128)): $*"
}

said_all() {
    local word
    for word in "$@"; do
        grep -qF -- "$word" said || problem "does not say \"$word\""
    done
}

# refused WORD... : the job is refused with exit code 1 and these words; nothing was stored
refused() {
    call run job.json --quiet
    [[ $rc == 1 ]] || problem "exit code $rc, wanted 1"
    [[ ! -e out/small/results.h5 ]] || problem "results were stored"
    said_all "$@"
}

# rows PATTERN... : the run succeeds, and samples.csv has a line for each pattern
rows() {
    call run job.json --quiet
    [[ $rc == 0 ]] || { problem "exit code $rc, wanted 0"; return; }
    local pattern
    for pattern in "$@"; do
        grep -qE -- "$pattern" out/small/samples.csv || {
            grep -v ',ok,' out/small/samples.csv >said || true
            problem "no row like $pattern"
        }
    done
    call verify out/small
    [[ $rc == 0 ]] || problem "the store is not sound"
}

# command_fails WORDS ARGUMENT... : another command, exit code 1
command_fails() {
    local words=$1
    shift
    call "$@"
    [[ $rc == 1 ]] || problem "exit code $rc, wanted 1: $*"
    cat stdout >>said
    said_all "$words"
}

finish() {
    echo "$cases cases, $problems problems"
    [[ $cases -gt 0 && $problems == 0 ]]
}
