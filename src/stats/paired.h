/* Intervals for two shares of the same items, from their 2 x 2 table. Counts may be fractions (a table
 * scaled to an effective number of items). Better than estimate +- quantile * error where a cell is
 * small: they are the values that a test does not reject. Used by aggregate/. Pure; thread-safe.
 * docs/statistics.md says which is used when, and how well they cover. */
#ifndef GE_STATS_PAIRED_H
#define GE_STATS_PAIRED_H

/* Numbers of items: both right, the first alone, the second alone, neither. */
struct ge_paired_table {
    double k11, k10, k01, k00;
};

struct ge_range {
    double lo, hi;
};

/* Score interval of the difference of the shares, (k10 - k01)/n: the values whose score statistic is
 * within +-z (Tango, Stat. Med. 17, 1998, 891). Within [-1, 1], holds the estimate. NaN for an empty
 * table or z that is NaN. */
struct ge_range ge_paired_difference(struct ge_paired_table t, double z);

/* Profile likelihood interval of the difference of the shares' logits: the values whose likelihood
 * ratio against the table itself is at most z^2. All cells must be > 0 (smoothed); holds the
 * estimate; finite. NaN where a cell is not > 0 or z is NaN. */
struct ge_range ge_paired_logit(struct ge_paired_table t, double z);

#endif
