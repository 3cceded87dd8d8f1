"""Make resize.txt: what Pillow's resize gives for pictures from a formula.

Wants Pillow 13, numpy, xxhash, and a folder with Pillow 12 for the older order of the passes:
    pip install --target FOLDER 'pillow<13'
    python make_resize.py FOLDER

One line per case: seed, width, height, new width, new height, filter code, and the XXH3-128 of
the RGB bytes by Pillow 12 and by Pillow 13. resize_golden_test.c draws the same pictures.
"""

import pathlib
import subprocess
import sys

import numpy as np
import xxhash

HERE = pathlib.Path(__file__).parent


def picture(seed, w, h):
    """Byte i is the top byte of a 32-bit hash of i; one picture in four has only 0 and 255."""
    x = (np.arange(w * h * 3, dtype=np.uint32) + np.uint32(seed * 7919)) * np.uint32(2654435761)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(2246822519)
    v = ((x ^ (x >> np.uint32(13))) >> np.uint32(24)).astype(np.uint8)
    if seed % 4 == 0:
        v = np.where(v < 128, 0, 255).astype(np.uint8)
    return v.reshape(h, w, 3)


def cases():
    rng = np.random.default_rng(11)
    fixed = [(1, 1, 1, 1), (1, 1, 7, 5), (7, 5, 1, 1), (300, 2, 3, 200), (2, 300, 200, 3),
             (64, 64, 64, 64), (64, 64, 64, 32), (64, 64, 32, 64), (640, 480, 298, 224),
             (480, 640, 224, 298), (333, 250, 336, 336), (100, 300, 90, 100), (300, 100, 100, 90)]
    for size in fixed:
        for code in range(5):
            yield *size, code
    for _ in range(200):
        w, h, to_w, to_h = (int(2 ** rng.uniform(0, 8.3)) for _ in range(4))
        yield w, h, to_w, to_h, int(rng.integers(0, 5))


def hashes():
    from PIL import Image

    out = []
    for seed, (w, h, to_w, to_h, code) in enumerate(cases(), 1):
        image = Image.fromarray(picture(seed, w, h)).resize((to_w, to_h), code)
        out.append(xxhash.xxh3_128_hexdigest(np.array(image).tobytes()))
    return out


def main():
    if sys.argv[1] == "--print":
        if len(sys.argv) > 2:
            sys.path.insert(0, sys.argv[2])
        import PIL

        print(PIL.__version__, *hashes())
        return
    run = [sys.executable, __file__, "--print"]
    old = subprocess.run(run + [sys.argv[1]], check=True, capture_output=True, text=True).stdout.split()
    new = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    assert old[0].startswith("12.") and new[0].startswith("13."), (old[0], new[0])
    lines = [" ".join(map(str, (seed, *case, a, b)))
             for seed, (case, a, b) in enumerate(zip(cases(), old[1:], new[1:]), 1)]
    (HERE / "resize.txt").write_text("\n".join(lines) + "\n")
    print(len(lines), "cases,", sum(a != b for a, b in zip(old[1:], new[1:])), "differ")


if __name__ == "__main__":
    main()
