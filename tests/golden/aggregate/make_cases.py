"""Golden values of the aggregation: writes cases.txt beside this file.

    python3 make_cases.py        (needs numpy, scipy, statsmodels)

A case is the line `case NAME LEVEL N`, N lines `und gen cluster`, then the expected values as lines
`key value…`; `end` closes it. `nan` stands for undefined.
"""
import os

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

import reference


def pairs_of(table, cluster_size=1):
    cells = [(1, 1)] * table[0] + [(1, 0)] * table[1] + [(0, 1)] * table[2] + [(0, 0)] * table[3]
    return [(u, g, i // cluster_size) for i, (u, g) in enumerate(cells)]


def cases():
    for name, table in {
        "balanced": (30, 10, 8, 12), "no_disagreement": (20, 0, 0, 5), "all_right": (40, 0, 0, 0),
        "all_wrong": (0, 0, 0, 25), "only_und": (0, 30, 0, 0), "only_gen": (0, 0, 7, 0),
        "one_sided": (350, 265, 6, 25), "even": (555, 26, 26, 39), "two_items": (1, 1, 0, 0),
        "one_item": (1, 0, 0, 0), "equal_rates": (10, 20, 20, 10),
    }.items():
        yield name, 0.95, pairs_of(table)
    yield "level_80", 0.80, pairs_of((30, 10, 8, 12))
    yield "level_999", 0.999, pairs_of((30, 10, 8, 12))
    yield "pairs_of_items", 0.95, pairs_of((12, 7, 3, 4), 2)
    yield "one_cluster", 0.95, pairs_of((5, 3, 1, 1), 100)
    yield "two_clusters", 0.95, pairs_of((5, 3, 1, 1), 5)
    rng = np.random.default_rng(7)
    for name, n, judges, clusters in (("tenths", 30, 10, 30), ("thirds", 14, 3, 14),
                                      ("clustered_tenths", 40, 10, 12), ("halves", 9, 2, 4)):
        u, g = rng.binomial(judges, 0.7, n) / judges, rng.binomial(judges, 0.5, n) / judges
        yield name, 0.95, list(zip(u, g, rng.integers(0, clusters, n)))
    yield "constant_half", 0.95, [(0.5, 0.5, i) for i in range(12)]


def text(values):
    return " ".join("nan" if v is None else repr(float(v)) for v in values)


def association(table):
    a, b, c, d = table
    n = sum(table)
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    chance = ((a + b) * (a + c) + (c + d) * (b + d)) / n**2
    phi = (a * d - b * c) / margins**0.5 if margins > 0 else None
    kappa = ((a + d) / n - chance) / (1 - chance) if chance < 1 else None
    return phi, kappa


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.txt")
    with open(path, "w", encoding="ascii") as out:
        for name, level, pairs in cases():
            u, g, cluster = (np.array(x) for x in zip(*pairs))
            e = reference.estimates(u, g, cluster, level)
            binary = reference.is_binary(u, g)
            print("case", name, level, len(pairs), file=out)
            for a, b, c in pairs:
                print(repr(float(a)), repr(float(b)), int(c), file=out)
            print("clusters", e["clusters"], file=out)
            print("table", text(e["table"]), file=out)
            for key in ("succ", "und", "gen", "points", "delta", "gap"):
                print(key, text(e[key]), file=out)
            for key in ("points_delta_method", "delta_delta_method"):
                if key in e:
                    print(key, text(e[key]), file=out)
            if binary and e["clusters"] == len(pairs):
                a, b, c, d = (int(x) for x in e["table"])
                print("mcnemar", text([mcnemar([[a, b], [c, d]], exact=True).pvalue]), file=out)
            elif e["clusters"] <= 16:
                print("signflip", text([reference.sign_flip(u, g, cluster)]), file=out)
            phi, kappa = association(e["table"]) if binary else (None, None)
            print("association", text([phi, kappa]), file=out)
            print("end", file=out)


if __name__ == "__main__":
    main()
