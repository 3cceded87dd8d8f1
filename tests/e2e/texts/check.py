"""Does a run of the demo of texts find what was planted? check.py DATA RUN; every difference is printed."""
import csv
import json
import sys
from pathlib import Path

data, run = map(Path, sys.argv[1:3])
truth = [json.loads(line) for line in (data / "truth.jsonl").read_text().splitlines()]
summary = json.loads((run / "summary.json").read_text())
samples = list(csv.DictReader((run / "samples.csv").open(newline="")))
systems = list(dict.fromkeys(r["system"] for r in samples))
problems = []


def wrong(text):
    problems.append(text)
    print(text)


def planted(system, fault):
    """Items of a system with this fault."""
    return {r["item"] for r in truth if r["system"] == system and fault in r["planted"]}


def scored(system, metric, faulty):
    """Items whose generation has this metric and shows the fault by it."""
    return {r["item"] for r in samples
            if r["system"] == system and r["direction"] == "gen" and r[metric] != "" and faulty(float(r[metric]))}


def diagnosis(system, kind):
    """Number of items that a diagnosis was made in, over all categories."""
    rows = [d for d in summary["diagnoses"] if d["system"] == system and d["kind"] == kind and d["category"] is None]
    return rows[0] if rows else {"n": 0, "shown": 0, "share": 0, "items": []}


def expect(system, kind, items):
    d = diagnosis(system, kind)
    if d["shown"] != len(items):
        wrong(f"{system}: {kind} in {d['shown']} items, planted in {len(items)}")
    if not {i["item"] for i in d["items"]} <= items:
        wrong(f"{system}: {kind}: {d['items']} were not planted")


def same(system, what, found, items):
    if found != items:
        wrong(f"{system}: {what}: found but not planted {sorted(found - items)}, not found {sorted(items - found)}")


for system in systems:
    und = {r["item"]: int(float(r["verdict"])) for r in samples if r["system"] == system and r["direction"] == "und"}
    same(system, "understood", {i for i, v in und.items() if v},
         {r["item"] for r in truth if r["system"] == system and r["und"]})
    omitted, invented, broken = (planted(system, f) for f in ("omitted", "invented", "broken"))
    expect(system, "missing-details", omitted)
    expect(system, "invented-objects", invented)
    expect(system, "broken-constraints", broken)
    same(system, "details.recall", scored(system, "details.recall", lambda v: v < 1), omitted)
    same(system, "chair.s", scored(system, "chair.s", lambda v: v > 0), invented)
    same(system, "constraints.strict", scored(system, "constraints.strict", lambda v: v < 1), broken)
    templated = planted(system, "templated")
    found = diagnosis(system, "templated")
    if templated and not {i["item"] for i in found["items"]} <= templated:
        wrong(f"{system}: templated: {found['items']}")
    if templated and found["shown"] < len(templated):
        wrong(f"{system}: templated in {found['shown']} items, planted in {len(templated)}")
    if not templated and found["share"] > 0.3:
        wrong(f"{system}: templated {found['share']:.2f} where nothing was planted")

# What no automatic verdict sees, an invented object, people do: the corrected share holds what all raters would have said
# of all answers (the truth, each rater erring at the known rate); the uncorrected one does not.
errors = json.loads((data / "systems.json").read_text())["raters"].values()
error = sum(errors) / len(errors)
for row in summary["people"]["corrections"]:
    system = row["system"]
    of_system = [r for r in truth if r["system"] == system]
    for direction in ("und", "gen"):
        right = sum(r[direction] for r in of_system) / len(of_system)
        said = right * (1 - error) + (1 - right) * error
        corrected = row["corrected"][direction]
        if not corrected["lo"] <= said <= corrected["hi"]:
            wrong(f"{system}: corrected {direction} {corrected} does not hold {said:.3f}")
        plain = next(g for g in summary["gap"] if g["system"] == system and g["dimension"] == "overall")[direction]
        if system == "invents" and direction == "gen" and plain["lo"] <= said <= plain["hi"]:
            wrong(f"{system}: the uncorrected interval holds {said:.3f}: there was nothing to correct")
if len(summary["people"]["corrections"]) != len(systems):
    wrong(f"{len(summary['people']['corrections'])} systems corrected of {len(systems)}")
sys.exit(bool(problems))
