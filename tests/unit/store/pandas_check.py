"""Run the Python lines of docs/store.md on a small store and check what they give.

usage: pandas_check.py STORE_SAMPLE_PROGRAM DOCS_STORE_MD
Exit status 77 (skipped) when h5py or pandas is missing.
"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py  # noqa: F401
    import pandas  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; install python3-h5py and python3-pandas")
    sys.exit(77)

program, doc = sys.argv[1:3]
blocks = re.findall(r"```python\n(.*?)```", open(doc, encoding="utf-8").read(), re.S)
assert len(blocks) >= 3, "docs/store.md should show three blocks of Python"
frame_lines = [s for s in blocks[0].splitlines() if s and not s.startswith("import")]
assert len(frame_lines) == 3, f"a frame should take three lines: {frame_lines}"

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([program, folder], check=True)
    os.chdir(folder)
    space = {}
    for block in blocks:
        exec(block, space)
    df, items, texts, vectors = (space[k] for k in ("df", "items", "texts", "vectors"))

    f = h5py.File("results.h5")
    assert f.attrs["schema_version"] == 1
    assert list(df.columns.sort_values()) == sorted(f["verdicts"].keys())
    assert len(df) == f["verdicts/value"].shape[0] > 100
    assert set(df.system) == {"alpha", "zeta"} and set(df.direction) == {"und", "gen"}
    assert df.item.str.startswith("item-").all() and set(df.rule) == {"threshold", "choice"}
    assert df.value.between(0, 1).all()
    assert (df.cell.diff().dropna() >= 0).all(), "rows are in key order"
    merged = df.merge(items, on="item")
    assert len(merged) == len(df) and set(merged.category) == {"counting", "attributes"}
    assert texts[0] == "answer 0 of cell 0" and None in texts and len(texts) == len(f["responses/cell"])
    assert len(vectors) == len(f["embeddings/dim"]) and set(map(len, vectors)) == {3, 4}
    f.close()
print("ok:", len(df), "verdicts")
