"""Make resize_torchvision.txt: what torchvision's resize of 8-bit tensors with antialiasing gives on a
CPU for the pictures of make_resize.py.

Wants torch, torchvision (0.27 or later for Lanczos), numpy, xxhash, and a CPU with AVX2.
    python make_torchvision.py

One line per case: seed, width, height, new width, new height, filter code, and the XXH3-128 of the
RGB bytes.
"""

import pathlib

import numpy as np
import torch
import xxhash
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from make_resize import cases, picture

HERE = pathlib.Path(__file__).parent
# As transformers translates Pillow's codes; the box filter has no counterpart for tensors.
MODES = {0: InterpolationMode.NEAREST_EXACT, 1: InterpolationMode.LANCZOS,
         2: InterpolationMode.BILINEAR, 3: InterpolationMode.BICUBIC}


def more_cases():
    """Results around the size at which torch changes its kernel for the nearest filter."""
    yield from cases()
    for w, h, to_w, to_h in ((2, 2, 41, 43), (2, 2, 141, 47), (2, 2, 64, 64), (2, 2, 64, 65),
                             (3, 5, 123, 5), (3, 5, 124, 5), (97, 55, 61, 67), (97, 55, 61, 68)):
        yield w, h, to_w, to_h, 0


def main():
    assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    lines = []
    for seed, (w, h, to_w, to_h, code) in enumerate(more_cases(), 1):
        if code not in MODES or (to_w, to_h) == (1, 1) and (w, h) != (1, 1):
            continue  # torch fails on results of one pixel
        image = torch.from_numpy(np.ascontiguousarray(picture(seed, w, h).transpose(2, 0, 1)))
        image = functional.resize(image, [to_h, to_w], interpolation=MODES[code], antialias=True)
        pixels = np.ascontiguousarray(image.numpy().transpose(1, 2, 0))
        lines.append(f"{seed} {w} {h} {to_w} {to_h} {code} {xxhash.xxh3_128_hexdigest(pixels.tobytes())}")
    (HERE / "resize_torchvision.txt").write_text("\n".join(lines) + "\n")
    print(len(lines), "cases")


if __name__ == "__main__":
    main()
