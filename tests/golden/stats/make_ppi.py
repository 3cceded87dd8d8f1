"""Golden values of prediction-powered means: writes ppi.txt beside this file.

    python3 make_ppi.py        (needs numpy and ppi-python)

A case is the line `case NAME n N LEVEL`, n lines `Y f`, N lines `f`, then `lambda mean lo hi`: lambda
tuned as `lam=None` does (recovered from the point estimate, which is linear in it).
"""
import os

import numpy as np
from ppi_py import ppi_mean_ci, ppi_mean_pointestimate


def cases():
    rng = np.random.default_rng(11)
    for name, n, others, agree in (("binary_good", 60, 400, 0.9), ("binary_poor", 40, 300, 0.5),
                                   ("binary_wrong", 50, 200, 0.1), ("few", 5, 40, 0.8),
                                   ("as_many", 30, 30, 0.85)):
        truth = rng.random(n + others) < 0.7
        f = np.where(rng.random(n + others) < agree, truth, ~truth)
        yield name, truth[:n].astype(float), f[:n].astype(float), f[n:].astype(float)
    y = rng.integers(0, 11, 45) / 10
    yield "tenths", y, np.clip(y + rng.normal(0, 0.2, 45), 0, 1), rng.random(150)
    yield "same", y, y.copy(), rng.choice(y, 90)
    y = rng.normal(3, 2, 80)
    yield "real", y, y * 0.7 + rng.normal(0, 1, 80), rng.normal(2.1, 1.7, 500)


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ppi.txt")
    with open(path, "w", encoding="ascii") as out:
        for level, (name, y, f, g) in ((0.9 if i % 2 else 0.95, c) for i, c in enumerate(cases())):
            mean = float(np.squeeze(ppi_mean_pointestimate(y, f, g, lam=None)))
            lo, hi = (float(np.squeeze(x)) for x in ppi_mean_ci(y, f, g, alpha=1 - level, lam=None))
            lam = (mean - y.mean()) / (g.mean() - f.mean())
            print("case", name, len(y), len(g), level, file=out)
            for a, b in zip(y, f):
                print(repr(float(a)), repr(float(b)), file=out)
            for b in g:
                print(repr(float(b)), file=out)
            print(repr(float(lam)), repr(mean), repr(lo), repr(hi), file=out)


main()
