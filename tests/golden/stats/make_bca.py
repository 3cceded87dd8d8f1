"""Golden values of BCa intervals: writes bca.txt beside this file.

    python3 make_bca.py        (needs numpy and scipy)

scipy.stats.bootstrap takes given resamples, so the method's arithmetic can be compared to the last
digits. A case is the line `case NAME n resamples LEVEL`, the sample (n numbers), the statistic of each
resample, that of each jackknife sample, then `value lo hi`. Even cases: the mean; odd ones: the logit
of the mean.
"""
import os
from types import SimpleNamespace

import numpy as np
from scipy import stats


def logit_mean(x, axis):
    m = np.mean(x, axis=axis)
    return np.log(m / (1 - m))


def cases():
    rng = np.random.default_rng(5)
    yield "binary", 0.95, (rng.random(30) < 0.8).astype(float), np.mean
    yield "skewed", 0.9, rng.beta(1, 8, 25), logit_mean
    yield "few", 0.95, rng.random(5), np.mean
    yield "tenths", 0.99, rng.integers(1, 10, 40) / 10, logit_mean


def line(values):
    return " ".join(repr(float(x)) for x in np.atleast_1d(values))


def main():
    rng = np.random.default_rng(6)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bca.txt")
    with open(path, "w", encoding="ascii") as out:
        for name, level, x, statistic in cases():
            resampled = statistic(rng.choice(x, (400, len(x))), axis=1)
            given = SimpleNamespace(bootstrap_distribution=resampled)
            ci = stats.bootstrap((x,), statistic, n_resamples=0, method="BCa",
                                 confidence_level=level, bootstrap_result=given,
                                 vectorized=True).confidence_interval
            jackknife = [float(statistic(np.delete(x, i), axis=0)) for i in range(len(x))]
            print("case", name, len(x), len(resampled), level, file=out)
            print(line(x), file=out)
            print(line(resampled), file=out)
            print(line(jackknife), file=out)
            print(line([statistic(x, axis=0), ci.low, ci.high]), file=out)


main()
