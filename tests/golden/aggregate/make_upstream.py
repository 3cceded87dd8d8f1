"""upstream.txt from public.json: the published Gap Score script's own output on 24 random models of four
categories each, run with PyTorch in float32 and without vector instructions (ATEN_CPU_CAPABILITY=default).
python make_upstream.py public.json

public.json: {"inputs": {model: [[p11, p10, p01, p00], …]},
              "upstream_outputs": {"f32scalar": {model: {"gaps": […], "gap_mean": …}}}}.
The script itself is not part of this project. One line a category: model, the four cells, the gap; then
one line with the model's mean."""
import json
import sys

data = json.load(open(sys.argv[1]))
want = data["upstream_outputs"]["f32scalar"]
with open("upstream.txt", "w") as out:
    for model, rows in data["inputs"].items():
        for row, gap in zip(rows, want[model]["gaps"]):
            print("row", model, *row, gap, file=out)
        print("mean", model, want[model]["gap_mean"], file=out)
