"""Times `gapeval bench bootstrap` beside scipy.stats.bootstrap: confidence intervals of 16 means over
100,000 rows, all from the same resamples.

    python3 bootstrap.py GAPEVAL [--threads N] [--resamples B]      (needs numpy and scipy)

SciPy takes B resamples (100) by the percentile method, its quickest, and is scaled to 10,000: its BCa
leaves out one row at a time and would take hours. Both in CPU time, because machines are shared.
"""
import argparse
import subprocess
import time

import numpy as np
from scipy import stats

ROWS, METRICS, RESAMPLES, REPEATS = 100_000, 16, 10_000, 3


def main():
    p = argparse.ArgumentParser()
    p.add_argument("gapeval")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--resamples", type=int, default=100)
    a = p.parse_args()
    command = [a.gapeval, "bench", "bootstrap", "--threads", str(a.threads), "--repeats",
               str(REPEATS)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    x = np.random.default_rng(1).random((METRICS, ROWS))
    wall, cpu = time.perf_counter(), time.process_time()
    stats.bootstrap((x,), np.mean, axis=-1, n_resamples=a.resamples, method="percentile", batch=10)
    factor = RESAMPLES / a.resamples
    print(f"scipy {a.resamples} resamples, times {factor:g}: "
          f"{(time.perf_counter() - wall) * factor:.0f} s by the wall clock, "
          f"{(time.process_time() - cpu) * factor:.0f} s of CPU time")


main()
