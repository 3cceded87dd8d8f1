"""Reads the sample's CSV with Python's own reader and compares every field.

    csv_check.py PROGRAM
"""
import csv
import io
import subprocess
import sys

text = subprocess.run([sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout.decode()
rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
ITEM = ["sys|tem", 'two,\n"2"']
MORE = ["a|b", "s", 'a,b;say "hi"', "two"]
want = [
    ["system", "item", "direction", "sample", "category", "subcategory", "tags", "cluster",
     "status", "verdict", "rule", "judges", "reason", "match.alias", "odd,name"],
    ["sys|tem", "one", "und", "0", "plain", "", "", "one", "ok", "1", "alias", "1", "", "1", ""],
    ["sys|tem", "one", "gen", "0", "plain", "", "", "one", "ok", "0.1", "alias", "10", "", "",
     repr(1 / 3)],
    [*ITEM, "und", "0", *MORE, "ok", "1", "unknown", "1", "", "0", "-0.5"],
    [*ITEM, "gen", "0", *MORE, "format", "", "", "", 'bad "file", line 1\r\nline 2', "", ""],
    [*ITEM, "gen", "1", *MORE, "undone:io", "", "", "", "disk", "", ""],
]
for got, expected in zip(rows, want):
    if got != expected:
        sys.exit(f"found  {got}\nwanted {expected}")
if len(rows) != len(want):
    sys.exit(f"{len(rows)} rows, wanted {len(want)}")
if text.count("\r\n") != len(want) + 1:  # one more inside a reason
    sys.exit("lines must end with CR LF")
