#!/bin/bash
# The documents of metrics are true: docs/metrics.md is what the program writes, and every example of
# docs/metric-notes.md has the values that stand there. notes.sh PROGRAM SOURCES FOLDER
set -euo pipefail
program=$1 sources=$2
. "$(dirname "$0")/../../scratch.sh"
scratch "$3"
cd "$folder"
ln -s "$sources/data" data
problems=0 checked=0

problem() {
    echo "FAILED: $*"
    problems=$((problems + 1))
}

# expected LINE: what "expect" holds, as `"name":value`, one a line
expected() {
    local inside=${1##*'"expect": {'}
    inside=${inside%'}}'}
    [[ -z $inside ]] || sed 's/, "/\n"/g; s/": /":/g' <<<"$inside"
}

# has TEXT WANTED: TEXT has `"name":value`, or nothing of that name where the value is null
has() {
    checked=$((checked + 1))
    case $2 in
    *:null) [[ $1 != *"${2%null}"* ]] ;;
    *) [[ $1 == *"$2"[,}]* ]] ;;
    esac
}

# corpus_has ROWS TASK WANTED: one row of the summary's corpus has that metric, task and value
corpus_has() {
    checked=$((checked + 1))
    grep -F "\"metric\":${3%%:*},\"task\":\"$2\"," <<<"$1" | grep -qF "\"value\":${3#*:}}"
}

# The names to ask for: those in "expect", without the name of an encoder behind them.
names() {
    local line
    while IFS= read -r line; do expected "$line"; done <"$1" | sed 's/^"//; s/":.*//' |
        sed -E '/^error$/d; s/^(cmmd|kid\.full|pairwise_cosine)\..*/\1/' | sort -u | paste -sd,
}

run_block() {
    local line said rows task want wanted at=0
    local encoders=()
    grep -v '^{"corpus of"' "$1" >predictions.jsonl
    wanted=$(names "$1")
    if grep -qE 'similarity|embedding|clipscore|bertscore|cmmd|kid|cosine' <<<"$wanted"; then
        encoders=(--encoder clip=data/demo/clip --encoder sentence=data/demo/sentence
            --encoder bertscore=data/demo/sentence)
    fi
    "$program" metrics --predictions predictions.jsonl --metric "$wanted" --out said.jsonl \
        "${encoders[@]}" >output 2>&1 || true
    [[ -e said.jsonl ]] || { problem "no values of $(head -1 "$1"): $(cat output)"; return; }
    mapfile -t said <said.jsonl
    rows=$(sed 's/{"metric"/\n&/g; s/\]}$//' <<<"${said[-1]}" | sed 's/,$//')
    while IFS= read -r line; do
        task=$(sed -n 's/^{"corpus of": "\([^"]*\)".*/\1/p' <<<"$line")
        while IFS= read -r want; do
            if [[ -n $task ]]; then
                corpus_has "$rows" "$task" "$want" || problem "corpus of $task: $want, found $rows"
            else
                has "${said[at]}" "$want" || problem "$want, found ${said[at]}"
            fi
        done < <(expected "$line")
        [[ -n $task ]] || at=$((at + 1))
    done <"$1"
    rm said.jsonl
}

"$program" docs metrics >metrics.md
cmp metrics.md "$sources/docs/metrics.md" ||
    problem "docs/metrics.md differs from the tables: write it again with \`gapeval docs metrics\`"

awk '/^```json$/ {n++; inside = 1; next} /^```$/ {inside = 0} inside {print >sprintf("block-%02d", n)}' \
    "$sources/docs/metric-notes.md"
for block in block-*; do run_block "$block"; done
echo "$checked values of docs/metric-notes.md"
[[ $checked -gt 200 ]] || problem "only $checked values were found in docs/metric-notes.md"
[[ $problems == 0 ]]
