#!/bin/bash
# The snippets of docs/store.md (and of the README, if it has one) give the same figures as
# samples.csv. pandas.sh PROGRAM SOURCES FOLDER
set -euo pipefail
program=$1 sources=$2
python=
for name in /usr/bin/python3 python3; do
    "$name" -c 'import h5py, pandas' 2>/dev/null && python=$name && break
done
if [[ -z $python ]]; then
    echo "Skipped: no python3 with h5py and pandas (python3-h5py, python3-pandas)"
    exit 77
fi
. "$(dirname "$0")/../../scratch.sh"
scratch "$3"
"$program" run "$sources/jobs/demo.json" --output "$folder" --quiet --limit 12 --embeddings >/dev/null
cd "$folder/demo"

# snippet FILE : all its python blocks
snippet() {
    awk '/^```/ { if (inside) { inside = 0 } else if (/python/) { inside = 1; next } }
         inside { print }' "$1"
}

cat >check.py <<'PYTHON'

import csv
import json

rows = list(csv.DictReader(open("samples.csv", newline="", encoding="utf-8")))
wanted = [(r["system"], r["item"], r["direction"], float(r["verdict"])) for r in rows if r["verdict"]]
got = list(zip(df.system, df.item, df.direction, df.value))
assert got == wanted and len(got) > 50, (len(got), len(wanted))
names = {k: v.asstr()[:] for k, v in f["names"].items()}
scores = pd.DataFrame({k: names[k][v[:]] if k in names else v[:] for k, v in f["scores"].items()})
metric = "similarity.image_text.margin"
wanted = [float(r[metric]) for r in rows if r[metric]]
got = list(scores[scores.metric == metric].value)
assert got == wanted and len(got) > 0, (len(got), len(wanted))
PYTHON
cat >check_more.py <<'PYTHON'

even = df[(df.system == "even") & (df.direction == "und")].value.mean()
assert abs(accuracy["even", "counting", "und"] - even) < 1e-12
recorded = [json.loads(line) for line in open(SOURCES + "/data/demo/systems/even/answers.jsonl")]
wanted = [r["text"] for r in recorded if "text" in r][:12]
got = [t for t, s, d in zip(texts, f["responses/system"][:], f["responses/direction"][:])
       if names["system"][s] == "even" and names["direction"][d] == "und"]
assert got == wanted, (got, wanted)
assert len(vectors) == len(f["embeddings/dim"]) and all(abs((v * v).sum() - 1) < 1e-5 for v in vectors)
assert len(records) == 12 and records[0]["id"] == "counting-001"
PYTHON

{ snippet "$sources/docs/store.md"; echo "SOURCES = '$sources'"; cat check.py check_more.py; } >store.py
"$python" store.py
if [[ -e $sources/README.md ]] && snippet "$sources/README.md" | grep -q h5py; then
    # The README opens the store where the demo leaves it.
    { snippet "$sources/README.md" | sed -E 's/"[^"]*results\.h5"/"results.h5"/'; cat check.py; } >readme.py
    "$python" readme.py
fi

# A wrong figure is noticed.
sed -i '2s/,ok,[01],/,ok,0.5,/' samples.csv
if "$python" store.py 2>/dev/null; then echo "FAILED: a wrong verdict was not noticed"; exit 1; fi
