#!/usr/bin/env python3
"""Folders of published image towers' shapes with random weights, on which speed does not depend:

    python3 models.py OUT [NAME...]        names: see SHAPES; default: all

Each becomes OUT/NAME, for `gapeval bench encode --model` and for tests/bench/compare. Needs torch and
transformers.
"""
import os
import sys

import peers

# NAME: (hidden_size, num_hidden_layers, num_attention_heads, image_size, patch_size)
SHAPES = {
    "clip-b-32": (768, 12, 12, 224, 32),
    "clip-l-14": (1024, 24, 16, 224, 14),
    "siglip-b-16": (768, 12, 12, 224, 16),
    "dinov2-b-14": (768, 12, 12, 518, 14),
}


def config(name):
    from transformers import CLIPVisionConfig, Dinov2Config, SiglipVisionConfig

    kind = {"clip": CLIPVisionConfig, "siglip": SiglipVisionConfig, "dinov2": Dinov2Config}[name.split("-")[0]]
    width, layers, heads, size, patch = SHAPES[name]
    more = {} if kind is Dinov2Config else {"intermediate_size": 4 * width}
    return kind(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, image_size=size,
                patch_size=patch, **more)


def main():
    if len(sys.argv) < 2 or set(sys.argv[2:]) - set(SHAPES):
        sys.exit(__doc__)
    for name in sys.argv[2:] or SHAPES:
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        config(name).save_pretrained(folder)
        peers.make("image", folder, folder)


if __name__ == "__main__":
    main()
