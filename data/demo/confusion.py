"""Measures how often the encoder's decision is wrong: confusion.py [--scenes N] writes confusion.json beside this file.

The decision is the one the demo's pictures are judged by: a picture is right if the wanted caption is closer to it than
every near miss of that caption. For each kind N scenes are drawn from a caption (how often is that judged wrong?) and N
from one of its near misses (how often is that judged right?), with the noise and the JPEG round trip of stored pictures
and with seeds that nothing else uses. `upper` is the upper end of the two-sided 95 % Clopper-Pearson interval.
"""
import argparse
import hashlib
import json
import math
import random
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import CLIPModel

import scenes
from make_tokenizers import write_json

HERE = Path(__file__).resolve().parent
SEED = 2_000_003


def tail(n, k, p):
    """P(X <= k) of the binomial distribution."""
    if p <= 0 or p >= 1:
        return float(p <= 0 or k >= n)
    log = math.lgamma
    logs = [log(n + 1) - log(i + 1) - log(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p) for i in range(k + 1)]
    return math.fsum(map(math.exp, logs))


def upper_end(n, k, confidence=.95):
    """Upper end of the two-sided Clopper-Pearson interval of k in n."""
    low, high = k / n, 1.
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(n, k, middle) > (1 - confidence) / 2 else (low, middle)
    return high


class Encoder:
    """The folder's model in fp32, with the preprocessing that its preprocessor_config.json states."""

    def __init__(self, folder):
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        settings = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        assert settings["size"] == {"shortest_edge": scenes.SIZE}     # a 64 x 64 picture is neither resized nor cropped
        self.scale = settings["rescale_factor"]
        self.mean, self.std = (torch.tensor(settings[k]).view(3, 1, 1) for k in ("image_mean", "image_std"))
        self.known = {}

    @torch.no_grad()
    def images(self, pixels):
        """[n, 64, 64, 3] uint8 -> [n, d], normalised."""
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).double() * self.scale).float()
        v = self.model.visual_projection(self.model.vision_model(pixel_values=(x - self.mean) / self.std).pooler_output)
        return v / v.norm(dim=-1, keepdim=True)

    @torch.no_grad()
    def text(self, text):
        if text not in self.known:
            ids = torch.tensor([self.tokenizer.encode(text).ids])
            v = self.model.text_projection(self.model.text_model(input_ids=ids).pooler_output)[0]
            self.known[text] = v / v.norm()
        return self.known[text]


def judged_right(encoder, wanted, drawn, rng):
    """For lists of facts: is the picture drawn from `drawn` taken for `wanted`?"""
    pixels = np.stack([np.asarray(scenes.opened(scenes.stored(scenes.picture(f, rng), rng))) for f in drawn])
    out = []
    for f, image in zip(wanted, encoder.images(pixels)):
        s = torch.stack([encoder.text(t) for t in [scenes.caption(f), *scenes.near_misses(f)]]) @ image
        out.append(bool(s[0] > s[1:].max()))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=2000, help="of each kind, right ones and as many wrong ones")
    parser.add_argument("--encoder", type=Path, default=HERE / "clip")
    parser.add_argument("--out", type=Path, default=HERE / "confusion.json")
    args = parser.parse_args()

    encoder, kinds = Encoder(args.encoder), {}
    for kind in scenes.KINDS:
        errors, n = {"right": 0, "wrong": 0}, 0
        while n < args.scenes:
            rng = random.Random(f"{SEED} {kind} {n}")
            wanted = [scenes.sample(rng, kind) for _ in range(min(100, args.scenes - n))]
            errors["right"] += judged_right(encoder, wanted, wanted, rng).count(False)
            errors["wrong"] += judged_right(encoder, wanted, [scenes.slip(f, rng) for f in wanted], rng).count(True)
            n += len(wanted)
        kinds[kind] = {
            name: {"scenes": n, "errors": e, "rate": round(e / n, 5), "upper": round(upper_end(n, e), 5)}
            for name, e in (("judged_wrong_of_right", errors["right"]), ("judged_right_of_wrong", errors["wrong"]))}
        print(kind, kinds[kind], flush=True)
    weights = hashlib.sha256((args.encoder / "model.safetensors").read_bytes()).hexdigest()
    write_json(args.out, {"decision": "the caption is closer to the picture than every near miss", "confidence": .95,
                          "weights_sha256": weights, "kinds": kinds})


if __name__ == "__main__":
    main()
