/* Tables for people. */
#include <math.h>
#include <string.h>

#include "report/report.h"

static const char missing[] = "–";

/* "61.2 ± 3.1": the larger half of the interval, so that ± never promises too much. */
static void percent(struct ge_buf *out, struct ge_estimate e)
{
    if (isnan(e.value)) {
        ge_buf_str(out, missing);
        return;
    }
    ge_buf_printf(out, "%.1f", 100 * e.value);
    if (isnan(e.lo)) return;
    ge_buf_printf(out, " ± %.1f", 100 * fmax(e.hi - e.value, e.value - e.lo));
}

/* A number with `digits` (1 to 3) decimals; what rounds to zero is never "-0". */
static void decimal(struct ge_buf *out, double v, int digits, bool with_sign)
{
    static const double half[] = {0.5, 0.05, 0.005, 0.0005};
    if (fabs(v) < half[digits]) v = 0;
    ge_buf_printf(out, with_sign ? "%+.*f" : "%.*f", digits, v);
}

/* A value and its interval, both times `factor`. */
static void interval(struct ge_buf *out, struct ge_estimate e, double factor, int digits,
                     bool with_sign)
{
    if (isnan(e.value)) {
        ge_buf_str(out, missing);
        return;
    }
    double values[] = {e.value, e.lo, e.hi};
    static const char *const between[] = {"", " [", ", "};
    for (int i = 0; i < (isnan(e.lo) ? 1 : 3); i++) {
        ge_buf_str(out, between[i]);
        decimal(out, factor * values[i], digits, with_sign);
    }
    if (!isnan(e.lo)) ge_buf_char(out, ']');
}

static void p_value(struct ge_buf *out, double p)
{
    if (isnan(p)) {
        ge_buf_str(out, missing);
    } else if (p < 0.001) {
        ge_buf_str(out, "< 0.001");
    } else {
        ge_buf_printf(out, "%.3f", p);
    }
}

/* Text in a table cell: a bar or a line's end would end it. */
static void cell_text(struct ge_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '|') ge_buf_char(out, '\\');
        ge_buf_char(out, *s == '\n' || *s == '\r' ? ' ' : *s);
    }
}

static bool has_failures(const struct ge_gap_row *r)
{
    return r->failed_samples > 0;
}

static void heading(struct ge_buf *out, const char *dimension, bool grouped, bool ranked)
{
    ge_buf_printf(out,
                  "\n### %s\n\n| system |%s n | Succ ↑ %% | Und ↑ %% | Gen ↑ %% | "
                  "Und − Gen, points | Δ logit | G ↓ | p | p Holm |%s\n"
                  "|:--|%s--:|--:|--:|--:|--:|--:|--:|--:|--:|%s\n",
                  grouped ? dimension : "All items", grouped ? " group |" : "",
                  ranked ? " rank by Succ |" : "", grouped ? ":--|" : "", ranked ? "--:|" : "");
}

static void table_row(struct ge_buf *out, const struct ge_gap_row *r, bool grouped, bool ranked)
{
    ge_buf_str(out, "| ");
    cell_text(out, r->system);
    if (grouped) {
        ge_buf_str(out, " | ");
        cell_text(out, r->group);
    }
    ge_buf_printf(out, " | %zu | ", r->judged);
    percent(out, r->succ);
    ge_buf_str(out, " | ");
    percent(out, r->und);
    ge_buf_str(out, " | ");
    percent(out, r->gen);
    ge_buf_str(out, " | ");
    interval(out, r->points, 100, 1, true);
    ge_buf_str(out, " | ");
    interval(out, r->delta, 1, 2, true);
    ge_buf_str(out, " | ");
    interval(out, r->gap, 1, 3, false);
    ge_buf_str(out, " | ");
    p_value(out, r->p_value);
    ge_buf_str(out, " | ");
    p_value(out, r->p_holm);
    ge_buf_str(out, " |");
    if (ranked && r->rank.rank == 0) ge_buf_printf(out, " %s |", missing);
    if (ranked && r->rank.rank > 0) {
        ge_buf_printf(out, " %zu [%zu, %zu] |", r->rank.rank, r->rank.lo, r->rank.hi);
    }
    ge_buf_char(out, '\n');
}

static void range(struct ge_buf *out, struct ge_bounds b, double factor, int digits)
{
    ge_buf_char(out, ' ');
    decimal(out, factor * b.lo, digits, false);
    ge_buf_str(out, " … ");
    decimal(out, factor * b.hi, digits, false);
    ge_buf_str(out, " |");
}

/* Failures and what they could mean, for the rows that have any. */
static void failures(const struct ge_summary *s, struct ge_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->dimension, "overall") != 0 || (!has_failures(r) && r->undone == 0)) continue;
        if (!any) {
            ge_buf_str(out, "\n### Failures, and the figures with every failure decided against or "
                            "for the system\n\n| system | items | und failed | gen failed | undone "
                            "| Succ % | Und % | Gen % | Und − Gen, points | G |\n"
                            "|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        }
        any = true;
        ge_buf_str(out, "| ");
        cell_text(out, r->system);
        ge_buf_printf(out, " | %zu | %zu | %zu | %zu |", r->items, r->failed_und, r->failed_gen,
                      r->undone);
        range(out, r->succ_bounds, 100, 1);
        range(out, r->und_bounds, 100, 1);
        range(out, r->gen_bounds, 100, 1);
        range(out, r->points_bounds, 100, 1);
        range(out, r->gap_bounds, 1, 3);
        ge_buf_char(out, '\n');
    }
}

/* Systems with several samples of an item: what another draw would change. */
static void repeated(const struct ge_summary *s, struct ge_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->dimension, "overall") != 0) continue;
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_repeats *e = &r->repeats[d];
            if (e->items == 0) continue;
            if (!any) {
                ge_buf_str(out,
                           "\n### Repeated samples\n\n| system | direction | items | k | pass@1 "
                           "% | pass@k % | sd between draws, points |\n"
                           "|:--|:--|--:|--:|--:|--:|--:|\n");
            }
            any = true;
            ge_buf_str(out, "| ");
            cell_text(out, r->system);
            ge_buf_printf(out, " | %s | %zu | %zu | ", ge_direction_name((enum ge_direction)d),
                          e->items, e->samples);
            interval(out, (struct ge_estimate){e->pass_1, NAN, NAN}, 100, 1, false);
            ge_buf_str(out, " | ");
            interval(out, (struct ge_estimate){e->pass_k, NAN, NAN}, 100, 1, false);
            ge_buf_str(out, " | ");
            interval(out, (struct ge_estimate){e->seed_sd, NAN, NAN}, 100, 2, false);
            ge_buf_str(out, " |\n");
        }
    }
}

/* Rows are ordered by system; a table shows one dimension with the groups together. */
static void dimension_table(const struct ge_summary *s, const char *dimension, struct ge_buf *out)
{
    bool grouped = strcmp(dimension, "overall") != 0, any = false;
    const char *done = NULL; /* groups come in byte order, so the next one is the next larger */
    for (;;) {
        const char *next = NULL;
        for (size_t i = 0; i < s->n_rows; i++) {
            const struct ge_gap_row *r = &s->rows[i];
            if (strcmp(r->dimension, dimension) != 0) continue;
            if (done != NULL && strcmp(r->group, done) <= 0) continue;
            if (next == NULL || strcmp(r->group, next) < 0) next = r->group;
        }
        if (next == NULL) return;
        if (!any) heading(out, dimension, grouped, !grouped && s->ranked);
        any = true;
        for (size_t i = 0; i < s->n_rows; i++) {
            const struct ge_gap_row *r = &s->rows[i];
            if (strcmp(r->dimension, dimension) == 0 && strcmp(r->group, next) == 0) {
                table_row(out, r, grouped, !grouped && s->ranked);
            }
        }
        done = next;
    }
}

ge_status ge_report_markdown(const struct ge_run *run, const struct ge_summary *s,
                             struct ge_buf *out)
{
    (void)run;
    ge_buf_printf(out,
                  "Estimator `logit`, %.0f %% intervals%s, failures %s. Und − Gen and Δ are signed "
                  "(positive: understands better than it generates); G is the unsigned Gap "
                  "Score.\n",
                  100 * s->options.level,
                  s->options.interval == GE_INTERVAL_BCA     ? " (BCa bootstrap)"
                  : s->options.interval == GE_INTERVAL_DELTA ? " (delta method)"
                                                             : "",
                  s->options.failures_wrong ? "count as wrong" : "left out");
    static const char *const dimensions[] = {"overall", "category", "subcategory", "tag"};
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
        dimension_table(s, dimensions[i], out);
    }
    repeated(s, out);
    failures(s, out);
    return ge_buf_status(out);
}
