#!/bin/bash
# Ratings of the demo's answers by simulated raters: run, aggregate, calibrate, and a job with the
# thresholds that came out.
# people.sh PROGRAM SOURCES FOLDER
set -euo pipefail
program=$1 sources=$2
data=$sources/data/demo
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scratch.sh"
scratch "$3"
cd "$folder"

fail() {
    echo "FAILED: $1"
    exit 1
}

# code WANTED COMMAND… : the exit code; said.out and said.err
code() {
    local wanted=$1 got=0
    shift
    "$program" "$@" >said.out 2>said.err || got=$?
    [[ $got == "$wanted" ]] || { cat said.err; fail "gapeval $*: exit code $got, wanted $wanted"; }
}

# says WORDS : the last command's output or messages hold them
says() {
    grep -qF -- "$1" said.out said.err || { cat said.out said.err; fail "not said: $1"; }
}

awk -v part=0.4 -v error=0.08 -f "$here/raters.awk" "$data/truth.jsonl" >ratings.csv
answers=$data/systems
cat >job.json <<JOB
{
  "name": "rated",
  "dataset": {"path": "$data/items.jsonl", "limit": 120},
  "systems": [
    {"name": "says-not-shows", "answers": "$answers/says-not-shows/answers.jsonl"},
    {"name": "even", "answers": "$answers/even/answers.jsonl"}
  ],
  "encoders": {"clip": {"model": "$data/clip"}, "sentence": {"model": "$data/sentence"}},
  "scoring": {
    "roles": {"image_text": "clip", "image_image": "clip", "text_text": "sentence"},
    "tasks": {"open": {"metrics": ["similarity.text_text.reference"], "verdict": {"rule": "alias"}}}
  },
  "aggregation": {"by": []},
  "ratings": {"file": "ratings.csv", "drawn": "random", "verdict": {"dimension": "quality", "min": 3}},
  "output": {"dir": "out"}
}
JOB

# ---- ratings of systems that the job lacks are an error before any work ----------------------------

code 1 plan job.json
says 'ratings.csv line '
says 'the name of a system in the run'
grep -e '^item' -e ',says-not-shows,' -e ',even,' ratings.csv >ours.csv
sed -i 's/"ratings.csv"/"ours.csv"/' job.json
code 0 plan job.json
says 'ratings   557 by 3 raters on 1 dimensions; 537 outside the selection; drawn: random'

# ---- run, and everything again from the store -------------------------------------------------------

code 0 run job.json --quiet
cp said.out run.md
says '### People'
says '### Corrected by human ratings'
mkdir alone
cp out/rated/results.h5 out/rated/results.h5.sum alone
code 0 aggregate alone/results.h5 --output again
cmp said.out run.md || fail "the tables differ from the run's"
cmp again/summary.json out/rated/summary.json || fail "summary.json differs from the run's"
code 0 verify out/rated
code 0 run job.json --quiet
cmp said.out run.md || fail "the finished run's tables differ"

# The same ratings given later to a run without any: the same people, the same corrections.
code 0 run job.json --quiet --set ratings=null --set name=bare
grep -q '### People' said.out && fail "people without ratings"
code 0 digest out/rated out/bare
[[ $(cut -d' ' -f1 said.out | sort -u | wc -l) == 1 ]] || fail "ratings change the digest"
code 0 aggregate out/bare --ratings ours.csv --set ratings.drawn=random \
    --set ratings.verdict.dimension=quality --set ratings.verdict.min=3
says '537 ratings are about items that the store does not have'
cmp said.out run.md || fail "ratings given later give other tables"
code 0 run job.json --quiet --set name=bare
says 'other ratings, or none, and keeps them'

# ---- the correction is right, and is refused where it would not be --------------------------------------

# Raters call right what is right in 92 of 100 cases and 8 in 100 of the rest: that is what corrected
# shares estimate. The verdicts alone miss it for a system whose und is .946.
check='
import json
people = json.load(open("out/rated/summary.json"))["people"]
assert people["raters"] == 3 and people["drawn"] == "random"
items = {json.loads(line).get("id") for line in list(open("DATA/items.jsonl"))[1:121]}
truth = {}
for line in open("DATA/truth.jsonl"):
    t = json.loads(line)
    if t["item"] in items: truth.setdefault(t["system"], []).append((t["und"], t["gen"]))
inside = {"corrected": 0, "people": 0}
narrow = 0
for c in people["corrections"]:
    assert c["reason"] is None and c["items"] == 120, c
    wanted = [sum(0.92 * x[d] + 0.08 * (1 - x[d]) for x in truth[c["system"]]) / 120 for d in (0, 1)]
    for kind in inside:
        for d, share in enumerate(("und", "gen")):
            e = c[kind][share]
            inside[kind] += e["lo"] <= wanted[d] <= e["hi"]
    for share in ("und", "gen"):
        width = [c[kind][share]["hi"] - c[kind][share]["lo"] for kind in ("corrected", "people")]
        narrow += width[0] < width[1]
    cells = sum(c["corrected"][k]["value"] for k in ("p11", "p10", "p01", "p00"))
    assert abs(cells - 1) < 0.05, cells
assert inside["corrected"] >= 3 and inside["people"] >= 3, inside
assert narrow == 4, narrow
for v in people["verdicts"]:
    assert 0.85 < v["agreement"]["value"] < 0.98 and v["kappa"] > 0.85, v
alpha = people["dimensions"][0]["alpha"]
assert 0.3 < alpha["interval"]["lo"] < alpha["interval"]["value"] < alpha["interval"]["hi"] < 0.7, alpha
'
if command -v python3 >/dev/null; then
    python3 -c "${check//DATA/$data}" || fail "summary.json says something else about people"
else
    echo "no python3: the figures of summary.json are not checked"
fi
code 0 aggregate out/rated --set ratings.drawn=other
says 'No correction: the rated answers are no random subset (ratings.drawn: other).'
code 0 aggregate out/rated --set ratings.drawn=random_within:skill
says '| says-not-shows | corrected | 120 |'
code 1 aggregate out/rated --set ratings.drawn=chosen
says 'ratings.drawn: found "chosen"'
code 1 aggregate out/rated --set seed=3
says "allowed here: aggregation.* and ratings.*"
code 1 aggregate out/rated --ratings ratings.csv
says 'system: found "shows-not-says"'

# ---- calibrate, and a job with its thresholds ---------------------------------------------------------------

code 0 inspect out/rated
says 'ratings   557 by 3 raters on 1 dimensions'
rated=$(sed -n 's/,even,und,.*//p' ours.csv | head -1)
code 0 inspect out/rated --item "$rated" --system even
says '  rating  quality by rater 1: '
code 0 calibrate out/rated --out thresholds.json --roc curves.csv
awk -F, 'NR == 1 { next }
    $1 "," $2 != last { if ($4 !~ /^-?inf$/ || $5 + $6 != 0) exit 1; last = $1 "," $2; n++; fpr = tpr = 0 }
    $5 + 0 < fpr || $6 + 0 < tpr { exit 1 }
    { fpr = $5 + 0; tpr = $6 + 0 }
    END { if (n < 8) exit 1 }' curves.csv || fail "a ROC curve does not rise from (0, 0)"
cp said.out calibrated.md
says '### Task generation'
says '| similarity.image_text.margin ★ |'
code 0 calibrate out/bare --ratings ours.csv --min 3
cmp <(sed -n '/^### Task/,$p' said.out) <(sed -n '/^### Task/,$p' calibrated.md) ||
    fail "calibration depends on where the ratings came from"
code 0 calibrate out/rated --metric similarity.image_text.margin --task generation --by youden
[[ $(grep -c '^| similarity' said.out) == 1 ]] || fail "--metric and --task choose something else"
code 1 calibrate out/rated --metric no.such
says 'no.such'
code 1 calibrate out/bare
says 'holds no ratings'
code 1 calibrate out/bare --ratings ours.csv
says 'allowed: --min NUMBER'
sed -e 's/"name": "rated"/"name": "judged"/' \
    -e 's/"rule": "alias"}}}/"rule": "threshold", "metric": "similarity.text_text.reference"}}},\n    "thresholds": {"$file": "thresholds.json"}/' \
    job.json >judged.json
code 0 plan judged.json
says 'open: rule threshold on similarity.text_text.reference >= 0.'
