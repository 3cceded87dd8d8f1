"""pictures.txt: SSIM by scikit-image 0.26 (float64) and torchmetrics 1.9, hashes by ImageHash 4.3, distances of sets by
the published formula of CMMD and by torch-fidelity's KID over all pairs. make_pictures.py >pictures.txt, in this folder."""
import os

import imagehash
import numpy as np
import torch
from PIL import Image
from skimage.metrics import structural_similarity
from torch_fidelity.metric_kid import kernel_mmd
from torchmetrics.functional.image import structural_similarity_index_measure

DEMO = "../../../data/demo/"
pictures = sorted(os.listdir(DEMO + "images"))


def load(name):
    return Image.open(DEMO + "images/" + name).convert("RGB")


def pair(a, b):
    x, y = (np.asarray(load(n), dtype=np.float64) for n in (a, b))
    s = structural_similarity(x, y, data_range=255, channel_axis=-1)
    tx, ty = (torch.tensor(v).permute(2, 0, 1)[None] for v in (x, y))
    t = structural_similarity_index_measure(tx, ty, data_range=255.0).item()
    print("ssim", a, b, repr(float(s)), repr(t))


same_size = [p for p in pictures if load(p).size == (64, 64)]
for i in range(0, len(same_size) - 1, max(1, len(same_size) // 30)):
    pair(same_size[i], same_size[i + 1])
pair(same_size[0], same_size[0])
for p in pictures[:: max(1, len(pictures) // 60)]:
    print("phash", p, imagehash.phash(load(p)))


def vectors(n, dim, salt):
    i, j = np.meshgrid(np.arange(n), np.arange(dim), indexing="ij")
    v = ((i * 37 + j * 101 + i * j * 7 + salt * (i + 3) * (j + 5)) % 199 - 99).astype(np.float64)
    v /= np.sqrt((v * v).sum(1, keepdims=True))
    return v.astype(np.float32)


def cmmd(x, y):
    gamma = 1 / (2 * 10.0**2)

    def k(a, b):
        d = -2 * a @ b.T + (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :]
        return np.exp(-gamma * d).mean()

    return 1000 * (k(x, x) + k(y, y) - 2 * k(x, y))


def full_kid(x, y):
    return kernel_mmd(x, y, kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1.0)


for n, m, dim in ((1, 1, 5), (2, 3, 8), (40, 33, 24), (70, 101, 130)):
    x, y = (vectors(*a).astype(np.float64) for a in ((n, dim, 0), (m, dim, 11)))
    kid = full_kid(x, y) if min(n, m) > 1 and n == m else None
    if kid is None and min(n, m) > 1:
        kxx, kyy, kxy = ((a @ b.T / dim + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
        kid = (kxx.sum() - np.trace(kxx)) / (n * (n - 1)) + (kyy.sum() - np.trace(kyy)) / (m * (m - 1)) - 2 * kxy.mean()
    print("sets", n, m, dim, repr(float(cmmd(x, y))), "nan" if kid is None else repr(float(kid)))
for n, dim in ((50, 64),):
    x, y = (vectors(*a).astype(np.float64) for a in ((n, dim, 0), (n, dim, 11)))
    print("sets", n, n, dim, repr(float(cmmd(x, y))), repr(float(full_kid(x, y))))


def drawn(width, height):
    """A picture of no file; check_drawn() draws the same."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(((x * x * 3 + y * (5 * x + 11) + 40 * c * (y + 1)) % 256).astype(np.uint8))


def checksum(image):
    sum = 0
    for v in image.tobytes():
        sum = (sum * 31 + v) % 2**64
    return f"{sum:x}"


for w, h in ((150, 40), (40, 150), (90, 100), (31, 300), (20, 12), (33, 16), (12, 250)):
    p = drawn(w, h)
    grey = p.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    print("drawn", w, h, imagehash.phash(p), checksum(grey), checksum(p.resize((16, 16), Image.Resampling.BICUBIC)))
