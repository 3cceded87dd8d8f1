"""Independent reference of the `logit` estimator, its intervals, tests and bounds, in NumPy/SciPy.

Written from the formulae in docs/statistics.md, not from src/aggregate. Used by make_cases.py
(golden values). Development only.
"""
import itertools
import math

import numpy as np
from scipy import optimize, special, stats

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


def restricted(k, kind, value):
    """-log likelihood of the likeliest table (p11, p10, p01, p00) whose shares differ by `value`
    (kind "points") or whose logits do, and the table; by a search, not by the formulae in use."""
    k = np.asarray(k, float)

    def table(v):
        if kind == "points":  # first share alone is right: second share + value
            lo, hi = max(0.0, value), min(1.0, 1.0 + value)
            pu = lo + (hi - lo) * special.expit(v[0])
            pg = pu - value
        else:
            pu, pg = special.expit(v[0]), special.expit(v[0] - value)
        lo, hi = max(0.0, pu + pg - 1), min(pu, pg)
        x = lo + (hi - lo) * special.expit(v[1])
        return np.maximum([x, pu - x, pg - x, 1 - pu - pg + x], 1e-300)

    def loss(v):
        return -np.sum(special.xlogy(k, table(v)))

    start = special.logit(np.clip((k[0] + k[1]) / k.sum(), 1e-3, 1 - 1e-3))
    found = [optimize.minimize(loss, (a, b), method="Nelder-Mead",
                               options={"xatol": 1e-11, "fatol": 1e-14, "maxiter": 20000,
                                        "maxfev": 20000})
             for a in (start, start + (value if kind != "points" else 0)) for b in (-2.0, 0.0, 2.0)]
    best = min(found, key=lambda r: r.fun)
    return best.fun, table(best.x)


def score_points(k, z):
    """Differences of shares that the score test does not reject: Pearson's X2 against the likeliest
    table with that difference is at most z^2 (Tango 1998)."""
    n, estimate = sum(k), (k[1] - k[2]) / sum(k)

    def excess(d):
        p = restricted(k, "points", d)[1]
        var = (p[1] + p[2] - d * d) / n
        return (estimate - d) ** 2 / var - z * z

    ends = []
    for edge in (-1, 1):
        far = edge * (1 - 1e-9)
        if abs(estimate - edge) < 1e-12 or excess(far) <= 0:
            ends.append(float(edge))
        else:
            near = estimate + edge * 1e-7
            ends.append(optimize.brentq(excess, *sorted((near, far)), xtol=1e-13))
    return ends


def likelihood_delta(k, z):
    """Logit differences whose likelihood ratio against the smoothed table k is at most z^2."""
    k = np.asarray(k, float)
    pu, pg = (k[0] + k[1]) / k.sum(), (k[0] + k[2]) / k.sum()
    estimate, most = special.logit(pu) - special.logit(pg), np.sum(k * np.log(k / k.sum()))

    def excess(d):
        return 2 * (restricted(k, "delta", d)[0] + most) - z * z

    return [optimize.brentq(excess, *sorted((estimate + side * 1e-6, estimate + side * 30)),
                            xtol=1e-11) for side in (-1, 1)]


def gap_region(delta, linear, cov, t, points=20001):
    """Smallest and largest G over the ellipse of (Delta, linear part), stretched along Delta to its
    interval."""
    sd, sl = math.sqrt(cov[4, 4]), math.sqrt(cov[5, 5])
    rho = cov[4, 5] / (sd * sl)
    angle = np.linspace(0, 2 * math.pi, points)
    value, lo, hi = delta
    c = np.cos(angle)
    d = value + c * np.where(c < 0, value - lo, hi - value)
    low = linear + t * sl * (rho * np.cos(angle) + math.sqrt(1 - rho * rho) * np.sin(angle))
    g = np.clip(np.abs(d) / (1 + np.abs(d)), 1e-6, 1 - 1e-6)
    v = special.expit(special.logit(g) + low)
    return (0.0 if lo <= 0 <= hi else float(v.min())), float(v.max())


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
        # the table's own variances: each item a cluster, verdicts 0 or 1
        single = is_binary(u, g) and clusters == n
        z = stats.norm.ppf(0.5 + level / 2) if single else t
        x = influence(CORNERS[:, 0], CORNERS[:, 1], p)
        own = (x ** 2 * p).sum(axis=1) * n / (n - 1) / (n + 1)
        by = [1.0, 1.0] if single else [own[3] / cov[3, 3], own[4] / cov[4, 4]]
        out["points"][1:] = score_points([c * by[0] for c in k], z)
        if clusters == n:
            out["delta"][1:] = likelihood_delta([(c + 0.25) * by[1] for c in k], z)
        else:
            out["delta"][1:] = [delta - t * se[4], delta + t * se[4]]
        out["points_delta_method"] = [max(-1.0, pu - pg - t * se[3]),
                                      min(1.0, pu - pg + t * se[3])]
        out["delta_delta_method"] = [delta - t * se[4], delta + t * se[4]]
        out["gap"][1:] = gap_region(out["delta"], linear, cov, t)
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
