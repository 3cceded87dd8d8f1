"""Independent reference of the `logit` estimator, its intervals, tests and bounds, in NumPy/SciPy.

Written from the formulae in docs/statistics.md, not from src/aggregate. Used by make_cases.py
(golden values) and coverage.py (how often the intervals hold the truth). Development only.
"""
import itertools
import math

import numpy as np
from scipy import special, stats

QUANTITIES = ("succ", "und", "gen", "points", "delta", "linear")
CORNERS = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], float)


def influence(u, g, p):
    """Influence of a (u, g) item on each quantity at the smoothed shares p = (p11, p10, p01, p00)."""
    p11, p10, p01, p00 = p
    pu, pg = p11 + p10, p11 + p01
    du, dg = u - pu, g - pg
    return np.stack([
        u * g - p11, du, dg, du - dg,
        du / (pu * (1 - pu)) - dg / (pg * (1 - pg)),
        2.7 * ((1 - u) * (1 - g) - p00) - 1.05 * (u * g - p11),
    ])


def gap_score(delta, p00, p11):
    g = np.clip(np.abs(delta) / (1 + np.abs(delta)), 1e-6, 1 - 1e-6)
    return special.expit(special.logit(g) + 2.7 * p00 - 1.05 * p11)


def covariance(u, g, cluster, p):
    """Cluster-robust covariance of the six quantities; the quarter counts count as observations."""
    x = influence(u, g, p)
    labels, index = np.unique(cluster, return_inverse=True)
    sums = np.zeros((len(QUANTITIES), len(labels)))
    np.add.at(sums, (slice(None), index), x)
    corner = influence(CORNERS[:, 0], CORNERS[:, 1], p)
    c = len(labels)
    return (sums @ sums.T + corner @ corner.T / 4) * c / (c - 1) / (len(u) + 1) ** 2


def wilson(p, p_smooth, var, most, t):
    n = min(most, p_smooth * (1 - p_smooth) / var)
    centre = (p + t * t / (2 * n)) / (1 + t * t / n)
    half = t / (1 + t * t / n) * math.sqrt(p * (1 - p) / n + t * t / (4 * n * n))
    return [p, max(0.0, centre - half), min(1.0, centre + half)]


def gap_region(delta, linear, cov, t, points=20001):
    """Smallest and largest G over the ellipse of (Delta, linear part)."""
    sd, sl = math.sqrt(cov[4, 4]), math.sqrt(cov[5, 5])
    rho = cov[4, 5] / (sd * sl)
    angle = np.linspace(0, 2 * math.pi, points)
    d = delta + t * sd * np.cos(angle)
    low = linear + t * sl * (rho * np.cos(angle) + math.sqrt(1 - rho * rho) * np.sin(angle))
    g = np.clip(np.abs(d) / (1 + np.abs(d)), 1e-6, 1 - 1e-6)
    v = special.expit(special.logit(g) + low)
    return (0.0 if abs(delta) <= t * sd else float(v.min())), float(v.max())


def estimates(u, g, cluster, level=0.95):
    u, g = np.asarray(u, float), np.asarray(g, float)
    n = len(u)
    k = [(u * g).sum(), (u * (1 - g)).sum(), ((1 - u) * g).sum(), ((1 - u) * (1 - g)).sum()]
    p = [(x + 0.25) / (n + 1) for x in k]
    pu, pg = p[0] + p[1], p[0] + p[2]
    delta, linear = special.logit(pu) - special.logit(pg), 2.7 * p[3] - 1.05 * p[0]
    clusters = len(set(cluster))
    out = {"table": k, "clusters": clusters, "delta": [delta, None, None],
           "succ": [k[0] / n, None, None], "und": [u.mean(), None, None],
           "gen": [g.mean(), None, None], "points": [u.mean() - g.mean(), None, None],
           "gap": [float(gap_score(delta, p[3], p[0])), None, None]}
    if clusters > 1:
        t = stats.t.ppf(0.5 + level / 2, clusters - 1)
        cov = covariance(u, g, cluster, p)
        se = np.sqrt(np.diag(cov))
        most = n if is_binary(u, g) else math.inf
        out["succ"] = wilson(k[0] / n, p[0], cov[0, 0], most, t)
        out["und"] = wilson(u.mean(), pu, cov[1, 1], most, t)
        out["gen"] = wilson(g.mean(), pg, cov[2, 2], most, t)
        out["points"][1:] = [max(-1.0, pu - pg - t * se[3]), min(1.0, pu - pg + t * se[3])]
        out["delta"][1:] = [delta - t * se[4], delta + t * se[4]]
        out["gap"][1:] = gap_region(delta, linear, cov, t)
    return out


def is_binary(u, g):
    return bool(np.isin(u, (0, 1)).all() and np.isin(g, (0, 1)).all())


def sign_flip(u, g, cluster):
    """Exact p value over all sign patterns of the clusters' differences."""
    labels, index = np.unique(cluster, return_inverse=True)
    d = np.zeros(len(labels))
    np.add.at(d, index, np.asarray(u) - np.asarray(g))
    d = d[np.abs(d) > 1e-12]
    observed = abs(d.sum())
    sums = [abs(np.dot(s, d)) for s in itertools.product((1, -1), repeat=len(d))]
    return float(np.mean([s >= observed - 1e-9 for s in sums]))
