/* Tables for people. */
#include <string.h>

#include "report/report.h"
#include "report/table.h"

static bool has_failures(const struct ge_gap_row *r)
{
    return r->failed_samples > 0;
}

static void logit_cells(struct ge_buf *out, const struct ge_summary *s, size_t i)
{
    const struct ge_gap_row *r = &s->rows[i];
    ge_table_percent(out, r->succ);
    ge_buf_str(out, " | ");
    ge_table_percent(out, r->und);
    ge_buf_str(out, " | ");
    ge_table_percent(out, r->gen);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->points, 100, 1, true);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->delta, 1, 2, true);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->gap, 1, 3, false);
    ge_buf_str(out, " | ");
    ge_table_p_value(out, r->p_value);
    ge_buf_str(out, " | ");
    ge_table_p_value(out, r->p_holm);
}

/* Of all items, where systems are ranked. */
static void ranked_cells(struct ge_buf *out, const struct ge_summary *s, size_t i)
{
    const struct ge_rank *rank = &s->rows[i].rank;
    logit_cells(out, s, i);
    if (rank->rank == 0) {
        ge_buf_printf(out, " | %s", GE_TABLE_MISSING);
    } else {
        ge_buf_printf(out, " | %zu [%zu, %zu]", rank->rank, rank->lo, rank->hi);
    }
}

static void range(struct ge_buf *out, struct ge_bounds b, double factor, int digits)
{
    ge_buf_char(out, ' ');
    ge_table_decimal(out, factor * b.lo, digits, false);
    ge_buf_str(out, " … ");
    ge_table_decimal(out, factor * b.hi, digits, false);
    ge_buf_str(out, " |");
}

void ge_table_failures(struct ge_buf *out, const struct ge_summary *s, bool with_gap)
{
    bool any = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->dimension, "overall") != 0 || (!has_failures(r) && r->undone == 0)) continue;
        if (!any) {
            ge_buf_printf(out,
                          "\n### Failures, and the figures with every failure decided against or "
                          "for the system\n\n| system | items | und failed | gen failed | undone "
                          "| Succ %% | Und %% | Gen %% | Und − Gen, points |%s\n"
                          "|:--|--:|--:|--:|--:|--:|--:|--:|--:|%s\n",
                          with_gap ? " G |" : "", with_gap ? "--:|" : "");
        }
        any = true;
        ge_buf_str(out, "| ");
        ge_table_text(out, r->system);
        ge_buf_printf(out, " | %zu | %zu | %zu | %zu |", r->items, r->failed_und, r->failed_gen,
                      r->undone);
        range(out, r->succ_bounds, 100, 1);
        range(out, r->und_bounds, 100, 1);
        range(out, r->gen_bounds, 100, 1);
        range(out, r->points_bounds, 100, 1);
        if (with_gap) range(out, r->gap_bounds, 1, 3);
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
            ge_table_text(out, r->system);
            ge_buf_printf(out, " | %s | %zu | %zu | ", ge_direction_name((enum ge_direction)d),
                          e->items, e->samples);
            ge_table_number(out, 100 * e->pass_1, 1, false);
            ge_buf_str(out, " | ");
            ge_table_number(out, 100 * e->pass_k, 1, false);
            ge_buf_str(out, " | ");
            ge_table_number(out, 100 * e->seed_sd, 2, false);
            ge_buf_str(out, " |\n");
        }
    }
}

#define LOGIT_COLUMNS                                                                              \
    "Succ ↑ % | Und ↑ % | Gen ↑ % | Und − Gen, points | Δ logit | G ↓ | p | p Holm |"
#define LOGIT_ALIGNMENT "--:|--:|--:|--:|--:|--:|--:|--:|"

static const struct ge_table_figures logit = {LOGIT_COLUMNS, LOGIT_ALIGNMENT, logit_cells};
static const struct ge_table_figures logit_ranked = {LOGIT_COLUMNS " rank by Succ |",
                                                     LOGIT_ALIGNMENT "--:|", ranked_cells};

void ge_table_logit(struct ge_buf *out, const struct ge_summary *s)
{
    ge_buf_printf(out,
                  "Estimator `logit`, %g %% intervals%s, failures %s. Und − Gen and Δ are signed "
                  "(positive: understands better than it generates); G is the unsigned Gap "
                  "Score.\n",
                  100 * s->options.level,
                  s->options.interval == GE_INTERVAL_BCA     ? " (BCa bootstrap)"
                  : s->options.interval == GE_INTERVAL_DELTA ? " (delta method)"
                                                             : "",
                  s->options.failures_wrong ? "count as wrong" : "left out");
    ge_table_dimension(out, s, "overall", s->ranked ? &logit_ranked : &logit);
    ge_table_groups(out, s, &logit);
    repeated(s, out);
}

ge_status ge_report_markdown(const struct ge_run *run, const struct ge_summary *s,
                             struct ge_buf *out)
{
    (void)run;
    ge_table_logit(out, s);
    ge_table_failures(out, s, true);
    ge_table_estimators(out, s);
    ge_table_corpus(out, s);
    ge_table_diagnoses(out, s, false);
    ge_report_people(s, out);
    return ge_buf_status(out);
}
