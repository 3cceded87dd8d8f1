/* Ranks with intervals: which places in a leaderboard a system may hold. Used by aggregate/. Pure;
 * thread-safe. */
#ifndef GE_STATS_RANKS_H
#define GE_STATS_RANKS_H

#include <stddef.h>

#include "base/status.h"

struct ge_rank {
    size_t rank;   /* 1: best; equal scores share the better place */
    size_t lo, hi; /* places that the comparisons do not rule out */
};

/* Ranks of n systems by score (n; higher is better; NaN: no rank, all 0). p (n, n): two-sided p value
 * of "i and j are equally good", read for i < j; NaN: not compared. A system's best place is one
 * more than the number of systems that are significantly better, its worst place n less those
 * significantly worse, of the ranked ones; all comparisons together keep the family-wise level
 * 1 - level (Holm 1979), so all intervals hold at once with that confidence: the construction of
 * Mogstad, Romano, Shaikh and Wilhelm (Rev. Econ. Stud. 91, 2024, 476) with Holm's step-down in
 * place of a bootstrap of the largest difference, so that exact tests can be used. GE_ENOMEM. */
ge_status ge_ranks(const double *score, const double *p, size_t n, double level,
                   struct ge_rank *out);

/* pass@k: chance that of k samples drawn from n, c of them right, at least one is right (Chen et al.,
 * arXiv 2107.03374): 1 - C(n-c, k)/C(n, k). NaN unless 1 <= k <= n and c <= n. */
double ge_pass_at_k(size_t n, size_t c, size_t k);

#endif
