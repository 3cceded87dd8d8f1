"""Coverage of the 95 % intervals by simulation: prints the table of docs/statistics.md.

    python3 coverage.py [replicates]
"""
import sys

import numpy as np
from scipy import special, stats

TABLES = {  # p11, p10, p01, p00
    "even .90/.90": (0.86, 0.04, 0.04, 0.06),
    ".95/.55": (0.54, 0.41, 0.01, 0.04),
    "independent .75": (0.5625, 0.1875, 0.1875, 0.0625),
    "near the edge .98/.97": (0.96, 0.02, 0.01, 0.01),
    "low .15/.05": (0.03, 0.12, 0.02, 0.83),
}


def draw(rng, table, n, kind, reps):
    """(u, g) of shape (reps, n) and the cluster of each column."""
    if kind == "clustered":  # a share of the clusters' items copies the cluster's first item
        cells = rng.choice(4, p=table, size=(reps, n))
        size = 3
        copy = rng.random((reps, n)) < 0.5
        first = np.repeat(cells[:, ::size], size, axis=1)[:, :n]
        cells = np.where(copy, first, cells)
        cluster = np.arange(n) // size
    else:
        cells = rng.choice(4, p=table, size=(reps, n))
        cluster = np.arange(n)
    u, g = (cells < 2).astype(float), (cells % 2 == 0).astype(float)
    if kind == "fractional":  # each item is judged 10 times, right verdicts with 0.9, wrong with 0.1
        u = rng.binomial(10, 0.1 + 0.8 * u) / 10
        g = rng.binomial(10, 0.1 + 0.8 * g) / 10
    return u, g, cluster


def intervals(u, g, cluster, cap):
    n = u.shape[1]
    k = [x.sum(1) for x in (u * g, u * (1 - g), (1 - u) * g, (1 - u) * (1 - g))]
    p = [((x + 0.25) / (n + 1))[:, None] for x in k]
    pu, pg = p[0] + p[1], p[0] + p[2]

    def inf(a, b):
        du, dg = a - pu, b - pg
        return [a * b - p[0], du, du - dg, du / (pu * (1 - pu)) - dg / (pg * (1 - pg))]

    c = cluster.max() + 1
    t = stats.t.ppf(0.975, c - 1)
    corner = inf(np.array([[1, 1, 0, 0.]]), np.array([[1, 0, 1, 0.]]))
    var = []
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))
    for x, y in zip(inf(u, g), corner):
        sums = np.add.reduceat(x, starts, axis=1)
        var.append(((sums ** 2).sum(1) + (y ** 2).sum(1) / 4) * c / (c - 1) / (n + 1) ** 2)
    out = {}
    for name, share, smooth, v in (("succ", k[0] / n, p[0], var[0]), ("und", u.mean(1), pu, var[1])):
        smooth = smooth[:, 0]
        eff = smooth * (1 - smooth) / v
        eff = np.minimum(n, eff) if cap else eff
        centre = (share + t * t / (2 * eff)) / (1 + t * t / eff)
        half = t / (1 + t * t / eff) * np.sqrt(share * (1 - share) / eff + t * t / (4 * eff ** 2))
        out[name] = (centre - half, centre + half)
    d = (pu - pg)[:, 0]
    out["points"] = (d - t * np.sqrt(var[2]), d + t * np.sqrt(var[2]))
    delta = (special.logit(pu) - special.logit(pg))[:, 0]
    out["delta"] = (delta - t * np.sqrt(var[3]), delta + t * np.sqrt(var[3]))
    return out


def truth(table, kind):
    p11, p10, p01, _ = table
    u, g, both = p11 + p10, p11 + p01, p11
    if kind == "fractional":
        shift = lambda x: 0.1 + 0.8 * x
        both = 0.01 + 0.08 * (u + g) + 0.64 * p11
        u, g = shift(u), shift(g)
    return {"succ": both, "und": u, "points": u - g, "delta": special.logit(u) - special.logit(g)}


def main():
    reps = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    rng = np.random.default_rng(20260101)
    print("| truth | verdicts | n | Succ | Und | Und − Gen | Δ |\n|:--|:--|--:|--:|--:|--:|--:|")
    for kind in ("single", "clustered", "fractional"):
        for name, table in TABLES.items():
            for n in (50, 150, 646):
                u, g, cluster = draw(rng, table, n, kind, reps)
                want = truth(table, kind)
                got = intervals(u, g, cluster, cap=kind != "fractional")
                row = [np.mean((lo <= want[q]) & (want[q] <= hi)) for q, (lo, hi) in got.items()]
                print(f"| {name} | {kind} | {n} | " + " | ".join(f"{100 * r:.1f}" for r in row) + " |")


if __name__ == "__main__":
    main()
