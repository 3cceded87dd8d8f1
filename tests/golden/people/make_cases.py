"""Golden values for agreement, correlation and ROC: writes cases.txt beside this file.

    python3 make_cases.py        (needs numpy, scipy, scikit-learn, krippendorff)

Cases, one after another; `nan` stands for undefined:
    alpha NAME N UNITS, N lines `unit value`, then `nominal ordinal interval`
    pairs NAME N, N lines `x y`, then `pearson lo hi`, `spearman`, `kendall`
    roc NAME N, N lines `score positive`, then `auc lo hi`, the number of points, points `threshold fpr tpr`
"""
import os

import krippendorff
import numpy as np
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score, roc_curve

# Krippendorff, Computing Krippendorff's alpha-reliability (2011), data C: 4 observers, 12 units.
BOOK = """1 2 3 3 2 1 4 1 2 * * *
1 2 3 3 2 2 4 1 2 5 * 3
* 3 3 3 2 3 4 2 2 5 1 *
1 2 3 3 2 4 4 1 2 5 1 *"""


def number(v):
    return "nan" if v is None or np.isnan(v) else repr(float(v))


def alpha_cases():
    book = np.array([[np.nan if w == "*" else float(w) for w in line.split()] for line in BOOK.split("\n")])
    yield "book", book
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 6, 60)
    noisy = np.clip(truth + rng.integers(-1, 2, (5, 60)), 1, 5).astype(float)
    noisy[rng.random(noisy.shape) < 0.3] = np.nan
    yield "scale_of_five", noisy
    binary = (rng.random((3, 40)) < 0.9).astype(float)
    yield "lopsided", binary
    reals = rng.normal(size=30) + 0.3 * rng.normal(size=(4, 30)) + 1e6
    reals[rng.random(reals.shape) < 0.5] = np.nan
    yield "reals_far_from_zero", reals
    yield "opposed", np.array([[1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 2.0, 1.0]])
    yield "one_rater", np.array([[1.0, 2.0, 3.0]])
    yield "all_equal", np.full((3, 5), 4.0)
    yield "one_unit", np.array([[1.0], [2.0], [2.0]])


def alpha_of(data, level):
    try:
        return krippendorff.alpha(reliability_data=data, level_of_measurement=level)
    except ValueError:
        return None


def write_alpha(out, name, data):
    rows = [(u, data[r, u]) for r in range(data.shape[0]) for u in range(data.shape[1])
            if not np.isnan(data[r, u])]
    out.write(f"alpha {name} {len(rows)} {data.shape[1]}\n")
    for u, v in rows:
        out.write(f"{u} {v!r}\n".replace("np.float64(", "").replace(")", ""))
    undefined = name in ("one_rater", "all_equal")
    levels = ("nominal", "ordinal", "interval")
    out.write(" ".join(number(None if undefined else alpha_of(data, m)) for m in levels) + "\n")


def pair_cases():
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    yield "normal", x, 0.6 * x + rng.normal(size=200)
    yield "ties", rng.integers(0, 6, 300), rng.integers(0, 4, 300)
    yield "binary", rng.integers(0, 2, 50), rng.integers(1, 6, 50)
    yield "far_from_zero", 1e8 + rng.normal(size=40), rng.normal(size=40)
    yield "falling", np.arange(10.0), -np.arange(10.0)
    yield "two", np.array([1.0, 2.0]), np.array([3.0, 1.0])
    yield "constant", np.ones(8), np.arange(8.0)


def write_pairs(out, name, x, y):
    out.write(f"pairs {name} {len(x)}\n")
    for a, b in zip(x, y):
        out.write(f"{float(a)!r} {float(b)!r}\n")
    constant = len(set(x)) == 1 or len(set(y)) == 1
    if constant:
        out.write("nan nan nan nan nan\n")
        return
    r = stats.pearsonr(x, y)
    lo, hi = (r.confidence_interval(0.95) if len(x) > 3 else (np.nan, np.nan))
    out.write(" ".join(number(v) for v in (r.statistic, lo, hi, stats.spearmanr(x, y).statistic,
                                           stats.kendalltau(x, y).statistic)) + "\n")


def delong(score, positive, level=0.95):
    """DeLong, DeLong, Clarke-Pearson (1988), straight from the definition; on the logit scale."""
    x, y = score[positive], score[~positive]
    psi = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    if len(x) < 2 or len(y) < 2:
        return np.nan, np.nan
    var = v10.var(ddof=1) / len(x) + v01.var(ddof=1) / len(y)
    area = psi.mean()
    if area in (0, 1):
        bound = stats.beta.ppf((1 - level) / 2, min(len(x), len(y)), 1)
        return (bound, 1.0) if area == 1 else (0.0, 1 - bound)
    half = stats.norm.ppf((1 + level) / 2) * np.sqrt(var) / (area * (1 - area))
    return expit(logit(area) - half), expit(logit(area) + half)


def roc_cases():
    rng = np.random.default_rng(9)
    positive = rng.random(120) < 0.4
    yield "normal", rng.normal(size=120) + positive, positive
    yield "ties", np.round(rng.normal(size=90) + 0.7 * positive[:90], 0), positive[:90]
    yield "separated", np.arange(10.0), np.arange(10) >= 6
    yield "useless", np.ones(6), np.arange(6) % 2 == 0
    yield "one_positive", np.array([3.0, 1.0, 2.0]), np.array([True, False, False])


def write_roc(out, name, score, positive):
    out.write(f"roc {name} {len(score)}\n")
    for s, p in zip(score, positive):
        out.write(f"{float(s)!r} {int(p)}\n")
    lo, hi = delong(score, positive)
    out.write(" ".join(number(v) for v in (roc_auc_score(positive, score), lo, hi)) + "\n")
    fpr, tpr, threshold = roc_curve(positive, score, drop_intermediate=False)
    out.write(f"{len(fpr)}\n")
    for point in zip(threshold, fpr, tpr):
        out.write(" ".join(repr(float(v)) for v in point) + "\n")


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.txt")
    with open(path, "w", encoding="ascii") as out:
        for case in alpha_cases():
            write_alpha(out, *case)
        for case in pair_cases():
            write_pairs(out, *case)
        for case in roc_cases():
            write_roc(out, *case)


if __name__ == "__main__":
    main()
